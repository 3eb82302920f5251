"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.network.adjacency import AdjacencyRows
from sklearn_profiling.sources.network.line import LINEEmbedding

__all__ = ["AdjacencyRows", "LINEEmbedding"]
