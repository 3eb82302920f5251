"""Factors of log-odds: the least loss, shares of twins, no more than two."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from sklearn.linear_model import LogisticRegression

from sklearn_profiling.training.offset_factors import best_factors


def noisy(n_users=400, n_classes=3, strength=1.0, seed=0):
    rng = np.random.RandomState(seed)
    odds = rng.normal(size=(n_users, n_classes))
    odds -= odds.mean(axis=1, keepdims=True)
    likely = np.exp(log_softmax(strength * odds, axis=1))
    codes = np.array([rng.choice(n_classes, p=row) for row in likely])
    return odds, np.eye(n_classes)[codes]


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_the_strength_is_found(strength):
    odds, truth = noisy(4000, strength=strength)
    (found,) = best_factors(odds[None], truth, np.ones(4000), of_sets=False)
    assert abs(found - strength) < 0.08


def test_as_a_logistic_regression_without_intercept():
    odds, truth = noisy(n_classes=2)
    other = odds + np.random.RandomState(1).normal(size=odds.shape)
    found = best_factors(
        np.stack([odds, other]), truth, np.ones(len(odds)), of_sets=False
    )
    differences = np.stack([odds[:, 1] - odds[:, 0], other[:, 1] - other[:, 0]], axis=1)
    model = LogisticRegression(fit_intercept=False, C=1e6).fit(differences, truth[:, 1])
    np.testing.assert_allclose(found, np.maximum(model.coef_[0], 0), atol=0.02)


def test_experts_that_say_the_same_share_alike():
    odds, truth = noisy()
    found = best_factors(np.stack([odds, odds]), truth, np.ones(400), of_sets=False)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3)


def test_bounds():
    odds, truth = noisy()
    against = best_factors(-odds[None], truth, np.ones(400), of_sets=False)
    certain = best_factors(
        (truth - truth.mean(axis=1, keepdims=True))[None],
        truth,
        np.ones(400),
        of_sets=False,
    )
    assert against.tolist() == [0]
    assert certain.tolist() == [2]


def test_sets_and_weights():
    rng = np.random.RandomState(0)
    odds = rng.normal(size=(3000, 2))
    truth = (rng.uniform(size=odds.shape) < expit(0.5 * odds)).astype(float)
    (found,) = best_factors(odds[None], truth, np.ones(3000), of_sets=True)
    assert abs(found - 0.5) < 0.08
    users = np.where(np.arange(3000) < 1500, 2.0, 1.0)
    twice = np.r_[np.arange(1500), np.arange(3000)]
    weighed = best_factors(odds[None], truth, users, of_sets=True)
    repeated = best_factors(
        odds[None, twice], truth[twice], np.ones(4500), of_sets=True
    )
    np.testing.assert_allclose(weighed, repeated, rtol=1e-5)
