"""LSTM and Aux-LSTM (Wang et al. 2017, sections 4.2 and 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.heads import LogitLayer
from sklearn_profiling.architectures.layers.recurrent import (
    RecurrentText,
    dense,
    glorot_uniform,
)
from sklearn_profiling.architectures.layers.sources import (
    SourceBatch,
    SourceDescription,
)

__all__ = ["LSTM", "AuxLSTM"]


class LSTM(nn.Module):
    """Words -> LSTM -> average -> dense layer -> logits of each task (eq. 7 to 10).

    Parameters
    ----------
    sources : sequence of SourceDescription
        One text.
    n_classes : sequence of int
        Number of classes of each task; several share all but the last layer.
    level : {"user", "message"}
        Whether all messages of a user are one sequence, or each message is one.
    max_words : int or None
        Words of a sequence after which it is cut off; None keeps all.
    n_hidden : int
        Units of the LSTM.
    n_dense : int
        Units of the dense layer.
    n_dimensions : int
        Embedding dimension of words for a text that brings no vectors.
    trainable_vectors : bool
        Whether training changes the word vectors that the text brings.
    dropout : float
        On the dense layer.
    word_dropout : float
        On the entries of word vectors.
    source_dropout : float
        Probability that training hides the text of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        level: Literal["user", "message"],
        max_words: int | None,
        n_hidden: int,
        n_dense: int,
        n_dimensions: int,
        trainable_vectors: bool,
        dropout: float,
        word_dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        (source,) = sources
        self.source = source.name
        self.text = RecurrentText(
            source,
            1,
            level=level,
            max_words=max_words,
            n_hidden=n_hidden,
            n_dimensions=n_dimensions,
            trainable_vectors=trainable_vectors,
            word_dropout=word_dropout,
            source_dropout=source_dropout,
        )
        self.dense = dense(n_hidden, n_dense, dropout)
        self.outputs = nn.ModuleList(LogitLayer(n_dense, n) for n in n_classes)
        glorot_uniform(self)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
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
        (read,) = self.text(sources[self.source], present[self.source])
        hidden = self.dense(read)  # (n_users, n_dense)
        return tuple(output(hidden) for output in self.outputs)


class AuxLSTM(nn.Module):
    """A main LSTM, and auxiliary LSTMs that both sides read (eq. 11 to 18).

    Parameters
    ----------
    sources : sequence of SourceDescription
        One text.
    n_classes : sequence of int
        Number of classes of each task. With the main task alone nothing is auxiliary
        and the net is :class:`LSTM`.
    main : int
        Number of the main task.
    auxiliary : {"shared", "separate"}
        Whether all auxiliary tasks share one LSTM, or have one each.
    level : {"user", "message"}
        Whether all messages of a user are one sequence, or each message is one.
    max_words : int or None
        Words of a sequence after which it is cut off; None keeps all.
    n_hidden : int
        Units of each LSTM.
    n_dense : int
        Units of every dense layer.
    n_dimensions : int
        Embedding dimension of words for a text that brings no vectors.
    trainable_vectors : bool
        Whether training changes the word vectors that the text brings.
    dropout : float
        On every dense layer.
    word_dropout : float
        On the entries of word vectors.
    source_dropout : float
        Probability that training hides the text of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        main: int,
        auxiliary: Literal["shared", "separate"],
        level: Literal["user", "message"],
        max_words: int | None,
        n_hidden: int,
        n_dense: int,
        n_dimensions: int,
        trainable_vectors: bool,
        dropout: float,
        word_dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        (source,) = sources
        n_auxiliary = len(n_classes) - 1
        if auxiliary == "shared":
            n_auxiliary = min(n_auxiliary, 1)
        self.source = source.name
        self.main = main
        self.text = RecurrentText(
            source,
            1 + n_auxiliary,
            level=level,
            max_words=max_words,
            n_hidden=n_hidden,
            n_dimensions=n_dimensions,
            trainable_vectors=trainable_vectors,
            word_dropout=word_dropout,
            source_dropout=source_dropout,
        )
        self.auxiliary_dense = nn.ModuleList(
            dense(n_hidden, n_dense, dropout) for _ in range(n_auxiliary)
        )
        self.task_dense = nn.ModuleList(
            dense(n_hidden + n_auxiliary * n_dense * (task == main), n_dense, dropout)
            for task in range(len(n_classes))
        )
        self.outputs = nn.ModuleList(LogitLayer(n_dense, n) for n in n_classes)
        glorot_uniform(self)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
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
        # Of each LSTM, the main task's first: (n_users, n_hidden)
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
