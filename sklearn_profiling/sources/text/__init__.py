"""Parts of :mod:`sklearn_profiling.sources`; import from there."""

from sklearn_profiling.sources.text.averaging import MeanWordVectors
from sklearn_profiling.sources.text.frequent_words import FrequentWords
from sklearn_profiling.sources.text.glove import GloVeTransformer
from sklearn_profiling.sources.text.latent import LatentSemanticVectors
from sklearn_profiling.sources.text.pos_patterns import FrequentPOSPatterns
from sklearn_profiling.sources.text.pretrained import PretrainedVectors
from sklearn_profiling.sources.text.region_keywords import RegionKeywords
from sklearn_profiling.sources.text.segmentation import (
    CharacterSegmenter,
    JiebaSegmenter,
)
from sklearn_profiling.sources.text.stylometry import StylometricFeatures
from sklearn_profiling.sources.text.tfidf import TfidfVectors
from sklearn_profiling.sources.text.word2vec import Word2VecTransformer
from sklearn_profiling.sources.text.words import WordSegmenter

__all__ = [
    "CharacterSegmenter",
    "FrequentPOSPatterns",
    "FrequentWords",
    "GloVeTransformer",
    "JiebaSegmenter",
    "LatentSemanticVectors",
    "MeanWordVectors",
    "PretrainedVectors",
    "RegionKeywords",
    "StylometricFeatures",
    "TfidfVectors",
    "Word2VecTransformer",
    "WordSegmenter",
]
