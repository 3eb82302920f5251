"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.network.line import LINEEmbedding

__all__ = ["LINEEmbedding"]
