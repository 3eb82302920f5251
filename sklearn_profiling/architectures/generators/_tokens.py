"""Users, tasks and profiles as tokens: what generators read and are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_profiling.architectures.layers.images import FlatImages

__all__ = [
    "ProfileDescription",
    "ProfileInputs",
    "PromptTokens",
    "TaskPrompt",
    "TokenIds",
    "TokenRows",
]


class TokenRows(NamedTuple):
    """One sequence of token ids a user, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_tokens,)
        Token ids.
    users : Tensor of int64, shape (n_tokens,)
        Row of the user each token belongs to, non-decreasing.
    n_users : int
        Number of users, with or without tokens.
    """

    ids: Tensor
    users: Tensor
    n_users: int

    @classmethod
    def empty(cls, n_users: int, device: torch.device | str = "cpu") -> TokenRows:
        """Make rows without any token."""
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        return cls(nothing, nothing, n_users)

    @classmethod
    def from_lists(
        cls, rows: list[list[int]], device: torch.device | str = "cpu"
    ) -> TokenRows:
        """Make rows from the token ids of each user."""
        ids = torch.tensor([k for row in rows for k in row], dtype=torch.int64)
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        users = torch.repeat_interleave(torch.arange(len(rows)), lengths)
        return cls(ids.to(device), users.to(device), len(rows))

    @classmethod
    def repeated(
        cls, ids: Sequence[int], n_users: int, device: torch.device | str = "cpu"
    ) -> TokenRows:
        """Make rows with the same tokens for each user."""
        return cls.from_lists([list(ids)] * n_users, device)

    def positions(self) -> Tensor:
        """Place of each token among its user's, from 0: int64 (n_tokens,)."""
        counts = torch.bincount(self.users, minlength=self.n_users)
        starts = counts.cumsum(0) - counts
        everywhere = torch.arange(len(self.ids), device=self.ids.device)
        return everywhere - starts[self.users]

    def join(self, other: TokenRows) -> TokenRows:
        """Append other tokens of the same users."""
        users = torch.cat([self.users, other.users])
        order = torch.argsort(users, stable=True)
        ids = torch.cat([self.ids, other.ids])
        return TokenRows(ids[order], users[order], self.n_users)

    def first(self, n_tokens: int | Tensor) -> TokenRows:
        """Keep the first tokens of each user, one number for all or (n_users,)."""
        most = n_tokens[self.users] if isinstance(n_tokens, Tensor) else n_tokens
        kept = self.positions() < most
        return TokenRows(self.ids[kept], self.users[kept], self.n_users)

    def part(self, start: int, stop: int) -> TokenRows:
        """Choose the users from `start` to before `stop`."""
        inside = (self.users >= start) & (self.users < stop)
        return TokenRows(self.ids[inside], self.users[inside] - start, stop - start)

    def padded(self, pad: int) -> tuple[Tensor, Tensor]:
        """Lay the tokens out from the left: ids and mask, (n_users, longest) each."""
        counts = torch.bincount(self.users, minlength=self.n_users)
        longest = int(counts.max()) if self.n_users else 0
        steps = torch.arange(longest, device=self.ids.device)
        is_token = steps < counts.unsqueeze(1)  # (n_users, longest)
        table = torch.full_like(is_token, pad, dtype=torch.int64)
        table[is_token] = self.ids
        return table, is_token


class TokenIds(NamedTuple):
    """Special tokens of a language model, and `offset` from words to its tokens.

    `start` begins what a decoder writes, or the prompt of a decoder alone, and `begin`,
    if it is not None, follows it before all that is written; `mask` stands for what is
    hidden.
    """

    pad: int
    end: int
    start: int
    mask: int
    offset: int
    begin: int | None = None

    @property
    def given(self) -> list[int]:
        """Tokens that a decoder is given before it writes."""
        return [self.start] if self.begin is None else [self.start, self.begin]


class PromptTokens(NamedTuple):
    """Tokens around what is read of a user.

    `openings` stand before the text, that of place n for users with n images, in n + 1
    parts: one before each image, one before the text. `between` stands before captions,
    `behind` after them, `closing` ends all.
    """

    openings: Sequence[Sequence[Sequence[int]]]
    between: Sequence[int]
    behind: Sequence[int]
    closing: Sequence[int]

    @property
    def n_tokens(self) -> int:
        """Most of them that a user gets."""
        longest = max(sum(map(len, parts)) for parts in self.openings)
        return longest + sum(map(len, self[1:]))


class TaskPrompt(NamedTuple):
    """How a task is asked for: a prefix, "Stars:", that one of the answers follows.

    `members` (n_answers, n_classes) marks the classes that an answer names; several
    where `is_set`.
    """

    prefix: list[int]
    answers: list[list[int]]
    members: Tensor
    is_set: bool

    def class_logits(self, scores: Tensor) -> Tensor:
        """Log-probabilities of answers (n_users, n_answers) to logits of classes.

        (n_users, n_classes); for sigmoid where answers name several classes, else for
        softmax. A constant may be missing from the log-probabilities.
        """
        members = self.members.to(scores.device)
        if not self.is_set:
            return scores[:, members.int().argmax(dim=0)]
        each = scores.unsqueeze(2)  # (n_users, n_answers, 1)
        inside = each.masked_fill(~members, -torch.inf).logsumexp(dim=1)
        outside = each.masked_fill(members, -torch.inf).logsumexp(dim=1)
        return inside - outside


class ProfileDescription(NamedTuple):
    """What an architecture is told of the profiles before it is built.

    `prompts` come in the order of the profile, `longest` is the number of tokens of the
    longest profile, and `around` what stands around the text of a user.
    """

    ids: TokenIds
    prompts: Sequence[TaskPrompt]
    longest: int
    around: PromptTokens


@dataclass(frozen=True)
class ProfileInputs:
    """What a generator may read of the users of a batch.

    `reviews` is the text of the users, `captions` is about their images, and `profile`
    a profile with masked parts, usually empty.
    """

    reviews: TokenRows
    captions: TokenRows
    profile: TokenRows
    images: FlatImages | None

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.reviews.n_users

    def part(self, start: int, stop: int) -> ProfileInputs:
        """Choose the users from `start` to before `stop`."""
        images = self.images
        if images is not None:
            users = images.image_users
            inside = (users >= start) & (users < stop)
            images = FlatImages(
                images.pixels[inside], users[inside] - start, stop - start
            )
        return ProfileInputs(
            self.reviews.part(start, stop),
            self.captions.part(start, stop),
            self.profile.part(start, stop),
            images,
        )
