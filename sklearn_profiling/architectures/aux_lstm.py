"""Aux-LSTM: a main task helped by auxiliary tasks (Wang et al. 2017, section 4.3)."""

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

__all__ = ["AuxLSTM"]


class AuxLSTM(nn.Module):
    """A main LSTM, and auxiliary LSTMs that both sides read (eq. 11 to 18).

    Parameters
    ----------
    source : str
        Name of the text.
    text : RecurrentText
        Its word vectors; the first LSTM is the main task's. With two LSTMs all
        auxiliary tasks share the second; with one LSTM a task the auxiliary tasks have
        one each, in their order.
    main : int
        Number of the main task.
    n_dense : int
        Units of every dense layer.
    n_classes : sequence of int
        Number of classes of each task. With the main task alone nothing is auxiliary
        and the net is :class:`LSTM`.
    dropout : float
        Probability of dropout on every dense layer.
    """

    def __init__(
        self,
        source: str,
        text: RecurrentText,
        *,
        main: int,
        n_dense: int,
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.source = source
        self.text = text
        self.main = main
        n_auxiliary = len(text.lstms) - 1
        self.auxiliary_dense = nn.ModuleList(
            dense(text.n_features, n_dense, dropout) for _ in range(n_auxiliary)
        )
        self.task_dense = nn.ModuleList(
            dense(
                text.n_features + n_auxiliary * n_dense * (task == main),
                n_dense,
                dropout,
            )
            for task in range(len(n_classes))
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
        own, *auxiliary = self.text(sources[self.source], present[self.source])
        helped = [
            layer(read)
            for layer, read in zip(self.auxiliary_dense, auxiliary, strict=True)
        ]
        n_tasks = len(self.outputs)
        if len(auxiliary) == 1:
            auxiliary = auxiliary * (n_tasks - 1)
        # The main task reads its own LSTM and R_aux of every auxiliary LSTM (eq. 14),
        # each other task the auxiliary LSTM alone (eq. 16).
        read = [*auxiliary]
        read.insert(self.main, torch.cat([own, *helped], dim=1))
        return tuple(
            output(layer(each))
            for output, layer, each in zip(
                self.outputs, self.task_dense, read, strict=True
            )
        )
