"""Temperatures: found, weighed, harmless to predictions, of sets and of few users."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from skorch.helper import SliceDict

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import TemperatureScaledClassifier
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources._grouped import GroupedSources

RNG = np.random.RandomState(0)
LOGITS = RNG.normal(size=(1500, 3)) * 2
LABELS = np.array(
    ["abc"[RNG.choice(3, p=row)] for row in softmax(LOGITS, axis=1)], dtype=object
)


class Given(ClassifierMixin, BaseEstimator):
    """Takes the logits times a factor for what it learned."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique([label for label in y if label is not None])
        self.weighed_ = sample_weight is not None
        return self

    def predict_proba(self, X):
        return softmax(self.factor * np.asarray(X), axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(factor):
    model = TemperatureScaledClassifier(Given(factor), random_state=0)
    model.fit(LOGITS, LABELS)
    assert abs(model.temperatures_[0] / factor - 1) < 0.1
    np.testing.assert_allclose(
        model.predict_proba(LOGITS),
        softmax(LOGITS * factor / model.temperatures_[0], axis=1),
        atol=1e-8,
    )
    np.testing.assert_allclose(
        np.exp(model.predict_log_proba(LOGITS)), model.predict_proba(LOGITS)
    )
    assert (
        model.predict(LOGITS).tolist()
        == Given().fit(0, LABELS).predict(LOGITS).tolist()
    )
    assert model.score(LOGITS, LABELS) == np.mean(model.predict(LOGITS) == LABELS)


def test_weights_count_labels():
    labels = LABELS.copy()
    labels[750:] = np.roll(labels[750:], 1)  # wrong
    weights = np.r_[np.ones(750), np.zeros(750)]
    model = TemperatureScaledClassifier(Given(), random_state=0)
    right = model.fit(LOGITS, labels, weights).temperatures_[0]
    assert model.estimator_.weighed_
    alike = model.fit(LOGITS, labels, np.ones(1500)).temperatures_[0]
    plain = model.fit(LOGITS, labels).temperatures_[0]
    assert abs(right - 1) < 0.15
    assert alike == plain > 1.5


def test_several_tasks_with_gaps_and_sets():
    y = pd.DataFrame({"one": LABELS, "two": [None] * 1410 + ["x", "y"] * 45})
    y.loc[:500, "one"] = None
    y["sets"] = pd.Series([{"u", "v"}, {"u"}, set(), None] * 375, dtype=object)
    inner = MaskedMultiOutputClassifier(LogisticRegression())
    model = TemperatureScaledClassifier(inner, random_state=0).fit(LOGITS, y)
    assert model.temperatures_[1] == 1  # too few labels
    assert model.task_names_ == ["one", "two", "sets"]
    inner.fit(LOGITS, y)
    assert model.predict(LOGITS).tolist() == inner.predict(LOGITS).tolist()
    for temperature, found, bare in zip(
        model.temperatures_,
        model.predict_proba(LOGITS),
        inner.predict_proba(LOGITS),
        strict=True,
    ):
        if temperature == 1:
            np.testing.assert_allclose(found, bare, atol=1e-9)
    for logs, likely in zip(
        model.predict_log_proba(LOGITS), model.predict_proba(LOGITS), strict=True
    ):
        np.testing.assert_allclose(np.exp(logs), likely)
    assert model.n_features_in_ == 3


def test_few_users_and_errors():
    few = TemperatureScaledClassifier(Given()).fit(LOGITS[:10], LABELS[:10])
    assert few.temperatures_.tolist() == [1]
    with pytest.raises(TargetError, match="requires y"):
        few.fit(LOGITS, None)


def test_who_knows_nothing_gives_the_shares():
    drawn = np.where(RNG.random_sample(1500) < 0.6, "a", "b").astype(object)
    noise = RNG.normal(size=(1500, 2))
    y = pd.DataFrame({"drawn": drawn, "known": np.where(noise[:, 0] > 0, "x", "y")})
    y["sets"] = pd.Series(
        [{"u"} if p < 0.7 else {"v"} for p in RNG.random_sample(1500)], dtype=object
    )
    inner = MaskedMultiOutputClassifier(LogisticRegression(C=1e3))
    many = np.hstack([noise, RNG.normal(size=(1500, 60))])
    model = TemperatureScaledClassifier(inner, mix_shares=True, random_state=0).fit(
        many, y
    )
    assert model.share_weights_.tolist() == [1, 0, 1]
    share = np.mean(drawn == "a")
    likely = model.predict_proba(many)
    np.testing.assert_allclose(likely[0], np.tile([share, 1 - share], (1500, 1)))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(many)[0]), likely[0])
    predicted = model.predict(many)
    assert set(predicted[:, 0]) == {"a"}
    assert set(predicted[:, 2]) == {frozenset("u")}
    assert np.mean(predicted[:, 1] == y["known"]) > 0.95
    assert model.score(many, y[["drawn", "known", "sets"]]) > 0.7
    alone = TemperatureScaledClassifier(
        LogisticRegression(C=1e3), mix_shares=True, random_state=0
    ).fit(many, drawn)
    assert set(alone.predict(many)) == {"a"}
    plain = TemperatureScaledClassifier(inner, random_state=0).fit(many, y)
    assert plain.share_weights_.tolist() == [0, 0, 0]
    assert len(set(plain.predict(many)[:, 0])) == 2


