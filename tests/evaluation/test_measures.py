"""Metrics by name and functions, in reports, scorers and comparisons."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import LinearSVC

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    make_majority_baseline,
)
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    TaskScorer,
    compare,
    task_report,
)
from sklearn_profiling.exceptions import ProfilingWarning, TargetError

GENERATOR = np.random.default_rng(0)
N = 60
X = GENERATOR.normal(size=(N, 2))
Y = pd.DataFrame(
    {
        "age": GENERATOR.choice(["old", "young", "mid"], N),
        "year": GENERATOR.choice([1980, 1990], N),
    },
    dtype=object,
)
Y.loc[::4, "year"] = None
MODEL = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, Y)
ALL = ["balanced_accuracy", "log_loss", "roc_auc"]


def report(names, y=Y, model=MODEL, **more):
    more = {"y_proba": model.predict_proba(X), "classes": model.classes_, **more}
    return task_report(y, model.predict(X), metrics=names, **more)


def share_right(y_true, y_pred):
    return (y_true == y_pred).mean()


class TestAgainstScikitLearn:
    def test_each_task_on_its_labelled_users(self) -> None:
        found = report([*ALL, metrics.cohen_kappa_score])
        for task, name in enumerate(Y):
            rows = Y[name].notna().to_numpy()
            true = Y[name][rows].tolist()
            predicted = MODEL.predict(X)[rows, task].tolist()
            likely = MODEL.predict_proba(X)[task][rows]
            auc = (
                metrics.roc_auc_score(true, likely, multi_class="ovr")
                if name == "age"
                else metrics.roc_auc_score(true, likely[:, 1])
            )
            wanted = [
                metrics.balanced_accuracy_score(true, predicted),
                metrics.log_loss(true, likely),
                auc,
                metrics.cohen_kappa_score(true, predicted),
            ]
            assert found.loc[name].tolist() == pytest.approx(
                [rows.sum(), len(set(true)), *wanted]
            )
        assert found.columns[-1] == "cohen_kappa_score"

    def test_one_task(self) -> None:
        y = Y["age"].tolist()
        model = MaskedMultiOutputClassifier(LogisticRegression()).fit(X, y)
        assert report("log_loss", y, model)["log_loss"].tolist() == pytest.approx(
            [metrics.log_loss(y, model.predict_proba(X))]
        )


class TestByHand:
    def test_classes_that_training_or_test_lacks(self) -> None:
        # "c" is unknown to the model, "b" had by nobody who is scored.
        y, likely = ["a", "c", None], np.array([[0.5, 0.5], [0.25, 0.75], [1, 0]])
        found = task_report(
            y, ["a", "a", "a"], metrics=ALL, y_proba=likely, classes=["a", "b"]
        )
        smallest = np.finfo(float).eps
        assert found["log_loss"].item() == pytest.approx(
            -(np.log(0.5) + np.log(smallest)) / 2
        )
        # "a" is told apart (area 1), "c" not at all (area 1/2).
        assert found["roc_auc"].item() == pytest.approx(0.75)
        assert found["balanced_accuracy"].item() == 0.5

    def test_one_class_alone_has_no_area(self) -> None:
        found = task_report(
            ["a", "a"], ["a", "a"], metrics=ALL, y_proba=np.ones((2, 1)), classes=["a"]
        )
        assert np.isnan(found["roc_auc"].item())
        assert found["log_loss"].item() == pytest.approx(0, abs=1e-12)
        assert found["balanced_accuracy"].item() == 1

    def test_sets(self) -> None:
        y = pd.Series([{"a"}, {"a", "b"}, set()], dtype=object)
        likely = np.array([[0.8, 0.4], [0.6, 0.5], [0.5, 0.1]])
        found = task_report(
            y,
            y,
            metrics=["log_loss", "roc_auc"],
            y_proba=[likely],
            classes=[["a", "b"]],
        )
        right = [0.8, 0.6, 0.6, 0.5, 0.5, 0.9]
        assert found["log_loss"].item() == pytest.approx(-np.log(right).mean())
        assert found["roc_auc"].item() == 1

    def test_a_task_without_labels(self) -> None:
        y = Y.assign(year=None)
        found = report([*ALL, share_right], y)
        assert found.loc["year", [*ALL, "share_right"]].isna().all()
        assert found.loc["age"].notna().all()

    def test_functions_see_natural_labels(self) -> None:
        seen = []

        def look(y_true, y_pred):
            seen.append((y_true, y_pred))
            return 0.5

        found = task_report(Y, MODEL.predict(X), metrics=look)
        assert found["look"].tolist() == [0.5, 0.5]
        (age, _), (year, predicted) = seen
        assert age.dtype == object
        assert year.dtype.kind == predicted.dtype.kind == "i"
        assert len(year) == Y["year"].notna().sum()

    def test_names_of_functions(self) -> None:
        both = [
            share_right,
            partial(share_right),
            "accuracy",
            metrics.make_scorer(share_right),
        ]
        with pytest.raises(TypeError, match="__call__"):
            task_report(Y, Y, metrics=both)
        assert list(task_report(Y, Y, metrics=both[:3]).columns[2:]) == [
            "share_right",
            "share_right (2)",
            "accuracy",
        ]


class TestRefused:
    def test_unknown_metrics(self) -> None:
        for wrong in ("auc", ["accuracy", "auc"], [], [3]):
            with pytest.raises(ValueError, match=r"metrics must be some of .*roc_auc"):
                task_report(Y, Y, metrics=wrong)
        with pytest.raises(ValueError, match="or a function; got 'auc'"):
            TaskScorer("auc")

    def test_probabilities_are_needed(self) -> None:
        for more in ({}, {"y_proba": MODEL.predict_proba(X)}):
            with pytest.raises(ValueError, match="need y_proba and classes"):
                task_report(Y, Y, metrics="log_loss", **more)

    def test_other_shapes(self) -> None:
        likely, classes = MODEL.predict_proba(X), MODEL.classes_
        with pytest.raises(TargetError, match="got 1 arrays and 2 lists"):
            report("roc_auc", y_proba=likely[:1])
        with pytest.raises(TargetError, match="one column for each of its 3 classes"):
            report("roc_auc", y_proba=[likely[1], likely[1]])
        with pytest.raises(TargetError, match="one column for each of its 2 classes"):
            report("roc_auc", y_proba=[likely[0], likely[1][:, 0]])
        with pytest.raises(TargetError, match="of the 60 users; that of task 'age'"):
            report("roc_auc", y_proba=[p[:5] for p in likely], classes=classes)


class TestScorer:
    def test_greater_is_better(self) -> None:
        assert TaskScorer("log_loss", task="age")(MODEL, X, Y) == pytest.approx(
            -report("log_loss").loc["age", "log_loss"]
        )
        assert TaskScorer("roc_auc")(MODEL, X, Y) == pytest.approx(
            report("roc_auc")["roc_auc"].mean()
        )
        assert TaskScorer(share_right)(MODEL, X, Y) == pytest.approx(
            TaskScorer()(MODEL, X, Y)
        )
        assert "share_right" in repr(TaskScorer(share_right))

    def test_in_a_search(self) -> None:
        search = GridSearchCV(
            MaskedMultiOutputClassifier(LogisticRegression()),
            {"estimator__C": [1e-6, 1.0]},
            cv=MultiTaskStratifiedKFold(3, random_state=0),
            scoring=TaskScorer("log_loss"),
        ).fit(X, Y)
        assert search.best_score_ < 0

    def test_decisions_need_no_probabilities(self) -> None:
        scores = cross_val_score(
            MaskedMultiOutputClassifier(LinearSVC()),
            X,
            Y,
            cv=MultiTaskStratifiedKFold(3, random_state=0),
            scoring=TaskScorer("balanced_accuracy"),
        )
        assert np.isfinite(scores).all()


class TestComparison:
    def test_every_kind_of_metric(self) -> None:
        names = ["accuracy", "log_loss", "roc_auc", "balanced_accuracy", share_right]
        result = compare(make_majority_baseline(), X, Y, cv=3, metrics=names)
        assert list(dict.fromkeys(result.scores["metric"])) == [
            *names[:-1],
            "share_right",
        ]
        assert (result.table("roc_auc") == 0.5).all(axis=None)
        pd.testing.assert_frame_equal(
            result.table("accuracy"), result.table("share_right")
        )
        assert result.table("log_loss").columns.name == "lower is better"
        assert "lower is better" in result.to_string("log_loss")
        assert result.table("roc_auc").columns.name is None

    def test_a_system_without_probabilities(self) -> None:
        systems = {
            "svm": MaskedMultiOutputClassifier(LinearSVC()),
            "majority": make_majority_baseline(),
        }
        assert compare(systems, X, Y, cv=2).failures.empty
        with pytest.warns(ProfilingWarning, match="predict_proba"):
            result = compare(systems, X, Y, cv=2, metrics=["accuracy", "log_loss"])
        assert result.failures["system"].tolist() == ["svm"] * 2
        assert np.isfinite(result.table("log_loss").loc["majority"]).all()

    def test_stored_results_know_their_metrics(self, tmp_path) -> None:
        def run(names):
            return compare(
                {"m": MaskedMultiOutputClassifier(DummyClassifier())},
                X,
                Y,
                cv=2,
                metrics=names,
                results_folder=tmp_path,
            )

        run(["accuracy"])
        assert len(list(tmp_path.iterdir())) == 2
        with pytest.warns(ProfilingWarning, match="since the metrics changed"):
            first = run(["accuracy", "log_loss", share_right])
        assert len(list(tmp_path.iterdir())) == 4
        with pytest.warns(ProfilingWarning, match="since the metrics changed"):
            second = run(["accuracy", "log_loss", share_right])
        pd.testing.assert_frame_equal(first.scores, second.scores)
        with pytest.raises(ValueError, match="metrics that can be hashed"):
            run([lambda y_true, y_pred: 0.0])
