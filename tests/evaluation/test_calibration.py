"""Calibration: bins and scores by hand, abstention, prediction sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import (
    AbstainingClassifier,
    PredictionSetClassifier,
    calibration_report,
    prediction_set_report,
    prediction_sets,
    reliability_table,
    risk_coverage,
    task_report,
)
from sklearn_profiling.exceptions import TargetError

RNG = np.random.RandomState(0)
LOGITS = RNG.normal(size=(1000, 3)) * 2
LIKELY = softmax(LOGITS, axis=1)
CLASSES = list("abc")
LABELS = np.array([CLASSES[RNG.choice(3, p=row)] for row in LIKELY], dtype=object)


class Known(ClassifierMixin, BaseEstimator):
    """Takes the probabilities for what it learned; several tasks are all the same."""

    def __init__(self, n_tasks=None):
        self.n_tasks = n_tasks

    def fit(self, X, y, sample_weight=None):
        self.n_users_ = len(X)
        self.weighed_ = sample_weight is not None
        classes = np.array(CLASSES, dtype=object)
        self.classes_ = classes if self.n_tasks is None else [classes] * self.n_tasks
        return self

    def predict_proba(self, X):
        X = np.asarray(X)
        return X if self.n_tasks is None else [X] * self.n_tasks

    def predict(self, X):
        best = np.array(CLASSES, dtype=object)[np.asarray(X).argmax(axis=1)]
        return best if self.n_tasks is None else np.column_stack([best] * self.n_tasks)


# -- reliability ---------------------------------------------------------------


def test_bins_and_scores_by_hand():
    y = pd.DataFrame(
        {
            "one": ["f", "m", "x", None],
            "none": [None] * 4,
            "likes": [{"tea"}, {"tea", "wine"}, set(), None],
        }
    )
    one = [[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [np.nan, np.nan]]
    likes = [[0.8, 0.2], [0.8, 0.9], [0.1, 0.2], [np.nan, 7]]
    classes = [["f", "m"], ["f", "m"], ["tea", "wine"]]
    bins = reliability_table(y, [one, one, likes], classes, n_bins=2)
    assert bins.index.tolist() == [("one", 1), ("likes", 0), ("likes", 1)]
    assert bins["n"].tolist() == [3, 3, 3]
    np.testing.assert_allclose(bins["confidence"], [2.5 / 3, 0.5 / 3, 2.5 / 3])
    np.testing.assert_allclose(bins["accuracy"], [1 / 3, 0, 1])
    report = calibration_report(y, [one, one, likes], classes, n_bins=2)
    assert report["n_labelled"].tolist() == [3, 0, 3]
    assert report.loc["none"].drop("n_labelled").isna().all()
    np.testing.assert_allclose(report["ece"].dropna(), [0.5, 1 / 6])
    # The class x, which the model does not know, had probability 0.
    of_one = (0.02 + 2 * 0.81 + 0.09 + 0.49 + 1) / 3
    of_likes = (2 * 0.04 + 0.04 + 0.01 + 0.01 + 0.04) / 6
    np.testing.assert_allclose(report["brier"].dropna(), [of_one, of_likes])
    losses = task_report(
        y, y, metrics="log_loss", y_proba=[one, one, likes], classes=classes
    )
    np.testing.assert_allclose(report["log_loss"], losses["log_loss"])
    assert reliability_table([None], np.array([[0.5, 0.5]]), ["f", "m"]).empty


def test_scores_are_those_of_sklearn():
    report = calibration_report(LABELS, LIKELY, CLASSES).loc["task0"]
    found = brier_score_loss(LABELS.astype(str), LIKELY, labels=CLASSES)
    assert report["brier"] == pytest.approx(found)
    assert report["log_loss"] == pytest.approx(log_loss(LABELS.astype(str), LIKELY))
    assert report["ece"] < 0.04  # the labels were drawn so
    sharper = softmax(3 * LOGITS, axis=1)
    assert calibration_report(LABELS, sharper, CLASSES)["ece"].item() > 0.15


@pytest.mark.parametrize("confidences", [np.linspace(0.5, 1, 8), [0.75] * 8])
def test_quantile_bins_are_equally_full(confidences):
    likely = np.column_stack([confidences, 1 - np.asarray(confidences)])
    bins = reliability_table(
        ["f"] * 8, likely, ["f", "m"], n_bins=4, strategy="quantile"
    )
    assert bins["n"].tolist() == ([2] * 4 if len(set(confidences)) > 1 else [8])
    assert bins["lower"].iloc[0] == confidences[0]
    assert bins["upper"].iloc[-1] == confidences[-1]


@pytest.mark.parametrize(
    ("likely", "match"),
    [
        ([[0.5, 0.6]], r"task 'task0' must .* add up to 1 .* row 0 has \[0.5, 0.6\]"),
        ([[1.5, -0.5]], "between 0 and 1"),
        ([[np.nan, np.nan]], "row 0 has"),
        ([[0.5, 0.5]] * 2, "each of the 1 users.*has 2"),
    ],
)
def test_what_is_no_probability_is_refused(likely, match):
    with pytest.raises(TargetError, match=match):
        calibration_report(["f"], np.array(likely), ["f", "m"])


def test_bad_parameters_are_refused():
    even = np.array([[0.5, 0.5]])
    given = (["f"], even, ["f", "m"])
    with pytest.raises(ValueError, match="n_bins must be a positive integer; got 0"):
        calibration_report(*given, n_bins=0)
    with pytest.raises(ValueError, match="strategy must be"):
        reliability_table(*given, strategy="wide")
    for coverages in ([0.0], [1.1], 0.5):
        with pytest.raises(ValueError, match="coverages must lie"):
            risk_coverage(*given, coverages=coverages)
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1; got 1"):
        prediction_sets(even, ["f", "m"], *given[:2], coverage=1)
    with pytest.raises(ValueError, match="method must be"):
        prediction_sets(even, ["f", "m"], *given[:2], method="raps")
    with pytest.raises(TargetError, match="row 1 has"):
        prediction_sets(np.array([[0.5, 0.5], [1, 1]]), ["f", "m"], *given[:2])


# -- abstention ----------------------------------------------------------------


def test_the_least_sure_are_answered_last():
    y = pd.DataFrame({"one": ["f", "f", "m", "m", None], "none": [None] * 5})
    y["likes"] = [{"f"}, {"f", "m"}, {"m"}, set(), None]
    one = np.array([0.9, 0.4, 0.2, 0.7, 0.5])
    two = np.column_stack([one, 1 - one])
    sets = np.array([[0.9, 0.1], [0.9, 0.6], [0.1, 0.8], [0, 0], [0.5, 0.5]])
    curve = risk_coverage(
        y, [two, two, sets], [["f", "m"]] * 3, coverages=[0.25, 0.5, 1]
    )
    assert curve["n_answered"].tolist() == [1, 2, 4, 0, 0, 0, 1, 2, 4]
    np.testing.assert_allclose(curve.loc["one", "accuracy"], [1, 1, 0.5])
    np.testing.assert_allclose(curve.loc["one", "threshold"], [0.9, 0.8, 0.6])
    assert curve.loc["none", ["accuracy", "risk"]].isna().all(axis=None)
    np.testing.assert_allclose(curve.loc["likes", "threshold"], [1, 0.81, 0.54])
    assert curve.loc["likes", "risk"].tolist() == [0, 0, 0]


def test_abstention_by_coverage():
    y = pd.DataFrame(
        {"one": LABELS, "two": np.where(RNG.rand(1000) < 0.5, LABELS, None)}
    )
    model = AbstainingClassifier(Known(2), coverage=0.7, random_state=0)
    weights = np.r_[np.zeros(5), np.ones(995)]
    assert model.fit(LIKELY, y, weights) is model
    assert model.estimator_.n_users_ == 1000 - model.n_held_out_[0]
    assert model.estimator_.weighed_
    assert 190 < model.n_held_out_[0] <= 200 > 110 > model.n_held_out_[1] > 90
    predicted = model.predict(LIKELY)
    silent = pd.isna(predicted)
    assert np.all(np.abs(silent.mean(axis=0) - 0.3) < 0.08)
    assert (silent[:, 0] == (LIKELY.max(axis=1) < model.thresholds_[0])).all()
    everybody = AbstainingClassifier(Known(2), coverage=1.0).fit(LIKELY, y)
    assert everybody.estimator_.n_users_ == 1000
    assert model.score(LIKELY, y) > everybody.score(LIKELY, y) + 0.05
    answered = ~silent[:, 0]
    one = np.mean(predicted[answered, 0] == LABELS[answered])
    known = ~silent[:, 1] & y["two"].notna().to_numpy()
    two = np.mean(predicted[known, 1] == LABELS[known])
    assert model.score(LIKELY, y[["two", "one"]]) == pytest.approx((one + two) / 2)
    curve = model.risk_coverage(LIKELY, y[["two", "one"]], coverages=[0.5, 1.0])
    assert curve.index.get_level_values("task").unique().tolist() == ["one", "two"]
    assert (curve["accuracy"].unstack()[0.5] > curve["accuracy"].unstack()[1.0]).all()
    named = model.set_output(predict="pandas").predict(LIKELY)
    assert named["one"].isna().sum() == silent[:, 0].sum()


def test_abstention_by_threshold():
    frozen = FrozenEstimator(Known().fit(LIKELY, LABELS))
    model = AbstainingClassifier(frozen, threshold=0.9).fit(LIKELY, LABELS)
    predicted = model.predict(LIKELY)
    assert (pd.isna(predicted) == (LIKELY.max(axis=1) < 0.9)).all()
    assert model.thresholds_.tolist() == [0.9]
    assert model.n_held_out_.tolist() == [0]
    never = clone(model).set_params(threshold=1.0).fit(LIKELY, LABELS)
    with pytest.raises(TargetError, match=r"no user .* the thresholds are \[1.0\]"):
        never.score(LIKELY, LABELS)
    with pytest.raises(TargetError, match="requires y"):
        model.fit(LIKELY, None)


def test_sets_are_answered_where_the_whole_set_is_sure():
    y = pd.DataFrame({"likes": [{"u", "v"}, {"w"}] * 100})
    X = np.arange(200.0).reshape(-1, 1) % 2
    inner = MaskedMultiOutputClassifier(LogisticRegression(C=0.5))
    model = AbstainingClassifier(inner, threshold=0.99).fit(X, y)
    assert all(cell is None for cell in model.predict(X)[:, 0])
    model.set_params(threshold=0.5).fit(X, y)
    assert set(model.predict(X)[:, 0]) == {frozenset("uv"), frozenset("w")}
    assert model.n_features_in_ == 1


def test_who_alone_has_a_class_or_group_is_not_held_out():
    X = np.arange(60.0).reshape(-1, 1) / 60
    y = pd.DataFrame({"one": ["a", "b"] * 30, "two": [None] * 59 + ["z"]})
    y.loc[:3, "one"] = ["c", "d", "e", "e"]
    inner = MaskedMultiOutputClassifier(LogisticRegression())
    for seed in range(5):
        model = PredictionSetClassifier(inner, random_state=seed).fit(X, y)
        assert model.classes_[0].tolist() == ["a", "b", "c", "d", "e"]
        assert model.classes_[1].tolist() == ["z"]
        assert model.limits_[1] == np.inf
    assert 9 <= model.n_held_out_[0] <= 12
    few = PredictionSetClassifier(LogisticRegression()).fit([[0.0], [1.0]], ["a", "b"])
    assert few.predict_sets([[0.0]]).tolist() == [frozenset("ab")]
    assert few.score([[0.0], [1.0]], ["a", "b"]) == 1
    assert few.predict([[0.0]]).tolist() == ["a"]


class Spied(Known):
    def fit(self, X, y):
        self.seen_ = np.asarray(X)
        return super().fit(X, y)


def test_groups_are_held_out_together():
    groups = np.arange(1000) % 100
    model = AbstainingClassifier(Spied(), random_state=0)
    model.fit(LIKELY, LABELS, groups=groups)
    inside = (LIKELY[:, None, 0] == model.estimator_.seen_[None, :, 0]).any(axis=1)
    assert 0 < len(set(groups[~inside])) == 100 - len(set(groups[inside]))


# -- prediction sets -----------------------------------------------------------


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_coverage_is_what_was_promised(method):
    """Over 20 splits, for overconfident probabilities and a task with gaps."""
    sharp = softmax(2 * LOGITS, axis=1)
    gaps = np.where(RNG.rand(1000) < 0.7, LABELS, None)
    y = pd.DataFrame({"one": LABELS, "two": gaps})
    found = []
    for seed in range(20):
        drawn = np.random.RandomState(seed).permutation(1000)
        known, new = drawn[:500], drawn[500:]
        sets = prediction_sets(
            [sharp[new]] * 2,
            [CLASSES] * 2,
            y.iloc[known],
            [sharp[known]] * 2,
            coverage=0.9,
            method=method,
            random_state=seed,
        )
        found.append(prediction_set_report(y.iloc[new], sets))
    mean = sum(found) / len(found)
    assert mean["coverage"].between(0.88, 0.92).all()
    assert mean["size"].between(1, 3).all()


def test_sets_by_hand():
    known = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.4, 0.6]])
    new = np.array([[0.95, 0.05], [0.5, 0.5], [0.3, 0.7]])
    y = list("ffmm")  # scores 0.1, 0.8, 0.6, 0.4
    sets = prediction_sets(new, ["f", "m"], y, known, coverage=0.6)["task0"]
    assert sets.tolist() == [frozenset("f"), frozenset("fm"), frozenset("m")]
    whole = prediction_sets(new, ["f", "m"], y, known, coverage=0.9)["task0"]
    assert whole.tolist() == [frozenset("fm")] * 3
    # A label that the model does not know is in no set of its classes.
    strange = prediction_sets(new, ["f", "m"], list("xxxx"), known, coverage=0.5)
    assert strange["task0"].tolist() == [frozenset("fm")] * 3


def test_sets_of_sets_hold_all_labels():
    inside = RNG.rand(600, 3) < LIKELY[:600] ** 0.5
    labels = [frozenset(np.array(CLASSES)[row].tolist()) for row in inside]
    y = pd.DataFrame({"likes": pd.Series(labels, dtype=object)})
    likely = [LIKELY[:600] ** 0.5]
    sets = prediction_sets(
        [likely[0][:300]], [CLASSES], y[300:], [likely[0][300:]], coverage=0.8
    )
    report = prediction_set_report(y[:300], sets).loc["likes"]
    assert 0.72 < report["coverage"] < 0.88
    assert report["n_single"] == (sets["likes"].map(len) == 1).sum()


def test_the_classifier_gives_the_same_sets():
    frozen = FrozenEstimator(Known(2).fit(LIKELY, LABELS))
    y = pd.DataFrame({"one": LABELS, "two": LABELS})
    model = PredictionSetClassifier(frozen, method="aps", random_state=3)
    model.fit(LIKELY[:500], y[:500])
    assert model.n_held_out_.tolist() == [500, 500]
    found = model.predict_sets(LIKELY[500:])
    expected = prediction_sets(
        [LIKELY[500:]] * 2,
        [CLASSES] * 2,
        y[:500],
        [LIKELY[:500]] * 2,
        method="aps",
        random_state=3,
    )
    assert found.tolist() == expected.to_numpy().tolist()
    assert found[:7].tolist() == model.predict_sets(LIKELY[500:507]).tolist()
    named = model.set_output(predict="pandas").predict_sets(LIKELY[500:])
    assert named["two"].tolist() == expected["two"].tolist()
    assert model.score(LIKELY[500:], y[500:]) == np.mean(
        model.predict(LIKELY[500:])["one"] == LABELS[500:]
    )


def test_sets_are_those_of_mapie():
    classification = pytest.importorskip("mapie.classification")
    frozen = Known().fit(LIKELY, LABELS)
    numbers = np.array([CLASSES.index(label) for label in LABELS])
    frozen.classes_ = np.arange(3)
    theirs = classification.SplitConformalClassifier(
        frozen, confidence_level=0.9, conformity_score="lac", prefit=True
    ).conformalize(LIKELY[:500], numbers[:500])
    _, inside = theirs.predict_set(LIKELY[500:])
    ours = prediction_sets(LIKELY[500:], [0, 1, 2], numbers[:500], LIKELY[:500])
    expected = [frozenset(np.flatnonzero(row[:, 0]).tolist()) for row in inside]
    assert ours["task0"].tolist() == expected


def test_reports_refuse_what_is_no_set():
    with pytest.raises(TargetError, match="same users and tasks"):
        prediction_set_report(["f"], [{"f"}, {"m"}])
    for sets in ([None, {"f"}], ["f", "m"]):
        with pytest.raises(TargetError, match="sets must hold a set for each user"):
            prediction_set_report(["f", "f"], sets)
    assert np.isnan(prediction_set_report([None], [{"f"}])["coverage"].item())
