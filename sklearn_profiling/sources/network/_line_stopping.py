"""Links held out of LINE's descent, whose loss tells when it has learned enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float32]
Users = npt.NDArray[np.int32]

_SHARE = 0.01
_MOST = 10_000
# A pass must lower the loss by this share of it, or three in a row end the descent.
_TOLERANCE = 1e-3
_PATIENCE = 3


@dataclass
class HeldOutLinks:
    """Links (n,) with their weights and noise contexts (n, n_negatives)."""

    sources: Users
    targets: Users
    weights: npt.NDArray[np.float64]
    noise: Users
    best: float = np.inf
    n_worse: int = 0

    def loss(self, vertex: Floats, context: Floats) -> float:
        """Return the mean loss of a link, in nats, as the descent lowers it."""
        sources = vertex[self.sources]
        losses = np.logaddexp(0, -_dots(sources, context[self.targets]))
        for column in self.noise.T:
            losses += np.logaddexp(0, _dots(sources, context[column]))
        return float(np.average(losses, weights=self.weights))

    def watch(self, vertex: Floats, context: Floats) -> None:
        """Note after a pass whether it lowered the loss."""
        loss = self.loss(vertex, context)
        if loss < self.best * (1 - _TOLERANCE):
            self.best, self.n_worse = loss, 0
        else:
            self.n_worse += 1

    @property
    def enough(self) -> bool:
        """Whether further passes would not lower the loss."""
        return self.n_worse >= _PATIENCE


def _dots(first: Floats, second: Floats) -> npt.NDArray[np.float64]:
    dots: npt.NDArray[np.float64] = np.einsum(
        "ij,ij->i", first, second, dtype=np.float64
    )
    return dots


def hold_out(
    adjacency: Any, n_negatives: int, seed: int
) -> tuple[Any, HeldOutLinks | None]:
    """Take links out of a network: what is left, and one for a hundred arcs.

    Both directions of a link go together, at most 10,000 links go, and nobody loses the
    last arc out or in. None where no link can go.
    """
    generator = np.random.default_rng(seed)
    indptr, indices = adjacency.indptr, adjacency.indices
    wanted = min(max(int(_SHARE * adjacency.nnz), 1), _MOST)
    tried = np.sort(
        generator.choice(adjacency.nnz, min(4 * wanted, adjacency.nnz), replace=False)
    )
    rows = np.searchsorted(indptr, tried, side="right") - 1
    order = generator.permutation(len(tried))
    left = np.diff(indptr)
    came = np.bincount(indices, minlength=len(left))
    kept = np.ones(adjacency.nnz, dtype=bool)
    places: list[int] = []
    for source, place in zip(rows[order].tolist(), tried[order].tolist(), strict=True):
        target = int(indices[place])
        pair = [place, *_place_of(indptr, indices, target, source)]
        ends = [source, target][: len(pair)]
        if kept[place] and min(left[ends]) > 1 and came[target] > 1:
            kept[pair] = False
            left[ends] -= 1
            came[[target, source][: len(pair)]] -= 1
            places.append(place)
        if len(places) == wanted:
            break
    if not places:
        return adjacency, None
    found = np.array(places, dtype=np.int64)
    noise = np.bincount(indices, weights=adjacency.data, minlength=len(left)) ** 0.75
    chances = np.cumsum(noise)
    drawn = generator.random((len(found), n_negatives)) * chances[-1]
    links = HeldOutLinks(
        (np.searchsorted(indptr, found, side="right") - 1).astype(np.int32),
        indices[found],
        adjacency.data[found].astype(np.float64),
        np.searchsorted(chances, drawn, side="right").astype(np.int32),
    )
    starts = np.append(0, np.cumsum(left)).astype(indptr.dtype)
    parts = adjacency.data[kept], indices[kept], starts
    return sparse.csr_array(parts, shape=adjacency.shape), links


def _place_of(indptr: Any, indices: Any, source: int, target: int) -> list[int]:
    """Find an arc in a network whose rows are sorted: its place, if there is one."""
    low, high = int(indptr[source]), int(indptr[source + 1])
    place = low + int(np.searchsorted(indices[low:high], target))
    return [place] if place < high and indices[place] == target else []
