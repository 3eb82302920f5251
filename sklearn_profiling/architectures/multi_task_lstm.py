"""Multi-task LSTM: a baseline of Aux-LSTM that shares word vectors alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.heads import LogitLayer
from sklearn_profiling.architectures.layers.recurrent import (
    JoinedText,
    RecurrentText,
    dense,
    glorot_uniform,
)
from sklearn_profiling.architectures.layers.sources import (
    SourceBatch,
    SourceDescription,
    word_embedding,
)

__all__ = ["MultiTaskLSTM"]


class MultiTaskLSTM(nn.Module):
    """Two LSTMs a task: one on the task's own word vectors, one on the shared ones.

    Or one LSTM a task, on both vectors of each word side by side.

    Parameters
    ----------
    sources : sequence of SourceDescription
        The texts.
    n_classes : sequence of int
        Number of classes of each task.
    shared_source : str
        Name of the text that all tasks read and whose word vectors all train.
    own_sources : sequence of str
        For each task the name of the text that it alone reads.
    level : {"user", "message"}
        Whether all messages of a user are one sequence, or each message is one.
    max_words : int or None
        Words of a sequence after which it is cut off; None keeps all.
    n_hidden : int
        Units of each LSTM.
    n_dense : int
        Units of the dense layer of each task.
    n_dimensions : int
        Embedding dimension of words for texts that bring no vectors.
    trainable_vectors : bool
        Whether training changes the word vectors that a text brings.
    dropout : float
        On the dense layers.
    word_dropout : float
        On the entries of word vectors.
    source_dropout : float
        Probability that training hides a text of a user.
    word_vectors : {"separate", "concatenated"}, default="separate"
        Whether a task has an LSTM for each of its texts, or one that reads the shared
        text in the vectors of both.
    own_words : sequence of Tensor of int64, shape (n_words,), default=()
        For each task where the words of the shared text stand in the vocabulary of its
        own, -1 for words that it has not; read if vectors are concatenated.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        shared_source: str,
        own_sources: Sequence[str],
        level: Literal["user", "message"],
        max_words: int | None,
        n_hidden: int,
        n_dense: int,
        n_dimensions: int,
        trainable_vectors: bool,
        dropout: float,
        word_dropout: float,
        source_dropout: float,
        word_vectors: Literal["separate", "concatenated"] = "separate",
        own_words: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        named = {source.name: source for source in sources}
        reading: dict[str, Any] = {
            "level": level,
            "max_words": max_words,
            "n_hidden": n_hidden,
            "n_dimensions": n_dimensions,
            "trainable_vectors": trainable_vectors,
            "word_dropout": word_dropout,
            "source_dropout": source_dropout,
        }
        self.shared_source = shared_source
        self.own_sources = list(own_sources)
        self.joined = word_vectors == "concatenated"
        if self.joined:
            source = named[shared_source]
            self.shared: nn.Module = word_embedding(
                source, n_dimensions, trainable=trainable_vectors
            )
            n_shared = source.n_features or n_dimensions
            self.own = nn.ModuleList(
                JoinedText(source, _vectors(named[name], words), n_shared, **reading)
                for name, words in zip(own_sources, own_words, strict=True)
            )
        else:
            self.shared = RecurrentText(named[shared_source], len(n_classes), **reading)
            self.own = nn.ModuleList(
                RecurrentText(named[name], 1, **reading) for name in own_sources
            )
        n_read = n_hidden if self.joined else 2 * n_hidden
        self.dense = nn.ModuleList(dense(n_read, n_dense, dropout) for _ in n_classes)
        self.outputs = nn.ModuleList(LogitLayer(n_dense, n) for n in n_classes)
        glorot_uniform(self)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText
            The texts of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the text.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        return tuple(
            output(layer(read))
            for layer, output, read in zip(
                self.dense, self.outputs, self._read(sources, present), strict=True
            )
        )

    def _read(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Read the texts: (n_users, n_hidden or twice as many) a task."""
        name = self.shared_source
        if self.joined:
            text, there = sources[name], present[name]
            return [own(text, there, self.shared) for own in self.own]
        shared = self.shared(sources[name], present[name])  # (n_users, n_hidden) a task
        return [
            torch.cat([*text(sources[own], present[own]), read_shared], dim=1)
            for own, text, read_shared in zip(
                self.own_sources, self.own, shared, strict=True
            )
        ]


def _vectors(own: SourceDescription, words: Tensor) -> Tensor | None:
    """Vectors of words by their places (n_words,) in a text; zeros for others."""
    if own.vectors is None:
        # A text with vectors that are loaded next, or one without any.
        n_features = own.n_features
        return torch.zeros(len(words), n_features) if n_features else None
    known = (words >= 0).unsqueeze(1)
    found = own.initial_vectors(words.clamp(min=0))
    return None if found is None else found * known
