"""Out-of-fold probabilities: alignment, missing labels, users never tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_predict

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import cross_val_predict_proba
from sklearn_profiling.exceptions import TargetError

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 3))
GENDER = np.where(X[:, 0] > 0, "f", "m")
MODEL = MaskedMultiOutputClassifier(LogisticRegression())


def test_agrees_with_scikit_learn_without_missing_labels() -> None:
    cv = KFold(4)
    ours = cross_val_predict_proba(LogisticRegression(), X, GENDER, cv=cv)
    theirs = cross_val_predict(
        LogisticRegression(), X, GENDER, cv=cv, method="predict_proba"
    )
    np.testing.assert_allclose(ours.probabilities[0], theirs, rtol=1e-12)
    assert ours.classes[0].tolist() == ["f", "m"]
    assert ours.predictions.shape == (40,)
    assert (ours.predictions == np.where(theirs[:, 0] > 0.5, "f", "m")).all()


def test_missing_labels_make_no_class_of_their_own() -> None:
    y = pd.DataFrame({"gender": GENDER, "era": 1}).astype(object)
    y.loc[::4, "gender"] = None
    y.loc[20:, "era"] = 2
    y.loc[[7, 8]] = None
    found = cross_val_predict_proba(MODEL, X, y, cv=3)
    assert [c.tolist() for c in found.classes] == [["f", "m"], [1, 2]]
    assert found.task_names == ["gender", "era"]
    for probabilities in found.probabilities:
        assert np.isnan(probabilities[[7, 8]]).all()
        rest = np.delete(probabilities, [7, 8], axis=0)
        np.testing.assert_allclose(rest.sum(axis=1), 1)
    assert found.predictions[7].tolist() == [None, None]
    assert found.predictions.shape == (40, 2)


def test_a_class_that_training_lacks_has_probability_zero() -> None:
    y = ["a", "a", "b", "c", "b", "c"]
    cv = [([0, 1, 2, 4], [3, 5]), ([3, 5, 2, 4], [0, 1])]
    found = cross_val_predict_proba(DummyClassifier(), [[0]] * 6, y, cv=cv)
    np.testing.assert_allclose(found.probabilities[0][3], [0.5, 0.5, 0])
    np.testing.assert_allclose(found.probabilities[0][0], [0, 0.5, 0.5])
    assert np.isnan(found.probabilities[0][2]).all()


def test_one_task_as_a_table() -> None:
    found = cross_val_predict_proba(MODEL, X, GENDER[:, None], cv=2)
    assert found.predictions.shape == (40, 1)
    assert found.probabilities[0].shape == (40, 2)


def test_a_user_is_tested_once() -> None:
    cv = ShuffleSplit(3, test_size=0.5, random_state=0)
    with pytest.raises(TargetError, match="in one test part at most"):
        cross_val_predict_proba(MODEL, X, GENDER, cv=cv)


class Stubborn(BaseEstimator):  # type: ignore[misc]
    """Has classes of its own."""

    def __init__(self, classes: tuple[str, ...] = ("f", "x"), n_tasks: int = 1) -> None:
        self.classes = classes
        self.n_tasks = n_tasks

    def fit(self, X: object, y: object) -> Stubborn:
        self.classes_ = [np.array(self.classes)] * self.n_tasks
        return self

    def predict_proba(self, X: np.ndarray) -> list[np.ndarray]:
        return [np.full((len(X), 2), 0.5)] * self.n_tasks


def test_strange_classes_are_refused() -> None:
    with pytest.raises(TargetError, match=r"task 'task0': .* \['x'\], which y lacks"):
        cross_val_predict_proba(Stubborn(), X, GENDER, cv=2)
    with pytest.raises(TargetError, match="got 2 arrays and 2 lists of classes"):
        cross_val_predict_proba(Stubborn(n_tasks=2), X, GENDER, cv=2)


def test_sets_of_labels() -> None:
    likes = np.empty(40, dtype=object)
    for row, (a, b, _) in enumerate(X):
        likes[row] = frozenset(["tea"] * int(a > 0) + ["wine"] * int(b > 0) or ["none"])
    likes[3] = None
    y = pd.DataFrame({"likes": likes})
    found = cross_val_predict_proba(MODEL, X, y, cv=2)
    assert found.classes[0].tolist() == ["none", "tea", "wine"]
    assert found.probabilities[0].shape == (40, 3)
    assert found.predictions[3, 0] is None
    assert all(isinstance(cell, frozenset) for cell in np.delete(found.predictions, 3))
