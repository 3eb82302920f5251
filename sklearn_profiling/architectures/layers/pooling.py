"""From the regions of a user to a fixed number of pooling units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["average_into_units", "normalise_response"]


def average_into_units(values: Tensor, counts: Tensor, n_units: int) -> Tensor:
    """Average the rows of each user in a fixed number of equal parts.

    Of a user with R rows, unit k of K averages the rows from floor(k R / K) to
    floor((k + 1) R / K), the last one excluded. A user with fewer rows than units fills
    each unit with the single row floor(k R / K), so that rows are repeated.

    Parameters
    ----------
    values : Tensor, shape (n_rows, n_features)
        The rows of all users, end to end.
    counts : Tensor of int64, shape (n_users,)
        Number of rows of each user.
    n_units : int
        Number of parts.

    Returns
    -------
    Tensor, shape (n_users, n_units, n_features)
        The averages; zero for a user without rows.
    """
    unit = torch.arange(n_units, device=counts.device)
    rows = counts.unsqueeze(1)  # (n_users, 1)
    starts = unit * rows // n_units  # (n_users, n_units)
    lengths = ((unit + 1) * rows // n_units - starts).clamp(min=1)
    lengths = torch.where(rows > 0, lengths, 0)
    starts = starts + (counts.cumsum(0) - counts).unsqueeze(1)
    starts, lengths = starts.flatten(), lengths.flatten()
    offsets = lengths.cumsum(0) - lengths
    total = int(lengths.sum())
    within = torch.arange(total, device=counts.device)
    taken = within + torch.repeat_interleave(starts - offsets, lengths)
    # A bag of rows is averaged without a copy of the rows.
    means = functional.embedding_bag(taken, values, offsets, mode="mean")
    return means.reshape(len(counts), n_units, values.shape[1])


def normalise_response(values: Tensor) -> Tensor:
    """Scale each vector z by (1 + |z|^2)^(-1/2).

    Parameters
    ----------
    values : Tensor, shape (..., n_features)
        Vectors.

    Returns
    -------
    Tensor, same shape
        Vectors of length below 1, in the same directions.
    """
    squares: Tensor = values.square().sum(dim=-1, keepdim=True)
    return values * torch.rsqrt(1.0 + squares)
