"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.images.bags import ImageBagTransformer

__all__ = ["ImageBagTransformer"]
