"""Scores of classes, confusions, bootstrap intervals and Holm's correction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from sklearn_profiling.evaluation import (
    Comparison,
    bootstrap_report,
    confusion_tables,
    task_report,
)
from sklearn_profiling.evaluation.significance import holm
from sklearn_profiling.exceptions import TargetError

RNG = np.random.RandomState(0)
TRUE, FOUND = RNG.choice(list("abc"), (2, 90)).astype(object)
LIKELY = RNG.dirichlet([1, 1, 1], 90)
GAPS = pd.DataFrame(
    {"one": [*TRUE, None], "likes": [{"u"}, {"u", "v"}, set()] * 30 + [None]}
)
GIVEN = pd.DataFrame(
    {"one": [*FOUND, "a"], "likes": [{"u"}, {"v"}, {"v"}] * 30 + [{"u"}]}
)


def test_scores_of_classes_are_those_of_sklearn():
    likely = np.vstack([LIKELY, [[1, 0, 0]]])
    report = task_report(
        GAPS,
        GIVEN,
        by="class",
        y_proba=[likely, likely[:, :1]],
        classes=[list("abc"), ["u"]],
    )
    one = report.loc["one"]
    expected = precision_recall_fscore_support(TRUE.astype(str), FOUND.astype(str))
    for name, values in zip(
        ("precision", "recall", "f1", "support"), expected, strict=True
    ):
        np.testing.assert_allclose(one[name], values)
    for k, label in enumerate("abc"):
        is_it = label == TRUE
        assert one.loc[label, "roc_auc"] == roc_auc_score(is_it, LIKELY[:, k])
        average = average_precision_score(is_it, LIKELY[:, k])
        assert one.loc[label, "average_precision"] == average
    likes = report.loc["likes"]
    assert likes["support"].tolist() == [60, 30]
    assert likes["recall"].tolist() == [0.5, 1]
    assert likes.loc["v", "roc_auc"] == 0.5  # a class that the model does not know


def test_classes_on_one_side_alone():
    report = task_report(["a", "a"], ["a", "b"], by="class", zero_division=1.0)
    assert report.loc[("task0", "b"), ["precision", "recall"]].tolist() == [0, 1]
    likely = np.array([[1.0, 0.0]] * 2)
    ranked = task_report(
        ["a", "a"], ["a", "b"], by="class", y_proba=likely, classes=["a", "b"]
    )
    assert ranked[["roc_auc", "average_precision"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="by must be 'task' or 'class'; got 'user'"):
        task_report(["a"], ["a"], by="user")
    with pytest.raises(ValueError, match="metrics of its own"):
        task_report(["a"], ["a"], by="class", metrics="accuracy")
    with pytest.raises(TargetError, match="each of the 2 users"):
        task_report(
            ["a", "a"], ["a", "b"], by="class", y_proba=likely[:1], classes=["a", "b"]
        )


def test_confusions():
    tables = confusion_tables(GAPS, GIVEN)
    expected = confusion_matrix(TRUE.astype(str), FOUND.astype(str))
    assert tables["one"].to_numpy().tolist() == expected.tolist()
    assert tables["likes"].to_numpy().tolist() == [[30, 0, 30, 30], [30, 30, 0, 30]]
    silent = confusion_tables(["a", "b"], ["b", None])["task0"]
    assert silent.columns.tolist() == ["a", "b", None]
    assert silent.to_numpy().tolist() == [[0, 1, 0], [0, 0, 1]]


def test_intervals_hold_the_value_and_shrink():
    y = pd.DataFrame({"one": TRUE, "none": [None] * 90, "few": ["a"] + [None] * 89})
    found = pd.DataFrame(dict.fromkeys(y, FOUND))
    report = bootstrap_report(y, found, n_bootstrap=300, random_state=0)
    values = task_report(y, found)[["accuracy", "macro_f1"]].stack(future_stack=True)
    np.testing.assert_allclose(report["value"], values.to_numpy())
    one = report.loc[("one", "accuracy")]
    # The standard error of a share, by its formula.
    half = 1.96 * np.sqrt(one["value"] * (1 - one["value"]) / 90)
    assert one["high"] - one["low"] == pytest.approx(2 * half, rel=0.2)
    assert one["low"] < one["value"] < one["high"]
    assert report.loc["none"].isna().all(axis=None)
    assert report.loc[("few", "accuracy"), "low"] == FOUND[0].count("a")
    narrow = bootstrap_report(y, found, n_bootstrap=300, level=0.5, random_state=0)
    assert narrow.loc[("one", "accuracy"), "high"] < one["high"]
    again = bootstrap_report(y, found, n_bootstrap=300, random_state=0)
    pd.testing.assert_frame_equal(report, again)


def test_systems_are_paired():
    better = np.where(np.arange(90) < 60, TRUE, FOUND)
    systems = {"plain": FOUND, "same": FOUND.copy(), "better": better}
    report = bootstrap_report(
        TRUE,
        systems,
        metrics="accuracy",
        reference="plain",
        n_bootstrap=200,
        random_state=0,
    )[["value", "low", "high"]].droplevel(["task", "metric"])
    assert report.loc["same"].tolist() == [0, 0, 0]
    gain = np.mean(better == TRUE) - np.mean(FOUND == TRUE)
    assert report.loc["better", "value"] == pytest.approx(gain)
    assert report.loc["better", "low"] > 0.2
    likes = bootstrap_report(GAPS["likes"], GIVEN["likes"], n_bootstrap=2)
    assert likes.loc[("likes", "accuracy"), "value"] == pytest.approx(1 / 3)


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="metrics must be some of"):
        bootstrap_report(TRUE, FOUND, metrics="log_loss")
    with pytest.raises(ValueError, match="reference must be one of"):
        bootstrap_report(TRUE, {"a": FOUND}, reference="b")
    for n_bootstrap in (0, 2.5):
        with pytest.raises(ValueError, match="n_bootstrap must be"):
            bootstrap_report(TRUE, FOUND, n_bootstrap=n_bootstrap)


def test_holm_by_hand():
    given = [0.01, 0.04, np.nan, 0.03, 0.6]
    np.testing.assert_allclose(holm(given), [0.04, 0.09, np.nan, 0.09, 0.6])
    assert holm([0.9, 0.8]).tolist() == [1, 1]


def test_comparisons_are_corrected():
    values = {"a": [0.5, 0.51, 0.5], "b": [0.6, 0.62, 0.6], "c": [0.52, 0.5, 0.53]}
    rows = [
        (system, fold, "task", "accuracy", value, 10, 20, 0.0, 0.0, None)
        for system, scores in values.items()
        for fold, value in enumerate(scores)
    ]
    columns = (
        "system fold task metric value n_labelled n_train fit_seconds predict_seconds "
        "error"
    )
    result = Comparison(pd.DataFrame(rows, columns=columns.split()))
    plain = result.significance("a")["task"]
    corrected = result.significance("a", correction="holm")["task"]
    assert corrected["b"] == pytest.approx(2 * plain["b"])
    assert corrected["c"] == plain["c"]
    with pytest.raises(ValueError, match="correction must be 'holm' or None"):
        result.significance("a", correction="bonferroni")
