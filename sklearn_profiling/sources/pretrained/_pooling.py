"""From the states of a model to vectors, from vectors to users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["pool_positions", "pool_users"]

Floats = NDArray[np.float32]


def pool_positions(states: Tensor, mask: Tensor | None, pooling: str) -> Tensor:
    """Join the states of a sequence.

    Parameters
    ----------
    states : Tensor, shape (n_rows, n_positions, n_dimensions)
        States of a model's last layer.
    mask : Tensor of int, shape (n_rows, n_positions), or None
        1 where there is something, which the first position is; None if everywhere.
    pooling : {"mean", "cls"}
        The mean, or the state of the first position.

    Returns
    -------
    Tensor, shape (n_rows, n_dimensions)
        One vector a row.
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
    """Join the vectors of each user.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n_rows, n_dimensions)
        Vectors of messages or images.
    rows : sequence of sequence of int
        Which of them are each user's.
    pooling : {"mean", "max"}
        The mean, or the largest value of each feature.

    Returns
    -------
    ndarray of float32, shape (n_users, n_dimensions)
        One vector a user; NaN for a user without any.
    """
    joined = np.full((len(rows), vectors.shape[1]), np.nan, np.float32)
    for user, own in enumerate(rows):
        if len(own):
            chosen = vectors[np.asarray(own)]
            joined[user] = (
                chosen.max(axis=0) if pooling == "max" else chosen.mean(axis=0)
            )
    return joined
