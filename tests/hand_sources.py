"""Descriptions of sources as an architecture is built from them."""

from __future__ import annotations

import math

import torch

from sklearn_profiling.architectures.layers.sources import SourceDescription


def text_source(n_words, vectors=None, name="text", dtype=torch.float32):
    """A text; the vectors it may bring are taken as they are."""
    n_features = 0 if vectors is None else vectors.shape[1]
    return SourceDescription(
        name,
        "text",
        n_features,
        torch.zeros(n_features, dtype=dtype),
        torch.ones(n_features, dtype=dtype),
        n_words=n_words,
        vectors=vectors,
    )


def vector_source(mean, scale, name="network"):
    """Dense vectors of this mean and deviation."""
    return SourceDescription(name, "vectors", len(mean), mean, scale)


def image_source(shape, name="images", dtype=torch.float32):
    """Images whose pixels are read from 0 to 1."""
    return SourceDescription(
        name,
        "images",
        math.prod(shape),
        torch.zeros(shape[0], dtype=dtype),
        torch.ones(shape[0], dtype=dtype),
        image_shape=shape,
    )


def sparse_source(mean, scale, vectors=None, name="words"):
    """Sparse rows whose columns have this mean and deviation, and perhaps vectors."""
    return SourceDescription(name, "sparse", len(mean), mean, scale, vectors=vectors)
