"""Weights of labels and classes: by hand, by name, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.class_weight import compute_class_weight

from sklearn_profiling.estimators import MMLUPClassifier, ODTUPClassifier
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources import SourceUnion
from sklearn_profiling.targets import LabelCodec
from sklearn_profiling.training.label_weights import (
    read_labels,
    resolve_class_weight,
    weigh_labels,
)

Y = pd.DataFrame(
    {"a": ["f", "m", "f", None, "f"], "b": [1, None, 2, 2, 3]}, dtype=object
)
GIVEN = np.array([[1.0, 2.0], [3.0, 5.0], [0.0, 1.0], [7.0, 0.5], [2.0, 0.0]])


def test_weights_of_labels():
    known = read_labels(Y, GIVEN)
    assert known.codec.task_names == ["a", "b"]
    # The only label 3 has weight 0.
    assert [c.tolist() for c in known.codec.classes] == [["f", "m"], [1, 2]]
    assert known.labels.codes.tolist() == [[0, 0], [1, -1], [-1, 1], [-1, 1], [0, -1]]
    expected = [[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 0.5], [2.0, 0.0]]
    assert known.weights.tolist() == expected
    labels, weights = weigh_labels(known, {"a": {"m": 0.5}, "b": None})
    assert labels.codes.tolist() == known.labels.codes.tolist()
    assert weights.given.tolist() == expected
    assert weights.loss[:, 0].tolist() == [1.0, 1.5, 0.0, 0.0, 2.0]
    assert weights.users.tolist() == [2.0, 3.0, 1.0, 0.5, 2.0]
    assert weights.take(np.array([1, 0])).users.tolist() == [3.0, 2.0]


@pytest.mark.parametrize("sample_weight", [None, [1.0, 3.0, 0.5, 1.0, 2.0]])
def test_balanced_as_in_scikit_learn(sample_weight):
    known = read_labels(Y, sample_weight)
    _, weights = weigh_labels(known, "balanced")
    _, plain = weigh_labels(known)
    for task, name in enumerate(Y):
        rows = np.flatnonzero(Y[name].notna())
        classes = known.codec.classes[task]
        factors = compute_class_weight(
            "balanced",
            classes=classes,
            y=Y[name].iloc[rows].to_numpy(),
            sample_weight=None if sample_weight is None else plain.loss[rows, task],
        )
        expected = factors[known.labels.codes[rows, task]] * plain.loss[rows, task]
        np.testing.assert_allclose(weights.loss[rows, task], expected, rtol=1e-15)


def test_classes_that_nobody_has_do_not_count():
    known = read_labels(["f", "m", "m"], None, classes=["f", "m", "x"])
    _, weights = weigh_labels(known, "balanced")
    np.testing.assert_allclose(weights.loss[:, 0], [1.5, 0.75, 0.75])


def test_tables_of_weights_are_read_by_name():
    expected = read_labels(Y, GIVEN).weights
    frame = pd.DataFrame(GIVEN, columns=["a", "b"], index=list("vwxyz"))
    arrow = pl.DataFrame({"b": GIVEN[:, 1], "a": GIVEN[:, 0]})
    numbered = pd.DataFrame(GIVEN)
    for table in (frame[["b", "a"]], arrow, numbered, GIVEN.tolist()):
        np.testing.assert_array_equal(read_labels(Y, table).weights, expected)
    column = pd.Series([1, 2, 3, 4, 5], index=list("vwxyz"), dtype="Int64")
    of_users = read_labels(Y, column).weights
    np.testing.assert_array_equal(read_labels(Y, pl.Series(column)).weights, of_users)
    assert of_users[:, 0].tolist() == [1.0, 2.0, 3.0, 0.0, 5.0]
    assert read_labels(Y, 2.0).weights.max() == 2.0
    codec = LabelCodec.learn(Y)
    turned = read_labels(Y[["b", "a"]], GIVEN[:, ::-1], codec)
    np.testing.assert_array_equal(turned.weights, expected)
    assert turned.table[0].tolist() == ["f", 1]


def test_users_must_have_one_order():
    y = Y.set_axis(list("vwxyz"))
    weights = pd.DataFrame(GIVEN, columns=["a", "b"], index=list("vwxyz"))
    expected = read_labels(y, weights).weights
    for same in (weights.set_axis(range(5)), weights.set_axis(list("aabbc"))):
        np.testing.assert_array_equal(read_labels(y, same).weights, expected)
    turned = weights.iloc[::-1]
    for other in (turned, turned["a"]):
        with pytest.raises(TargetError, match="same index in another order"):
            read_labels(y, other)
    found = read_labels(y, turned.loc[y.index]).weights
    np.testing.assert_array_equal(found, expected)


def test_weights_of_labels_are_routed():
    generator = np.random.RandomState(0)
    users = pd.DataFrame({"a": generator.normal(size=24), "b": np.arange(24.0)})
    y = pd.DataFrame({"gender": ["f", "m"] * 12, "age": [1, 1, 2, 2] * 6})
    trust = pd.DataFrame(generator.uniform(size=(24, 2)), columns=["age", "gender"])
    net = MMLUPClassifier(max_epochs=1, random_state=0)
    union = SourceUnion([("v", "passthrough", ["a", "b"])])
    with config_context(enable_metadata_routing=True):
        asking = clone(net).set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        system = make_pipeline(union, asking)
        system.set_score_request(sample_weight=True)  # asked for by scikit-learn 1.7
        search = GridSearchCV(
            system,
            {"mmlupclassifier__n_shared": [8]},
            cv=KFold(2),
        ).fit(users, y, sample_weight=trust)
        expected = search.predict_proba(users)
    by_hand = make_pipeline(union, clone(net).set_params(n_shared=8))
    by_hand.fit(users, y, mmlupclassifier__sample_weight=trust)
    for one, other in zip(by_hand.predict_proba(users), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(search.best_score_)
    assert by_hand.score(users, y, sample_weight=trust) != by_hand.score(users, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.full(5, -0.5), r"not negative; got row 0, -0\.5"),
        ([1, 1, np.inf, 1, 1], "finite and not negative; got row 2, inf"),
        (np.where(GIVEN == 0.5, np.nan, 1), "got row 3, task 'b', nan"),
        (pd.DataFrame({"a": [1] * 5, "b": [1, 1, None, 1, 1]}), "row 2, task 'b', nan"),
        (-1, r"not negative; got -1\.0"),
        (np.ones(4), r"shape \(5,\), one weight a user, or \(5, 2\).*got \(4,\)"),
        (np.ones((5, 3)), r"got \(5, 3\)"),
        (np.ones((2, 5)), r"got \(2, 5\)"),
        (np.ones((5, 2, 1)), r"got \(5, 2, 1\)"),
        (["much"] * 5, "sample_weight must hold numbers"),
        (pd.DataFrame({"a": [1] * 5}), r"column a task, \['a', 'b'\]; it has \['a'\]"),
        (pd.DataFrame(1, index=range(5), columns=["a", "c"]), r"has \['a', 'c'\]"),
        (np.zeros(5), "no user has both a label and a sample_weight above zero"),
        (GIVEN * [0, 1], "every label of task 'a' has weight zero"),
    ],
)
def test_unusable_weights_are_refused(weights, message):
    with pytest.raises(TargetError, match=message):
        read_labels(Y, weights)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("even", "None, 'balanced', a mapping, or a list with one.*got even"),
        (["balanced"], "each of the 2 tasks.*got 1 of them"),
        ({"f": 1.0, "m": 2.0}, r"must name tasks, since y has \['a', 'b'\]"),
        ({"c": "balanced"}, r"names 'c', which is none of the tasks \['a', 'b'\]"),
        ({"a": "even"}, "class_weight of task 'a' must be 'balanced', None or a map"),
        ({"a": {"x": 1.0}}, r"task 'a' names 'x', which is none of its classes \['f'"),
        ({"a": {"f": -1}}, "task 'a': class 'f' needs a finite weight.*got -1"),
        ({"a": {"f": np.nan}}, "class 'f' needs a finite weight.*got nan"),
        ([None, {1: np.inf}], "task 'b': class 1 needs a finite weight.*got inf"),
        ({"b": {1: "2"}}, "class 1 needs a finite weight.*got '2'"),
        ({"a": {"f": 0, "m": 0}}, "every label of task 'a' has weight zero"),
    ],
)
def test_unusable_weights_of_classes_are_refused(given, message):
    with pytest.raises(TargetError, match=message):
        weigh_labels(read_labels(Y), given)


def test_one_task_needs_no_name():
    codec = LabelCodec.learn(Y["b"])
    full = {1: 2.0, 2: 1.0, 3: 1.0}
    for given in ({1: 2}, {"b": {1: 2}}, [{1: 2}]):
        assert resolve_class_weight(given, codec) == [full]
    assert resolve_class_weight({}, codec) == [None]
    # A fold may lack a class, if none is left to be named.
    assert resolve_class_weight({**full, 4: 9.0}, codec) == [full]
    numbered = LabelCodec.learn(Y.set_axis([0, 1], axis=1))
    assert resolve_class_weight({1: "balanced"}, numbered) == [None, "balanced"]


def test_sets_have_no_weight_of_a_class():
    y = pd.DataFrame({"a": ["f", "m"], "likes": [{"tea"}, {"tea", "wine"}]})
    known = read_labels(y, [[1, 0], [1, 1]])
    assert known.labels.members[1].tolist() == [[False, False], [True, True]]
    with pytest.raises(TargetError, match=r"sets of labels.*\{'a': 'balanced'\}"):
        weigh_labels(known, "balanced")
    labels, weights = weigh_labels(known, {"a": {"f": 0.0}})
    assert labels.codes.tolist() == [[-1, -1], [1, 0]]
    assert weights.users.tolist() == [0.0, 1.0]


def test_a_net_without_users_to_train_on():
    X, y = np.eye(4), [["f", None], ["m", None], [None, "x"], [None, "y"]]
    model = MMLUPClassifier(max_epochs=1).fit(X, y)
    with pytest.raises(TargetError, match="no user has a label of weight above zero"):
        model.set_params(class_weight={"task0": {"f": 0}}).partial_fit(
            X[:1], [["f", None]]
        )


def test_validation_users_have_their_weights():
    generator = np.random.RandomState(0)
    X = generator.normal(size=(40, 3))
    y = pd.DataFrame({"a": ["f", "m"] * 20, "b": ["x"] * 20 + ["y"] * 20})
    model = MMLUPClassifier(
        max_epochs=1, early_stopping=True, validation_fraction=0.5, random_state=0
    )
    weights = generator.uniform(0.1, 1.0, size=(40, 2))
    # What is learned of the sources follows from the weightiest label of a user.
    weights[:, 0] = 2.0
    first = model.fit(X, y, weights).history_[0]
    validation = np.random.RandomState(model._seed).permutation(40)[:20]
    weights[validation, 1] = generator.uniform(0.1, 1.0, size=20)
    second = model.fit(X, y, weights).history_[0]
    assert first["train_loss"] == second["train_loss"]
    assert first["valid_loss"] != second["valid_loss"]


def test_tokens_have_the_weight_of_their_label():
    """The loss of a profile is the weighted mean of what its labels cost."""
    X = np.array([[1, 2], [2, 0], [3, 1], [1, 1]])
    y = pd.DataFrame({"a": list("fmfm"), "b": list("xxyy")})
    weights = np.array([[1.0, 2.0], [3.0, 0.5], [0.5, 1.0], [2.0, 4.0]])
    model = ODTUPClassifier(max_epochs=1, dtype="float64", random_state=0).fit(X, y)

    def loss(weights):
        known = read_labels(y, weights, model._codec)
        dataset = model._dataset_of(
            model._sources_of({"text": X}, again=True), *weigh_labels(known)
        )
        batch = dataset.__getitems__([0, 1, 2, 3])
        return model.net_.validation_step(batch)["loss"]

    alone = torch.zeros(4, 2, dtype=torch.float64)
    for user in range(4):
        for task in range(2):
            one = np.zeros((4, 2))
            one[user, task] = 1.0
            alone[user, task] = loss(one)
    shares = torch.from_numpy(weights / weights.sum(axis=0))
    torch.testing.assert_close(loss(weights), (shares * alone).sum())
