"""Sources: how an architecture learns of them, and the layer that joins them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.randomness import SourceDropout
from sklearn_profiling.architectures.layers.sparse_rows import FlatRows
from sklearn_profiling.architectures.layers.text import FlatText, WordEmbedding

__all__ = [
    "JoinedSources",
    "ScaledEncoder",
    "SourceBatch",
    "SourceDescription",
    "word_embedding",
]

SourceBatch = FlatText | FlatImages | FlatRows | Tensor
"""A source of a batch: text, images, sparse rows or vectors (n_users, n_features)."""

MEAN_SQUARE_LENGTH = 32.0
"""Of the vector of each of several sources. They are scaled as a whole: by columns, 18
counts would be negligible beside 300 columns of a network."""


@dataclass(frozen=True)
class SourceDescription:
    """Description of a source, from which an architecture is built."""

    name: str
    kind: Literal["text", "images", "vectors", "sparse"]
    n_features: int  # columns, values of an image, dimension of word vectors or 0
    mean: Tensor  # float64 (d,): of word vectors, channels or columns in training
    scale: Tensor
    n_words: int = 0  # size of a text's vocabulary
    # (n_words, n_features) that a text brings, or a vector for each sparse column
    vectors: Tensor | None = None
    image_shape: tuple[int, ...] = ()  # channels, height, width

    def initial_vectors(self, words: Tensor | None = None) -> Tensor | None:
        """Word vectors of mean 0 and deviation 1, of all or some words.

        Trainers leave a common direction and a scale of their own, under which layers
        of any initialisation hardly tell words apart.
        """
        if self.vectors is None:
            return None
        vectors = self.vectors if words is None else self.vectors[words]
        return (vectors - self.mean) / torch.where(self.scale > 0, self.scale, 1.0)


def word_embedding(
    source: SourceDescription, n_dimensions: int, *, trainable: bool
) -> WordEmbedding:
    """Word vectors of a text, or `n_dimensions` to learn where it brings none."""
    return WordEmbedding(
        source.n_words,
        source.n_features or n_dimensions,
        source.initial_vectors(),
        trainable=trainable,
    )


class ScaledEncoder(nn.Module):
    """Base of encoders that learn; their output is standardised on training users."""

    # Beside other sources. Below 1 because encoders overfit few users.
    initial_scale = 0.25

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.n_features = n_features
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.mean: Tensor
        self.scale: Tensor

    def set_scale(self, mean: Tensor, scale: Tensor) -> None:
        """Set mean and deviation (n_features,) of the output; a deviation of 0 is 1."""
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(scale > 0, scale, torch.ones_like(scale)))

    def standardise(self, vectors: Tensor) -> Tensor:
        """Bring (n_users, n_features) to mean 0 and deviation 1."""
        return (vectors - self.mean) / self.scale


class JoinedSources(nn.Module):
    """Encode every source, fill in missing ones, concatenate (eq. 6).

    Encoders give columns of mean square 1. Several are brought to one length, so that
    every source starts with the same weight, whatever its dimension.
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
                getattr(encoder, "initial_scale", 1.0)
                * (MEAN_SQUARE_LENGTH / size) ** 0.5
                for encoder, size in zip(self.encoders, sizes, strict=True)
            ]
        self.missing = nn.ParameterList(
            nn.Parameter(torch.zeros(size)) for size in sizes
        )
        self.hide = SourceDropout(source_dropout)

    def encoder(self, name: str) -> nn.Module:
        """Find the encoder of a source."""
        return self.encoders[self.names.index(name)]

    def parts(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Encode each source, or give its embedding where missing: (n_users, d)."""
        parts = []
        for name, encoder, missing in zip(
            self.names, self.encoders, self.missing, strict=True
        ):
            encoded = encoder(sources[name])
            use = self.hide(present[name]).unsqueeze(-1)
            parts.append(torch.where(use, encoded, missing.to(encoded.dtype)))
        return parts

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> Tensor:
        """Join the sources of each user: (n_users, n_features)."""
        parts = self.parts(sources, present)
        scaled = [k * part for k, part in zip(self.factors, parts, strict=True)]
        return torch.cat(scaled, dim=1)
