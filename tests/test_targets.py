"""Labels of any kind to codes and back."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import (
    EncodedLabels,
    LabelCodec,
    label_table,
    mean_accuracy,
)

NAN = float("nan")


def one_hot(codec, y):
    """Probabilities that are sure of the given labels; of the first where missing."""
    labels = codec.encode(y)
    made = []
    for task, classes in enumerate(codec.classes):
        if codec.set_valued[task]:
            made.append(labels.members[task].astype(float))
        else:
            made.append(np.eye(len(classes))[labels.codes[:, task]])
    return made


# -- label_table ---------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, NAN, np.float32("nan"), pd.NA, pd.NaT])
def test_every_sign_of_a_missing_label_is_none(missing):
    for y in (
        ["a", missing, "b"],
        np.array(["a", missing, "b"], dtype=object),
        pd.Series(["a", missing, "b"], dtype=object),
    ):
        table, names, one_dimensional = label_table(y)
        assert table.tolist() == [["a"], [None], ["b"]]
        assert (names, one_dimensional) == (["task0"], True)


def test_strings_that_look_missing_are_labels_and_blank_ones_are_missing():
    assert label_table(["nan", "None"])[0].tolist() == [["nan"], ["None"]]
    blank = ["", " \t", "\u3000", np.str_(""), "a"]
    assert label_table(blank)[0][:, 0].tolist() == [None] * 4 + ["a"]


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array([1.0, NAN]), [1.0, None]),
        (np.array([2, 1], dtype=np.int8), [2, 1]),
        (np.array(["b", "a"]), ["b", "a"]),
        (np.array([True, False]), [True, False]),
        (np.ma.masked_array([1, 2], mask=[False, True]), [1, None]),
        (pd.array([3, None], dtype="Int64"), [3, None]),
        (pd.array([True, None], dtype="boolean"), [True, None]),
        (pd.Categorical(["x", None]), ["x", None]),
        (pd.Index(["x", "y"]), ["x", "y"]),
        (pd.Series(["x", None], dtype="string"), ["x", None]),
        (
            np.array(["2020-02-01", "NaT"], dtype="datetime64[ns]"),
            [pd.Timestamp("2020-02-01"), None],
        ),
        (("a", None), ["a", None]),
        (iter([1, None]), [1, None]),
    ],
)
def test_one_dimension(y, labels):
    table, _, one_dimensional = label_table(y)
    assert one_dimensional
    assert table[:, 0].tolist() == labels
    assert [type(cell) for cell in table[:, 0]] == [type(label) for label in labels]


def test_two_dimensions_and_their_names():
    frame = pd.DataFrame({"gender": ["m", None], 1990: pd.array([1, None], "Int64")})
    table, names, one_dimensional = label_table(frame)
    assert table.tolist() == [["m", 1], [None, None]]
    assert (names, one_dimensional) == (["gender", "1990"], False)
    for y in ([["m", 1], [None, NAN]], np.array([["m", 1], [None, NAN]], dtype=object)):
        table, names, _ = label_table(y)
        assert table.tolist() == [["m", 1], [None, None]]
        assert names == ["task0", "task1"]
    rows = [np.array([1, 2]), np.array([3, 4])]
    assert label_table(rows)[0].tolist() == [[1, 2], [3, 4]]
    assert label_table(pd.Series([1], name="age"))[1] == ["age"]
    stamps = np.array([["2020-01-01", "NaT"]], dtype="datetime64[D]")
    assert label_table(stamps)[0].tolist() == [[pd.Timestamp("2020-01-01"), None]]


def test_the_callers_targets_do_not_change():
    array = np.array([["a", NAN]], dtype=object)
    frame = pd.DataFrame({"likes": [["x"], NAN]})
    label_table(array)
    label_table(frame)
    assert array[0, 1] is not None
    assert frame.loc[0, "likes"] == ["x"]


def test_sets_become_frozensets():
    frame = pd.DataFrame({"likes": [{"a", "b"}, None, ["b", "b"], frozenset()]})
    table, _, _ = label_table(frame)
    assert table[:, 0].tolist() == [{"a", "b"}, None, {"b"}, set()]
    assert isinstance(table[0, 0], frozenset)
    assert label_table([{"a"}, None])[0].tolist() == [[{"a"}], [None]]


def test_nobody():
    table, names, one_dimensional = label_table([])
    assert (table.shape, names, one_dimensional) == ((0, 1), ["task0"], True)
    with pytest.raises(TargetError, match="'task0' has no label: all 0 cells are mi"):
        LabelCodec.learn([])
    with pytest.raises(TargetError, match="no label to score on"):
        mean_accuracy([], [])
    codec = LabelCodec.learn([["a", 1]])
    assert codec.encode(np.empty((0, 2))).codes.shape == (0, 2)
    assert codec.decode([np.empty((0, 1)), np.empty((0, 1))]).shape == (0, 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((2, 2, 2)), "got an array with 3 dimensions"),
        (np.array(3), "got an array with 0 dimensions"),
        (3, "y must be a DataFrame, a Series or an array of labels; got int"),
        (np.zeros((3, 0)), "at least one task; it has no column"),
        (pd.DataFrame(index=range(3)), "at least one task"),
        ([[], []], "at least one task"),
        ([[1, 2], [3]], r"one list of equal length a user; row 1 is \[3\]"),
        ([(1, 2), None], "row 1 is None"),
        ([None, (1, 2)], "row 0 is None"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' stands twice"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "'1' stands twice"),
        (pd.Series([{"a"}, "b"], name="likes"), "task 'likes' .* row 1 is 'b'"),
        (pd.Series([[["a"]]], name="likes"), "must be hashable; task 'likes', row 0"),
    ],
)
def test_tables_that_are_refused(y, message):
    with pytest.raises(TargetError, match=message):
        label_table(y)


# -- LabelCodec ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        (["b", None, "a"], ["a", "b"], "O"),
        ([2, None, 1], [1, 2], "i"),
        (np.array([2.0, NAN, -1.0]), [-1.0, 2.0], "f"),
        ([True, False, None], [False, True], "b"),
        ([1, "a", None], [1, "a"], "O"),
        ([1, 2.0], [1, 2.0], "O"),
        ([Decimal("1.5"), Decimal(1)], [Decimal(1), Decimal("1.5")], "O"),
        ([dt.date(2020, 1, 2), NAN], [dt.date(2020, 1, 2)], "O"),
        (np.array(["b", "a"]), ["a", "b"], "O"),
        (pd.Series([(1, 2), (0, 3), None]), [(0, 3), (1, 2)], "O"),
    ],
)
def test_classes_are_sorted_and_keep_their_kind(y, classes, kind):
    codec = LabelCodec.learn(y)
    found = codec.classes[0]
    assert found.dtype.kind == kind
    assert found.tolist() == classes
    if kind == "O":
        assert [type(c) for c in found] == [type(c) for c in classes]
    table = label_table(y)[0]
    codes = codec.encode(y).codes[:, 0]
    for cell, code in zip(table[:, 0], codes, strict=True):
        assert code == (-1 if cell is None else classes.index(cell))


def test_order_does_not_depend_on_the_order_of_users():
    y = [1, "b", (2,), "a", 0.0, None]
    column = pd.Series(y)
    first, second = LabelCodec.learn(column), LabelCodec.learn(column[::-1])
    assert first.classes[0].tolist() == second.classes[0].tolist()


def test_columns_are_taken_by_name():
    y = pd.DataFrame({"gender": ["m", "f"], "age": [1, 2], 3: ["x", "y"]})
    codec = LabelCodec.learn(y)
    assert codec.task_names == ["gender", "age", "3"]
    shuffled = y[[3, "age", "gender"]].assign(other=0)
    assert codec.encode(shuffled).codes.tolist() == codec.encode(y).codes.tolist()
    # Without the names the position counts.
    assert codec.encode(y.to_numpy()).codes.tolist() == [[1, 0, 0], [0, 1, 1]]
    renamed = y.set_axis(["a", "b", "c"], axis=1)
    assert codec.encode(renamed).codes.tolist() == [[1, 0, 0], [0, 1, 1]]


def test_set_valued_tasks():
    y = pd.DataFrame(
        {"likes": [{"b", "a"}, None, ["c"], set()], "age": [1, 1, None, 2]}
    )
    codec = LabelCodec.learn(y)
    assert codec.set_valued == [True, False]
    assert codec.classes[0].tolist() == ["a", "b", "c"]
    labels = codec.encode(y)
    assert labels.codes.tolist() == [[0, 0], [-1, 0], [0, -1], [0, 1]]
    assert labels.members[0].astype(int).tolist() == [
        [1, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0],
    ]  # fmt: skip
    part = labels.take(np.array([2, 0]))
    assert len(part) == 2
    assert part.codes.tolist() == [[0, -1], [0, 0]]
    assert part.members[0].astype(int).tolist() == [[0, 0, 1], [1, 1, 0]]
    likely = np.array([[0.6, 0.7, 0.5], [0.1, 0.2, 0.4], [0.5, 0.3, 0.1]])
    assert codec.decode([likely, np.eye(2)[[0, 1, 0]]])[:, 0].tolist() == [
        {"a", "b"},
        {"c"},
        {"a"},
    ]


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["a", None], ["c", "a", "b"]),
        ([["a"], [None]], [["c", "a", "b"]]),
        (pd.DataFrame({"t": ["a", None]}), {"t": np.array(["c", "a", "b"])}),
    ],
)
def test_classes_that_are_not_seen(y, classes):
    codec = LabelCodec.learn(y, classes)
    assert codec.classes[0].tolist() == ["a", "b", "c"]
    assert codec.encode(y).codes[:, 0].tolist() == [0, -1]


def test_given_classes_of_several_kinds_stay_what_they_are():
    codec = LabelCodec.learn(pd.Series([1, None]), [1, "a"])
    assert codec.classes[0].tolist() == [1, "a"]
    # With them a task may have no label yet.
    assert LabelCodec.learn([None], ["a"]).encode([None]).codes.tolist() == [[-1]]


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([["a", None], ["b", None]], None, "'task1' has no label: all 2 cells are"),
        ([0.5, 1.0], None, r"Unknown label type: continuous. Task 'task0' holds 0.5"),
        (np.array([1.0, np.inf]), None, "Unknown label type: infinity"),
        (pd.Series([[0.5]]), None, "Unknown label type: continuous"),
        (pd.Series([{}, {}]), None, "must be hashable; task 'task0'"),
        ([["a", "b"]], {"task0": ["a"]}, r"must name every task; \['task1'\] are"),
        ([["a", "b"]], [["a"]], "one array a task, 2; got 1"),
    ],
)
def test_targets_that_cannot_be_learned(y, classes, message):
    with pytest.raises(TargetError, match=message):
        LabelCodec.learn(y, classes)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([["m", 3], ["m", 1]], r"row 0: 3 is no class of task 'task1', .* \[1, 2\]"),
        ([["m"], ["f"]], "must have the 2 tasks .* got 1"),
        (["m", "f"], "got 1"),
        (pd.Series([[]]), "got 1"),
        (
            pd.DataFrame({"task0": [{}], "task1": [1]}),
            "must be hashable; task 'task0', row 0",
        ),
    ],
)
def test_labels_that_were_not_learned(y, message):
    codec = LabelCodec.learn([["m", 1], ["f", 2]])
    with pytest.raises(TargetError, match=message):
        codec.encode(y)


def test_members_that_were_not_learned():
    codec = LabelCodec.learn(pd.Series([{"a"}], name="likes"))
    with pytest.raises(TargetError, match="row 1: 'z' is no class of task 'likes'"):
        codec.encode(pd.Series([{"a"}, {"z"}]))


def test_decoding_gives_the_labels_in_the_shape_they_came():
    flat = LabelCodec.learn(["b", "a"])
    assert flat.decode([np.array([[0.2, 0.8], [0.9, 0.1]])]).tolist() == ["b", "a"]
    years = LabelCodec.learn(np.array([[1990, 1], [1980, 2]]))
    decoded = years.decode([np.eye(2), np.eye(2)[::-1]])
    assert decoded.dtype.kind == "i"
    assert decoded.tolist() == [[1980, 2], [1990, 1]]
    mixed = LabelCodec.learn([["a", 1], ["b", 2]]).decode([np.eye(2), np.eye(2)])
    assert mixed.tolist() == [["a", 1], ["b", 2]]
    assert mixed.dtype == object


labels = st.one_of(
    st.lists(st.none() | st.text(max_size=3).filter(str.strip), min_size=1),
    st.lists(st.none() | st.integers(-3, 3), min_size=1),
    st.lists(st.none() | st.booleans(), min_size=1),
    st.lists(st.none() | st.integers(0, 3).map(float), min_size=1),
    st.lists(st.none() | st.sampled_from([1, "1", "one", 2.0, (1,)]), min_size=1),
    st.lists(st.none() | st.frozensets(st.sampled_from("abc"), min_size=1), min_size=1),
).filter(lambda cells: any(cell is not None for cell in cells))


@settings(max_examples=150, deadline=None)
@given(st.lists(labels, min_size=1, max_size=3))
def test_there_and_back(columns):
    n_users = min(map(len, columns))
    frame = pd.DataFrame(
        {
            f"t{i}": pd.Series(column[:n_users], dtype=object)
            for i, column in enumerate(columns)
        }
    )
    if frame.isna().all().any():
        return
    codec = LabelCodec.learn(frame)
    decoded = codec.decode(one_hot(codec, frame))
    for task, column in enumerate(columns):
        for row, cell in enumerate(column[:n_users]):
            if cell is not None:
                assert decoded[row, task] == cell
    assert mean_accuracy(frame, decoded) == 1.0
    copy = pickle.loads(pickle.dumps(codec))
    assert copy.encode(frame).codes.tolist() == codec.encode(frame).codes.tolist()


# -- mean_accuracy -------------------------------------------------------------


def test_mean_accuracy_by_hand():
    true = [["m", 1], ["f", None], [None, 2], ["f", 2]]
    predicted = [["m", 1], ["m", 9], ["f", 1], ["f", 1]]
    # Gender 2 of 3, age 1 of 3.
    assert mean_accuracy(true, predicted) == pytest.approx(1 / 2)
    # Gender (1 + 4) / (1 + 2 + 4), age 1 / (1 + 3 + 4).
    weighted = mean_accuracy(true, predicted, [1, 2, 3, 4])
    assert weighted == pytest.approx((5 / 7 + 1 / 8) / 2)


def test_a_task_without_labels_of_weight_is_left_out():
    true = [["m", None], ["f", 2]]
    assert mean_accuracy(true, [["m", 1], ["m", 1]], [1, 0]) == 1.0
    assert mean_accuracy([["m", NAN]], [["m", 1]]) == 1.0


def test_weights_are_repetitions():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 2, (2, 30, 3))
    weight = rng.integers(0, 4, 30)
    assert mean_accuracy(true, predicted, weight) == pytest.approx(
        mean_accuracy(np.repeat(true, weight, 0), np.repeat(predicted, weight, 0))
    )


def test_sets_are_right_as_a_whole():
    true = pd.Series([{"a", "b"}, {"a"}, None])
    predicted = pd.Series([["b", "a"], {"a", "b"}, {"c"}])
    assert mean_accuracy(true, predicted) == 0.5


@pytest.mark.parametrize(
    ("true", "predicted", "weight", "message"),
    [
        ([1, 2], [1], None, r"got \(2, 1\) and \(1, 1\)"),
        ([[1, 2]], [1], None, r"got \(1, 2\) and \(1, 1\)"),
        ([None, NAN], [1, 1], None, "every label is missing or has weight 0"),
        ([1, 2], [1, 2], [0, 0], "every label is missing or has weight 0"),
        ([1, 2], [1, 2], [1], r"sample_weight must have shape \(2,\).* got \(1,\)"),
        ([1, 2], [1, 2], [[1, 1]], r"got \(1, 2\)"),
    ],
)
def test_what_cannot_be_scored(true, predicted, weight, message):
    with pytest.raises(TargetError, match=message):
        mean_accuracy(true, predicted, weight)


def test_encoded_labels_without_sets():
    part = EncodedLabels(np.array([[1], [2], [3]])).take(np.array([2]))
    assert (part.codes.tolist(), part.members) == ([[3]], {})
