"""Convolutions over regions of consecutive words, of Johnson and Zhang.

A user's messages are read end to end as one document. A region holds `size` words; the
next one begins `stride` words on, and the last one ends with the document. Regions are
rows of word ids, made by index arithmetic over a whole batch, and the product of a
region's one-hot vector with a weight matrix is a sum of rows of that matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.layers.flat_text import FlatText, WordEmbedding
from sklearn_profiling.architectures.layers.pooling import (
    average_into_units,
    normalise_response,
)

__all__ = [
    "RegionConvolution",
    "RegionEmbedding",
    "RegionEncoder",
    "Regions",
    "drop_repeated",
    "text_regions",
]


class Regions(NamedTuple):
    """Regions of the documents of some users, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_regions, size)
        Word ids; the id that stands for no word past the end of a document.
    users : Tensor of int64, shape (n_regions,)
        Row of the user of each region, never falling.
    n_users : int
        Number of users, with or without regions.
    """

    ids: Tensor
    users: Tensor
    n_users: int

    @property
    def counts(self) -> Tensor:
        """Number of regions of each user: Tensor of int64, shape (n_users,)."""
        return torch.bincount(self.users, minlength=self.n_users)


def text_regions(
    words: Tensor, lengths: Tensor, *, size: int, stride: int, no_word: int
) -> Regions:
    """Cut documents into regions.

    A document of L words gives 1 + ceil((L - size) / stride) regions, one if it is
    shorter than `size`, none if it has no words. Region k begins at word k * stride;
    what the last one lacks is filled with `no_word`.

    Parameters
    ----------
    words : Tensor of int64, shape (n_words,)
        Word ids of all documents, end to end.
    lengths : Tensor of int64, shape (n_users,)
        Words of each document.
    size : int
        Words in a region.
    stride : int
        Words from one region's beginning to the next one's.
    no_word : int
        Id that stands for no word.

    Returns
    -------
    Regions
        The regions.
    """
    steps = ((lengths - size).clamp(min=0) + stride - 1) // stride
    counts = torch.where(lengths > 0, steps + 1, 0)
    users = torch.repeat_interleave(
        torch.arange(len(lengths), device=words.device), counts
    )
    first_region = counts.cumsum(0) - counts
    first_word = lengths.cumsum(0) - lengths
    order = torch.arange(len(users), device=words.device) - first_region[users]
    # Place of each word in its document: (n_regions, size)
    place = (order * stride).unsqueeze(1) + torch.arange(size, device=words.device)
    inside = place < lengths[users].unsqueeze(1)
    place = (place + first_word[users].unsqueeze(1)).clamp(max=max(len(words) - 1, 0))
    return Regions(words[place].masked_fill(~inside, no_word), users, len(lengths))


def drop_repeated(regions: Regions, *, ordered: bool) -> Regions:
    """Leave out regions that hold what the one before them holds: variable stride.

    Parameters
    ----------
    regions : Regions
        Regions.
    ordered : bool
        Whether the order of a region's words tells it from others; else its bag, that
        is which words it holds and how often.

    Returns
    -------
    Regions
        The first of each run of equal regions of a user.
    """
    if not len(regions.users):
        return regions
    keys = regions.ids if ordered else regions.ids.sort(dim=1).values
    same = (keys[1:] == keys[:-1]).all(dim=1)
    same &= regions.users[1:] == regions.users[:-1]
    kept = torch.cat([same.new_ones(1), ~same])
    return regions._replace(ids=regions.ids[kept], users=regions.users[kept])


class RegionEmbedding(nn.Module):
    """Weights of a convolution over regions: W r + b for each region r.

    Without word vectors r is the sum (bag) or the concatenation (ordered) of its words'
    one-hot vectors, and W holds a row for each word, or for each word at each place.
    With word vectors these take the place of the one-hot vectors.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary; the id `n_words` stands for no word, a zero vector.
    size : int
        Words in a region.
    n_nodes : int
        Rows of the result.
    ordered : bool
        Whether the places of words in a region count.
    vectors : Tensor of shape (n_words, n_dimensions), default=None
        Given word vectors.
    trainable : bool, default=False
        Whether training changes the given vectors.
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
        """Embed regions.

        Parameters
        ----------
        ids : Tensor of int64, shape (n_regions, size)
            Word ids, `n_words` for no word.

        Returns
        -------
        Tensor, shape (n_regions, n_nodes)
            The regions before their activation.
        """
        if self.weights is None:
            return self._bags(ids) + self.bias
        if self.ordered:
            vectors: Tensor = self.words(ids)  # (n_regions, size, n_dimensions)
            products: Tensor = self.weights(vectors.flatten(1))
        else:
            products = self.weights(self._bags(ids))
        return products + self.bias

    def _bags(self, ids: Tensor) -> Tensor:
        """Sum a row of the table for each word of a region."""
        known = ids < self.n_words
        sizes = known.sum(dim=1)
        if self.ordered:
            ids = ids + self.n_words * torch.arange(ids.shape[1], device=ids.device)
        return functional.embedding_bag(
            ids[known], self.words.table, sizes.cumsum(0) - sizes, mode="sum"
        )


