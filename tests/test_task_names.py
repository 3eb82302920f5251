"""Tasks go by the names of y's columns, before their positions, in every method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_profiling._frames import refuse_levels
from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    MetaLearningClassifier,
)
from sklearn_profiling.estimators import MMLUPClassifier
from sklearn_profiling.evaluation import TaskScorer, TemperatureScaledClassifier
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources import SourceUnion
from sklearn_profiling.targets import LabelCodec, mean_accuracy

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)).astype(np.float32)
Y = pd.DataFrame({"a": np.where(X[:, 0] > 0, 0, 1), "b": np.where(X[:, 1] > 0.5, 1, 0)})
SWAPPED = Y[["b", "a"]]
LEVELS = Y.set_axis(pd.MultiIndex.from_product([["y"], ["a", "b"]]), axis=1)


def mmlup(**options: Any) -> MMLUPClassifier:
    return MMLUPClassifier(max_epochs=2, random_state=0, **options)


CLASSIFIERS = {
    "masked": MaskedMultiOutputClassifier(LogisticRegression()),
    "stacked": MetaLearningClassifier(LogisticRegression(), cv=2, random_state=0),
    "scaled": TemperatureScaledClassifier(
        MaskedMultiOutputClassifier(LogisticRegression()), cv=2
    ),
    "net": mmlup(),
}
every_classifier = pytest.mark.parametrize(
    "model", CLASSIFIERS.values(), ids=list(CLASSIFIERS)
)


@every_classifier
def test_score_goes_by_names(model: Any) -> None:
    model = model.fit(X, Y)
    expected = model.score(X, Y)
    more = SWAPPED.assign(c="unknown")
    weights = pd.DataFrame({"b": np.ones(40), "a": np.ones(40)})
    for y in (SWAPPED, more, Y.to_numpy(), Y.set_axis([0, 1], axis=1)):
        assert model.score(X, y) == expected
    assert model.score(X, SWAPPED, weights) == pytest.approx(expected)
    for metric in ("accuracy", "exact_match"):
        assert TaskScorer(metric)(model, X, SWAPPED) == TaskScorer(metric)(model, X, Y)
    with pytest.raises(TargetError, match=r"tasks \['a', 'b'\].* without \['b'\]"):
        model.score(X, Y.rename(columns={"b": "x"}))


@every_classifier
def test_names_of_several_levels_are_refused(model: Any) -> None:
    with pytest.raises(TargetError, match=r"y must have one name a column; .* 2 level"):
        model.fit(X, LEVELS)
    with pytest.raises(TargetError, match="y must have one name a column"):
        model.fit(X, Y).score(X, LEVELS)
    users = pd.DataFrame(X).iloc[:, :2].set_axis(LEVELS.columns, axis=1)
    with pytest.raises(SourceError, match=r"X must have one .*\('y', 'a'\). Join the"):
        model.fit(users, Y)


def test_other_tables_of_several_levels_are_refused() -> None:
    with pytest.raises(SourceError, match="X must have one name a column"):
        SourceUnion([("text", "passthrough", "a")]).fit(LEVELS)
    weights = LEVELS.astype(float)
    with pytest.raises(TargetError, match="sample_weight must have one name a column"):
        CLASSIFIERS["masked"].fit(X, Y, sample_weight=weights)
    with pytest.raises(SourceError, match=r"X must have one .* an empty"):
        refuse_levels(LEVELS.iloc[:, :0], "X", SourceError)


def test_searches_and_pipelines_know_the_names() -> None:
    model = make_pipeline(StandardScaler(), CLASSIFIERS["masked"])
    search = GridSearchCV(model, {"standardscaler__with_mean": [True]}, cv=2)
    search.set_params(scoring=TaskScorer())
    search.fit(X, Y)
    assert TaskScorer()(search, X, SWAPPED) == TaskScorer()(search, X, Y)
    single = LogisticRegression().fit(X, Y["a"])
    assert TaskScorer()(single, X, Y["a"]) == single.score(X, Y["a"])


def test_training_goes_on_by_names() -> None:
    expected = mmlup(warm_start=True).fit(X, Y).fit(X, Y).predict_proba(X)
    warm = mmlup(warm_start=True).fit(X, Y).fit(X, SWAPPED)
    np.testing.assert_array_equal(warm.predict_proba(X), expected)
    partial = mmlup().partial_fit(X, Y).partial_fit(X, SWAPPED).predict_proba(X)
    expected = mmlup().partial_fit(X, Y).partial_fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(partial, expected)
    with pytest.raises(TargetError, match=r"without \['a'\]"):
        warm.fit(X, Y.rename(columns={"a": "x"}))


def test_two_tables_are_compared_by_names() -> None:
    assert mean_accuracy(Y, SWAPPED) == 1
    assert mean_accuracy(SWAPPED, Y.to_numpy()) < 1
    codec = LabelCodec.learn(Y)
    np.testing.assert_array_equal(codec.encode(SWAPPED).codes, codec.encode(Y).codes)
