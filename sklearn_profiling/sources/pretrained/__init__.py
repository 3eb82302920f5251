"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.pretrained.captions import ImageCaptioner
from sklearn_profiling.sources.pretrained.images import PretrainedImageVectors
from sklearn_profiling.sources.pretrained.subwords import SubwordSegmenter
from sklearn_profiling.sources.pretrained.text import PretrainedTextVectors

__all__ = [
    "ImageCaptioner",
    "PretrainedImageVectors",
    "PretrainedTextVectors",
    "SubwordSegmenter",
]