class RegionConvolution(nn.Module):
    """Regions -> ReLU -> average pooling into units -> response normalisation.

    Parameters
    ----------
    embedding : RegionEmbedding
        Weights of the convolution.
    size : int
        Words in a region.
    stride : int
        Words from one region's beginning to the next one's.
    variable_stride : bool
        Whether a region equal to the one before it is left out.
    n_units : int
        Pooling units of a user.
    """

    def __init__(
        self,
        embedding: RegionEmbedding,
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
        """Encode documents.

        Parameters
        ----------
        words : Tensor of int64, shape (n_words,)
            Word ids of all documents, end to end.
        lengths : Tensor of int64, shape (n_users,)
            Words of each document.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            The pooling units of each user, end to end; zero without words.
        """
        regions = text_regions(
            words,
            lengths,
            size=self.size,
            stride=self.stride,
            no_word=self.embedding.n_words,
        )
        if self.variable_stride:
            regions = drop_repeated(regions, ordered=self.embedding.ordered)
        values: Tensor = self.embedding(regions.ids)
        # Autocast leaves 16 bits here, which pooling does not take.
        values = torch.relu(values.to(self.embedding.bias.dtype))
        units = average_into_units(values, regions.counts, self.n_units)
        return normalise_response(units).flatten(1)


class RegionEncoder(nn.Module):
    """Convolutions over regions in parallel: text of a user to one vector.

    Parameters
    ----------
    rows : Tensor of int64, shape (n_vocabulary,)
        For each word of the text's vocabulary its id in the convolutions' tables;
        their `n_words` for a word that does not count.
    convolutions : sequence of RegionConvolution
        The convolutions, which share nothing.
    """

    def __init__(self, rows: Tensor, convolutions: Sequence[RegionConvolution]) -> None:
        super().__init__()
        # Whoever builds the encoder keeps it: a copy would double every saved model.
        self.register_buffer("rows", rows, persistent=False)
        self.rows: Tensor
        self.convolutions = nn.ModuleList(convolutions)
        self.n_features = sum(layer.n_features for layer in convolutions)

    def forward(self, text: FlatText) -> Tensor:
        """Encode the text of each user.

        Parameters
        ----------
        text : FlatText
            Messages of a batch; they are read end to end, whatever the gap.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            Pooling units of all convolutions; zero for users without messages.
        """
        words = self.rows[text.ids[text.is_word]]
        lengths = torch.zeros(text.n_users, dtype=torch.int64, device=words.device)
        lengths = lengths.index_add(0, text.message_users, text.segment_lengths[::2])
        return torch.cat([layer(words, lengths) for layer in self.convolutions], dim=1)
