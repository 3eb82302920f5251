"""Sources of users of whom some are one person."""

from __future__ import annotations

import copy
from typing import Any

from numpy.typing import NDArray
from skorch.helper import SliceDict

__all__ = ["GroupedSources", "groups_of"]


class GroupedSources(SliceDict):
    """Sources whose `groups` (n_users,) say who is held out together; sliced alike."""

    groups: NDArray[Any] | None = None

    def __getitem__(self, rows: Any) -> Any:
        chosen = super().__getitem__(rows)
        if self.groups is not None and not isinstance(rows, str):
            chosen.groups = self.groups[rows]
        return chosen

    def copy(self) -> Any:
        """Copy the sources and their groups."""
        return copy.copy(self)


def groups_of(X: Any) -> NDArray[Any] | None:
    """Return the groups of users, None where nobody says so."""
    return X.groups if isinstance(X, GroupedSources) else None
