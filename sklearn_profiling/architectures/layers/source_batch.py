"""What the sources of a batch may be."""

from __future__ import annotations

from torch import Tensor

from sklearn_profiling.architectures.layers.flat_text import FlatText
from sklearn_profiling.architectures.layers.images import FlatImages

__all__ = ["SourceBatch"]

SourceBatch = FlatText | FlatImages | Tensor
"""Text, images, or a dense source of shape (n_users, n_features)."""
