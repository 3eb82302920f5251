"""Stratified splits: proportions, sizes, missing labels, determinism."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedKFold,
    multi_task_train_test_split,
)
from sklearn_profiling.exceptions import TargetError


def make_targets(n_users: int, seed: int = 0, missing: float = 0.2) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    y = pd.DataFrame(
        {
            "gender": generator.choice(["m", "f"], n_users, p=[0.75, 0.25]),
            "age": generator.choice(
                ["-79", "80s", "90s"], n_users, p=[0.14, 0.56, 0.3]
            ),
            "region": generator.choice(8, n_users, p=[0.28, 0.27, 0.18] + [0.054] * 5),
        }
    ).astype(object)
    return y.mask(generator.random(y.shape) < missing, None)


def test_every_class_is_spread_evenly() -> None:
    y = make_targets(1000)
    folds = list(MultiTaskStratifiedKFold(5, random_state=0).split(y, y))
    for task in y:
        for label, n_users in y[task].value_counts().items():
            counts = [(y[task].iloc[test] == label).sum() for _, test in folds]
            assert max(counts) - min(counts) <= max(4, 0.05 * n_users), (task, label)


def test_rare_classes_reach_every_fold() -> None:
    y = make_targets(600)
    y.loc[[3, 77, 200, 401, 599], "region"] = "rare"
    for _, test in MultiTaskStratifiedKFold(5, random_state=1).split(y, y):
        assert (y["region"].iloc[test] == "rare").sum() == 1


def test_one_task_is_stratified_exactly() -> None:
    y = ["a"] * 40 + ["b"] * 20 + ["c"] * 10
    for _, test in MultiTaskStratifiedKFold(10, random_state=0).split(y, y):
        assert sorted(np.array(y)[test]) == list("aaaabbc")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["f", "m", None]),
            st.sampled_from([1, 2, 3, None]),
            st.one_of(st.none(), st.frozensets(st.sampled_from("xyz"), min_size=1)),
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(2, 5),
    st.integers(0, 3),
)
def test_folds_partition_the_labelled_users(
    rows: list[tuple[object, ...]], n_splits: int, seed: int
) -> None:
    y = pd.DataFrame(rows, columns=["gender", "age", "likes"], dtype=object)
    labelled = np.flatnonzero(y.notna().any(axis=1))
    splitter = MultiTaskStratifiedKFold(n_splits, random_state=seed)
    if len(labelled) < n_splits:
        with pytest.raises(TargetError, match="users with a label"):
            next(splitter.split(y, y))
        return
    folds = list(splitter.split(y, y))
    np.testing.assert_array_equal(
        np.sort(np.concatenate([test for _, test in folds])), labelled
    )
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(y)))


def test_an_empty_set_is_no_label() -> None:
    y = np.empty((6, 1), dtype=object)
    y[:, 0] = [frozenset("a")] * 2 + [frozenset()] + [frozenset("b")] * 2 + [None]
    tested = np.concatenate([t for _, t in MultiTaskStratifiedKFold(2).split(y, y)])
    assert sorted(tested) == [0, 1, 3, 4]


def test_users_without_labels_are_always_in_training() -> None:
    y = make_targets(100)
    y.iloc[10:40] = None
    for train, test in MultiTaskStratifiedKFold(4, random_state=0).split(y, y):
        assert set(range(10, 40)) <= set(train)
        assert not set(range(10, 40)) & set(test)


def test_same_seed_same_folds_and_global_generator_untouched() -> None:
    y = make_targets(200)
    before = np.random.get_state()[1].copy()
    splitter = MultiTaskStratifiedKFold(3, random_state=7)
    first, second = list(splitter.split(y, y)), list(splitter.split(y, y))
    other = list(MultiTaskStratifiedKFold(3, random_state=8).split(y, y))
    for (_, a), (_, b) in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(
        not np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True)
    )
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_without_shuffling_the_order_decides() -> None:
    y = list("aaabbb")
    folds = [
        t.tolist() for _, t in MultiTaskStratifiedKFold(3, shuffle=False).split(y, y)
    ]
    assert folds == [[0, 3], [1, 4], [2, 5]]


def test_large_targets_take_a_moment() -> None:
    y = make_targets(50_000)
    start = time.perf_counter()
    list(MultiTaskStratifiedKFold(5, random_state=0).split(y, y))
    assert time.perf_counter() - start < 5


def test_inside_scikit_learn() -> None:
    y = make_targets(90)
    splitter = MultiTaskStratifiedKFold(3, random_state=0)
    assert splitter.get_n_splits(y, y) == 3
    model = MaskedMultiOutputClassifier(DummyClassifier())
    assert cross_val_score(model, np.zeros((90, 1)), y, cv=splitter).shape == (3,)
    assert repr(splitter) == (
        "MultiTaskStratifiedKFold(n_splits=3, random_state=0, shuffle=True)"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_splits": 1}, "n_splits must be 2 at least; got 1"),
        ({"n_splits": 2.0}, "n_splits must be an integer; got 2.0"),
        ({"n_splits": True}, "n_splits must be an integer; got True"),
        ({"shuffle": False, "random_state": 0}, "no effect without shuffle"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MultiTaskStratifiedKFold(**arguments)  # type: ignore[arg-type]


def test_groups_are_not_ignored_in_silence() -> None:
    y = ["f", "m"] * 4
    splitter = MultiTaskStratifiedKFold(2, random_state=0)
    with pytest.warns(UserWarning, match="groups is ignored by MultiTask"):
        warned = list(splitter.split(y, y, np.repeat(np.arange(4), 2)))
    for found, plain in zip(warned, splitter.split(y, y, None), strict=True):
        np.testing.assert_array_equal(found[1], plain[1])


def test_labels_are_needed() -> None:
    with pytest.raises(TargetError, match="y must not be None"):
        next(MultiTaskStratifiedKFold(2).split([1, 2]))
    with pytest.raises(TargetError, match="y has 1 among 3 users"):
        next(MultiTaskStratifiedKFold(2).split([1, 2, 3], ["a", None, None]))


def test_train_test_split_keeps_kinds_and_proportions() -> None:
    y = make_targets(500)
    y.iloc[:50] = None
    X = pd.DataFrame({"user": range(500)}, index=[f"u{i}" for i in range(500)])
    X_train, X_test, y_train, y_test = multi_task_train_test_split(
        X, y, test_size=0.2, random_state=0
    )
    labelled = int(y.notna().any(axis=1).sum())
    assert len(X_test) == round(0.2 * labelled)
    assert X_test.index.tolist() == [f"u{i}" for i in y_test.index]
    assert set(range(50)) <= set(y_train.index)
    share = (y_test["gender"] == "f").sum() / (y["gender"] == "f").sum()
    assert share == pytest.approx(0.2, abs=0.02)
    assert len(X_train) + len(X_test) == 500


def test_train_test_split_of_sparse_rows_has_no_empty_part() -> None:
    X = sparse.csr_matrix(np.eye(3))
    X_train, X_test, _, y_test = multi_task_train_test_split(
        X, ["a", "b", "c"], test_size=0.01, random_state=0
    )
    assert X_train.shape == (2, 3)
    assert X_test.shape == (1, 3)
    assert len(y_test) == 1


@pytest.mark.parametrize("test_size", [0.0, 1.0, -1])
def test_test_size_is_checked(test_size: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        multi_task_train_test_split([1, 2], ["a", "b"], test_size=test_size)
