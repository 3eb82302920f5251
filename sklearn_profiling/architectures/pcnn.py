"""PCNN: parallel convolutions over regions of words (Johnson and Zhang)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.heads import TaskHeads
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import JoinedSources, SourceBatch

__all__ = ["PCNN"]


class PCNN(nn.Module):
    """Text -> parallel region convolutions -> dropout -> one linear layer a task.

    Parameters
    ----------
    sources : JoinedSources
        Encoder of the text: a :class:`RegionEncoder` with two convolutions or more.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the pooling units.
    """

    def __init__(
        self, sources: JoinedSources, *, n_classes: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.sources = sources
        self.dropout = Dropout(dropout)
        self.heads = TaskHeads(sources.n_features, (), n_classes)

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText
            The text of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the text.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        units = self.dropout(self.sources(sources, present))
        logits: tuple[Tensor, ...] = self.heads(units)
        return logits
