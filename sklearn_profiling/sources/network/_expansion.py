"""Expansion of a network: more neighbours for users who have few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sklearn_profiling.sources.network._kernels import (
    count_visits,
    nearest_of_neighbors,
)

# The walk costs two passes of the descent at most; on small networks it is whole.
_STEPS_PER_ARC = 64
_STEPS = 100_000_000


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


def expand_low_degrees(
    adjacency: Any, threshold: int, *, directed: bool, n_threads: int = 1
) -> Any:
    """Link users with fewer than `threshold` neighbours to neighbours of neighbours.

    The arc from i to k weighs sum_j w_ij w_jk / d_j, and the heaviest are added. An
    undirected result keeps the larger weight of both directions. Where that would take
    longer than two passes of the descent, the longest lists of neighbours are cut.
    """
    n_users = adjacency.shape[0]
    degrees = np.diff(adjacency.indptr)
    room = np.where(degrees > 0, np.maximum(threshold - degrees, 0), 0)
    starts = np.zeros(n_users + 1, dtype=np.int64)
    np.cumsum(room, out=starts[1:])
    if starts[-1] == 0:
        return adjacency
    others = np.empty(starts[-1], dtype=np.int32)
    values = np.empty(starts[-1], dtype=np.float32)
    counts = np.zeros(n_users, dtype=np.int64)
    strengths = np.asarray(adjacency.sum(axis=1), dtype=np.float32).ravel()
    arrays = [
        read_only(part)
        for part in (adjacency.indptr, adjacency.indices, adjacency.data, strengths)
    ]
    cap = _longest_list(arrays[0], arrays[1], starts)

    def run(first: int, last: int) -> None:
        nearest_of_neighbors(*arrays, cap, starts, first, last, others, values, counts)

    # Many more parts than threads, since hubs are spread unevenly over the users.
    bounds = np.unique(np.linspace(0, n_users, 1 + 8 * n_threads).astype(np.int64))
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(run, bounds[:-1].tolist(), bounds[1:].tolist()))
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


def _longest_list(indptr: Any, indices: Any, starts: npt.NDArray[np.int64]) -> int:
    """Bound the neighbours of a friend that are looked at, so as to bound all steps."""
    longest = int(np.diff(indptr).max())
    visits = np.zeros(longest + 1, dtype=np.int64)
    count_visits(indptr, indices, starts, visits)
    lengths = np.arange(longest + 1)
    whole, cut = np.cumsum(lengths * visits), visits.sum() - np.cumsum(visits)
    allowed = max(_STEPS, _STEPS_PER_ARC * len(indices))
    return int(np.searchsorted(whole + lengths * cut, allowed, side="right")) - 1
