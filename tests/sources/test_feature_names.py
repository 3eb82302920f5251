"""Every transformer whose output is a matrix names its columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from cases import CASES, TRANSFORMERS, VOCABULARY, pictures
from scipy.sparse import issparse
from sklearn.base import clone
from tiny_models import bert, tokenizer, vit

from sklearn_profiling.baselines import make_link_baseline
from sklearn_profiling.containers import SocialGraph, TokenMessages
from sklearn_profiling.sources import (
    JiebaSegmenter,
    PretrainedImageVectors,
    PretrainedTextVectors,
)

TEXTS = pd.Series(
    [["山水", "茶"], ["酒月"], None, ["风花", "雪"], ["茶酒"], ["山风"]],
    index=list("uvwxyz"),
)
WORDS = TokenMessages.from_lists(
    [[["山", "水"], ["茶"]], [["酒"]], None, [["花"]], [["茶"]], [["山"]]], VOCABULARY
)
TAGGED = JiebaSegmenter(part_of_speech=True).fit_transform(TEXTS)
IDS = pd.Series(["a", "b", None, "d", "nobody", "a"], index=list("uvwxyz"))
GREY = np.zeros((16, 16), np.uint8)
IMAGES = pd.Series([[GREY], None, [GREY], [GREY], [], [GREY]], index=list("uvwxyz"))
BAGS = pictures(np.random.RandomState(0).normal(size=(6, 3)))
Y = ["north", "south"] * 3

#: What each reads; the others of the table of cases do not return a matrix.
INPUTS = {
    "AdjacencyRows": IDS,
    "FrequentPOSPatterns": TAGGED,
    "LINEEmbedding": IDS,
    "LatentSemanticVectors": WORDS,
    "MeanImageVectors": BAGS,
    "MeanWordVectors": WORDS,
    "OutOfFoldLogits": pd.DataFrame({"n": [0.0, 1.0] * 3}, index=list("uvwxyz")),
    "PretrainedImageVectors": IMAGES,
    "PretrainedTextVectors": TEXTS,
    "PropagatedLabels": IDS,
    "RegionKeywords": WORDS,
    "StylometricFeatures": TAGGED,
    "TfidfVectors": WORDS,
    "UserVectors": IDS,
    "VisualWordCounts": BAGS,
}
NO_MATRIX = {
    *("CharacterSegmenter", "JiebaSegmenter", "SubwordSegmenter", "WordSegmenter"),
    *("FrequentWords", "GloVeTransformer", "PretrainedVectors", "Word2VecTransformer"),
    *("ImageBagTransformer", "ImageCaptioner", "ProfileAugmenter", "SourceUnion"),
    "AutoSources",
}
MADE = {
    "PretrainedTextVectors": lambda: PretrainedTextVectors(
        bert(), tokenizer(), random_state=0
    ),
    "PretrainedImageVectors": lambda: PretrainedImageVectors(vit(), random_state=0),
}
named = pytest.mark.parametrize("name", INPUTS)


def make(name):
    return clone(MADE.get(name, CASES[name].make)())


def test_every_transformer_is_in_one_of_the_tables():
    assert set(TRANSFORMERS) - NO_MATRIX == set(INPUTS)


@named
def test_a_name_for_each_column(name):
    transformer = make(name)
    made = transformer.fit_transform(INPUTS[name], Y)
    names = transformer.get_feature_names_out()
    assert names.dtype == object
    assert all(isinstance(column, str) for column in names)
    assert len(names) == made.shape[1] == len(set(names))
    assert names.tolist() == transformer.get_feature_names_out(None).tolist()


@named
def test_the_names_reach_pandas(name):
    expected = make(name).fit_transform(INPUTS[name], Y)
    transformer = make(name).set_output(transform="pandas")
    made = transformer.fit_transform(INPUTS[name], Y)
    assert made.columns.tolist() == transformer.get_feature_names_out().tolist()
    expected = expected.toarray() if issparse(expected) else expected
    np.testing.assert_allclose(made.to_numpy(), expected)
    if isinstance(INPUTS[name], pd.Series):
        assert made.index.tolist() == list("uvwxyz")


def test_links_stay_sparse_within_a_system():
    graph = SocialGraph.from_edges([("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")])
    users = pd.DataFrame({"user_id": list("abcd")})
    y = ["old", None, "young", None]
    with sklearn.config_context(transform_output="pandas"):
        model = make_link_baseline(graph).fit(users, y)
        assert issparse(model["links"].transform(users))
        assert model.predict(users).tolist() == ["old", "old", "young", "young"]
    model = make_link_baseline(graph).set_output(transform="pandas").fit(users, y)
    assert model["links"].transform(users).columns[0] == "adjacency__a"
    assert model.predict(users).tolist() == ["old", "old", "young", "young"]
