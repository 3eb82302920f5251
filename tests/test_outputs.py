"""Predictions in tables: one task, sets, indices, and a package that is absent."""

from __future__ import annotations

import builtins

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_profiling._outputs import log_of
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
)
from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
from sklearn_profiling.exceptions import MissingDependencyError

X = pd.DataFrame({"v": [0.0, 1.0] * 6}, index=[f"user {k}" for k in range(12)])
Y = pd.DataFrame(
    {"age": [1, 2] * 6, "likes": [{"tea"}, {"rum", "wine"}] * 6, "b": ["x", "y"] * 6}
)


def model(predict):
    made = MaskedMultiOutputClassifier(LogisticRegression(C=100.0))
    return made.set_output(predict=predict)


def test_columns_have_their_own_kinds():
    table = model("pandas").fit(X, Y).predict(X)
    assert table.index.equals(X.index)
    assert table["age"].dtype == np.int64
    assert table["likes"].tolist() == [frozenset(cell) for cell in Y["likes"]]
    other = model("polars").fit(X, Y).predict(X)
    assert other["likes"].to_list() == [["tea"], ["rum", "wine"]] * 6
    assert other["age"].dtype.is_integer()


def test_one_task_is_a_column():
    column = model("pandas").fit(X, Y["age"].to_numpy()).predict(X)
    assert (column.name, column.tolist()) == ("task0", [1, 2] * 6)
    assert column.index.equals(X.index)
    assert model("polars").fit(X, Y["age"]).predict(X).to_list() == [1, 2] * 6
    # with a table of one task it stays a table
    assert model("pandas").fit(X, Y[["age"]]).predict(X).shape == (12, 1)


def test_users_without_an_index_are_numbered():
    fitted = model("pandas").fit(X.to_numpy().tolist(), Y[["age"]])
    assert fitted.predict(X.to_numpy().tolist()).index.tolist() == list(range(12))


def test_cross_validation_joins_tables():
    joined = cross_val_predict(
        model("pandas"), X, Y[["age", "b"]], cv=MultiTaskStratifiedKFold(3)
    )
    assert np.asarray(joined).tolist() == Y[["age", "b"]].to_numpy().tolist()


def test_polars_may_be_absent(monkeypatch):
    fitted = model("polars").fit(X, Y["age"])
    real = builtins.__import__

    def absent(name, *rest, **options):
        if name == "polars":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingDependencyError, match="pip install polars"):
        fitted.predict(X)


def test_the_logarithm_of_nothing_is_minus_infinity():
    assert log_of(np.array([1.0, 0.0])).tolist() == [0.0, -np.inf]
    assert [each.tolist() for each in log_of([np.ones(1), np.zeros(1)])] == [
        [0.0],
        [-np.inf],
    ]


def test_logarithms_need_probabilities():
    for estimator, has in ((LogisticRegression(), True), (LinearSVC(), False)):
        for outer in (MaskedMultiOutputClassifier, MetaLearningClassifier):
            made = make_pipeline(outer(estimator))
            assert hasattr(made, "predict_log_proba") == has
