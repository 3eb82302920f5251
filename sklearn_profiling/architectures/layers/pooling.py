"""From the rows of a user to a fixed number of pooling units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["average_into_units", "normalise_response"]


def average_into_units(values: Tensor, counts: Tensor, n_units: int) -> Tensor:
    """Average (n_rows, n_features) of each user, end to end, in equal parts.

    `counts` (n_users,) are the rows of each user. Of a user with R rows, unit k of K
    averages the rows from floor(k R / K) to floor((k + 1) R / K), the last one
    excluded. A user with fewer rows than units repeats the row floor(k R / K). Returns
    (n_users, n_units, n_features); zero for a user without rows.
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
    """Scale each vector z of (..., n_features) by (1 + |z|^2)^(-1/2)."""
    squares: Tensor = values.square().sum(dim=-1, keepdim=True)
    return values * torch.rsqrt(1.0 + squares)
