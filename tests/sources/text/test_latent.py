"""Latent semantic vectors against tf-idf and a full decomposition by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import LatentSemanticVectors
from sklearn_profiling.sources.text._word_sequences import WordSequences

USERS = [["ab", "c"], ["abd"], None, ["cc", "d"], ["da", "b"]]
TEXT = TokenMessages.from_lists(USERS)


def by_hand(users, longest):
    """Tf-idf of word sequences: (1 + ln tf) (1 + ln((1 + n) / (1 + df))), length 1."""
    sequences = [
        [
            message[start : start + length]
            for message in user
            for length in range(1, longest + 1)
            for start in range(len(message) - length + 1)
        ]
        for user in users
    ]
    names = sorted({s for user in sequences for s in user})
    counts = np.array([[user.count(name) for name in names] for user in sequences])
    weights = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)
    weights *= 1 + np.log((1 + len(users)) / (1 + (counts > 0).sum(axis=0)))
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_vectors_keep_the_angles_of_tf_idf(longest):
    """With every component nothing is lost: products of users are those of tf-idf."""
    vectors = LatentSemanticVectors(max_ngram=longest, random_state=0)
    made = vectors.fit_transform(TEXT)
    there = made[~TEXT.missing].astype(float)
    weights = by_hand([user for user in USERS if user], longest)
    assert made.shape[1] == min(weights.shape)
    np.testing.assert_allclose(there @ there.T, weights @ weights.T, atol=1e-5)


def test_vectors_are_the_bits_of_scikit_learns_steps():
    vectors = LatentSemanticVectors(3, random_state=0).fit(TEXT)
    there = ~TEXT.missing
    counts = WordSequences(2).learn(TEXT[there], 1)
    names = vectors._counts
    assert (names.count(TEXT[there]).sum(axis=1) == counts.sum(axis=1)).all()
    weights = vectors.weights_.transform(names.count(TEXT[there]))
    expected = weights @ vectors.decomposition_.components_.T
    np.testing.assert_array_equal(vectors.transform(TEXT)[there], expected)


def test_few_components_are_the_first_of_the_decomposition():
    rng = np.random.default_rng(0)
    users = [["".join(rng.choice(list("abcdefgh"), 6))] for _ in range(30)]
    text = TokenMessages.from_lists(users)
    made = LatentSemanticVectors(3, random_state=0).fit_transform(text)
    left, values, _ = np.linalg.svd(by_hand(users, 2), full_matrices=False)
    np.testing.assert_allclose(np.linalg.norm(made, axis=0), values[:3], rtol=0.02)
    overlap = np.abs(left[:, 0] @ made[:, 0]) / values[0]
    assert overlap == pytest.approx(1.0, abs=1e-3)


def test_sequences_do_not_cross_messages():
    vectors = LatentSemanticVectors(random_state=0).fit(TEXT)
    found = set(vectors.sequences_)
    assert found == {"a", "b", "c", "d", "a b", "b d", "c c", "d a"}
    # The same words in one message hold other sequences than in two.
    joined = TokenMessages.from_lists([["cab"], ["c", "ab"], ["ab", "c"]])
    one, two, three = vectors.transform(joined)
    np.testing.assert_allclose(two, three, atol=1e-6)
    np.testing.assert_allclose(one, two, atol=1e-6)  # "c a" was not seen in fit
    other = LatentSemanticVectors(random_state=0).fit(joined)
    one, two, three = other.transform(joined)
    np.testing.assert_allclose(two, three, atol=1e-6)
    assert np.abs(one - two).max() > 0.1


@pytest.mark.parametrize(("longest", "n_features"), [(1, 9), (2, 40), (3, 60)])
def test_sequences_and_weights_are_those_of_scikit_learn(longest, n_features):
    """Those kept among equally frequent ones too, and with words in another order."""
    rng = np.random.default_rng(1)
    words = ["ab", "a", "b!", "b", "ba", "c", "Z", "词", "x", "y", "z", "zz"]
    users = [
        [[words[i] for i in rng.zipf(1.5, 7) % len(words)] for _ in range(3)]
        for _ in range(25)
    ]

    def sequences(messages):
        for message in messages:
            for length in range(1, longest + 1):
                for start in range(len(message) - length + 1):
                    yield " ".join(message[start : start + length])

    theirs = TfidfVectorizer(
        analyzer=sequences,
        max_features=n_features,
        sublinear_tf=True,
        dtype=np.float32,
    )
    expected = theirs.fit_transform(users).toarray()
    text = TokenMessages.from_lists(users).with_vocabulary(Vocabulary(words))
    vectors = LatentSemanticVectors(2, max_ngram=longest, max_features=n_features)
    vectors.fit(text)
    names = theirs.get_feature_names_out().tolist()
    assert len(names) == n_features
    assert vectors.sequences_.tolist() == names
    assert vectors.weights_.idf_.tolist() == theirs.idf_.tolist()
    new = [*users[3:], [["strange", "a", "b"]]]
    made = vectors.decomposition_.transform(theirs.transform(new))
    new_text = TokenMessages.from_lists(new)
    np.testing.assert_allclose(vectors.transform(new_text), made, atol=1e-6)
    np.testing.assert_allclose(
        vectors.transform(text), expected @ vectors.decomposition_.components_.T,
        atol=1e-6,
    )  # fmt: skip


def test_missing_users_get_nan_and_change_nobody():
    vectors = LatentSemanticVectors(2, random_state=0)
    made = vectors.fit_transform(TEXT)
    assert np.isnan(made).all(axis=1).tolist() == TEXT.missing.tolist()
    assert not np.isnan(made[~TEXT.missing]).any()
    assert made.dtype == np.float32
    there = TEXT[~TEXT.missing]
    alone = clone(vectors).fit_transform(there)
    assert np.array_equal(alone, made[~TEXT.missing])
    nobody = TokenMessages.from_lists([None, None])
    assert np.isnan(vectors.transform(nobody)).all()
    assert vectors.transform(nobody).shape == (2, 2)


def test_users_without_a_known_word_are_at_zero():
    vectors = LatentSemanticVectors(2, random_state=0).fit(TEXT)
    strange = TokenMessages.from_lists([["xyz"], ["ab"]])
    made = vectors.transform(strange)
    assert made[0].tolist() == [0.0, 0.0]
    assert np.abs(made[1]).max() > 0.1


def test_components_and_features_are_capped():
    assert LatentSemanticVectors(300).fit_transform(TEXT).shape == (5, 4)
    small = LatentSemanticVectors(300, max_features=3, random_state=0).fit(TEXT)
    assert small.transform(TEXT).shape == (5, 3)
    # The most frequent ones.
    assert set(small.sequences_) <= {"a", "b", "c", "d"}
    assert small.get_feature_names_out().tolist() == [
        f"latentsemanticvectors{i}" for i in range(3)
    ]


@pytest.mark.parametrize("users", [[["ab"]], [["ab"], ["ab"], None]])
def test_hardly_any_text(users):
    text = TokenMessages.from_lists(users)
    made = LatentSemanticVectors(random_state=0).fit_transform(text)
    there = made[~text.missing]
    np.testing.assert_allclose(np.abs(there[:, 0]), 1.0, rtol=1e-5)
    np.testing.assert_allclose(there[:, 1:], 0.0, atol=1e-5)


def test_the_seed_decides():
    rng = np.random.default_rng(0)
    users = [["".join(rng.choice(list("abcdefgh"), 8))] for _ in range(40)]
    text = TokenMessages.from_lists(users)
    before = np.random.get_state()[1].copy()
    first = LatentSemanticVectors(5, random_state=3)
    made = first.fit_transform(text)
    assert np.array_equal(clone(first).fit_transform(text), made)
    assert np.array_equal(pickle.loads(pickle.dumps(first)).transform(text), made)
    assert np.array_equal(first.transform(text[[7, 3]]), made[[7, 3]])
    assert (np.random.get_state()[1] == before).all()


def test_words_count_not_their_numbers():
    vectors = LatentSemanticVectors(2, random_state=0).fit(TEXT)
    other = TEXT.with_vocabulary(Vocabulary("zdcba"))
    np.testing.assert_array_equal(vectors.transform(other), vectors.transform(TEXT))


def test_errors():
    with pytest.raises(SourceError, match=r"at least two different .* are \['a'\]"):
        LatentSemanticVectors().fit(TokenMessages.from_lists([["a"], ["a"]]))
    with pytest.raises(SourceError, match=r"max_features=1 of this text"):
        LatentSemanticVectors(max_features=1).fit(TEXT)
    with pytest.raises(SourceError, match="needs text, and no user has any"):
        LatentSemanticVectors().fit(TokenMessages.from_lists([None, []]))
    with pytest.raises(
        SourceError, match=r"^LatentSemanticVectors takes TokenMessages"
    ):
        LatentSemanticVectors().fit([["ab"]])
    with pytest.raises(
        SourceError, match=r"^LatentSemanticVectors takes TokenMessages"
    ):
        LatentSemanticVectors().fit(TEXT).transform([["ab"]])
    with pytest.raises(NotFittedError):
        LatentSemanticVectors().transform(TEXT)
    for name in ("n_components", "max_ngram", "max_features"):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* must be an int"):
            LatentSemanticVectors().set_params(**{name: 0}).fit(TEXT)


def test_tags_are_true():
    tags = LatentSemanticVectors().__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
