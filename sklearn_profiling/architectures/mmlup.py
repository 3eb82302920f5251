"""MMLUP: multi-source and multi-task learning for user profiles (Zhu et al.)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.heads import TaskHeads
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import JoinedSources, SourceBatch

__all__ = ["MMLUP"]


class MMLUP(nn.Module):
    """Sources -> concatenation -> shared non-linear layer -> one head a task.

    Parameters
    ----------
    sources : JoinedSources
        Encoders of the sources.
    n_shared : int
        Units of the shared layer.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the shared layer.
    """

    def __init__(
        self,
        sources: JoinedSources,
        *,
        n_shared: int,
        n_hidden: Sequence[int],
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.sources = sources
        self.shared = nn.Linear(sources.n_features, n_shared)
        self.heads = TaskHeads(n_shared, n_hidden, n_classes)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        return self.classify(self.sources(sources, present))

    def classify(self, joined: Tensor) -> tuple[Tensor, ...]:
        """Compute logits from the sources' vectors.

        Parameters
        ----------
        joined : Tensor, shape (n_users, n_features)
            What :class:`JoinedSources` gave.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        shared = self.dropout(torch.relu(self.shared(joined)))
        logits: tuple[Tensor, ...] = self.heads(shared)
        return logits
