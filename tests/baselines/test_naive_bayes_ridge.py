"""Ridge on log-count ratios: the scale by hand, sparse as dense, weights as repeats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import normalize

from sklearn_profiling.baselines import NaiveBayesRidgeClassifier

COUNTS = np.array([[3.0, 0, 1], [2, 1, 0], [0, 4, 1], [1, 3, 0], [2, 2, 1]])
LABELS = ["tea", "tea", "ale", "ale", "ale"]


def test_the_scale_by_hand():
    model = NaiveBayesRidgeClassifier().fit(COUNTS, LABELS)
    ale, tea = np.array([4.0, 10, 3]), np.array([6.0, 2, 2])
    ratio = np.log(ale / ale.sum()) - np.log(tea / tea.sum())
    np.testing.assert_allclose(model.scale_, np.abs(ratio))
    rows = COUNTS * np.abs(ratio)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    own = np.where(np.array(LABELS) == "ale", 1.0, -1.0)
    centred = rows - rows.mean(axis=0)
    weights = np.linalg.solve(
        centred.T @ centred + 2.0 * np.eye(3), centred.T @ (own - own.mean())
    )
    np.testing.assert_allclose(model.coef_[0], weights, rtol=1e-5)
    np.testing.assert_allclose(
        model.decision_function(COUNTS),
        -2 * (centred @ weights + own.mean()),
        rtol=1e-5,
    )


def test_sparse_as_dense_and_three_classes():
    labels = ["a", "b", "c", "a", "b"]
    dense = NaiveBayesRidgeClassifier().fit(COUNTS, labels)
    rows = sparse.csr_array(COUNTS)
    found = NaiveBayesRidgeClassifier().fit(rows, labels)
    assert found.decision_function(rows).shape == (5, 3)
    np.testing.assert_array_equal(
        found.decision_function(rows), dense.decision_function(COUNTS)
    )
    assert found.predict(rows).tolist() == dense.predict(COUNTS).tolist()


def test_values_are_the_bits_of_scikit_learns_steps():
    model = NaiveBayesRidgeClassifier().fit(COUNTS, ["a", "b", "c", "a", "b"])
    rows = normalize(sparse.csr_array(COUNTS) * model.scale_)
    expected = rows @ model.coef_.T + model.intercept_
    np.testing.assert_array_equal(model.decision_function(COUNTS), expected)


def test_entries_of_one_word_add_up():
    model = NaiveBayesRidgeClassifier().fit(COUNTS, LABELS)
    whole = sparse.csr_array(COUNTS[:1])
    twice = np.repeat(whole.indices, 2)
    halves = np.repeat(whole.data / 2, 2)
    split = sparse.csr_array((halves, twice, [0, len(twice)]), shape=whole.shape)
    np.testing.assert_allclose(
        model.decision_function(split), model.decision_function(whole)
    )
    assert split.nnz == 2 * whole.nnz


def test_a_word_that_all_use_alike_and_one_class():
    alike = NaiveBayesRidgeClassifier().fit([[1, 2], [1, 2]], ["a", "b"])
    assert alike.scale_.tolist() == [1.0, 1.0]
    one = NaiveBayesRidgeClassifier().fit(COUNTS, ["a"] * 5)
    assert one.predict(COUNTS).tolist() == ["a"] * 5


def test_weights_count_users():
    twice = NaiveBayesRidgeClassifier().fit(
        COUNTS[[0, 0, 1, 2, 3, 4]], ["tea", *LABELS]
    )
    weighed = NaiveBayesRidgeClassifier().fit(COUNTS, LABELS, [2, 1, 1, 1, 1])
    np.testing.assert_allclose(weighed.scale_, twice.scale_)
    np.testing.assert_allclose(weighed.coef_, twice.coef_, rtol=1e-4)


def test_counts_are_not_negative():
    with pytest.raises(ValueError, match="Negative values"):
        NaiveBayesRidgeClassifier().fit(-COUNTS, LABELS)
    model = NaiveBayesRidgeClassifier().fit(COUNTS, LABELS)
    with pytest.raises(ValueError, match="Negative values"):
        model.predict(-COUNTS)
