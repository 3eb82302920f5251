"""Log-odds out of fold: by hand, no leak, gaps in sources and labels, sets, errors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.special import expit, log_softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_profiling.baselines import MetaLearningClassifier, OutOfFoldLogits
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators import TextCNNClassifier
from sklearn_profiling.exceptions import SourceError, TargetError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = pd.DataFrame(
    {
        "gender": np.where(X[:, 0] + RNG.normal(size=120) > 0, "f", "m"),
        "age": np.digitize(X[:, 1] + X[:, 0], [-0.5, 0.5]),
    }
).astype(object)
FOLDS = KFold(4, shuffle=True, random_state=1)


@parametrize_with_checks(
    [OutOfFoldLogits(random_state=0), OutOfFoldLogits(LogisticRegression())],
    expected_failed_checks=lambda estimator: {
        # transform is of the classifier trained on all, as of TargetEncoder
        "check_transformer_general": "fit_transform is out of fold",
        "check_transformer_data_not_an_array": "fit_transform is out of fold",
        "check_transformer_preserve_dtypes": "fit_transform is out of fold",
        **(
            {"check_sample_weight_equivalence_on_sparse_data": "an iterative solver"}
            if estimator.estimator is None
            else {}
        ),
    },
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("inner", [RidgeClassifier(alpha=0.1), LogisticRegression()])
def test_labelled_users_get_the_answer_of_the_other_folds(inner):
    y = Y["gender"].copy()
    y[::7] = None
    model = OutOfFoldLogits(inner, cv=FOLDS, random_state=0)
    found = model.fit_transform(X, y)
    (scale,) = model.scales_
    known = y.notna().to_numpy()
    signs = (y == "m").to_numpy().astype(int)
    expected = np.empty(120)
    full = clone(inner).fit(X[known], signs[known])
    expected[~known] = full.decision_function(X[~known])
    for train, test in FOLDS.split(X):
        rows = train[known[train]]
        part = clone(inner).fit(X[rows], signs[rows])
        held = test[known[test]]
        expected[held] = part.decision_function(X[held])
    # The two log-odds are half the difference of the log-probabilities each.
    half = 0.5 if isinstance(inner, LogisticRegression) else 1.0
    np.testing.assert_allclose(found[:, 1], scale * half * expected, rtol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-5)
    new = scale * half * full.decision_function(X)
    np.testing.assert_allclose(model.transform(X)[:, 1], new, rtol=1e-4)


def test_the_scale_makes_the_log_loss_least():
    weight = RNG.random(120)
    model = OutOfFoldLogits(random_state=0)
    odds = model.fit_transform(X, Y["age"], weight)
    rows = np.arange(120), Y["age"].astype(int).to_numpy()

    def loss(factor):
        return -np.average(log_softmax(factor * odds, axis=1)[rows], weights=weight)

    assert all(loss(1) < loss(factor) for factor in (0.9, 0.98, 1.02, 1.1))


def test_a_word_of_ones_own_does_not_tell_the_label():
    # Each user is the only one with a feature of his own, and nothing else.
    own, labels = np.eye(60), np.array(["f", "m"] * 30, dtype=object)
    model = OutOfFoldLogits(cv=KFold(5))
    odds = model.fit_transform(sparse.csr_array(own), labels)
    seen = model.transform(own)
    assert (seen[:, 1] > 0).tolist() == (labels == "m").tolist()
    flipped = labels.copy()
    flipped[7] = "f" if labels[7] == "m" else "m"
    again = OutOfFoldLogits(cv=KFold(5))
    other = again.fit_transform(sparse.csr_array(own), flipped)
    np.testing.assert_allclose(
        odds[7] / model.scales_[0], other[7] / again.scales_[0], atol=1e-5
    )


def test_shuffled_labels_are_at_chance():
    wide = RNG.normal(size=(400, 300))
    labels = np.array(["f", "m"] * 200, dtype=object)
    odds = OutOfFoldLogits(random_state=0).fit_transform(wide, labels)
    hits = (odds[:, 1] > 0) == (labels == "m")
    assert abs(hits.mean() - 0.5) < 0.1
    # and the scale says so: nobody is sure of anything
    assert expit(np.abs(odds[:, 1]) * 2).mean() < 0.6


@pytest.mark.parametrize("kind", ["dense", "sparse", "pandas", "polars", "list"])
def test_users_without_the_source_teach_nothing(kind):
    holes = X.copy()
    holes[[3, 50]] = 0.0 if kind == "sparse" else np.nan
    given = {
        "sparse": sparse.csr_matrix,
        "pandas": pd.DataFrame,
        "polars": lambda rows: pl.DataFrame(rows, schema=list("abc")),
        "list": np.ndarray.tolist,
        "dense": np.asarray,
    }[kind](holes)
    folds = [
        (np.arange(120)[::2], np.arange(120)[1::2]),
        (np.arange(120)[1::2], np.arange(120)[::2]),
    ]
    model = OutOfFoldLogits(cv=folds)
    odds = model.fit_transform(given, Y)
    assert odds.dtype == np.float32
    assert np.flatnonzero(np.isnan(odds).all(axis=1)).tolist() == [3, 50]
    assert np.isfinite(np.delete(odds, [3, 50], axis=0)).all()
    masked = Y.copy()
    masked.iloc[[3, 50]] = None
    expected = OutOfFoldLogits(cv=folds).fit_transform(X, masked)
    rest = np.delete(np.arange(120), [3, 50])
    np.testing.assert_allclose(odds[rest], expected[rest], rtol=1e-2, atol=1e-3)
    gone = holes[[3, 50]]
    gone = sparse.csr_matrix(gone) if kind == "sparse" else gone
    if kind not in ("pandas", "polars"):
        assert np.isnan(model.transform(gone)).all()


def test_tasks_that_nobody_with_the_source_is_labelled_for():
    holes = X.copy()
    holes[:5] = np.nan
    y = Y.copy()
    y["rare"] = ["a", "b"] + [None] * 118
    model = OutOfFoldLogits(random_state=0)
    odds = model.fit_transform(holes, y)
    assert model.estimators_[2] is None
    assert (odds[5:, 5:] == 0).all()
    assert (model.transform(X)[:, 5:] == 0).all()
    nobody = OutOfFoldLogits(random_state=0).fit_transform(np.full((120, 3), np.nan), Y)
    assert np.isnan(nobody).all()


@pytest.mark.parametrize("inner", [None, LogisticRegression(), KNeighborsClassifier(3)])
def test_classes_of_one_user_and_tasks_of_one_class(inner):
    y = Y.copy()
    y.loc[0, "gender"] = "only one"
    y["same"] = "k"
    model = OutOfFoldLogits(inner, random_state=0)
    odds = model.fit_transform(X, y)
    assert odds.shape == (120, 7)
    assert np.isfinite(odds).all()
    assert odds[0, 2] < max(odds[0, 0], odds[0, 1])
    assert (odds[:, 6] == 0).all()
    assert model.get_feature_names_out()[[0, 6]].tolist() == ["gender=f", "same=k"]


@pytest.mark.parametrize("inner", [None, LogisticRegression()])
def test_sets_have_log_odds_of_each_class(inner):
    likes = [
        {n for n, value in zip("ab", row, strict=True) if value > 0} for row in X[:, :2]
    ]
    y = pd.DataFrame(
        {"likes": likes, "one": [{"z"} if v > 0 else set() for v in X[:, 2]]}
    )
    odds = OutOfFoldLogits(inner, random_state=0).fit_transform(X, y)
    assert odds.shape == (120, 3)
    assert ((odds > 0) == (X > 0)).mean() > 0.9
    # Not centred: both may be likely.
    both = (X[:, :2] > 0.5).all(axis=1)
    assert (odds[both, :2] > 0).all()


def test_weights_and_seeds_and_pickles():
    half = np.where(np.arange(120) < 60, 1.0, 0.0)
    weighted = OutOfFoldLogits(random_state=0).fit(X, Y, half)
    masked = Y.copy()
    masked.iloc[60:] = None
    fewer = OutOfFoldLogits(random_state=0).fit(X, masked)
    np.testing.assert_allclose(weighted.transform(X), fewer.transform(X), rtol=1e-4)
    assert (weighted.transform(X) != OutOfFoldLogits().fit(X, Y).transform(X)).any()
    again = OutOfFoldLogits(random_state=0).fit(X, Y, half)
    assert (again.transform(X) == weighted.transform(X)).all()
    copy = pickle.loads(pickle.dumps(weighted))
    assert (copy.transform(X) == weighted.transform(X)).all()
    in_parallel = clone(weighted).set_params(n_jobs=2).fit_transform(X, Y)
    alone = clone(weighted).fit_transform(X, Y)
    np.testing.assert_array_equal(in_parallel, alone)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        OutOfFoldLogits(KNeighborsClassifier()).fit(X, Y, half)


def test_sources_are_read_by_nets():
    text = TokenMessages.from_lists([[["tea"]], [["wine"]], None] * 10)
    net = TextCNNClassifier(
        n_filters=4, kernel_sizes=(1,), n_hidden=(4,), max_epochs=1, random_state=0
    )
    odds = OutOfFoldLogits(net, cv=2, random_state=0).fit_transform(
        text, ["f", "m", "m"] * 10
    )
    assert np.isnan(odds).all(axis=1).tolist() == [False, False, True] * 10


def test_errors():
    with pytest.raises(TargetError, match="requires y to be passed"):
        OutOfFoldLogits().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        OutOfFoldLogits().fit(X, Y[:50])
    with pytest.raises(SourceError, match="before OutOfFoldLogits in a Pipeline"):
        OutOfFoldLogits().fit(pd.DataFrame({"messages": [["a"], ["b"]]}), ["f", "m"])
    with pytest.raises(SourceError, match="as make_meta_learning_baseline does"):
        MetaLearningClassifier(LogisticRegression()).fit(
            pd.DataFrame({"messages": [["a"], ["b"]]}), ["f", "m"]
        )
    with pytest.raises(ValueError, match="cv must hold out every labelled user"):
        OutOfFoldLogits(cv=[(range(60), range(60, 120))]).fit(X, Y)
    with pytest.raises(NotFittedError):
        OutOfFoldLogits().transform(X)
