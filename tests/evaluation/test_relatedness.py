"""Gains of tasks from each other: known ones are found, and chance is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import task_relatedness
from sklearn_profiling.exceptions import TargetError

GENERATOR = np.random.default_rng(0)
N = 150
X = GENERATOR.normal(size=(N, 2))
DEGREE = np.where(X[:, 0] + GENERATOR.normal(size=N) > 0, "high", "low")
Y = pd.DataFrame(
    {
        "degree": DEGREE,
        "job": np.where(GENERATOR.random(N) < 0.9, DEGREE, "none"),
        "coin": GENERATOR.choice(["head", "tail"], N),
    }
).astype(object)
Y.loc[::7, "job"] = None
Y.loc[3::9, "degree"] = None
REGRESSION = MaskedMultiOutputClassifier(LogisticRegression())


@pytest.mark.parametrize("estimator", [None, REGRESSION], ids=["none", "regression"])
def test_related_tasks_gain_from_the_labels(estimator: object) -> None:
    found = task_relatedness(X, Y, estimator, cv=3, n_bootstraps=200)
    gain, low, high = found["gain"], found["low"], found["high"]
    assert list(gain) == list(gain.index) == ["degree", "job", "coin"]
    assert np.isnan(np.diag(gain)).all()
    assert low.loc["degree", "job"] > 0.05
    assert low.loc["job", "degree"] > 0.05
    assert low.loc["coin", "job"] <= 0.05
    pairs = ~np.eye(3, dtype=bool)
    assert (low.to_numpy() <= gain.to_numpy())[pairs].all()
    assert (gain.to_numpy() <= high.to_numpy())[pairs].all()
    both = int((Y["degree"].notna() & Y["job"].notna()).sum())
    assert found["n_users"].loc["degree", "job"] == both
    # the label of a cause takes less than what X tells already
    again = task_relatedness(X, Y, estimator, cv=3, n_bootstraps=200)
    pd.testing.assert_frame_equal(found, again)


def test_the_gain_by_hand() -> None:
    y = pd.DataFrame({"a": list("xy") * 10, "b": [*list("pq") * 9, None, None]})
    folds = [(np.arange(10, 20), np.arange(10)), (np.arange(10), np.arange(10, 20))]
    found = task_relatedness(np.zeros((20, 1)), y, cv=folds, confidence=0.5)
    # alone every user gets one label, right for one half; with the other all are right
    assert found["gain"].loc["a", "b"] == 0.5
    assert found["n_users"].loc["a", "b"] == 18
    assert 0.3 < found["low"].loc["a", "b"] < 0.5 < found["high"].loc["a", "b"] < 0.7


class Copies(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts well if it is trained on two tasks, and the first class otherwise."""

    def fit(self, X: np.ndarray, y: pd.DataFrame) -> Copies:
        self.classes_ = [np.unique(y[task].dropna()) for task in y]
        self.n_tasks_ = y.shape[1]
        return self

    def predict_proba(self, X: np.ndarray) -> list[np.ndarray]:
        first = X[:, 0] if self.n_tasks_ > 1 else np.ones(len(X))
        return [np.column_stack([first, 1 - first]) for _ in self.classes_]

    def predict(self, X: np.ndarray) -> np.ndarray:
        columns = zip(self.classes_, self.predict_proba(X), strict=True)
        return np.column_stack([c[p.argmax(axis=1)] for c, p in columns]).astype(object)


def test_training_on_two_tasks_is_compared_with_one() -> None:
    X = np.tile([[1.0], [0.0]], (12, 1))
    y = pd.DataFrame({"a": ["x", "y"] * 12, "b": ["p", "p", "q", None] * 6})
    found = task_relatedness(X, y, Copies(), by="training", cv=2, n_bootstraps=50)
    assert found["gain"].loc["a", "b"] == 0.5
    assert found["n_users"].loc["b", "a"] == 18
    single = task_relatedness(X, y, REGRESSION, by="training", cv=2, n_bootstraps=9)
    assert single["gain"].loc["a", "b"] == single["gain"].loc["b", "a"] == 0


def test_tasks_that_share_no_user_and_single_classes() -> None:
    y = pd.DataFrame(
        {"a": [*"xyxy", *[None] * 4], "b": [*[None] * 4, *"pqpq"], "c": ["z"] * 8}
    )
    found = task_relatedness(np.zeros((8, 1)), y, cv=2, n_bootstraps=9)
    assert found["n_users"].loc["a", "b"] == 0
    assert np.isnan(found["gain"].loc["a", "b"])
    assert found["gain"].loc["c", "a"] == 0
    folds = [(np.arange(4), np.arange(4, 8))]  # tested on b, which nobody learned
    found = task_relatedness(np.zeros((8, 1)), y, cv=folds, n_bootstraps=9)
    assert found["n_users"].loc["b", "c"] == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"by": "rank"}, "must be 'labels' or 'training'; got 'rank'"),
        ({"by": "training"}, "estimator must not be None"),
        ({"confidence": 1}, "between 0 and 1; got 1"),
        ({"n_bootstraps": 0}, "of 1 at least; got 0"),
    ],
)
def test_wrong_parameters(options: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        task_relatedness(X, Y, **options)  # type: ignore[arg-type]


def test_wrong_tasks() -> None:
    with pytest.raises(TargetError, match=r"two tasks at least; y has \['degree'\]"):
        task_relatedness(X, Y[["degree"]])
    sets = pd.DataFrame({"a": ["x", "y"], "b": [{"p"}, {"q"}]})
    with pytest.raises(TargetError, match="task 'b' holds sets"):
        task_relatedness([[0], [1]], sets)
