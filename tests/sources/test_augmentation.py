"""Profiles behind messages: written as in the paper, predicted without the labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.estimators import TextCNNClassifier
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources import ProfileAugmenter, SourceUnion, SubwordSegmenter

LABELS = ["Stars", "Favorite Category"]


def users(n_users=12):
    """A table in which the user's number is the only thing to know."""
    return pd.DataFrame(
        {
            "reviews": [[f"user {i}", "tea"] for i in range(n_users)],
            "number": range(n_users),
            "Stars": [1 + i % 5 for i in range(n_users)],
            "Favorite Category": [
                {"Pizza", "Coffee"} if i % 2 else {"Pizza"} for i in range(n_users)
            ],
        },
        index=[f"u{i}" for i in range(n_users)],
    )


class Memory(ClassifierMixin, BaseEstimator):
    """Knows the labels of whom it was shown, and says 0 and nothing of others."""

    seen_columns: list[list[str]] = []

    def fit(self, X, y):
        type(self).seen_columns.append(list(X))
        table = np.asarray(y, dtype=object)
        self.labels_ = dict(zip(X["number"], table, strict=True))
        self.task_names_ = list(y)
        return self

    def predict(self, X):
        unknown = np.array([0, frozenset({"none"})], dtype=object)
        return np.array([self.labels_.get(i, unknown) for i in X["number"]])


def augmenter(**params):
    return ProfileAugmenter(
        Memory(), **{"messages": "reviews", "profile": LABELS, **params}
    )


def test_profiles_are_written_as_in_the_paper():
    table = users()
    found = augmenter().fit(table).transform(table.drop(columns=LABELS))
    assert list(found) == ["reviews", "number"]
    assert found.index.equals(table.index)
    assert found["reviews"].iloc[3] == [
        "user 3", "tea", "Stars: 4; Favorite Category: Coffee, Pizza",
    ]  # fmt: skip
    assert found["reviews"].iloc[4][-1] == "Stars: 5; Favorite Category: Pizza"
    assert table["reviews"].iloc[3] == ["user 3", "tea"]


def test_nobody_gets_his_own_labels_in_training():
    table = users()
    Memory.seen_columns.clear()
    model = augmenter(cv=3, random_state=0)
    found = model.fit_transform(table)
    last = {messages[-1] for messages in found["reviews"]}
    assert last == {"Stars: 0; Favorite Category: none"}
    # Neither does anybody learn from the columns of labels.
    assert Memory.seen_columns == [["reviews", "number"]] * 4
    # Later users get the classifier of all.
    later = model.transform(table)
    assert later["reviews"].iloc[0][-1] == "Stars: 1; Favorite Category: Pizza"
    assert list(later) == ["reviews", "number"]


def test_users_without_labels_learn_and_are_predicted_by_all():
    table = users()
    table.loc[["u2", "u5"], "Stars"] = None
    table["Favorite Category"] = table["Favorite Category"].astype(object)
    table.loc["u2", "Favorite Category"] = None
    fitted = []

    class Watched(Memory):
        def fit(self, X, y):
            fitted.append(set(X.index))
            return super().fit(X, y)

    model = clone(augmenter()).set_params(estimator=Watched(), cv=KFold(4))
    found = model.fit_transform(table)
    assert all("u2" in rows for rows in fitted)
    assert [len(rows) for rows in fitted] == [12, 9, 9, 9, 10]
    # All that is known of them is nothing, which is written as nothing.
    assert found["reviews"].loc["u2"][-1] == ""
    # Of u5 one label is known: it was held out, with all that it says.
    assert found["reviews"].loc["u5"][-1] == "Stars: 0; Favorite Category: none"
    assert model.transform(table)["reviews"].loc["u3"][-1].startswith("Stars: 4; ")


def test_behind_every_message_or_as_one():
    table = users(4)
    table.loc["u1", "reviews"] = None
    found = augmenter(separator=" | ").fit(table).transform(table)["reviews"]
    profile = "Stars: 1; Favorite Category: Pizza"
    assert found.iloc[0] == [f"user 0 | {profile}", f"tea | {profile}"]
    assert found.iloc[1] == ["Stars: 2; Favorite Category: Coffee, Pizza"]
    named = augmenter(task_names=["Sterne", "Art"]).fit(table).transform(table)
    assert named["reviews"].iloc[1] == ["Sterne: 2; Art: Coffee, Pizza"]


