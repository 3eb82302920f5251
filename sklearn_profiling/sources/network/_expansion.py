"""More neighbours for users who have few."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sklearn_profiling.sources.network._kernels import nearest_of_neighbors


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View an array without the right to write.

    Parameters
    ----------
    array : ndarray
        Any array.

    Returns
    -------
    ndarray
        The view.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def expand_low_degrees(adjacency: Any, threshold: int, *, directed: bool) -> Any:
    """Link users of few neighbours to neighbours of these.

    Parameters
    ----------
    adjacency : csr_array of shape (n_users, n_users)
        Weights of arcs.
    threshold : int
        Users with fewer neighbours get new ones until they have that many. The
        new arc from i to k weighs sum_j w_ij w_jk / d_j.
    directed : bool
        If False, the result is made symmetric by the larger weight.

    Returns
    -------
    csr_array of shape (n_users, n_users)
        The network with the arcs added; the same object if there is none to add.
    """
    n_users = adjacency.shape[0]
    degrees = np.diff(adjacency.indptr)
    room = np.where(degrees > 0, np.maximum(threshold - degrees, 0), 0)
    starts = np.zeros(n_users + 1, dtype=np.int64)
    np.cumsum(room, out=starts[1:])
    others = np.empty(starts[-1], dtype=np.int32)
    values = np.empty(starts[-1], dtype=np.float32)
    counts = np.zeros(n_users, dtype=np.int64)
    strengths = np.asarray(adjacency.sum(axis=1), dtype=np.float32).ravel()
    nearest_of_neighbors(
        *map(read_only, (adjacency.indptr, adjacency.indices, adjacency.data)),
        strengths,
        starts,
        others,
        values,
        counts,
    )
    if not counts.any():
        return adjacency
    place_of_user = np.arange(starts[-1]) - np.repeat(starts[:-1], room)
    used = place_of_user < np.repeat(counts, room)
    indptr = np.zeros(n_users + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    added: Any = sparse.csr_array(
        (values[used], others[used], indptr), shape=adjacency.shape
    )
    if not directed:
        added = added.maximum(added.T.tocsr())
    expanded: Any = adjacency + added
    expanded.sort_indices()
    return expanded
