"""Dense sources."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.randomness import Dropout

__all__ = ["VectorEncoder"]


class VectorEncoder(nn.Module):
    """Centre a dense source and bring it to the scale of the others.

    One factor serves all columns, so that columns keep their proportions: those of a
    spectral decomposition fall in size, and the small ones are mostly noise. `mean` and
    `scale` (n_features,) are those of the columns on the training users.
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
        """Rows (n_users, n_features) to columns of mean square 1 all together."""
        scaled: Tensor = self.dropout((vectors - self.mean) / self.size)
        return scaled
