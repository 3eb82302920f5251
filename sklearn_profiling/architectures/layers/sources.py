"""Encoders of single sources, and the layer that joins them.

Each encoder turns its source into a float tensor (n_users, n_features). A user without
the source gets the source's learned stand-in instead, so that every user has a vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.attention import MessageAttention
from sklearn_profiling.architectures.layers.convolution import DeepTextConvolution
from sklearn_profiling.architectures.layers.flat_text import FlatText, WordEmbedding
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.randomness import Dropout, SourceDropout

__all__ = [
    "JoinedSources",
    "ScaledEncoder",
    "SourceBatch",
    "TextEncoder",
    "VectorEncoder",
]


SourceBatch = FlatText | FlatImages | Tensor
"""Text, images, or a dense source of shape (n_users, n_features)."""


MEAN_SQUARE_LENGTH = 32.0
"""Of the vector of each of several sources, on the training users.

A source of 18 counts would drown beside 300 columns of a network if single columns were
brought to one size.
"""


class ScaledEncoder(nn.Module):
    """Base of encoders that learn, standardised on the training users.

    Parameters
    ----------
    n_features : int
        Length of a user's vector.

    Attributes
    ----------
    say : float
        Factor of the vector beside other sources. Below 1, since what learns from few
        users learns them by heart, and can grow where it deserves to.
    """

    say = 0.25

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.n_features = n_features
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.mean: Tensor
        self.scale: Tensor

    def set_scale(self, mean: Tensor, scale: Tensor) -> None:
        """Say what to subtract from a user's vector and what to divide it by.

        Parameters
        ----------
        mean, scale : Tensor, shape (n_features,)
            Measured on training users; a scale of 0 is taken as 1.
        """
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(scale > 0, scale, torch.ones_like(scale)))

    def standardise(self, vectors: Tensor) -> Tensor:
        """Bring vectors to the scale that was set.

        Parameters
        ----------
        vectors : Tensor, shape (n_users, n_features)
            Vectors of users.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            The same, of mean 0 and deviation 1 on the training users.
        """
        return (vectors - self.mean) / self.scale


class TextEncoder(ScaledEncoder):
    """Deep Text-CNN with attention over messages: text of a user to one vector.

    Parameters
    ----------
    embedding : WordEmbedding
        Word vectors.
    n_dimensions : int
        Length of a word vector.
    n_filters : int
        Feature maps of each width in the first convolution.
    kernel_sizes : sequence of int
        Filter widths of the first convolution.
    second_kernel_size : int
        Filter width of the second convolution.
    n_features : int
        Length of the text's vector.
    attention : {"softmax", "raw", None}
        See :class:`MessageAttention`.
    n_attention : int
        Hidden size of the attention score.
    word_dropout : float, default=0.0
        Probability of dropout on the entries of word vectors.
    dropout : float, default=0.0
        Probability of dropout on the text's vector.
    """

    def __init__(
        self,
        embedding: WordEmbedding,
        *,
        n_dimensions: int,
        n_filters: int,
        kernel_sizes: Sequence[int],
        second_kernel_size: int,
        n_features: int,
        attention: Literal["softmax", "raw"] | None,
        n_attention: int,
        word_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(n_features)
        self.embedding = embedding
        self.word_dropout = Dropout(word_dropout)
        self.dropout = Dropout(dropout)
        self.convolution = DeepTextConvolution(
            n_dimensions, n_filters, kernel_sizes, second_kernel_size, n_features
        )
        self.attention = MessageAttention(n_features, n_attention, attention)

    def messages(self, text: FlatText) -> Tensor:
        """Encode each message on its own.

        Parameters
        ----------
        text : FlatText
            Messages of a batch.

        Returns
        -------
        Tensor, shape (n_messages, n_features)
            h_T of the paper.
        """
        words = self.word_dropout(self.embedding(text.ids))
        vectors: Tensor = self.convolution(words, text)
        return vectors

    def message_weights(self, text: FlatText) -> Tensor:
        """Attention weight of each message.

        Parameters
        ----------
        text : FlatText
            Messages of a batch.

        Returns
        -------
        Tensor, shape (n_messages,)
            The weights.
        """
        return self.attention.weights(
            self.messages(text), text.message_users, text.n_users
        )

    def forward(self, text: FlatText) -> Tensor:
        """Encode the text of each user.

        Parameters
        ----------
        text : FlatText
            Messages of a batch.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            m of the paper, standardised by :meth:`set_scale`.
        """
        joined: Tensor = self.attention(
            self.messages(text), text.message_users, text.n_users
        )
        vectors: Tensor = self.dropout(self.standardise(joined))
        return vectors


class VectorEncoder(nn.Module):
    """Centre a dense source and bring it to the scale of the others.

    One factor serves all columns, so that columns keep their proportions: those of a
    spectral decomposition fall in size, and the small ones are mostly noise.

    Parameters
    ----------
    mean, scale : Tensor, shape (n_features,)
        Means and standard deviations of the columns on the training users.
    dropout : float
        Probability of dropout on the scaled columns.
    """

    def __init__(self, mean: Tensor, scale: Tensor, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.register_buffer("mean", mean)
        size = scale.square().mean().sqrt()
        self.register_buffer("size", torch.where(size > 0, size, torch.ones_like(size)))
        self.mean: Tensor
        self.size: Tensor
        self.n_features = len(mean)

    def forward(self, vectors: Tensor) -> Tensor:
        """Centre and scale.

        Parameters
        ----------
        vectors : Tensor, shape (n_users, n_features)
            Rows as they came.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            Columns of mean 0, of mean square 1 all together, on the training users.
        """
        scaled: Tensor = self.dropout((vectors - self.mean) / self.size)
        return scaled


class JoinedSources(nn.Module):
    """Encode every source, put stand-ins where one is missing, concatenate (eq. 6).

    Encoders give columns of mean square 1. Where there are several, each is brought to
    one length, so that all begin with the same say, whatever their numbers of columns.

    Parameters
    ----------
    encoders : mapping of str to Module
        Encoder of each source; each has ``n_features``.
    source_dropout : float
        Probability that training hides a source of a user.
    """

    def __init__(
        self, encoders: Mapping[str, nn.Module], source_dropout: float
    ) -> None:
        super().__init__()
        self.names = list(encoders)
        # A list, since torch forbids dots in the keys of a ModuleDict.
        self.encoders = nn.ModuleList(encoders.values())
        # Torch types attributes of a module as tensors or modules; this is a number.
        sizes = [int(encoder.n_features) for encoder in self.encoders]  # type: ignore[arg-type]
        self.n_features = sum(sizes)
        self.factors = [1.0]
        if len(sizes) > 1:
            self.factors = [
                getattr(encoder, "say", 1.0) * (MEAN_SQUARE_LENGTH / size) ** 0.5
                for encoder, size in zip(self.encoders, sizes, strict=True)
            ]
        self.stand_ins = nn.ParameterList(
            nn.Parameter(torch.zeros(size)) for size in sizes
        )
        self.hide = SourceDropout(source_dropout)

    def encoder(self, name: str) -> nn.Module:
        """Find the encoder of one source.

        Parameters
        ----------
        name : str
            Name of the source.

        Returns
        -------
        Module
            Its encoder.
        """
        return self.encoders[self.names.index(name)]

    def parts(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> list[Tensor]:
        """Encode each source of each user.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        list of Tensor, shape (n_users, n_features of the source)
            Vectors, or stand-ins of those who lack the source.
        """
        parts = []
        for name, encoder, stand_in in zip(
            self.names, self.encoders, self.stand_ins, strict=True
        ):
            encoded = encoder(sources[name])
            use = self.hide(present[name]).unsqueeze(-1)
            parts.append(torch.where(use, encoded, stand_in.to(encoded.dtype)))
        return parts

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> Tensor:
        """Join the sources of each user.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            c(u) of the paper.
        """
        parts = self.parts(sources, present)
        scaled = [k * part for k, part in zip(self.factors, parts, strict=True)]
        return torch.cat(scaled, dim=1)
