"""Word2vec by gensim: one thread, one result, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources.text import Word2VecTransformer
from sklearn_profiling.sources.text import word2vec as module

PROGRAM = """
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources.text import Word2VecTransformer
text = TokenMessages.from_lists([[list("abcdeabcab")] * 20])
print(Word2VecTransformer(4, random_state=0).fit(text).vocabulary_.fingerprint)
"""


def topical_text(n_messages=800, seed=0):
    rng = np.random.RandomState(seed)
    return TokenMessages.from_lists(
        [[f"t{topic}w{word}" for word in rng.randint(15, size=10)]]
        for topic in rng.randint(3, size=n_messages)
    )


def test_neighbours_share_the_topic():
    state = np.random.get_state()[1].copy()
    vectors = Word2VecTransformer(
        16, max_epochs=20, subsample=0, random_state=0, n_jobs=1
    ).fit(topical_text())
    assert (np.random.get_state()[1] == state).all()
    words = vectors.vocabulary_.words
    unit = vectors.vocabulary_.vectors
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    nearest = np.argsort(-similarity, axis=1)[:, :3]
    topics = np.array([word[:2] for word in words])
    assert (topics[nearest] == topics[:, None]).mean() > 0.95


def test_same_bits_whatever_the_hash_seed_of_the_process():
    prints = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(prints) == 1


def test_hash_of_a_word_is_a_fixed_number():
    assert module._stable_hash("a") == 0xE8B7BE43


def test_seed_decides():
    text = topical_text(100)
    prints = [
        Word2VecTransformer(4, random_state=seed).fit(text).vocabulary_.fingerprint
        for seed in (0, 0, 1)
    ]
    assert prints[0] == prints[1] != prints[2]


def test_trained_on_the_users_labelled_for_a_task():
    text = topical_text(100)
    y = pd.DataFrame({"age": [None, "old"] * 50, "gender": ["f"] * 100}, dtype=object)

    def fingerprint(text, y=None, **params):
        vectors = Word2VecTransformer(4, random_state=0, **params).fit(text, y)
        return vectors.vocabulary_.fingerprint

    half = fingerprint(text[1::2])
    assert fingerprint(text, y, task="age") == half != fingerprint(text)
    assert fingerprint(text, y["age"], task="age") == half
    assert fingerprint(text, y["age"].to_numpy(), task="age") == half
    assert fingerprint(text, y, task="gender") == fingerprint(text, y)
    trained = Word2VecTransformer(4, task="age", random_state=0)
    assert len(trained.fit_transform(text, y)) == 100
    for wrong, message in [
        (None, r"task='wage'\).* y is None"),
        (y[:99], "99 rows for 100 users"),
        (y, r"no task 'wage'; its tasks are \['age', 'gender'\]"),
        (y["age"], "no task 'wage'"),
    ]:
        with pytest.raises(TargetError, match=message):
            Word2VecTransformer(task="wage").fit(text, wrong)


def test_several_threads_and_unknown_words(caplog):
    text = TokenMessages.from_lists([[list("aabbbc")] * 3, None])
    vectors = Word2VecTransformer(4, min_count=4, n_jobs=2, unknown="average")
    changed = vectors.fit_transform(text)
    assert changed.vocabulary.words == ("b", "a", "<unknown>")
    assert changed[0][0] == ["a", "a", "b", "b", "b", "<unknown>"]
    assert changed.missing.tolist() == [False, True]
    few = Word2VecTransformer(4, min_count=1, max_words=1).fit(text)
    assert few.vocabulary_.words == ("b",)
    assert caplog.records == []


def test_long_messages_are_cut(monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_SENTENCE", 4)
    text = TokenMessages.from_lists([[list("abcdef"), list("ab")]])
    sentences = module._Sentences(text)
    expected = [list("abcd"), list("ef"), list("ab")]
    assert list(sentences) == expected
    assert list(sentences) == expected


def test_errors():
    text = TokenMessages.from_lists([[["a"]]])
    with pytest.raises(SourceError, match="Lower min_count"):
        Word2VecTransformer().fit(text)
    with pytest.raises(SourceError, match="Word2VecTransformer takes TokenMessages"):
        Word2VecTransformer().fit([["a"]])
    with pytest.raises(ValueError, match="'n_negatives' parameter"):
        Word2VecTransformer(n_negatives=0).fit(text)
