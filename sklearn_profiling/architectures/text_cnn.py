"""Text-CNN: the single-source baseline, one deep Text-CNN and one head a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.flat_text import FlatText
from sklearn_profiling.architectures.layers.heads import TaskHeads
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import JoinedSources

__all__ = ["TextCNN"]


class TextCNN(nn.Module):
    """Text -> deep Text-CNN -> one head a task, without a shared layer.

    Parameters
    ----------
    sources : JoinedSources
        The encoder of the one text.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the text's vector.
    """

    def __init__(
        self,
        sources: JoinedSources,
        *,
        n_hidden: Sequence[int],
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.sources = sources
        self.heads = TaskHeads(sources.n_features, n_hidden, n_classes)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        sources: Mapping[str, FlatText | Tensor],
        present: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText or Tensor
            The text of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has text.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        logits: tuple[Tensor, ...] = self.heads(
            self.dropout(self.sources(sources, present))
        )
        return logits
