"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.images.bags import ImageBagTransformer
from sklearn_profiling.sources.images.captions import ImageCaptioner
from sklearn_profiling.sources.images.pretrained_images import PretrainedImageVectors

__all__ = ["ImageBagTransformer", "ImageCaptioner", "PretrainedImageVectors"]
