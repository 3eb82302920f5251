"""Pooling: states of a model to one vector, vectors to one a user."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["pool_positions", "pool_users"]

Floats = NDArray[np.float32]


def pool_positions(states: Tensor, mask: Tensor | None, pooling: str) -> Tensor:
    """Pool states (n_rows, n_positions, n_dimensions) to (n_rows, n_dimensions).

    `mask` is 1 where a position counts, None if all do; "cls" takes the first position.
    """
    if pooling == "cls":
        return states[:, 0]
    # Sums of hundreds of numbers of 16 bits would lose theirs.
    exact = states.float() if states.dtype.itemsize < 4 else states
    if mask is None:
        return exact.mean(dim=1)
    weights = mask.unsqueeze(-1).to(exact.dtype)
    return (exact * weights).sum(dim=1) / weights.sum(dim=1)


def pool_users(vectors: Floats, rows: Sequence[Sequence[int]], pooling: str) -> Floats:
    """Pool each user's `rows` of vectors by mean or max; NaN where there are none."""
    joined = np.full((len(rows), vectors.shape[1]), np.nan, np.float32)
    for user, own in enumerate(rows):
        if len(own):
            chosen = vectors[np.asarray(own)]
            joined[user] = (
                chosen.max(axis=0) if pooling == "max" else chosen.mean(axis=0)
            )
    return joined
