"""One rule for each kind of label, the same wherever labels are read."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from cases import CASES, labels, sourced_users
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sklearn_profiling.baselines import (
    MaskedMultiOutputClassifier,
    NaiveBayesRidgeClassifier,
    OutOfFoldLogits,
)
from sklearn_profiling.datasets import users_from_messages
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    TaskScorer,
    compare,
    cross_val_predict_proba,
)
from sklearn_profiling.exceptions import DataFormatError, TargetError
from sklearn_profiling.targets import LabelCodec, label_table

Colour = enum.Enum("Colour", ["RED", "BLUE"])
Level = enum.IntEnum("Level", ["LOW", "HIGH"])


class Word(enum.StrEnum):
    """Labels that are texts too."""

    YES = "yes"
    NO = "no"


DAYS = ("2020-01-01", "2021-06-30")
# What stands in y, and the label that it is.
KINDS = {
    "bool": [(True, True), (False, False)],
    "numpy's bool": [(np.True_, True), (np.False_, False)],
    "int": [(1, 1), (2, 2)],
    "numpy's int": [(np.int64(1), 1), (np.int64(2), 2)],
    "float": [(1.0, 1.0), (2.0, 2.0)],
    "large int": [(2**63, 2**63), (-1, -1)],
    "text": [("a", "a"), (" b", " b")],
    "numpy's text": [(np.str_("a"), "a"), (np.str_("b"), "b")],
    "bytes": [(b"a", b"a"), (b"a\0", b"a\0")],
    "numpy's bytes": [(np.bytes_(b"a"), b"a"), (np.bytes_(b"b"), b"b")],
    "date": [(dt.date(2020, 1, 1),) * 2, (dt.date(2021, 1, 1),) * 2],
    "Timestamp": [(pd.Timestamp(day),) * 2 for day in DAYS],
    "datetime64": [(np.datetime64(day, "ns"), pd.Timestamp(day)) for day in DAYS],
    "datetime64 of days": [(np.datetime64(day), pd.Timestamp(day)) for day in DAYS],
    "timedelta64": [(np.timedelta64(n, "s"), pd.Timedelta(n, "s")) for n in (1, 2)],
    "Period": [(pd.Period(year, "Y"),) * 2 for year in ("2020", "2021")],
    "Interval": [(pd.Interval(n, n + 1),) * 2 for n in (0, 1)],
    "Decimal": [(Decimal("1.5"),) * 2, (Decimal(2),) * 2],
    "Enum": [(Colour.RED, Colour.RED), (Colour.BLUE, Colour.BLUE)],
    "IntEnum": [(Level.LOW, Level.LOW), (Level.HIGH, Level.HIGH)],
    "text Enum": [(Word.YES, Word.YES), (Word.NO, Word.NO)],
    "tuple": [((1, 2), (1, 2)), ((3,), (3,))],
    "int and text": [(1, 1), ("1", "1")],
    "set": [({"a"}, frozenset("a")), (["b", "c"], frozenset("bc"))],
    "set with nulls": [
        ({"a", None, ""}, frozenset("a")),
        (["b", pd.NA, float("nan"), " "], frozenset("b")),
    ],
}
MISSING = [
    None,
    float("nan"),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT", "ns"),
    "",
    " \n",
    [None],
]


def column(cells):
    """Cells as they are: pandas would convert some."""
    made = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):
        made[row] = cell
    return pd.Series(made, dtype=object)


def typed(labels):
    return {(type(label), label) for label in labels}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_codec_returns_labels_of_the_given_kind(kind, data):
    some = st.sampled_from(KINDS[kind] + [(cell, None) for cell in MISSING])
    drawn = [*KINDS[kind], *data.draw(st.lists(some, max_size=9))]
    drawn = data.draw(st.permutations(drawn))
    y = column([cell for cell, _ in drawn])
    codec = LabelCodec.learn(y)
    encoded = codec.encode(y)
    expected = [label for _, label in drawn]
    known = [label for label in expected if label is not None]
    if codec.set_valued[0]:
        assert typed(codec.classes[0]) == typed(frozenset().union(*known))
        likely = encoded.members[0].astype(float)
    else:
        assert typed(codec.classes[0].tolist()) == typed(known)
        likely = np.eye(len(codec.classes[0]))[encoded.codes[:, 0]]
    assert (encoded.codes[:, 0] < 0).tolist() == [label is None for label in expected]
    decoded = codec.decode([likely]).tolist()
    for label, found in zip(expected, decoded, strict=True):
        if label is not None:
            assert (type(found), found) == (type(label), label)


@pytest.mark.parametrize("kind", KINDS)
def test_every_user_of_labels_takes_every_kind(kind):
    n_users = 12
    cells = [KINDS[kind][row % 2][0] for row in range(n_users)]
    y = pd.DataFrame({"t": column(cells), "u": ["x", "x", "y"] * 4})
    X = np.random.RandomState(0).normal(size=(n_users, 2))
    model = MaskedMultiOutputClassifier(LogisticRegression())
    folds = MultiTaskStratifiedKFold(2, random_state=0)
    model.fit(X, y)
    known = typed(label for _, label in KINDS[kind])
    if not kind.startswith("set"):
        assert typed(model.predict(X)[:, 0].tolist()) <= known
    result = compare({"model": model}, X, y, cv=folds)
    assert result.failures.empty
    assert 0 <= TaskScorer()(model, X, y) <= 1
    likely = cross_val_predict_proba(model, X, y, cv=folds)
    assert likely.probabilities[0].shape[0] == n_users
    assert typed(likely.predictions[:, 0].tolist()) <= known or "set" in kind
    logits = OutOfFoldLogits(random_state=0).fit_transform(np.abs(X), y)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.startswith("set")])
def test_one_task_of_any_kind(kind):
    y = column([cell for cell, _ in KINDS[kind]] * 2)
    X = np.array([[3, 0], [0, 2], [1, 0], [0, 1]])
    model = NaiveBayesRidgeClassifier().fit(X, y)
    expected = [label for _, label in KINDS[kind]] * 2
    assert typed(model.predict(X).tolist()) == typed(expected)
    assert (label_table(model.predict(X))[0][:, 0] == label_table(y)[0][:, 0]).all()


@pytest.mark.parametrize("cell", ["", {"a"}])
def test_one_task_has_one_class_of_each_user(cell):
    y = column([cell, "a" if cell == "" else {"b"}])
    with pytest.raises(TargetError, match="learns one class of each user; for sets"):
        NaiveBayesRidgeClassifier().fit([[1, 0], [0, 1]], y)


@pytest.mark.parametrize(
    "name", ["MMLUPClassifier", "MetaLearningClassifier", "TemperatureScaledClassifier"]
)
@pytest.mark.parametrize("kind", ["IntEnum", "datetime64", "large int"])
def test_nets_return_labels_of_the_given_kind(name, kind):
    y = labels()[["gender"]]
    y["gender"] = column(
        [{"f": KINDS[kind][0][0], "m": KINDS[kind][1][0]}.get(c) for c in y["gender"]]
    )
    users = sourced_users()
    model = CASES[name].make().fit(users, y)
    known = typed(label for _, label in KINDS[kind])
    assert typed(model.classes_[0].tolist()) == known
    assert typed(model.predict(users)[:, 0].tolist()) <= known
    assert 0 <= model.score(users, y) <= 1


@pytest.mark.parametrize("cells", [[1, 1.0, Decimal(1)], [Decimal(1), 1.0, 1]])
def test_equal_numbers_are_one_class_whatever_their_order(cells):
    codec = LabelCodec.learn(column([*cells, "x"]))
    assert [(type(c), c) for c in codec.classes[0]] == [(int, 1), (str, "x")]
    assert codec.encode(column(cells)).codes[:, 0].tolist() == [0, 0, 0]
    numbers = LabelCodec.learn(column([np.int64(2), 1, np.int64(1)]))
    assert numbers.classes[0].dtype.kind == "i"


@pytest.mark.parametrize(
    "cells", [[True, 2], [1.0, None, False], [np.True_, np.int8(3)], [{True}, {"a", 0}]]
)
def test_booleans_are_no_numbers(cells):
    with pytest.raises(TargetError, match=r"row \d: task 'task0' holds booleans and n"):
        label_table(column(cells))


def test_given_classes_follow_the_rules():
    with pytest.raises(TargetError, match="task 'task0' holds booleans and numbers"):
        LabelCodec.learn(["a"], [True, 2])
    with pytest.raises(TargetError, match="labels must be hashable; task 'task0'"):
        LabelCodec.learn(["a"], [{}])


@pytest.mark.parametrize("cell", [{}, np.zeros(2), ([],), [["a"]], {frozenset("a")}])
def test_labels_without_a_hash_are_refused_wherever_they_are_read(cell):
    y = pd.DataFrame({"t": column(["a", cell, "b", "c"])})
    X = np.zeros((4, 1))
    model = MaskedMultiOutputClassifier(LogisticRegression())
    for use in (
        lambda: model.fit(X, y),
        lambda: list(MultiTaskStratifiedKFold(2).split(X, y)),
        lambda: compare({"model": model}, X, y, cv=2),
    ):
        with pytest.raises(TargetError, match="must be hashable; task 't', row 1 hol"):
            use()


def test_only_categories_that_occur_are_classes_in_the_order_of_labels():
    y = pd.Series(pd.Categorical(["b", None, "a"], categories=["c", "b", "a"]))
    assert LabelCodec.learn(y).classes[0].tolist() == ["a", "b"]


def test_tables_follow_the_same_rules():
    def read(cells):
        frame = pd.DataFrame({"id": ["a", "b", "c"], "text": "x", "t": column(cells)})
        users = users_from_messages(frame, user="id", text="text", labels=["t"])
        return users.target["t"].tolist()

    assert read([" ", "f", None]) == [None, "f", None]
    cells = [["a", None, ""], [], [None]]
    assert read(cells) == [frozenset("a"), frozenset(), None]
    assert label_table(column(cells))[0][:, 0].tolist() == read(cells)
    with pytest.raises(DataFormatError, match="row 3: the column of labels 't' holds"):
        read(["a", True, 1])
