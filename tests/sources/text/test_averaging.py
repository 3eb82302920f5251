"""Mean word vectors: by hand, missing users, rows that do not touch each other."""

from __future__ import annotations

import numpy as np
import pytest

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.sources.text import MeanWordVectors

VOCABULARY = Vocabulary("abc", [[1.0, 0.0], [0.0, 2.0], [4.0, 4.0]])
USERS = [[["a", "b"], ["a", "a"]], None, [["c"]], [["b", "c"]]]
TEXT = TokenMessages.from_lists(USERS, VOCABULARY)


def test_plain_mean_by_hand():
    means = MeanWordVectors().fit_transform(TEXT)
    assert means.dtype == np.float32
    expected = [[0.75, 0.5], [np.nan, np.nan], [4, 4], [2, 3]]
    np.testing.assert_allclose(means, expected)


def test_tf_idf_by_hand():
    step = MeanWordVectors(weighting="tf-idf").fit(TEXT)
    a, b, c = (np.log(4 / (1 + df)) + 1 for df in (1, 2, 2))
    np.testing.assert_allclose(step.weights_, [a, b, c], rtol=1e-6)
    first = [3 * a / (3 * a + b), 2 * b / (3 * a + b)]
    np.testing.assert_allclose(step.transform(TEXT)[0], first, rtol=1e-6)


def test_sif_takes_out_the_common_direction():
    step = MeanWordVectors(weighting="sif", sif_strength=0.5).fit(TEXT)
    shares = np.array([3, 2, 2]) / 7
    np.testing.assert_allclose(step.weights_, 0.5 / (0.5 + shares), rtol=1e-6)
    means = step.transform(TEXT)
    assert np.isnan(means[1]).all()
    np.testing.assert_allclose(means[[0, 2, 3]] @ step.common_direction_, 0, atol=1e-6)
    nobody = TokenMessages.from_lists([None], VOCABULARY)
    empty = MeanWordVectors(weighting="sif").fit(nobody)
    assert empty.common_direction_ is None
    assert np.isnan(empty.transform(nobody)).all()


@pytest.mark.parametrize("weighting", [None, "tf-idf", "sif"])
def test_a_row_does_not_depend_on_other_rows(weighting):
    rng = np.random.RandomState(0)
    vocabulary = Vocabulary(map(str, range(50)), rng.randn(50, 17))
    text = TokenMessages.from_lists(
        [
            [[str(w) for w in rng.randint(50, size=30)]] if row % 5 else None
            for row in range(60)
        ],
        vocabulary,
    )
    step = MeanWordVectors(weighting=weighting).fit(text)
    together = step.transform(text)
    assert np.isnan(together).all(axis=1).sum() == 12
    for chosen in (np.arange(7), [13], np.random.RandomState(1).permutation(60)):
        np.testing.assert_array_equal(step.transform(text[chosen]), together[chosen])
    state = text.ids.copy()
    step.transform(text)
    np.testing.assert_array_equal(text.ids, state)


def test_names():
    step = MeanWordVectors().fit(TEXT)
    names = step.get_feature_names_out()
    assert names.tolist() == ["meanwordvectors0", "meanwordvectors1"]


def test_errors():
    bare = TokenMessages.from_lists(USERS)
    with pytest.raises(SourceError, match="this text has none; put GloVeTransformer"):
        MeanWordVectors().fit(bare)
    with pytest.raises(SourceError, match="MeanWordVectors takes TokenMessages"):
        MeanWordVectors().fit(np.zeros((3, 2)))
    with pytest.raises(VocabularyMismatchError, match="steps fitted together"):
        MeanWordVectors().fit(TEXT).transform(bare)
    with pytest.raises(ValueError, match="'weighting' parameter"):
        MeanWordVectors(weighting="bm25").fit(TEXT)
