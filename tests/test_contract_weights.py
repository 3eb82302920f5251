"""The contract of every classifier: weights of users, of labels and of classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cases import CASES, labels
from contract import (
    TASKS,
    every_classifier,
    every_net,
    make,
    probabilities,
    same,
    users_of,
)
from sklearn.base import clone

from sklearn_profiling.exceptions import TargetError

OLD = {"gender": {"m": 1.0}, "age": {"70s": 50.0, "80s": 0.02}}


def weigh_classes(model, class_weight, **params):
    """Set weights of classes, of the classifier inside where it has none of its own."""
    own = "class_weight" in model.get_params(deep=False)
    name = "class_weight" if own else "estimator__class_weight"
    return model.set_params(**{name: class_weight}, **params)


def trained(name, y=None, *, class_weight=None, **given):
    """Probabilities of a case trained on its users."""
    X = users_of(name)
    model = weigh_classes(CASES[name].make(), class_weight)
    return probabilities(model.fit(X, labels() if y is None else y, **given), X)


@every_classifier
def test_weights_of_one_change_nothing(name):
    plain = trained(name)
    ones = pd.DataFrame(1, index=range(40), columns=TASKS[::-1])
    assert same(trained(name, sample_weight=np.ones(40)), plain)
    assert same(trained(name, sample_weight=ones.to_numpy().tolist()), plain)
    assert same(trained(name, sample_weight=ones), plain)
    assert same(trained(name, class_weight={"age": {"80s": 1}, "gender": {}}), plain)


@every_classifier
def test_a_label_of_weight_zero_is_a_missing_one(name):
    y = labels()
    weights = pd.DataFrame(
        np.random.RandomState(1).randint(0, 2, (40, 3)).astype(float), columns=TASKS
    )
    missing = trained(name, y.where(weights > 0, None))
    assert same(trained(name, sample_weight=weights[TASKS[::-1]]), missing)
    assert not same(trained(name), missing)


@every_classifier
def test_only_the_proportions_of_weights_matter(name):
    weights = np.random.RandomState(1).uniform(0.5, 2.0, (40, 3))
    once = trained(name, sample_weight=weights)
    assert same(trained(name, sample_weight=2 * weights), once)
    assert not same(trained(name), once)


@every_classifier
def test_classes_are_weighed_as_they_are_counted(name):
    y = labels()
    balanced = trained(name, class_weight="balanced")
    by_hand = {}
    for task in TASKS:
        counts = y[task].value_counts()
        by_hand[task] = (counts.sum() / (len(counts) * counts)).to_dict()
    weighed = trained(name, class_weight=by_hand)
    # Stacking balances the users of each fold, and some are held out of sets.
    apart = {"MetaLearningClassifier", "PredictionSetClassifier"}
    assert same(weighed, balanced) == (name not in apart)
    assert same(trained(name, class_weight=[by_hand[t] for t in TASKS]), weighed)
    assert not same(trained(name), balanced)


@every_classifier
def test_a_heavy_class_is_predicted_more_often(name):
    plain, heavy = trained(name), trained(name, class_weight=OLD)
    assert heavy[1][:, 0].mean() > plain[1][:, 0].mean()
    alone = trained(name, labels()["age"], class_weight=OLD["age"])[0]
    assert alone[:, 0].mean() > trained(name, labels()["age"])[0][:, 0].mean()


@every_classifier
def test_a_class_of_weight_zero_is_kept_and_not_taught(name):
    X, y = users_of(name), labels()
    model = weigh_classes(CASES[name].make(), {"age": {"80s": 0}})
    model = clone(model).fit(X, y)
    assert [len(classes) for classes in model.classes_] == [2, 3, 2]
    assert [p.shape for p in model.predict_proba(X)] == [(40, 2), (40, 3), (40, 2)]
    others = weigh_classes(model, {"age": {"70s": 0, "90s": 0}})
    alone = others.fit(X, y).predict_proba(X)[1][:, 1]
    assert alone.mean() > trained(name)[1][:, 1].mean()


@every_classifier
def test_what_fits_no_label_is_refused(name):
    X, y = users_of(name), labels()
    weights = np.ones((40, 3))
    weights[7, 1] = np.nan
    with pytest.raises(TargetError, match="not negative; got row 7, task 'age', nan"):
        CASES[name].make().fit(X, y, sample_weight=weights)
    with pytest.raises(TargetError, match=r"or \(40, 3\), one a label; got \(40, 2\)"):
        CASES[name].make().fit(X, y, sample_weight=weights[:, :2])
    weights[:, 1] = 0.0
    with pytest.raises(TargetError, match="every label of task 'age' has weight zero"):
        CASES[name].make().fit(X, y, sample_weight=weights)
    model = weigh_classes(CASES[name].make(), {"agee": "balanced"})
    with pytest.raises(TargetError, match="names 'agee', which is none of the tasks"):
        model.fit(X, y)


@every_classifier
def test_sets_have_weights_of_users_but_not_of_classes(name):
    X, y = users_of(name), labels()
    y["likes"] = [[{"tea"}, {"tea", "wine"}, None, {"wine"}][i % 4] for i in range(40)]
    model = weigh_classes(CASES[name].make(), "balanced")
    with pytest.raises(TargetError, match="'likes' holds sets of labels"):
        model.fit(X, y)
    weights = np.random.RandomState(1).randint(0, 2, (40, 4)).astype(float)
    weigh_classes(model, dict.fromkeys(TASKS, "balanced"))
    weighted = probabilities(model.fit(X, y, sample_weight=weights), X)
    missing = probabilities(model.fit(X, y.where(weights > 0, None)), X)
    assert same(weighted, missing)


@every_net
def test_weights_of_users_as_they_come(name):
    X, y = users_of(name), labels()
    weights = pd.DataFrame(
        np.random.RandomState(1).uniform(0.5, 2.0, (40, 3)), columns=TASKS
    )
    with pytest.raises(TargetError, match="partial_fit sees some of them"):
        make(name, class_weight="balanced").partial_fit(X, y)
    model, other, plain = (make(name, class_weight=OLD).fit(X, y) for _ in range(3))
    model.partial_fit(X, y, sample_weight=weights)
    # Columns in another order: an array of weights has those of y.
    turned = TASKS[::-1]
    other.partial_fit(X, y[turned], sample_weight=weights[turned].to_numpy())
    assert same(probabilities(model, X), probabilities(other, X))
    assert not same(probabilities(model, X), probabilities(plain.partial_fit(X, y), X))
    # a warm start balances the users that it sees
    plain.set_params(warm_start=True, class_weight="balanced").fit(X, y)
    assert plain.n_iter_ == 5
