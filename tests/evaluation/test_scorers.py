"""Scorers: values by hand, and inside scikit-learn's own machinery."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    TaskScorer,
    smpcup_scorer,
)
from sklearn_profiling.exceptions import TargetError


class Echo(BaseEstimator):  # type: ignore[misc]
    """Predicts what it is shown."""

    def predict(self, X: object) -> np.ndarray:
        return np.asarray(X, dtype=object)


Y = pd.DataFrame({"gender": list("ffmm"), "age": ["old", None, "old", "young"]})
SHOWN = [["f", "old"], ["f", "old"], ["m", "young"], ["f", "young"]]


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (TaskScorer(), (3 / 4 + 2 / 3) / 2),
        (TaskScorer(task="gender"), 3 / 4),
        (TaskScorer(weights={"age": 3, "gender": 1}), (3 * 2 / 3 + 3 / 4) / 4),
        (TaskScorer(weights={"age": 2}), 2 / 3),
        (TaskScorer("macro_f1", task="gender"), (4 / 5 + 2 / 3) / 2),
        (TaskScorer("macro_precision", task="gender"), (2 / 3 + 1) / 2),
        (TaskScorer("macro_recall", task="gender"), (1 + 1 / 2) / 2),
        (TaskScorer("f_of_averages", task="age"), 3 / 4),
        (TaskScorer("exact_match"), 1 / 3),
    ],
    ids=repr,
)
def test_values_by_hand(scorer: TaskScorer, expected: float) -> None:
    assert scorer(Echo(), SHOWN, Y) == pytest.approx(expected)
    assert pickle.loads(pickle.dumps(scorer))(Echo(), SHOWN, Y) == pytest.approx(
        expected
    )


def test_tasks_without_labels_are_left_out() -> None:
    y = Y.assign(age=None)
    assert TaskScorer()(Echo(), SHOWN, y) == 3 / 4
    assert math.isnan(TaskScorer(task="age")(Echo(), SHOWN, y))


def test_smpcup_weights() -> None:
    y = pd.DataFrame({"gender": ["f"], "age": ["old"], "region": ["n"]})
    assert smpcup_scorer()(Echo(), [["f", "x", "n"]], y) == pytest.approx(0.7)
    with pytest.raises(TargetError, match=r"scores the tasks \['region'\]; y has"):
        smpcup_scorer()(Echo(), [["f", "x"]], y[["gender", "age"]])


def test_repr_shows_what_was_set() -> None:
    assert repr(TaskScorer()) == "TaskScorer(metric='accuracy')"
    assert repr(TaskScorer(weights={"a": 1})) == (
        "TaskScorer(metric='accuracy', weights={'a': 1.0})"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "f1"}, "metric must be one of .*; got 'f1'"),
        ({"task": "a", "weights": {"a": 1}}, "exclude each other"),
        ({"metric": "exact_match", "task": "a"}, "over all tasks"),
        ({"weights": {"a": -1.0}}, "not negative and not all zero"),
        ({"weights": {"a": 0.0}}, "not negative and not all zero"),
        ({"weights": {"a": float("nan")}}, "must be finite"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TaskScorer(**arguments)  # type: ignore[arg-type]


def test_inside_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 2))
    y = pd.DataFrame(
        {
            "gender": np.where(X[:, 0] > 0, "f", "m").astype(object),
            "age": np.where(X[:, 1] > 0, "old", "young").astype(object),
        }
    )
    y.loc[::3, "gender"] = None
    y.loc[5] = None
    cv = MultiTaskStratifiedKFold(3, random_state=0)
    model = MaskedMultiOutputClassifier(LogisticRegression())
    search = GridSearchCV(
        model, {"estimator__C": [1e-4, 10.0]}, scoring=TaskScorer(), cv=cv
    ).fit(X, y)
    assert search.best_params_ == {"estimator__C": 10.0}
    scores = cross_validate(
        model,
        X,
        y,
        cv=cv,
        scoring={"gender": TaskScorer(task="gender"), "f": TaskScorer("macro_f1")},
    )
    assert scores["test_gender"].min() > 0.7
    assert scores["test_f"].shape == (3,)
