"""Comparison: same folds for all, failures reported, tables by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_majority_baseline,
)
from sklearn_profiling.evaluation import (
    Comparison,
    MultiTaskStratifiedKFold,
    TaskScorer,
    compare,
)
from sklearn_profiling.exceptions import ProfilingWarning, TargetError

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 2))
Y = pd.DataFrame(
    {
        "gender": np.where(X[:, 0] > 0, "f", "m"),
        "age": np.where(X[:, 1] > 0.5, "old", "young"),
    }
).astype(object)
Y.loc[::5, "age"] = None
SYSTEMS = {
    "majority": make_majority_baseline(),
    "regression": MaskedMultiOutputClassifier(LogisticRegression()),
}


class Failing(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fails where the first training user is missing."""

    def fit(self, X: np.ndarray, y: pd.DataFrame) -> Failing:
        if not (X == FIRST).all(axis=1).any():
            msg = "no first user"
            raise RuntimeError(msg)
        self.shape_ = y.shape[1]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full((len(X), self.shape_), "f", dtype=object)


FIRST = X[0]


def test_agrees_with_cross_validate() -> None:
    cv = MultiTaskStratifiedKFold(3, random_state=0)
    result = compare(SYSTEMS, X, Y, cv=cv, metrics=["accuracy"])
    table = result.table("accuracy")
    for name, model in SYSTEMS.items():
        expected = cross_validate(
            model,
            X,
            Y,
            cv=cv,
            scoring={
                "gender": TaskScorer(task="gender"),
                "age": TaskScorer(task="age"),
                "average": TaskScorer(),
            },
        )
        for column in ("gender", "age", "average"):
            scores = expected[f"test_{column}"]
            assert table.loc[name, column] == pytest.approx(scores.mean())
            assert result.table("accuracy", spread=True).loc[
                name, column
            ] == pytest.approx(scores.std(ddof=1))
    assert result.systems == ["majority", "regression"]
    assert result.tasks == ["gender", "age"]


def test_scores_are_long_and_ordered() -> None:
    scores = compare(SYSTEMS, X, Y, cv=2, metrics=["accuracy", "macro_f1"]).scores
    assert len(scores) == 2 * 2 * 2 * 2
    assert scores["system"].tolist() == ["majority"] * 8 + ["regression"] * 8
    assert scores["fold"].tolist() == ([0] * 4 + [1] * 4) * 2
    assert scores["task"].tolist()[:4] == ["gender", "gender", "age", "age"]
    assert scores["metric"].tolist()[:2] == ["accuracy", "macro_f1"]
    assert (scores["fit_seconds"] >= 0).all()
    assert (scores["predict_seconds"] >= 0).all()
    assert scores["error"].isna().all()
    assert scores["n_labelled"].groupby(scores["task"]).sum().to_dict() == {
        "gender": 240,
        "age": 192,
    }


def test_several_processes_give_the_same_scores() -> None:
    timing = ["fit_seconds", "predict_seconds"]
    one = compare(SYSTEMS, X, Y, cv=2).scores.drop(columns=timing)
    two = compare(SYSTEMS, X, Y, cv=2, n_jobs=2).scores.drop(columns=timing)
    pd.testing.assert_frame_equal(one, two)


def test_weights_of_the_average() -> None:
    table = compare(SYSTEMS, X, Y, cv=2).table(weights={"age": 3, "gender": 1})
    expected = (3 * table["age"] + table["gender"]) / 4
    np.testing.assert_allclose(table["average"], expected)


def test_a_failure_is_reported_and_the_others_go_on() -> None:
    systems = {"failing": Failing(), **SYSTEMS}
    with pytest.warns(ProfilingWarning, match=r"failing failed in fold 0 .*no first"):
        result = compare(systems, X, Y, cv=KFold(3))
    assert result.failures.to_dict("records") == [
        {"system": "failing", "fold": 0, "error": "RuntimeError: no first user"}
    ]
    table = result.table()
    assert table.loc["failing"].isna().all()
    assert table.loc["regression"].notna().all()
    assert result.table(spread=True).loc["failing"].isna().all()
    worked = result.scores.query("system == 'failing' and fold == 1")
    assert worked["value"].notna().all()
    text = str(result)
    assert text.splitlines()[1].split() == ["failing"] + ["failed"] * 3
    assert text.endswith("failing failed in fold 0: RuntimeError: no first user")


def test_a_failure_is_raised_on_request() -> None:
    with pytest.raises(RuntimeError, match="no first user"):
        compare({"failing": Failing()}, X, Y, cv=KFold(3), error_score="raise")


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, int, int]] = []
    compare(
        SYSTEMS,
        X,
        Y,
        cv=2,
        metrics=["accuracy"],
        verbose=1,
        on_fold=lambda system, fold, scores: seen.append((system, fold, len(scores))),
    )
    assert sorted(seen) == [
        (system, fold, 2) for system in ("majority", "regression") for fold in (0, 1)
    ]
    captured = capsys.readouterr()
    assert "4/4" in captured.err
    assert captured.out == ""


def test_one_fold_has_no_spread() -> None:
    cv = [(np.arange(40), np.arange(40, 60))]
    text = compare(SYSTEMS, X, Y, cv=cv, metrics=["accuracy"]).to_string()
    assert "±" not in text
    assert len(text.splitlines()) == 3


