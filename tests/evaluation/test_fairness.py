"""Groups of users: figures of fairlearn, by hand, with gaps, origins, intersections."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from sklearn_profiling.evaluation import (
    calibration_report,
    group_report,
)
from sklearn_profiling.exceptions import TargetError

RNG = np.random.RandomState(0)
N = 120
Y = pd.DataFrame(
    {
        "gender": RNG.choice(["f", "m", "x", None], N, p=[0.4, 0.3, 0.2, 0.1]),
        "age": RNG.choice(["old", "young"], N),
    }
).astype(object)
Y = Y.where(Y.notna(), None)
PREDICTED = pd.DataFrame(
    {"gender": RNG.choice(["f", "m", "x"], N), "age": RNG.choice(["old", "young"], N)}
)
GROUPS = pd.DataFrame(
    {"region": RNG.choice(["n", "s", "w"], N), "job": RNG.choice(["a", "b"], N)}
)


def test_figures_are_those_of_fairlearn():
    metrics = pytest.importorskip("fairlearn.metrics")
    report = group_report(Y, PREDICTED, GROUPS, n_bootstrap=2, random_state=0)
    for task in Y:
        known = Y[task].notna()
        for label in sorted(Y.loc[known, task].unique()):
            frame = metrics.MetricFrame(
                metrics={
                    "n_labelled": metrics.count,
                    "accuracy": lambda true, found: np.mean(true == found),
                    "selection_rate": metrics.selection_rate,
                    "true_positive_rate": metrics.true_positive_rate,
                    "false_positive_rate": metrics.false_positive_rate,
                },
                y_true=(Y.loc[known, task] == label).astype(int),
                y_pred=(PREDICTED.loc[known, task] == label).astype(int),
                sensitive_features=GROUPS[known],
            )
            ours = report.by_class.loc[task].loc[label]
            theirs = frame.by_group.loc[ours.index]
            rates = ["n_labelled", *ours.columns[2:]]
            np.testing.assert_allclose(
                ours[rates].to_numpy(float), theirs[rates].to_numpy(float)
            )
            gaps = report.gaps.loc[task]["gap"].unstack("class")[label]
            for rate in ours.columns[2:]:
                assert gaps[rate] == pytest.approx(frame.difference()[rate])
        accuracy = metrics.MetricFrame(
            metrics=lambda true, found: np.mean(true == found),
            y_true=Y.loc[known, task],
            y_pred=PREDICTED.loc[known, task],
            sensitive_features=GROUPS[known],
        )
        ours = report.by_group["accuracy"].loc[task]
        np.testing.assert_allclose(
            ours, accuracy.by_group.loc[ours.index].astype(float)
        )
        gap = report.gaps.loc[(task, "accuracy", ""), "gap"]
        assert gap == pytest.approx(accuracy.difference())


def test_figures_by_hand():
    y_true = ["f", "f", "m", "m", "x", None]
    y_pred = ["f", "m", "m", None, "x", "f"]
    report = group_report(y_true, y_pred, [1, 1, 1, 2, 2, 2], n_bootstrap=5)
    accuracy = report.by_group.loc["task0"]
    assert accuracy["n_labelled"].tolist() == [3, 2]
    np.testing.assert_allclose(accuracy["accuracy"], [2 / 3, 0.5])
    wilson = binomtest(2, 3).proportion_ci(method="wilson")
    np.testing.assert_allclose(accuracy.iloc[0][["low", "high"]], wilson)
    of_m = report.by_class.loc[("task0", "m")]
    assert of_m["n_true"].tolist() == [1, 1]
    np.testing.assert_allclose(of_m["selection_rate"], [2 / 3, 0])
    np.testing.assert_allclose(of_m["true_positive_rate"], [1, 0])
    np.testing.assert_allclose(of_m["false_positive_rate"], [0.5, 0])
    gap = report.gaps.loc[("task0", "true_positive_rate", "m")]
    assert (gap["gap"], gap["least"], gap["most"]) == (1, 2, 1)
    # Nobody of the first group is x, so there is nothing to compare.
    assert report.gaps.loc[("task0", "true_positive_rate", "x"), "gap"] == 0


def test_missing_groups_are_counted_and_not_compared():
    groups = pd.Series(["a", "b", None] * 40, name="region")
    report = group_report(Y, PREDICTED, groups, n_bootstrap=3, random_state=0)
    totals = report.by_group["n_labelled"].groupby("task").sum()
    assert totals["gender"] == Y["gender"].notna().sum()
    assert report.by_group.index.get_level_values("region").unique().tolist() == [
        "(missing)",
        "a",
        "b",
    ]
    two = report.by_group.loc[[("age", "a"), ("age", "b")], "accuracy"]
    gap = report.gaps.loc[("age", "accuracy", ""), "gap"]
    assert gap == pytest.approx(two.max() - two.min())
    nobody = group_report(Y, PREDICTED, [None] * N, n_bootstrap=2)
    assert nobody.gaps["gap"].isna().all()
    assert nobody.gaps["most"].isna().all()


def test_another_task_gives_the_groups():
    report = group_report(Y, PREDICTED, "age", n_bootstrap=2, random_state=0)
    by_hand = group_report(Y, PREDICTED, Y["age"], n_bootstrap=2, random_state=0)
    pd.testing.assert_frame_equal(report.by_group, by_hand.by_group)
    both = group_report(Y, PREDICTED, ["age", "gender"], n_bootstrap=2)
    assert both.by_group.index.names == ["task", "age", "gender"]
    assert len(both.by_group.loc["age"]) == 8  # 2 x (3 and the missing)
    with pytest.raises(TargetError, match=r"must name a task of .*got 'job'"):
        group_report(Y, PREDICTED, "job")


def test_declared_and_inferred_labels_stay_apart():
    sources = pd.DataFrame(
        RNG.choice(["declared", "inferred", None], (N, 2)), columns=["age", "gender"]
    )
    report = group_report(
        Y, PREDICTED, GROUPS["job"], sources=sources, n_bootstrap=2, random_state=0
    )
    kept = report.by_group.groupby(["source", "task"])["n_labelled"].sum()
    for source in ("declared", "inferred"):
        mask = (sources == source)[["gender", "age"]]
        alone = group_report(
            Y.where(mask, None), PREDICTED, GROUPS["job"], n_bootstrap=2, random_state=0
        )
        pd.testing.assert_frame_equal(report.by_group.loc[source], alone.by_group)
        pd.testing.assert_frame_equal(report.gaps.loc[source], alone.gaps)
    by_place = group_report(
        Y,
        PREDICTED,
        GROUPS["job"],
        sources=sources[["gender", "age"]].to_numpy(),
        n_bootstrap=2,
        random_state=0,
    )
    pd.testing.assert_frame_equal(by_place.gaps, report.gaps)
    assert kept.sum() == Y.notna().sum().sum()
    assert kept["(missing)"].sum() > 0
    with pytest.raises(TargetError, match="as columns"):
        group_report(Y, PREDICTED, "age", sources=sources.set_axis(["a", "b"], axis=1))
    with pytest.raises(TargetError, match="an entry for each label"):
        group_report(Y, PREDICTED, "age", sources=sources["age"])


def test_sets_and_probabilities():
    y = pd.DataFrame({"likes": [{"a"}, {"a", "b"}, set(), {"b"}] * 5})
    likely = RNG.rand(20, 2)
    groups = ["g", "g", "h", "h"] * 5
    report = group_report(
        y, y, groups, y_proba=[likely], classes=[["a", "b"]], n_bootstrap=2
    )
    assert (report.by_group["accuracy"] == 1).all()
    rows = np.array(groups) == "h"
    alone = calibration_report(y[rows], [likely[rows]], [["a", "b"]]).loc["likes"]
    found = report.by_group.loc[("likes", "h")]
    assert found["ece"] == alone["ece"]
    assert found["log_loss"] == alone["log_loss"]
    of_a = report.by_class.loc[("likes", "a")]
    np.testing.assert_allclose(of_a["selection_rate"], [1, 0])
    one = np.column_stack([likely[:, 0], 1 - likely[:, 0]])
    single = group_report(
        list("ab") * 10,
        list("ab") * 10,
        groups,
        y_proba=one,
        classes=["a", "b"],
        n_bootstrap=1,
    )
    assert single.by_group["brier"].notna().all()


def test_intervals_hold_the_gap_and_follow_the_seed():
    first = group_report(Y, PREDICTED, GROUPS["job"], n_bootstrap=200, random_state=1)
    again = group_report(Y, PREDICTED, GROUPS["job"], n_bootstrap=200, random_state=1)
    pd.testing.assert_frame_equal(first.gaps, again.gaps)
    gaps = first.gaps.loc[("gender", "accuracy", "")]
    assert 0 <= gaps["low"] <= gaps["gap"] <= gaps["high"] < 0.5


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="n_bootstrap must be a positive integer"):
        group_report(Y, PREDICTED, "age", n_bootstrap=0)
    with pytest.raises(ValueError, match="level must lie between"):
        group_report(Y, PREDICTED, "age", level=1)
    with pytest.raises(ValueError, match="y_proba needs classes"):
        group_report(Y, PREDICTED, "age", y_proba=[])
    with pytest.raises(TargetError, match="one entry a user, 120; got 2"):
        group_report(Y, PREDICTED, ["a", "b"])


def test_a_task_that_nobody_is_labelled_for() -> None:
    y = pd.DataFrame({"a": ["f", "m"] * 4, "b": [None] * 8}, dtype=object)
    report = group_report(y, y, list("xy") * 4, n_bootstrap=5, random_state=0)
    assert report.by_group.loc["b", "n_labelled"].tolist() == [0, 0]
    assert report.gaps.loc[("b", "accuracy", ""), ["gap", "least"]].isna().all()
    assert "b" not in report.by_class.index
