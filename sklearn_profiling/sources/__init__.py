"""Transformers from a table of users to the sources that estimators read.

Text, network and dense features each become one entry of a ``SliceDict``, joined by
:class:`SourceUnion`; a user without a source keeps a row that says so.
"""

from sklearn_profiling.sources.network.adjacency import AdjacencyRows
from sklearn_profiling.sources.network.line import LINEEmbedding
from sklearn_profiling.sources.text import (
    CharacterSegmenter,
    GloVeTransformer,
    JiebaSegmenter,
    LatentSemanticVectors,
    MeanWordVectors,
    PretrainedVectors,
    RegionKeywords,
    Word2VecTransformer,
)
from sklearn_profiling.sources.union import SourceUnion

__all__ = [
    "AdjacencyRows",
    "CharacterSegmenter",
    "GloVeTransformer",
    "JiebaSegmenter",
    "LINEEmbedding",
    "LatentSemanticVectors",
    "MeanWordVectors",
    "PretrainedVectors",
    "RegionKeywords",
    "SourceUnion",
    "Word2VecTransformer",
]
