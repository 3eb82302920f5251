"""PCNN and bow-CNN: convolutions over windows of consecutive words (Johnson and Zhang).

A user's messages are read end to end as one document. A window holds `size` words; the
next one begins `stride` words on, and the last one ends with the document. Windows are
rows of word ids, made by index arithmetic over a whole batch, and the product of a
window's one-hot vector with a weight matrix is a sum of rows of that matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.layers.heads import LogitLayer
from sklearn_profiling.architectures.layers.pooling import (
    average_into_units,
    normalise_response,
)
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    SourceBatch,
    SourceDescription,
)
from sklearn_profiling.architectures.layers.text import FlatText, WordEmbedding

__all__ = [
    "PCNN",
    "BowCNN",
    "WindowConvolution",
    "WindowEmbedding",
    "WindowEncoder",
    "Windows",
    "drop_repeated",
    "text_windows",
]


class Windows(NamedTuple):
    """Windows of the documents of some users, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_windows, size)
        Word ids; the id that stands for no word past the end of a document.
    users : Tensor of int64, shape (n_windows,)
        Row of the user of each window, non-decreasing.
    n_users : int
        Number of users, with or without windows.
    """

    ids: Tensor
    users: Tensor
    n_users: int

    @property
    def counts(self) -> Tensor:
        """Number of windows of each user: Tensor of int64, shape (n_users,)."""
        return torch.bincount(self.users, minlength=self.n_users)


def text_windows(
    words: Tensor, lengths: Tensor, *, size: int, stride: int, no_word: int
) -> Windows:
    """Cut documents of `lengths` (n_users,), end to end in `words`, into windows.

    A document of L words gives 1 + ceil((L - size) / stride) windows, one if it is
    shorter than `size`, none if it has no words. Window k begins at word k * stride;
    the last one is padded with the id `no_word`.
    """
    steps = ((lengths - size).clamp(min=0) + stride - 1) // stride
    counts = torch.where(lengths > 0, steps + 1, 0)
    users = torch.repeat_interleave(
        torch.arange(len(lengths), device=words.device), counts
    )
    first_window = counts.cumsum(0) - counts
    first_word = lengths.cumsum(0) - lengths
    order = torch.arange(len(users), device=words.device) - first_window[users]
    # Place of each word in its document: (n_windows, size)
    place = (order * stride).unsqueeze(1) + torch.arange(size, device=words.device)
    inside = place < lengths[users].unsqueeze(1)
    place = (place + first_word[users].unsqueeze(1)).clamp(max=max(len(words) - 1, 0))
    return Windows(words[place].masked_fill(~inside, no_word), users, len(lengths))


def drop_repeated(windows: Windows, *, ordered: bool) -> Windows:
    """Leave out windows that hold what the one before them holds: variable stride.

    Windows that are not `ordered` are compared as bags: which words, and how often.
    """
    if not len(windows.users):
        return windows
    keys = windows.ids if ordered else windows.ids.sort(dim=1).values
    same = (keys[1:] == keys[:-1]).all(dim=1)
    same &= windows.users[1:] == windows.users[:-1]
    kept = torch.cat([same.new_ones(1), ~same])
    return windows._replace(ids=windows.ids[kept], users=windows.users[kept])


class WindowEmbedding(nn.Module):
    """Weights of a convolution over windows: W r + b for each window r.

    Without word vectors r is the sum (bag) or the concatenation (ordered) of its words'
    one-hot vectors, and W holds a row for each word, or for each word at each place.
    With word vectors (n_words, n_dimensions) these take the place of the one-hot
    vectors. The id `n_words` stands for no word, a zero vector.
    """

    def __init__(
        self,
        n_words: int,
        size: int,
        n_nodes: int,
        *,
        ordered: bool,
        vectors: Tensor | None = None,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        n_places = size if ordered else 1
        self.n_words = n_words
        self.n_nodes = n_nodes
        self.ordered = ordered
        self.weights: nn.Linear | None = None
        self.bias = nn.Parameter(torch.zeros(n_nodes))
        if vectors is None:
            self.words = WordEmbedding(n_places * n_words, n_nodes)
            return
        n_dimensions = vectors.shape[1]
        self.words = WordEmbedding(n_words, n_dimensions, vectors, trainable=trainable)
        self.weights = nn.Linear(n_places * n_dimensions, n_nodes, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed windows (n_windows, size): (n_windows, n_nodes), before the ReLU."""
        if self.weights is None:
            return self._bags(ids) + self.bias
        if self.ordered:
            vectors: Tensor = self.words(ids)  # (n_windows, size, n_dimensions)
            products: Tensor = self.weights(vectors.flatten(1))
        else:
            products = self.weights(self._bags(ids))
        return products + self.bias

    def _bags(self, ids: Tensor) -> Tensor:
        """Sum a row of the table for each word of a window."""
        known = ids < self.n_words
        sizes = known.sum(dim=1)
        if self.ordered:
            ids = ids + self.n_words * torch.arange(ids.shape[1], device=ids.device)
        return functional.embedding_bag(
            ids[known], self.words.table, sizes.cumsum(0) - sizes, mode="sum"
        )


