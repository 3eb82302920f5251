"""A gate for each source: how much of it the layers behind may see."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.sources import JoinedSources, SourceBatch

__all__ = ["GatedSources"]


class GatedSources(JoinedSources):
    """Encode every source, bring it to one size, weigh it by its gate, concatenate.

    The gate of a source is the sigmoid of its score: 1 lets everything through and 0
    nothing. Scores get no gradient of the training loss, under which gates of noise
    stay open, since noise helps to learn users by heart; the training loop sets them.

    Parameters
    ----------
    encoders : mapping of str to Module
        Encoder of each source; each has ``n_features``.
    source_dropout : float
        Probability that training hides a source of a user.
    n_gated : int
        Units that each source is brought to.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        source_dropout: float,
        *,
        n_gated: int,
    ) -> None:
        super().__init__(encoders, source_dropout)
        self.dense = nn.ModuleList(
            nn.Linear(len(stand_in), n_gated) for stand_in in self.stand_ins
        )
        self.scores = nn.Parameter(torch.zeros(len(self.names)), requires_grad=False)
        self.n_features = n_gated * len(self.names)

    def gates(self) -> Tensor:
        """Compute how far the gate of each source is open.

        Returns
        -------
        Tensor, shape (n_sources,)
            Between 0 and 1.
        """
        return torch.sigmoid(self.scores)

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
        return self.weigh(self.vectors(sources, present), self.gates())

    def vectors(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Encode the sources of each user and bring them to one size.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        list of Tensor, shape (n_users, n_gated)
            One tensor a source, before its gate.
        """
        parts = self.parts(sources, present)
        return [
            torch.relu(dense(part))
            for dense, part in zip(self.dense, parts, strict=True)
        ]

    def weigh(self, vectors: list[Tensor], gates: Tensor) -> Tensor:
        """Let the sources through their gates.

        Parameters
        ----------
        vectors : list of Tensor, shape (n_users, n_gated)
            Sources of each user.
        gates : Tensor, shape (n_sources,)
            How far each gate is open.

        Returns
        -------
        Tensor, shape (n_users, n_sources * n_gated)
            Gated vectors, side by side.
        """
        return torch.cat(
            [gate * each for gate, each in zip(gates, vectors, strict=True)], dim=1
        )
