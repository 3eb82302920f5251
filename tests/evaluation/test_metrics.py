"""Metrics: cases computed by hand, scikit-learn's as reference, missing labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_score,
    recall_score,
)

from sklearn_profiling.evaluation import (
    accuracy_per_task,
    exact_match_score,
    macro_prf,
    smpcup_score,
    task_report,
)
from sklearn_profiling.exceptions import TargetError

LABELS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=30
)


def test_both_f_by_hand() -> None:
    # a: P 2/2, R 2/3, F 4/5. b: P 1/2, R 1/1, F 2/3.
    report = task_report(list("aaab"), list("aabb")).loc["task0"]
    assert report["n_labelled"] == 4
    assert report["n_classes"] == 2
    assert report["accuracy"] == 0.75
    assert report["macro_precision"] == pytest.approx(3 / 4)
    assert report["macro_recall"] == pytest.approx(5 / 6)
    assert report["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    p, r = 3 / 4, 5 / 6
    assert report["f_of_averages"] == pytest.approx(2 * p * r / (p + r))


def test_labels_of_different_origin_stay_apart() -> None:
    y = pd.DataFrame({"a": ["p", "q", "p", None], "b": ["x", "y", "x", "x"]})
    predicted = [["p", "x"], ["p", "y"], ["q", "y"], ["p", "x"]]
    origin = pd.DataFrame({"b": list("dddi"), "a": ["d", "d", "i", "i"]})
    report = task_report(y, predicted, sources=origin)
    assert report.index.names == ["source", "task"]
    assert report["n_labelled"].to_dict() == {
        ("d", "a"): 2,
        ("d", "b"): 3,
        ("i", "a"): 1,
        ("i", "b"): 1,
    }
    assert report["accuracy"].tolist() == [0.5, 2 / 3, 0, 1]
    by_user = task_report(y, predicted, sources=["text", "text", None, "links"])
    alone = task_report(y.iloc[:2], predicted[:2])
    pd.testing.assert_frame_equal(by_user.loc["text"], alone)
    assert by_user["n_labelled"].sum() == y.notna().sum().sum()
    assert set(by_user.index.levels[0]) == {"text", "(missing)", "links"}
    classes = task_report(y, predicted, by="class", sources=origin)
    assert classes.index.names == ["source", "task", "class"]
    assert classes["support"].sum() == 7
    likely = [np.eye(2)[[0, 0, 1, 0]], np.eye(2)[[0, 1, 1, 0]]]
    auc = task_report(
        y,
        predicted,
        metrics="roc_auc",
        y_proba=likely,
        classes=[["p", "q"], ["x", "y"]],
        sources=origin,
    )["roc_auc"]
    assert auc["d"].tolist() == [0.5, 0.75]
    with pytest.raises(TargetError, match="there is no label"):
        task_report([None], ["f"], sources=["declared"])
    with pytest.raises(TargetError, match=r"\(4, 2\); got \(3, 2\)"):
        task_report(y, predicted, sources=["text"] * 3)


@given(LABELS)
def test_agrees_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    true, predicted = (list(column) for column in zip(*pairs, strict=True))
    report = task_report(true, predicted).loc["task0"]
    kind = {"average": "macro", "zero_division": 0.0}
    assert report["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    for column, metric in (
        ("macro_precision", precision_score),
        ("macro_recall", recall_score),
        ("macro_f1", f1_score),
    ):
        assert report[column] == pytest.approx(metric(true, predicted, **kind))


@given(LABELS, st.lists(st.sampled_from("abcd"), max_size=10))
def test_unlabelled_users_change_nothing(
    pairs: list[tuple[str, str]], more: list[str]
) -> None:
    true, predicted = (list(column) for column in zip(*pairs, strict=True))
    with_missing = task_report(true + [None] * len(more), predicted + more)
    pd.testing.assert_frame_equal(with_missing, task_report(true, predicted))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_every_kind_of_missing_label(missing: object) -> None:
    y = pd.DataFrame({"a": ["x", missing, "y"], "b": [missing] * 3})
    report = task_report(y, [["x", 1], ["x", 1], ["x", 1]])
    assert report["n_labelled"].tolist() == [2, 0]
    assert report.loc["a", "accuracy"] == 0.5
    assert report.loc["b"].drop(["n_labelled", "n_classes"]).isna().all()


def test_a_missing_prediction_is_wrong() -> None:
    report = task_report(["a", "a"], ["a", None]).loc["task0"]
    assert report["accuracy"] == 0.5
    assert report["macro_precision"] == 1.0
    assert report["macro_recall"] == 0.5


def test_sets_by_hand() -> None:
    true = pd.DataFrame({"likes": [{"tea", "wine"}, {"tea"}, None, {"wine"}]})
    predicted = pd.DataFrame({"likes": [{"wine", "tea"}, {"wine"}, {"tea"}, {"wine"}]})
    report = task_report(true, predicted).loc["likes"]
    assert report["accuracy"] == pytest.approx(2 / 3)
    # tea: predicted 1, true 2, right 1. wine: predicted 3, true 2, right 2.
    assert report["macro_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert report["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert report["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)


@pytest.mark.parametrize(
    ("zero_division", "precision"), [(0.0, 0.25), (1.0, 0.75), (np.nan, 0.5)]
)
def test_zero_division(zero_division: float, precision: float) -> None:
    # b is never predicted: its precision is 0 / 0.
    report = task_report(["a", "b"], ["a", "a"], zero_division=zero_division)
    assert report.loc["task0", "macro_precision"] == precision
    assert report.loc["task0", "macro_recall"] == 0.5


def test_nothing_right_has_an_f_of_zero() -> None:
    report = task_report(["a", "b"], ["b", "a"]).loc["task0"]
    assert report["f_of_averages"] == 0
    assert report["macro_f1"] == 0


def test_zero_division_is_checked() -> None:
    with pytest.raises(ValueError, match=r"zero_division must be 0.0, 1.0 or nan; got"):
        task_report(["a"], ["a"], zero_division=0.5)


def test_macro_prf_names_its_definition() -> None:
    y_true, y_pred = list("aaab"), list("aabb")
    mean = macro_prf(y_true, y_pred, definition="average_of_f")
    ratio = macro_prf(y_true, y_pred, definition="f_of_averages")
    assert mean.columns.tolist() == ["precision", "recall", "f"]
    assert mean.loc["task0", "f"] != ratio.loc["task0", "f"]
    assert mean["recall"].equals(ratio["recall"])
    with pytest.raises(ValueError, match="definition must be one of"):
        macro_prf(y_true, y_pred, definition="f1")  # type: ignore[arg-type]


def test_labels_of_any_kind() -> None:
    y = np.array([[1, "1"], [2, ("t",)], ["x", None]], dtype=object)
    assert accuracy_per_task(y, y).tolist() == [1.0, 1.0]


def test_tasks_are_matched_by_name() -> None:
    y = pd.DataFrame({"gender": ["f", "m"], "age": ["old", "young"]})
    assert accuracy_per_task(y, y[["age", "gender"]]).tolist() == [1.0, 1.0]
    assert list(accuracy_per_task(y.to_numpy(), y).index) == ["gender", "age"]
    with pytest.raises(TargetError, match=r"same tasks as columns.*\['gender', 'x'\]"):
        accuracy_per_task(y, y.rename(columns={"age": "x"}))


def test_shapes_must_agree() -> None:
    with pytest.raises(TargetError, match=r"\(2, 1\), y_pred has \(3, 1\)"):
        accuracy_per_task(["a", "b"], ["a", "b", "c"])


def test_smpcup_score_by_hand() -> None:
    y = pd.DataFrame(
        {
            "gender": ["f", "m", "m", "f"],
            "age": ["old", None, "young", "old"],
            "region": ["n", "n", "s", "e"],
            "other": [None] * 4,
        }
    )
    predicted = y.copy()
    predicted["gender"] = "f"
    predicted.loc[0, "age"] = "young"
    predicted["region"] = "s"
    assert smpcup_score(y, predicted) == pytest.approx(
        0.2 * 2 / 4 + 0.3 * 2 / 3 + 0.5 * 1 / 4
    )


def test_smpcup_score_needs_its_tasks() -> None:
    y = pd.DataFrame({"gender": ["f"], "age": ["old"]})
    with pytest.raises(TargetError, match=r"\['region'\] missing among"):
        smpcup_score(y, y)
    y["region"] = None
    with pytest.raises(TargetError, match=r"no user is labelled for \['region'\]"):
        smpcup_score(y, y)


def test_exact_match_counts_fully_labelled_users() -> None:
    y = pd.DataFrame({"a": [1, 1, 2, None], "b": [1, 2, 2, 1]})
    assert exact_match_score(y, [[1, 1], [1, 1], [2, 2], [9, 9]]) == pytest.approx(
        2 / 3
    )
    with pytest.raises(TargetError, match=r"none of the 1 users .* \['a', 'b'\]"):
        exact_match_score(y.iloc[3:], [[1, 1]])