def test_a_task_without_labels_in_a_fold_is_no_failure() -> None:
    y = Y.copy()
    y.loc[:29, "age"] = None
    result = compare(SYSTEMS, X, y, cv=[(np.arange(20, 60), np.arange(20))] * 1)
    assert result.failures.empty
    assert result.table()["age"].isna().all()
    assert result.table()["gender"].notna().all()


@pytest.mark.parametrize(("n_labelled", "fold"), [(0, 0), (1, 1)])
def test_a_task_that_no_system_could_learn_is_refused_at_once(
    n_labelled: int, fold: int
) -> None:
    y = Y.assign(age=["old"] * n_labelled + [None] * (60 - n_labelled))
    cv = [(np.arange(59), [59]), (np.arange(1, 60), [0])]
    message = (
        rf"'age' has no label in the training part of fold {fold}: {n_labelled} of 60 "
        r"users are labelled\. Leave it out"
    )
    with pytest.raises(TargetError, match=message):
        compare({"failing": Failing()}, X, y, cv=cv, error_score="raise")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"systems": {}}, "one estimator at least"),
        ({"metrics": ["f1"]}, r"metrics must be some of .*; got \['f1'\]"),
        ({"metrics": []}, "metrics must be some of"),
        ({"error_score": 0}, "must be 'report' or 'raise'; got 0"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(**{"systems": SYSTEMS, "X": X, "y": Y, **arguments})  # type: ignore[arg-type]


def test_bad_tables() -> None:
    result = compare(SYSTEMS, X, Y, cv=2, metrics=["accuracy"])
    with pytest.raises(ValueError, match=r"measured, \['accuracy'\]; got 'macro_f1'"):
        result.table("macro_f1")
    with pytest.raises(ValueError, match=r"weights must name tasks of"):
        result.table(weights={"region": 1})
    with pytest.raises(ValueError, match=r"positive sum"):
        result.table(weights={"age": 0})


def test_a_comparison_can_be_made_from_saved_scores() -> None:
    result = compare(SYSTEMS, X, Y, cv=2)
    again = Comparison(pd.DataFrame(result.scores.to_dict("records")))
    pd.testing.assert_frame_equal(again.table(), result.table())


def test_html_marks_the_best_and_what_differs() -> None:
    systems = {"<b>": SYSTEMS["majority"], "regression": SYSTEMS["regression"]}
    result = compare(systems, X, Y, cv=5, metrics=["accuracy"])
    page = result._repr_html_()
    assert "<b>" not in page
    assert '<th scope="row">&lt;b&gt;</th>' in page
    mean = result.table("accuracy")
    rows = page.partition("<tbody>")[2].split("<tr>")[1:]
    assert rows[1].count("<strong>") == 3
    assert "<strong>" not in rows[0]
    assert "**</td>" in rows[0]
    assert f"{mean.loc['regression', 'gender']:.3f} ±" in rows[1]
    assert "differs from the best of its column: * p &lt; 0.05" in page


def test_html_of_failures_losses_and_one_fold() -> None:
    with pytest.warns(ProfilingWarning, match="failed"):
        failed = compare({"bad": Failing()}, X, Y, cv=5, metrics="accuracy")
    page = failed._repr_html_()
    assert page.count("<td>failed</td>") == 3
    assert "RuntimeError: no first user" in page
    assert "differs" not in page
    folds = [(np.arange(40), np.arange(40, 60))]
    once = compare(SYSTEMS, X, Y, cv=folds, metrics=["log_loss"])._repr_html_()
    rows = once.partition("<tbody>")[2].split("<tr>")[1:]
    assert (rows[0].count("<strong>"), rows[1].count("<strong>")) == (0, 3)
    assert "differs" not in once


def test_the_summary_has_intervals_and_tests_against_the_best() -> None:
    result = compare(SYSTEMS, X, Y, cv=5, metrics=["accuracy", "log_loss"])
    found = result.summary()
    assert list(found["task"].unique()) == ["gender", "age", "average"]
    first = found.iloc[0]
    scores = result.scores.query(
        "system == 'majority' and task == 'gender' and metric == 'accuracy'"
    )["value"]
    # 2.776 is the t of 4 degrees; a fifth of the users is tested by four fifths
    half = 2.7764 * scores.std() * np.sqrt(1 / 5 + 1 / 4)
    assert first["system"] == "majority"
    assert np.isclose(first["mean"], scores.mean())
    assert np.isclose(first["high"] - first["mean"], half, rtol=1e-4)
    assert np.isclose(first["mean"] - first["low"], half, rtol=1e-4)
    against = result.significance("regression")
    assert first["p_value"] == against.loc["majority", "gender"]
    losses = result.summary("log_loss").set_index(["task", "system"])["p_value"]
    assert losses["gender"].isna().tolist() == [False, True]
    wider = result.summary(confidence=0.99)
    widths = wider["high"] - wider["low"], found["high"] - found["low"]
    assert (widths[0] > widths[1]).tolist() == (widths[1] > 0).tolist()
    assert (widths[1] > 0).sum() == 5
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1; got 95"):
        result.summary(confidence=95)
