"""Token ids of users, end to end, that can be joined, cut and padded."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["TokenRows"]


class TokenRows(NamedTuple):
    """One sequence of token ids a user, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_tokens,)
        Token ids.
    users : Tensor of int64, shape (n_tokens,)
        Row of the user each token belongs to, never falling.
    n_users : int
        Number of users, with or without tokens.
    """

    ids: Tensor
    users: Tensor
    n_users: int

    @classmethod
    def empty(cls, n_users: int, device: torch.device | str = "cpu") -> TokenRows:
        """Make rows without any token.

        Parameters
        ----------
        n_users : int
            Number of rows.
        device : torch.device or str, default="cpu"
            Where.

        Returns
        -------
        TokenRows
            The rows.
        """
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        return cls(nothing, nothing, n_users)

    @classmethod
    def from_lists(
        cls, rows: list[list[int]], device: torch.device | str = "cpu"
    ) -> TokenRows:
        """Make rows from lists.

        Parameters
        ----------
        rows : list of list of int
            Token ids of each user.
        device : torch.device or str, default="cpu"
            Where.

        Returns
        -------
        TokenRows
            The rows.
        """
        ids = torch.tensor([k for row in rows for k in row], dtype=torch.int64)
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        users = torch.repeat_interleave(torch.arange(len(rows)), lengths)
        return cls(ids.to(device), users.to(device), len(rows))

    def positions(self) -> Tensor:
        """Count the tokens of each user.

        Returns
        -------
        Tensor of int64, shape (n_tokens,)
            0 for the first token of a user, 1 for the second, and so on.
        """
        counts = torch.bincount(self.users, minlength=self.n_users)
        starts = counts.cumsum(0) - counts
        everywhere = torch.arange(len(self.ids), device=self.ids.device)
        return everywhere - starts[self.users]

    def join(self, other: TokenRows) -> TokenRows:
        """Append the tokens of the same users.

        Parameters
        ----------
        other : TokenRows
            Tokens to follow.

        Returns
        -------
        TokenRows
            Both.
        """
        users = torch.cat([self.users, other.users])
        order = torch.argsort(users, stable=True)
        ids = torch.cat([self.ids, other.ids])
        return TokenRows(ids[order], users[order], self.n_users)

    def first(self, n_tokens: int | Tensor) -> TokenRows:
        """Keep the first tokens of each user.

        Parameters
        ----------
        n_tokens : int, or Tensor of int64, shape (n_users,)
            How many.

        Returns
        -------
        TokenRows
            The tokens kept.
        """
        most = n_tokens[self.users] if isinstance(n_tokens, Tensor) else n_tokens
        kept = self.positions() < most
        return TokenRows(self.ids[kept], self.users[kept], self.n_users)

    def part(self, start: int, stop: int) -> TokenRows:
        """Choose neighbouring users.

        Parameters
        ----------
        start, stop : int
            Rows from `start` to before `stop`.

        Returns
        -------
        TokenRows
            Their tokens.
        """
        inside = (self.users >= start) & (self.users < stop)
        return TokenRows(self.ids[inside], self.users[inside] - start, stop - start)

    def padded(self, pad: int) -> tuple[Tensor, Tensor]:
        """Lay the tokens out as a table.

        Parameters
        ----------
        pad : int
            What fills the rest of a row.

        Returns
        -------
        ids : Tensor of int64, shape (n_users, longest)
            Tokens of each user from the left.
        is_token : Tensor of bool, shape (n_users, longest)
            False where padded.
        """
        counts = torch.bincount(self.users, minlength=self.n_users)
        longest = int(counts.max()) if self.n_users else 0
        steps = torch.arange(longest, device=self.ids.device)
        is_token = steps < counts.unsqueeze(1)  # (n_users, longest)
        table = torch.full_like(is_token, pad, dtype=torch.int64)
        table[is_token] = self.ids
        return table, is_token
