"""tf-idf of words and characters: as scikit-learn's, by hand, new words, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import TfidfVectors

RNG = np.random.default_rng(0)
WORDS = np.array([f"w{number}" for number in range(30)])
USERS = [
    None
    if user % 9 == 4
    else [list(WORDS[RNG.integers(30, size=RNG.integers(1, 7))]) for _ in range(3)]
    for user in range(40)
]
TEXT = TokenMessages.from_lists(USERS)


def n_grams(longest):
    """Give scikit-learn the n-grams within each message."""

    def analyze(messages):
        return [
            " ".join(words[start : start + length])
            for words in messages or []
            for length in range(1, longest + 1)
            for start in range(len(words) - length + 1)
        ]

    return analyze


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("min_users", [1, 2, 5])
@pytest.mark.parametrize("sublinear", [True, False])
def test_words_as_of_scikit_learn(longest, min_users, sublinear):
    # min_df of scikit-learn does not need the shorter sequence to be frequent, but a
    # longer one never has more users.
    theirs = TfidfVectorizer(
        analyzer=n_grams(longest), min_df=min_users, sublinear_tf=sublinear
    )
    expected = theirs.fit_transform(USERS)
    step = TfidfVectors(
        max_words=longest, characters=None, min_users=min_users, sublinear_tf=sublinear
    )
    found = step.fit_transform(TEXT)
    names = step.get_feature_names_out()
    assert sorted(names) == sorted(theirs.get_feature_names_out())
    columns = [theirs.vocabulary_[name] for name in names]
    np.testing.assert_allclose(
        found.toarray(), expected.toarray()[:, columns], atol=1e-6
    )
    np.testing.assert_allclose(step.idf_, theirs.idf_[columns], rtol=1e-6)
    assert (step.transform(TEXT) != found).nnz == 0
    assert found.dtype == np.float32
    assert sparse.issparse(found)


def test_characters_by_hand():
    text = TokenMessages.from_lists([[["ab", "ab", "c"]], [["ab"]], None])
    step = TfidfVectors(max_words=1, characters=(2, 3), min_users=1).fit(text)
    assert step.get_feature_names_out().tolist() == [
        *("ab", "c", "* a*", "* ab*", "*ab*", "*ab *", "*b *")
    ]
    rows = step.transform(text).toarray()
    common, rare = 1 + np.log(4 / 3), 1 + np.log(4 / 2)
    words = np.array([(1 + np.log(2)) * common, rare])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(rows[0, :2], half * words / np.linalg.norm(words), 1e-5)
    np.testing.assert_allclose(rows[0, 2:], half / np.sqrt(5), rtol=1e-5)
    assert (rows[2] == 0).all()
    # A word of one character has no sequences, and a kind that is empty no weight.
    short = TfidfVectors(min_users=1).fit(TokenMessages.from_lists([[["c", "d"]]]))
    assert short.get_feature_names_out().tolist() == ["c", "d", "c d"]


def test_new_users_bring_new_words():
    step = TfidfVectors(characters=(2, 2), min_users=1).fit(
        TokenMessages.from_lists([[["red", "tea"], ["tea"]]])
    )
    new = TokenMessages.from_lists(
        [[["tea", "new", "red", "tea"]], [["strange"]], [["zzz"]], [["tea"], ["red"]]]
    )
    rows = step.transform(new).toarray()
    names = step.get_feature_names_out().tolist()
    written = [{names[c] for c in np.flatnonzero(row)} for row in rows]
    assert {"red", "tea", "red tea"} <= written[0]
    assert written[1] == set()
    assert written[2] == set()
    # A sequence stays within a message.
    assert "red tea" not in written[3]
    np.testing.assert_allclose(np.linalg.norm(rows[[0, 3]], axis=1), 1, rtol=1e-5)


def test_the_commonest_sequences_are_kept():
    step = TfidfVectors(max_words=2, characters=None, max_features=5).fit(TEXT)
    everything = TfidfVectors(max_words=2, characters=None).fit(TEXT)
    assert step.n_features_out_ == 5
    assert set(step.idf_) <= set(np.sort(everything.idf_)[:5])
    both = TfidfVectors(characters=(1, 2), max_features=5).fit(TEXT)
    assert both.transform(TEXT).shape == (40, 10)


def test_rows_do_not_depend_on_other_rows():
    step = TfidfVectors().fit(TEXT)
    every = step.transform(TEXT)
    assert (step.transform(TEXT[[7, 3]]) != every[[7, 3]]).nnz == 0
    copy = pickle.loads(pickle.dumps(step))
    assert (copy.transform(TEXT) != every).nnz == 0


@pytest.mark.parametrize("characters", [(3, 2), (0, 2), (2,), (2.0, 3.5), [1, 2, 3]])
def test_characters_must_be_a_range(characters):
    with pytest.raises(SourceError, match=r"such as \(2, 4\)"):
        TfidfVectors(characters=characters).fit(TEXT)


def test_errors():
    with pytest.raises(SourceError, match="no sequence is written by min_users=2"):
        TfidfVectors().fit(TokenMessages.from_lists([[["a"]], [["b"]]]))
    with pytest.raises(SourceError, match="Put a segmenter before"):
        TfidfVectors().fit([["a"], ["b"]])
    with pytest.raises(NotFittedError):
        TfidfVectors().transform(TEXT)
    with pytest.raises(NotFittedError):
        TfidfVectors().get_feature_names_out()


def test_bare_counts():
    text = TokenMessages.from_lists([[["red", "tea"], ["red"]], None, [["tea"]]])
    counts = TfidfVectors(
        max_words=1,
        characters=None,
        min_users=1,
        sublinear_tf=False,
        use_idf=False,
        norm=None,
    ).fit(text)
    assert counts.transform(text).toarray().tolist() == [[2, 1], [0, 0], [0, 1]]
    assert counts.idf_.tolist() == [1, 1]