def test_shares_are_mixed_in_as_far_as_they_help():
    drawn = RNG.random_sample(3000) < 0.8
    y = np.where(drawn, "a", "b").astype(object)
    # right for a third of the users, and anything for the others
    informed = RNG.random_sample(3000) < 1 / 3
    sides = np.where(informed, np.where(drawn, 3.0, -3.0), RNG.normal(0, 3, 3000))
    logits = np.column_stack([sides, -sides])
    learned, tested = slice(0, 2000), slice(2000, None)

    def loss(*, mix_shares):
        model = TemperatureScaledClassifier(
            Given(), mix_shares=mix_shares, random_state=0
        ).fit(logits[learned], y[learned])
        likely = model.predict_proba(logits[tested])
        assert (model.predict(logits[tested]) == model.classes_[likely.argmax(1)]).all()
        wanted = np.where(drawn[tested], likely[:, 0], likely[:, 1])
        return -np.log(wanted).mean(), model

    plain, mixed = loss(mix_shares=False), loss(mix_shares=True)
    assert 0.2 < mixed[1].share_weights_[0] < 0.9
    np.testing.assert_allclose(mixed[1].shares_[0], [0.8, 0.2], atol=0.02)
    assert mixed[0] < plain[0] - 0.02


def test_shares_need_the_classes_of_the_labels():
    class Reversed(Given):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.classes_ = self.classes_[::-1]
            return self

    model = TemperatureScaledClassifier(Reversed(), mix_shares=True, random_state=0)
    with pytest.raises(TargetError, match=r"mix_shares: .*\['c', 'b', 'a'\] in place"):
        model.fit(LOGITS, LABELS)


class Demanding(Given):
    """Reads sources that know the classes, as log-odds of experts do."""

    def fit(self, X, y, sample_weight=None):
        assert set(y) == {*LABELS[:-1], "lone"}
        return super().fit(X, y, sample_weight)


def test_who_alone_has_a_class_is_not_held_out():
    logits = np.hstack([LOGITS, np.full((len(LOGITS), 1), -5.0)])
    labels = np.append(LABELS[:-1], "lone")
    model = TemperatureScaledClassifier(Demanding(), random_state=0)
    assert model.fit(logits, labels).temperatures_[0] != 1


class Remembered(ClassifierMixin, BaseEstimator):
    """Is certain of the label of whom it saw, and of the first class for others."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.known_ = dict(zip(X["who"].tolist(), y, strict=True))
        return self

    def predict_proba(self, X):
        known = [self.known_.get(who, "a") for who in X["who"].tolist()]
        return np.where(np.equal.outer(known, self.classes_), 0.9, 0.05)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_rows_of_one_group_are_held_out_together():
    twice = SliceDict(who=np.arange(600) % 300)
    labels = np.tile(LABELS[:300], 2)
    model = TemperatureScaledClassifier(Remembered(), random_state=0)
    remembered = model.fit(twice, labels).temperatures_[0]
    told = model.fit(twice, labels, groups=twice["who"]).temperatures_[0]
    carrying = GroupedSources(**twice)
    carrying.groups = twice["who"]
    carried = model.fit(carrying, labels).temperatures_[0]
    assert remembered < 2
    assert told > 3
    assert carried == told
    # a column of this name is a column
    table = pd.DataFrame({"who": twice["who"], "groups": twice["who"]})
    assert model.fit(table, labels).temperatures_[0] == remembered
