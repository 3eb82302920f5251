"""Vocabulary: look-ups, vectors, identity."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest

from sklearn_profiling.containers import Vocabulary
from sklearn_profiling.exceptions import SourceError

WORDS = ["茶", "山", "月"]
VECTORS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def test_words_and_ids():
    vocabulary = Vocabulary(iter(WORDS), VECTORS)
    assert vocabulary.words == tuple(WORDS)
    assert len(vocabulary) == 3
    assert vocabulary.index == {"茶": 0, "山": 1, "月": 2}
    assert "山" in vocabulary
    assert "海" not in vocabulary
    ids = vocabulary.encode(w for w in ["月", "海", "茶", "月"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [2, -1, 0, 2]
    assert vocabulary.encode([]).shape == (0,)
    assert repr(vocabulary) == "Vocabulary(3 words, 2 dimensions)"


def test_vectors_are_a_locked_copy_in_single_precision():
    given = np.array(VECTORS)
    vocabulary = Vocabulary(WORDS, given)
    given[0] = -1.0
    assert vocabulary.vectors.dtype == np.float32
    assert vocabulary.vectors.tolist() == VECTORS
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.vectors[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(vocabulary)).vectors[0] = 0.0


def test_vectors_are_given_and_taken_away():
    bare = Vocabulary(WORDS)
    assert (bare.vectors, bare.n_dimensions) == (None, 0)
    dressed = bare.with_vectors(VECTORS)
    assert dressed.n_dimensions == 2
    assert dressed.words == bare.words
    assert dressed != bare
    assert dressed.with_vectors(None) == bare


@pytest.mark.parametrize(
    ("words", "vectors"),
    [
        (["茶", "月", "山"], VECTORS),
        (["茶", "山"], VECTORS[:2]),
        (["茶山", "", "月"], VECTORS),
        (WORDS, None),
        (WORDS, np.array(VECTORS) + np.eye(3)[:, :2] * 1e-6),
        (WORDS, np.array(VECTORS)[:, :1]),
        (WORDS, np.array(VECTORS)[:, ::-1]),
    ],
)
def test_anything_else_is_another_vocabulary(words, vectors):
    one, other = Vocabulary(WORDS, VECTORS), Vocabulary(words, vectors)
    assert one != other
    assert one.fingerprint != other.fingerprint


def test_the_border_between_words_counts():
    assert Vocabulary(["ab", "c"]).fingerprint != Vocabulary(["a", "bc"]).fingerprint


def test_equal_vocabularies_are_one_key_and_one_hash():
    one = Vocabulary(WORDS, VECTORS)
    other = Vocabulary([word + "x" for word in WORDS], VECTORS)
    other = Vocabulary([word.removesuffix("x") for word in other.words], VECTORS)
    # What was computed on demand, here by one of the two, must not show.
    assert one.fingerprint
    assert joblib.hash(one) == joblib.hash(other)
    assert one == other
    assert len({one, other}) == 1
    assert joblib.hash(one) == joblib.hash(other)
    assert pickle.loads(pickle.dumps(one)) == other
    assert one != "茶"


def test_lone_surrogates_of_a_broken_file_do_not_stop_it():
    assert Vocabulary(["\ud83d"]).fingerprint != Vocabulary(["\ude00"]).fingerprint


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (["茶", 3], None, "word 1 must be a str; got 3"),
        (["茶", "山", "茶"], None, "'茶' stands twice"),
        (WORDS, [1.0, 2.0, 3.0], r"shape \(3, n_dimensions\), one row a word; got"),
        (WORDS, VECTORS[:2], r"got \(2, 2\)"),
        (WORDS, [[1.0], [np.nan], [2.0]], "must be finite; that of '山' is not"),
        (WORDS, [[1.0], [2.0], [1e300]], "that of '月' is not"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_what_is_refused(words, vectors, message):
    with pytest.raises(SourceError, match=message):
        Vocabulary(words, vectors)
