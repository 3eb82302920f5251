"""Sparse rows of a batch laid end to end."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["FlatRows"]


class FlatRows(NamedTuple):
    """Entries of the rows of a batch of users, end to end."""

    columns: Tensor  # int64 (n_entries,)
    values: Tensor  # float (n_entries,)
    row_starts: Tensor  # int64 (n_users,): number of the first entry of each user

    def to(self, device: torch.device | str) -> FlatRows:
        """Copy to a device."""
        return FlatRows(*(part.to(device) for part in self))
