"""Multi-task LSTM: a baseline of Aux-LSTM that shares word vectors alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.recurrent import (
    RecurrentText,
    dense,
    glorot_uniform,
)
from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["MultiTaskLSTM"]


class MultiTaskLSTM(nn.Module):
    """Two LSTMs a task: one on the task's own word vectors, one on the shared ones.

    Parameters
    ----------
    shared_source : str
        Name of the text that all tasks read.
    shared : RecurrentText
        Its word vectors, which all tasks train, and one LSTM a task.
    own_sources : sequence of str
        For each task the name of the text that it alone reads.
    own : sequence of RecurrentText
        For each task the word vectors of its own, and one LSTM.
    n_dense : int
        Units of the dense layer of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the dense layers.
    """

    def __init__(
        self,
        shared_source: str,
        shared: RecurrentText,
        own_sources: Sequence[str],
        own: Sequence[RecurrentText],
        *,
        n_dense: int,
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.shared_source = shared_source
        self.shared = shared
        self.own_sources = list(own_sources)
        self.own = nn.ModuleList(own)
        self.dense = nn.ModuleList(
            dense(text.n_features + shared.n_features, n_dense, dropout) for text in own
        )
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
        name = self.shared_source
        shared = self.shared(sources[name], present[name])
        logits = []
        for name, text, read_shared, layer, output in zip(
            self.own_sources, self.own, shared, self.dense, self.outputs, strict=True
        ):
            (read_own,) = text(sources[name], present[name])
            logits.append(output(layer(torch.cat([read_own, read_shared], dim=1))))
        return tuple(logits)
