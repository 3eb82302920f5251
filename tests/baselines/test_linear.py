"""The linear classifier of the baselines: choice of C, scale, weights, few users."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_profiling.baselines._inner_folds import SparingFolds
from sklearn_profiling.baselines._linear import TunedLinearClassifier, make_linear

RNG = np.random.default_rng(0)
CENTRES = np.eye(3, 20)
CODES = RNG.integers(3, size=150)
X = CENTRES[CODES] + RNG.normal(scale=0.6, size=(150, 20))
Y = np.array(["a", "b", "c"])[CODES]

HELD_OUT = "which users are held out depends on rows, not on their weights"
PLAIN = {
    "squared": lambda C: RidgeClassifier(alpha=1 / (2 * C)),
    "squared_hinge": lambda C: LinearSVC(C=C, dual=False),
    "log": lambda C: LogisticRegression(C=C, max_iter=1000),
}


@parametrize_with_checks(
    [TunedLinearClassifier(), TunedLinearClassifier("squared_hinge")],
    expected_failed_checks=lambda _: {
        "check_sample_weight_equivalence_on_dense_data": HELD_OUT,
        "check_sample_weight_equivalence_on_sparse_data": HELD_OUT,
        "check_non_transformer_estimators_n_iter": "not every solver counts",
    },
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("loss", PLAIN)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_strength_of_least_log_loss_on_a_third(loss, n_classes):
    grid = (0.001, 0.05, 100.0)
    users = n_classes > CODES
    rows, codes = X[users], CODES[users]
    model = TunedLinearClassifier(loss, C=grid).fit(rows, Y[users])
    train, held_out = next(SparingFolds(3, random_state=0).split(rows, codes))
    assert len(held_out) == pytest.approx(len(rows) / 3, abs=1)
    losses, scales = [], np.linspace(-5, 5, 2001)
    for C in grid:
        plain = PLAIN[loss](C).fit(rows[train], codes[train])
        odds = plain.decision_function(rows[held_out])
        odds = np.column_stack([-odds, odds]) if odds.ndim == 1 else odds
        own = np.arange(len(held_out)), codes[held_out]
        losses.append(
            [
                -log_softmax(np.exp(s) * odds, axis=1)[own].mean() + s**2 / len(odds)
                for s in scales
            ]
        )
    best, at = np.unravel_index(np.argmin(losses), np.shape(losses))
    assert grid[best] == model.C_
    assert np.log(model.scale_) == pytest.approx(scales[at], abs=0.01)
    # then it is trained on all
    plain = PLAIN[loss](model.C_).fit(rows, Y[users])
    odds = plain.decision_function(rows)
    np.testing.assert_allclose(model.decision_function(rows), odds, atol=1e-3)
    np.testing.assert_array_equal(model.predict(rows), plain.predict(rows))
    odds = np.column_stack([-odds, odds]) if odds.ndim == 1 else odds
    np.testing.assert_allclose(
        model.predict_proba(rows), softmax(model.scale_ * odds, axis=1), atol=1e-2
    )


def test_noise_takes_the_strongest_penalty():
    labels = RNG.permutation(Y)
    model = TunedLinearClassifier(C=(1e-4, 1.0, 100.0)).fit(X, labels)
    assert model.C_ == 1e-4
    assert TunedLinearClassifier(C=(1e-4, 1.0)).fit(X, Y).C_ == 1.0


def test_weights_act_on_training_and_on_the_choice():
    plain = TunedLinearClassifier().fit(sparse.csr_matrix(X), Y)
    same = TunedLinearClassifier().fit(sparse.csr_matrix(X), Y, np.full(150, 1.0))
    np.testing.assert_array_equal(plain.predict_proba(X), same.predict_proba(X))
    heavy = TunedLinearClassifier().fit(X, Y, np.where(Y == "a", 30.0, 1.0))
    assert heavy.predict_proba(X)[:, 0].mean() > plain.predict_proba(X)[:, 0].mean()


def test_a_few_users_give_little_certainty():
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for users in ([0, 1], [0, 1, 2], [0, 1, 2, 3]):
        model = TunedLinearClassifier().fit(
            rows[users], np.array(["f", "m"] * 2)[users]
        )
        assert model.predict(rows).tolist() == ["f", "m"] * 2
        assert model.predict_proba(rows).max() < 0.99


@pytest.mark.parametrize("C", [0, [], [1.0, -1.0], ["a"], np.inf])
def test_bad_strengths(C):
    with pytest.raises(ValueError, match="C must be a positive number or a sequence"):
        make_linear("squared", C, max_iter=10)
    with pytest.raises(ValueError, match="C must be a positive number or a sequence"):
        TunedLinearClassifier(C=C).fit(X, Y)


def test_losses():
    with pytest.raises(ValueError, match=r"loss must be one of .*; got 'hinge'"):
        make_linear("hinge", 1.0, max_iter=10)
    assert isinstance(make_linear("log", 1.0, max_iter=10), LogisticRegression)
    assert make_linear("log", [1.0, 2.0], max_iter=10).C == [1.0, 2.0]
