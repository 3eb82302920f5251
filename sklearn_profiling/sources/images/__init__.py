"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.images.bags import ImageBagTransformer
from sklearn_profiling.sources.images.visual import MeanImageVectors, VisualWordCounts

__all__ = ["ImageBagTransformer", "MeanImageVectors", "VisualWordCounts"]
