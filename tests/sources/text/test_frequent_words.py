"""A fixed vocabulary without vectors."""

from __future__ import annotations

import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import FrequentWords

TEXT = TokenMessages.from_lists(
    [[["喝", "茶"], ["爬", "山"]], [["喝", "茶", "茶"]], [], [["雨"]]]
)


def test_words_are_ordered_by_frequency_and_carry_no_vectors() -> None:
    vocabulary = FrequentWords().fit(TEXT).vocabulary_
    assert list(vocabulary.words) == ["茶", "喝", "山", "爬", "雨"]
    assert vocabulary.vectors is None


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"min_count": 2}, ["茶", "喝"]), ({"max_words": 1}, ["茶"])],
)
def test_rare_words_are_left_out(parameters: dict, words: list[str]) -> None:
    step = FrequentWords(**parameters)
    written = step.fit_transform(TEXT)
    assert list(step.vocabulary_.words) == words
    assert written[3] == []
    assert len(written) == 4


def test_new_users_are_written_with_the_same_words() -> None:
    step = FrequentWords().fit(TEXT)
    new = step.transform(TokenMessages.from_lists([[["雪", "山"], ["雪"]]]))
    assert new[0] == [["山"]]
    assert new.vocabulary.fingerprint == step.vocabulary_.fingerprint


def test_text_without_frequent_words() -> None:
    with pytest.raises(SourceError, match="no word occurs at least min_count=9"):
        FrequentWords(min_count=9).fit(TEXT)
    with pytest.raises(SourceError, match="FrequentWords takes TokenMessages"):
        FrequentWords().fit([["茶"]])
