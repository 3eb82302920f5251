"""A gate for each source, which learns how much of it to let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.source_batch import SourceBatch
from sklearn_profiling.architectures.layers.sources import JoinedSources

__all__ = ["GatedSources"]


_PACE = 10.0
"""How much faster than other parameters a gate moves: Adam steps by the learning rate
at most, and a gate has a long way to go within few epochs."""


class _Penalty(torch.autograd.Function):
    """Leave values alone and add a constant to their gradient.

    This is the gradient of a loss with ``strength * values.sum()`` added to it. The
    loss itself stays that of the tasks, so that losses of different gates compare.
    """

    @staticmethod
    def forward(context: Any, values: Tensor, strength: float) -> Tensor:
        context.strength = strength
        return values.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] + context.strength, None


class GatedSources(JoinedSources):
    """Encode every source, bring it to one size, let its gate weigh it, concatenate.

    The gate of a source is a sigmoid: 1 lets everything through and 0 nothing. It is
    the product of one for all users and, where asked for, one that looks at what the
    source says about the user.

    Parameters
    ----------
    encoders : mapping of str to Module
        Encoder of each source; each has ``n_features``.
    source_dropout : float
        Probability that training hides a source of a user.
    n_gated : int
        Units that each source is brought to.
    per_user : bool
        Whether gates differ between users.
    penalty : float
        Weight in the loss of the sum over sources of the gates for all users.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        source_dropout: float,
        *,
        n_gated: int,
        per_user: bool,
        penalty: float,
    ) -> None:
        super().__init__(encoders, source_dropout)
        self.dense = nn.ModuleList(
            nn.Linear(len(stand_in), n_gated) for stand_in in self.stand_ins
        )
        # Open at first, or a source would be shut before the net could read it.
        self.scores = nn.Parameter(torch.full((len(self.names),), 2.0 / _PACE))
        self.looks = nn.ModuleList(
            nn.Linear(n_gated, 1) for _ in self.names if per_user
        )
        self.penalty = penalty
        self.n_features = n_gated * len(self.names)

    def _gated(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], Tensor]:
        """Vectors of each source, and gates of shape (n_users, n_sources)."""
        parts = self.parts(sources, present)
        vectors = [
            torch.relu(dense(part))
            for dense, part in zip(self.dense, parts, strict=True)
        ]
        opened = torch.sigmoid(_PACE * self.scores)
        for_all: Tensor = _Penalty.apply(opened, self.penalty)  # type: ignore[no-untyped-call]
        gates = for_all.expand(len(vectors[0]), -1)
        if len(self.looks):
            looks = [look(each) for look, each in zip(self.looks, vectors, strict=True)]
            gates = gates * torch.sigmoid(torch.cat(looks, dim=1))
        return vectors, gates

    def gates(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> Tensor:
        """Compute how much of each source of each user counts.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        Tensor, shape (n_users, n_sources)
            Gates between 0 and 1.
        """
        return self._gated(sources, present)[1]

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> Tensor:
        """Join the sources of each user.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        Tensor, shape (n_users, n_sources * n_gated)
            Gated vectors, side by side.
        """
        vectors, gates = self._gated(sources, present)
        columns = gates.unsqueeze(2).unbind(1)  # one (n_users, 1) for each source
        weighed = [gate * each for gate, each in zip(columns, vectors, strict=True)]
        return torch.cat(weighed, dim=1)
