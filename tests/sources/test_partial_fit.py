"""Text that is learned from in parts: the counts are those of one fit."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, TRANSFORMERS, VOCABULARY, labels, raw_users
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.persistence import load, save
from sklearn_profiling.sources import (
    CharacterSegmenter,
    FrequentWords,
    MeanWordVectors,
    TfidfVectors,
    Word2VecTransformer,
    WordSegmenter,
)

COUNTED: dict[str, Any] = {
    "FrequentWords": FrequentWords(min_count=2),
    "FrequentWords, few": FrequentWords(max_words=7),
    "MeanWordVectors": MeanWordVectors(weighting="tf-idf"),
    "MeanWordVectors, plain": MeanWordVectors(),
    "TfidfVectors": TfidfVectors(min_users=4),
    "TfidfVectors, few": TfidfVectors(max_words=3, min_users=3, max_features=9),
    "TfidfVectors, one vocabulary": TfidfVectors(min_users=2),
    "TfidfVectors, words": TfidfVectors(characters=None, min_users=1, use_idf=False),
}
"""What counts, so that parts and the whole are one."""
TRAINED = {"Word2VecTransformer"}
PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "larger_than_memory.md"

WORDS = [f"w{k}" if k % 3 else f"long{k}er" for k in range(30)]


def messages(seed: int = 0) -> list[Any]:
    """Forty users; words come up one after the other, some users lack text."""
    draw = np.random.RandomState(seed)
    users: list[Any] = []
    for user in range(40):
        known = WORDS[: 4 + user]
        users.append(
            [
                " ".join(draw.choice(known, draw.randint(1, 8)))
                for _ in range(draw.randint(0, 4))
            ]
        )
    users[5] = None
    return users


def part_of(model: Any, users: list[Any]) -> TokenMessages:
    """Segmented text, each part with its own words; with vectors if they are read."""
    if isinstance(model, MeanWordVectors):
        lists = [
            None if user is None else [[VOCABULARY.words[len(m) % 8]] for m in user]
            for user in users
        ]
        return TokenMessages.from_lists(lists, VOCABULARY)
    if model.get_params().get("min_users") == 2:  # whose words are not sorted
        words = VOCABULARY.words * 2 + ("ab", "cde", "ba")
        lists = [
            [[words[int(w.strip("wlonger")) % 19] for w in m.split()] for m in user]
            if user
            else None
            for user in users
        ]
        return TokenMessages.from_lists(lists, Vocabulary(dict.fromkeys(words)))
    text: TokenMessages = WordSegmenter().fit_transform(users)
    return text


def vectors_of(model: Any) -> np.ndarray:
    """Vectors of the words that a model has learned."""
    return np.asarray(model.vocabulary_.vectors)


def same_state(first: Any, second: Any) -> None:
    """Compare all that was learned, without the counts of parts."""

    def state(model: Any) -> dict[str, Any]:
        kept = {"_counted", "_n_counted", "_outputs"}
        return {name: v for name, v in vars(model).items() if name not in kept}

    one, two = state(first), state(second)
    assert one.keys() == two.keys()
    for name, value in one.items():
        if isinstance(value, Vocabulary):
            assert value.fingerprint == two[name].fingerprint
        elif name == "_kinds":
            assert [k.names() for k in value] == [k.names() for k in two[name]]
        else:
            np.testing.assert_array_equal(value, two[name])


def test_all_that_learn_in_parts_are_tested_here() -> None:
    able = {name for name in TRANSFORMERS if hasattr(CASES[name].make(), "partial_fit")}
    assert able == {name.partition(",")[0] for name in COUNTED} | TRAINED


@pytest.mark.skipif(not PAGE.exists(), reason="needs the files of a checkout")
def test_the_page_names_every_transformer_and_what_it_can() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line[:2] == "| "]
    cells = [row.split("|")[1:3] for row in rows]
    can = {
        name: answer.strip().startswith("yes")
        for names, answer in cells
        for name in re.findall(r"`(\w+)`", names)
    }
    assert {name: can.get(name) for name in TRANSFORMERS} == {
        name: hasattr(CASES[name].make(), "partial_fit") for name in TRANSFORMERS
    }


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("ends", [(0, 40), (0, 13, 40), tuple(range(41))])
def test_parts_are_the_whole(name: str, ends: tuple[int, ...], tmp_path: Any) -> None:
    users = messages()
    whole = clone(COUNTED[name])
    expected = whole.fit_transform(part_of(whole, users))
    model = clone(COUNTED[name])
    for number, (start, stop) in enumerate(pairwise(ends)):
        assert model.partial_fit(part_of(model, users[start:stop])) is model
        if number == 20:  # it goes on from a file
            save(model, tmp_path / "model")
            model = load(tmp_path / "model")
    same_state(model, whole)
    found = model.transform(part_of(model, users))
    if isinstance(found, TokenMessages):
        assert found.tolist() == expected.tolist()
        assert found.vocabulary.words == expected.vocabulary.words
    elif isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    else:
        assert (found != expected).nnz == 0
        names = model.get_feature_names_out().tolist()
        assert names == whole.get_feature_names_out().tolist()


@pytest.mark.parametrize("name", [*COUNTED, *TRAINED])
def test_fit_forgets_parts_and_parts_forget_fit(name: str) -> None:
    make = CASES[name].make if name in TRAINED else lambda: clone(COUNTED[name])
    first, second = (part_of(make(), messages(seed)) for seed in (1, 2))
    expected = make().fit(second)
    same_state(make().partial_fit(first).fit(second), expected)
    anew = make().partial_fit(second)
    same_state(make().fit(first).partial_fit(second), anew)


@pytest.mark.parametrize(
    "model",
    [
        FrequentWords(min_count=3),
        TfidfVectors(min_users=2),
        Word2VecTransformer(4, min_count=3, random_state=0),
    ],
)
def test_nothing_is_fitted_before_anything_is_frequent(model: Any) -> None:
    parts = [WordSegmenter().fit_transform([["red tea"]]) for _ in range(3)]
    model = clone(model).partial_fit(parts[0])
    with pytest.raises(NotFittedError):
        model.transform(parts[0])
    model.partial_fit(parts[1]).partial_fit(parts[2])
    check_is_fitted(model)
    assert model.transform(parts[0]).shape[0] == 1


def test_word_vectors_go_on_and_new_words_join() -> None:
    texts, _ = raw_users(60)
    parts = [TokenMessages.from_lists(texts[k : k + 20]) for k in (0, 20, 40)]
    model = Word2VecTransformer(6, min_count=1, random_state=0, learning_rate=0.5)
    model.partial_fit(parts[0])
    before, old = model.vocabulary_, vectors_of(model)
    model.partial_fit(parts[0][:0])  # no words: nothing is trained
    np.testing.assert_array_equal(vectors_of(model), old)
    model.partial_fit(parts[1])
    assert set(model.vocabulary_.words) == set(before.words)
    order = model.vocabulary_.encode(before.words)
    moved = np.abs(vectors_of(model)[order] - old)
    fresh = clone(model).partial_fit(parts[1])
    apart = np.abs(
        vectors_of(fresh)[fresh.vocabulary_.encode(before.words)]
        - vectors_of(model)[order]
    )
    assert moved.max() > 0
    assert apart.max() > 1e-3  # the first part has taught something
    model.partial_fit(TokenMessages.from_lists([[["new", "茶", "new"]]]))
    assert "new" in model.vocabulary_.words
    again = clone(model)
    for part in (*parts[:1], parts[0][:0], parts[1]):
        again.partial_fit(part)
    again.partial_fit(TokenMessages.from_lists([[["new", "茶", "new"]]]))
    np.testing.assert_array_equal(vectors_of(again), vectors_of(model))


def test_word_vectors_of_parts_bring_like_words_together() -> None:
    draw = np.random.RandomState(0)
    topics = [[f"a{k}" for k in range(6)], [f"b{k}" for k in range(6)]]

    def part() -> TokenMessages:
        lists = [
            [list(draw.choice(topics[user % 2], 8)) for _ in range(6)]
            for user in range(40)
        ]
        return TokenMessages.from_lists(lists)

    model = Word2VecTransformer(
        8, min_count=1, random_state=0, learning_rate=0.1, subsample=0
    )
    for _ in range(12):
        model.partial_fit(part())
    words = model.vocabulary_
    vectors = vectors_of(model) / np.linalg.norm(
        vectors_of(model), axis=1, keepdims=True
    )
    alike = np.array([[a[0] == b[0] for b in words.words] for a in words.words])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, np.nan)
    assert np.nanmean(cosines[alike]) > np.nanmean(cosines[~alike]) + 0.3


def test_labelled_users_alone_train_and_rare_words_are_split() -> None:
    texts, _ = raw_users(40)
    text, y = TokenMessages.from_lists(texts), labels()
    model = Word2VecTransformer(4, min_count=1, task="age", random_state=0)
    known = clone(model).set_params(task=None)
    known.partial_fit(text[y["age"].notna().to_numpy()])
    same_state(model.partial_fit(text, y).set_params(task=None), known)
    with pytest.raises(TargetError, match="y is None"):
        model.set_params(task="age").partial_fit(text)
    split = Word2VecTransformer(4, min_count=2, unknown="characters", random_state=0)
    split.partial_fit(TokenMessages.from_lists([[["茶山", "茶水"]]]))
    assert split.vocabulary_.words == ("茶",)
    average = Word2VecTransformer(4, min_count=1, unknown="average", random_state=0)
    average.partial_fit(text).partial_fit(text)
    assert average.vocabulary_.words[-1] == "<unknown>"
    assert len(average.vocabulary_.words) == 9


def test_what_cannot_learn_in_parts_says_so() -> None:
    text = part_of(MeanWordVectors(), messages())
    with pytest.raises(SourceError, match="weighting='sif'\\) finds a direction"):
        MeanWordVectors(weighting="sif").partial_fit(text)
    vocabulary = Vocabulary(["a"], np.ones((1, 2)))
    other = TokenMessages.from_lists([[["a"]]], vocabulary)
    with pytest.raises(SourceError, match="numbered by another vocabulary than"):
        MeanWordVectors().partial_fit(text).partial_fit(other)
    with pytest.raises(SourceError, match="has none; put GloVeTransformer"):
        MeanWordVectors().partial_fit(CharacterSegmenter().fit_transform([["a"]]))
    with pytest.raises(SourceError, match="characters must be"):
        TfidfVectors(characters=(3, 2)).partial_fit(text)
