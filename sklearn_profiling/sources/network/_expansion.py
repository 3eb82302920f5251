"""Expansion of a network: more neighbours for users who have few."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sklearn_profiling.sources.network._kernels import nearest_of_neighbors


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


def expand_low_degrees(adjacency: Any, threshold: int, *, directed: bool) -> Any:
    """Link users with fewer than `threshold` neighbours to neighbours of neighbours.

    The arc from i to k weighs sum_j w_ij w_jk / d_j, and the heaviest are added. An
    undirected result keeps the larger weight of both directions.
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