def test_a_fitted_classifier_is_used_as_it_is():
    table = users()
    inputs = table.drop(columns=LABELS)
    fitted = Memory().fit(inputs.iloc[:6], table[LABELS].iloc[:6])
    for estimator in (fitted, make_pipeline("passthrough", fitted)):
        model = ProfileAugmenter(estimator, messages="reviews", cv="prefit")
        found = model.fit_transform(inputs)
        assert model.estimator_ is estimator
        assert found["reviews"].iloc[0][-1] == "Stars: 1; Favorite Category: Pizza"
        assert found["reviews"].iloc[7][-1] == "Stars: 0; Favorite Category: none"
        assert found.equals(model.fit(inputs).transform(inputs))
    del fitted.task_names_
    unnamed = ProfileAugmenter(fitted, messages="reviews", cv="prefit")
    with pytest.raises(TargetError, match="give task_names"):
        unnamed.fit(inputs)
    unnamed.set_params(task_names=["a"])
    with pytest.raises(TargetError, match=r"predicts 2 tasks; task_names has 1"):
        unnamed.fit_transform(inputs)
    with pytest.raises(NotFittedError):
        ProfileAugmenter(make_tfidf_baseline(), cv="prefit", messages="reviews").fit(
            inputs
        )


def test_the_seed_decides_the_folds():
    table = users()

    class Crowd(Memory):
        def predict(self, X):
            total = sum(self.labels_)
            return np.array([[total, frozenset({"x"})]] * len(X), dtype=object)

    def profiles(seed):
        model = augmenter(random_state=seed).set_params(estimator=Crowd())
        return model.fit_transform(table)["reviews"].tolist()

    assert profiles(0) == profiles(0) != profiles(1)


def test_with_the_classifiers_of_the_package():
    table = users(10)
    labels = table[["Stars"]]
    segmenter = SubwordSegmenter(n_tokens=280)
    segmented = SourceUnion([("text", segmenter, "reviews")])
    network = TextCNNClassifier(
        n_filters=2, kernel_sizes=(1,), n_filters_second=4, n_dimensions=4,
        n_hidden=(4,), n_shared=4, max_epochs=1, random_state=0,
    )  # fmt: skip
    for estimator in (
        make_tfidf_baseline(column="reviews"),
        make_pipeline(segmented, network),
    ):
        model = ProfileAugmenter(estimator, messages="reviews", cv=2, random_state=0)
        found = model.fit_transform(table.drop(columns=LABELS), labels)
        assert all(m[-1].startswith("Stars: ") for m in found["reviews"])


def test_before_a_classifier_of_another_target():
    table = users(12)
    sentiment = np.arange(12) % 2
    model = make_pipeline(
        augmenter(cv=3, random_state=0), make_tfidf_baseline(column="reviews")
    )
    assert model.fit(table, sentiment).predict(table).shape == (12,)
    scores = cross_val_score(model, table, sentiment, cv=2)
    assert np.isfinite(scores).all()


def test_no_users_and_no_more_folds_than_users():
    table = users(3)
    model = augmenter(cv=10, random_state=0)
    assert len(model.fit_transform(table)) == 3
    assert len(model.transform(table.iloc[:0])) == 0


def test_errors():
    table = users(4)
    with pytest.raises(SourceError, match="takes a DataFrame of users; got list"):
        augmenter().fit([["x"]])
    with pytest.raises(SourceError, match=r"reads the columns \['Stars'\]; X has"):
        augmenter().fit(table.drop(columns="Stars"))
    with pytest.raises(SourceError, match=r"reads the columns \['reviews'\]"):
        augmenter().fit(table).transform(table.drop(columns="reviews"))
    with pytest.raises(TargetError, match="needs labels of profiles"):
        augmenter(profile=None).fit(table)
    with pytest.raises(TargetError, match=r"must name 2 tasks.*got 1: \['a'\]"):
        augmenter(task_names=["a"]).fit(table)
    lone = table.copy()
    lone[LABELS] = lone[LABELS].astype(object)
    lone.loc["u1":, LABELS] = None
    with pytest.raises(TargetError, match="takes two such users; got 1"):
        augmenter().fit_transform(lone)
    with pytest.raises(TargetError, match=r"held out 0 times|held out \d times"):
        augmenter(cv=ShuffleSplit(2, random_state=0)).fit_transform(table)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        augmenter(profile=None).fit(table, table[LABELS].iloc[:2])
    with pytest.raises(NotFittedError):
        augmenter().transform(table)
