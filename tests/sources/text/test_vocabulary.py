"""Words outside the vocabulary, written as their ideographs."""

from __future__ import annotations

import numpy as np
import pytest

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.sources import GloVeTransformer, Word2VecTransformer
from sklearn_profiling.sources.text.vocabulary import split_words

LISTS = [
    [["喝茶", "tea", "上山"], ["喝茶"]],
    None,
    [["山茶", "2山"], ["tea"], ["喝茶", "喝茶"]],
]


def test_unknown_words_become_their_ideographs_and_others_stay():
    split = split_words(TokenMessages.from_lists(LISTS), {"喝茶"})
    assert split.tolist() == [
        [["喝茶", "tea", "上", "山"], ["喝茶"]],
        [],
        [["山", "茶", "山"], ["tea"], ["喝茶", "喝茶"]],
    ]
    text = TokenMessages.from_lists(LISTS)
    assert split_words(text, text.vocabulary).tolist() == text.tolist()
    assert split_words(TokenMessages.from_lists([None]), set()).tolist() == [[]]


def test_tags_are_those_of_the_word():
    text = TokenMessages(
        [0, 1], [0, 2], [0, 1], Vocabulary(["喝茶", "a"]), tags=[1, 0], tag_names="ab"
    )
    split = split_words(text, set())
    assert split.tolist() == [[["喝", "茶", "a"]]]
    assert split.tags.tolist() == [1, 1, 0]
    assert split.tag_names == ("a", "b")


@pytest.mark.parametrize("kind", [GloVeTransformer, Word2VecTransformer])
def test_characters_are_counted_in_fit_and_found_in_transform(kind):
    vectors = kind(2, min_count=3, unknown="characters", random_state=0)
    text = TokenMessages.from_lists(
        [[["喝茶"] * 30, ["上山", "下山", "山", "海", "tea", "tea", "tea", "cup"]]]
    )
    written = vectors.fit_transform(text)
    assert written.tolist() == [[["喝茶"] * 30, ["山"] * 3 + ["tea"] * 3]]
    assert vectors.vocabulary_.vectors.shape == (3, 2)
    new = TokenMessages.from_lists([[["爬山", "喝茶", "喝酒"], ["海"], ["cup"]]])
    assert vectors.transform(new).tolist() == [[["山", "喝茶"]]]
    again = kind(2, min_count=3, unknown="characters", random_state=0).fit(text)
    assert np.array_equal(again.vocabulary_.vectors, vectors.vocabulary_.vectors)
    dropped = kind(2, min_count=3, random_state=0).fit_transform(text)
    assert dropped.tolist() == [[["喝茶"] * 30, ["tea"] * 3]]
    twenty_nine = text.tolist()[0][0][1:], ["山"] * 3
    split = vectors.fit_transform(TokenMessages.from_lists([twenty_nine]))
    assert split.tolist() == [[["喝", "茶"] * 29, ["山"] * 3]]
