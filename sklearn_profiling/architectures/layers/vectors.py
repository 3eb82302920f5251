"""Dense and sparse sources."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.architectures.layers.sparse_rows import FlatRows

__all__ = ["SparseEncoder", "VectorEncoder"]


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


class SparseEncoder(nn.Module):
    """Sparse rows times a table with one vector for each column, which is learned.

    The table begins as the vectors that the source brings, or at zero.
    """

    # Times that of dense layers, for rows of mean square length 1. Our choice, on
    # poets, where three times as much is as good.
    learning_rate = 1e4

    def __init__(
        self, source: SourceDescription, n_features: int, dropout: float
    ) -> None:
        super().__init__()
        self.n_features = n_features
        self.dropout = Dropout(dropout)
        # Rows are scaled, not steps, so that an optimizer need not know the table.
        length = (source.mean.square() + source.scale.square()).sum().sqrt()
        length = torch.where(length > 0, length, torch.ones_like(length))
        self.register_buffer("factor", self.learning_rate**0.5 / length)
        self.factor: Tensor
        vectors = source.vectors
        if vectors is None:
            vectors = torch.zeros(source.n_features, n_features)
        self.table = nn.Parameter(vectors / self.factor)
        columns = torch.arange(source.n_features)
        mean = FlatRows(columns, source.mean.to(vectors.dtype), columns[:1])
        self.register_buffer("mean", self._product(mean).detach()[0])
        self.mean: Tensor

    def _product(self, rows: FlatRows) -> Tensor:
        # A bag is summed by one thread, so the bits do not depend on their number.
        product: Tensor = functional.embedding_bag(
            rows.columns,
            self.table,
            rows.row_starts,
            mode="sum",
            per_sample_weights=rows.values * self.factor,
            sparse=True,
        )
        return product

    def forward(self, rows: FlatRows) -> Tensor:
        """Sparse rows (n_users, n_columns) to vectors (n_users, n_features)."""
        vectors: Tensor = self.dropout(self._product(rows) - self.mean)
        return vectors
