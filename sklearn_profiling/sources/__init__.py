"""Transformers from a table of users to the sources that estimators read.

Text, network, images and dense features each become one entry of a ``SliceDict``,
joined by :class:`SourceUnion`; a user without a source keeps a row that says so.
"""

from sklearn_profiling.sources.augmentation import ProfileAugmenter
from sklearn_profiling.sources.images import (
    ImageBagTransformer,
    MeanImageVectors,
    VisualWordCounts,
)
from sklearn_profiling.sources.network import AdjacencyRows, LINEEmbedding
from sklearn_profiling.sources.pretrained import (
    ImageCaptioner,
    PretrainedImageVectors,
    PretrainedTextVectors,
    SubwordSegmenter,
)
from sklearn_profiling.sources.text import (
    CharacterSegmenter,
    FrequentPOSPatterns,
    FrequentWords,
    GloVeTransformer,
    JiebaSegmenter,
    LatentSemanticVectors,
    MeanWordVectors,
    PretrainedVectors,
    RegionKeywords,
    StylometricFeatures,
    TfidfVectors,
    Word2VecTransformer,
    WordSegmenter,
)
from sklearn_profiling.sources.text.segmentation import choose_segmenter
from sklearn_profiling.sources.union import SourceUnion
from sklearn_profiling.sources.user_vectors import UserVectors

__all__ = [
    "AdjacencyRows",
    "CharacterSegmenter",
    "FrequentPOSPatterns",
    "FrequentWords",
    "GloVeTransformer",
    "ImageBagTransformer",
    "ImageCaptioner",
    "JiebaSegmenter",
    "LINEEmbedding",
    "LatentSemanticVectors",
    "MeanImageVectors",
    "MeanWordVectors",
    "PretrainedImageVectors",
    "PretrainedTextVectors",
    "PretrainedVectors",
    "ProfileAugmenter",
    "RegionKeywords",
    "SourceUnion",
    "StylometricFeatures",
    "SubwordSegmenter",
    "TfidfVectors",
    "UserVectors",
    "VisualWordCounts",
    "Word2VecTransformer",
    "WordSegmenter",
    "choose_segmenter",
]
