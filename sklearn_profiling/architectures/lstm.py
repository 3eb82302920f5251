"""LSTM: the single-task net of the Aux-LSTM paper (Wang et al. 2017, section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.recurrent import (
    RecurrentText,
    dense,
    glorot_uniform,
)
from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["LSTM"]


class LSTM(nn.Module):
    """Words -> LSTM -> average -> dense layer -> logits of each task (eq. 7 to 10).

    Parameters
    ----------
    source : str
        Name of the text.
    text : RecurrentText
        Its word vectors and one LSTM.
    n_dense : int
        Units of the dense layer.
    n_classes : sequence of int
        Number of classes of each task; several share all but the last layer.
    dropout : float
        Probability of dropout on the dense layer.
    """

    def __init__(
        self,
        source: str,
        text: RecurrentText,
        *,
        n_dense: int,
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.source = source
        self.text = text
        self.dense = dense(text.n_features, n_dense, dropout)
        self.outputs = nn.ModuleList(nn.Linear(n_dense, n) for n in n_classes)
        glorot_uniform(self)

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
        (read,) = self.text(sources[self.source], present[self.source])
        hidden = self.dense(read)
        return tuple(output(hidden) for output in self.outputs)