class WindowConvolution(nn.Module):
    """Windows -> ReLU -> average pooling into units -> response normalisation."""

    def __init__(
        self,
        embedding: WindowEmbedding,
        *,
        size: int,
        stride: int,
        variable_stride: bool,
        n_units: int,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.size = size
        self.stride = stride
        self.variable_stride = variable_stride
        self.n_units = n_units
        self.n_features = n_units * embedding.n_nodes

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Encode documents of `lengths` (n_users,), end to end in `words`.

        Returns the pooling units of each user, (n_users, n_features); zero without
        words.
        """
        windows = text_windows(
            words,
            lengths,
            size=self.size,
            stride=self.stride,
            no_word=self.embedding.n_words,
        )
        if self.variable_stride:
            windows = drop_repeated(windows, ordered=self.embedding.ordered)
        values: Tensor = self.embedding(windows.ids)
        # Autocast leaves 16 bits here, which pooling does not take.
        values = torch.relu(values.to(self.embedding.bias.dtype))
        units = average_into_units(values, windows.counts, self.n_units)
        return normalise_response(units).flatten(1)  # (n_users, n_units * n_nodes)


class WindowEncoder(nn.Module):
    """Convolutions over windows in parallel: text of a user to one vector.

    `rows` (n_vocabulary,) holds for each word of the text's vocabulary its id in the
    convolutions' tables; their `n_words` for a word that does not count.
    """

    def __init__(self, rows: Tensor, convolutions: Sequence[WindowConvolution]) -> None:
        super().__init__()
        # Whoever builds the encoder keeps it: a copy would double every saved model.
        self.register_buffer("rows", rows, persistent=False)
        self.rows: Tensor
        self.convolutions = nn.ModuleList(convolutions)
        self.n_features = sum(layer.n_features for layer in convolutions)

    def forward(self, text: FlatText) -> Tensor:
        """Encode the text of each user, whatever the gap: (n_users, n_features)."""
        words = self.rows[text.ids[text.is_word]]
        lengths = torch.zeros(text.n_users, dtype=torch.int64, device=words.device)
        lengths = lengths.index_add(0, text.message_users, text.segment_lengths[::2])
        return torch.cat([layer(words, lengths) for layer in self.convolutions], dim=1)


class PCNN(nn.Module):
    """Text -> parallel convolutions over windows -> dropout -> one linear layer a task.

    Parameters
    ----------
    sources : sequence of SourceDescription
        One text.
    n_classes : sequence of int
        Number of classes of each task.
    word_numbers : Tensor of int64, shape (n_vocabulary,)
        Number of each word of the vocabulary among those that count; -1 for a word that
        does not.
    window_sizes : sequence of int
        Words in a window of each convolution.
    stride : sequence of int
        Words from one window's beginning to the next one's, for each convolution.
    windows : sequence of {"bag", "sequence"}
        Whether the order of a window's words counts, for each convolution.
    variable_stride : bool
        Whether a window equal to the one before it is left out.
    n_nodes : int
        Nodes of each convolution.
    n_units : int
        Pooling units of a user.
    trainable_vectors : bool
        Whether training changes the word vectors that a text brings.
    dropout : float
        On the pooling units.
    source_dropout : float
        Probability that training hides the text of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        word_numbers: Tensor,
        window_sizes: Sequence[int],
        stride: Sequence[int],
        windows: Sequence[Literal["bag", "sequence"]],
        variable_stride: bool,
        n_nodes: int,
        n_units: int,
        trainable_vectors: bool,
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        (source,) = sources
        n_words = int((word_numbers >= 0).sum())
        # Words of the vocabulary in the order of their numbers.
        kept = word_numbers.argsort(stable=True)[len(word_numbers) - n_words :]
        vectors = source.initial_vectors(kept)
        layers = [
            WindowConvolution(
                WindowEmbedding(
                    n_words,
                    size,
                    n_nodes,
                    ordered=kind == "sequence",
                    vectors=vectors,
                    trainable=trainable_vectors,
                ),
                size=size,
                stride=step,
                variable_stride=variable_stride,
                n_units=n_units,
            )
            for size, step, kind in zip(window_sizes, stride, windows, strict=True)
        ]
        rows = torch.where(word_numbers < 0, n_words, word_numbers)
        self.sources = JoinedSources(
            {source.name: WindowEncoder(rows, layers)}, source_dropout
        )
        self.dropout = Dropout(dropout)
        n_features = self.sources.n_features
        self.outputs = nn.ModuleList(LogitLayer(n_features, n) for n in n_classes)

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
        units = self.dropout(self.sources(sources, present))  # (n_users, n_features)
        return tuple(output(units) for output in self.outputs)


BowCNN = PCNN
"""With one convolution."""
