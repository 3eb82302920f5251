"""LSTM: the single-task net of the Aux-LSTM paper (Wang et al. 2017, section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.recurrent import (
    RecurrentText,
    dense,
    glorot_uniform,
)
from sklearn_profiling.architectures.layers.sources import (
    SourceBatch,
    SourceDescription,
)

__all__ = ["LSTM"]


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
        self.outputs = nn.ModuleList(nn.Linear(n_dense, n) for n in n_classes)
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
