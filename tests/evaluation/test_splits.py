"""Stratified splits: proportions, sizes, missing labels, determinism."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from sklearn_profiling.baselines import MaskedMultiOutputClassifier
from sklearn_profiling.evaluation import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    multi_task_train_test_split,
)
from sklearn_profiling.evaluation.splits import make_folds
from sklearn_profiling.exceptions import SourceError, TargetError


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
    start = time.process_time()
    list(MultiTaskStratifiedKFold(5, random_state=0).split(y, y))
    assert time.process_time() - start < 5


def test_inside_scikit_learn() -> None:
    y = make_targets(90)
    splitter = MultiTaskStratifiedKFold(3, random_state=0)
    assert splitter.get_n_splits(y, y) == 3
    model = MaskedMultiOutputClassifier(DummyClassifier())
    assert cross_val_score(model, np.zeros((90, 1)), y, cv=splitter).shape == (3,)
    assert repr(splitter) == (
        "MultiTaskStratifiedKFold(id_column=None, n_splits=3, random_state=0,\n"
        "             shuffle=True)"
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


def make_groups(n_users: int, seed: int = 0) -> np.ndarray:
    """Draw groups of very different sizes, named by strings."""
    generator = np.random.default_rng(seed)
    share = generator.dirichlet(np.ones(n_users // 4))
    return np.char.add("g", generator.choice(len(share), n_users, p=share).astype(str))


class TestGroups:
    @given(
        n_users=st.integers(30, 80),
        n_splits=st.integers(2, 4),
        seed=st.integers(0, 5),
        shuffle=st.booleans(),
    )
    @settings(max_examples=40, deadline=None)
    def test_no_group_is_on_both_sides(self, n_users, n_splits, seed, shuffle) -> None:
        y, groups = make_targets(n_users, seed), make_groups(n_users, seed)
        labelled = y.notna().any(axis=1).to_numpy()
        if len(set(groups[labelled])) < n_splits:
            return
        splitter = MultiTaskStratifiedGroupKFold(
            n_splits, shuffle=shuffle, random_state=seed if shuffle else None
        )
        folds = list(splitter.split(y, y, groups))
        tested = np.concatenate([test for _, test in folds])
        assert sorted(tested) == list(np.flatnonzero(labelled))
        for train, test in folds:
            assert len(test)
            assert not set(groups[train]) & set(groups[test])
            # Nobody is lost but the unlabelled of the groups that are tested.
            left = np.setdiff1d(np.arange(n_users), np.concatenate([train, test]))
            assert not labelled[left].any()
            assert set(groups[left]) <= set(groups[test])

    def test_tasks_are_balanced(self) -> None:
        y, groups = make_targets(3000, missing=0.3), np.arange(3000) // 3
        splitter = MultiTaskStratifiedGroupKFold(5, random_state=0)
        for _, test in splitter.split(y, y, groups):
            for task in y:
                share = y[task].iloc[test].value_counts() / y[task].value_counts()
                assert (share - 0.2).abs().max() < 0.02, (task, share)

    def test_sizes(self) -> None:
        y, groups = make_targets(500), np.arange(500) // 2
        for _, test in MultiTaskStratifiedGroupKFold(5, random_state=0).split(
            y, y, groups
        ):
            assert 92 <= len(test) <= 108

    def test_the_largest_group_of_the_rarest_class_comes_first(self) -> None:
        # "r" has 4 users in groups of 3 and 1, which must part; the 4 users of "s"
        # fill up the fold that has fewer.
        y = ["r"] * 3 + ["r"] + ["s"] * 4 + ["s"] * 2
        groups = [0] * 3 + [1] + [2, 2, 3, 3] + [4, 4]
        splitter = MultiTaskStratifiedGroupKFold(2, shuffle=False)
        tests = [test.tolist() for _, test in splitter.split(y, y, groups)]
        assert tests == [[0, 1, 2, 6, 7], [3, 4, 5, 8, 9]]

    def test_the_same_seed_gives_the_same_folds(self) -> None:
        y, groups = make_targets(200), make_groups(200)

        def tests(seed: int) -> list[list[int]]:
            splitter = MultiTaskStratifiedGroupKFold(3, random_state=seed)
            return [test.tolist() for _, test in splitter.split(y, y, groups)]

        assert tests(0) == tests(0)
        assert tests(0) != tests(1)

    def test_bad_groups(self) -> None:
        y = ["f", "m", "f", None]
        splitter = MultiTaskStratifiedGroupKFold(2)
        with pytest.raises(TargetError, match="groups must not be None"):
            next(splitter.split(y, y))
        with pytest.raises(TargetError, match="one entry a user, 4; got 2"):
            next(splitter.split(y, y, [1, 2]))
        with pytest.raises(TargetError, match="that of row 1 is missing"):
            next(splitter.split(y, y, [1, None, 2, 2]))
        with pytest.raises(TargetError, match="y has 1 among 2 groups"):
            next(splitter.split(y, y, [1, 1, 1, 2]))
        with pytest.raises(TargetError, match="y must not be None"):
            next(splitter.split(y, None, [1, 1, 1, 2]))

    def test_inside_scikit_learn(self) -> None:
        y, groups = make_targets(90), np.arange(90) // 2
        model = MaskedMultiOutputClassifier(DummyClassifier())
        scores = cross_val_score(
            model,
            np.zeros((90, 1)),
            y,
            groups=groups,
            cv=MultiTaskStratifiedGroupKFold(3, random_state=0),
        )
        assert np.isfinite(scores).all()
        assert MultiTaskStratifiedGroupKFold(3).get_n_splits() == 3


class TestUsers:
    """One row a user, in the same order on both sides."""

    X = pd.DataFrame({"user_id": ["ann", "bob"] * 5, "n": range(10)})
    y = pd.Series(["f", "m"] * 5)

    def test_repeated_ids(self) -> None:
        splitter = MultiTaskStratifiedKFold(2, random_state=0)
        for X in (self.X, self.X.set_index("user_id"), pl.from_pandas(self.X)):
            with pytest.raises(TargetError, match="'ann' stands in 5 rows") as caught:
                next(splitter.split(X, self.y.to_numpy()))
            assert "as do 1 other users" in str(caught.value)
            for advice in ("users_from_messages", "groups=", "GroupKFold"):
                assert advice in str(caught.value)
        with pytest.raises(TargetError, match="'ann' stands in 5 rows"):
            multi_task_train_test_split(self.X, self.y)

    def test_the_column_can_have_another_name(self) -> None:
        X = self.X.rename(columns={"user_id": "author"})
        assert list(MultiTaskStratifiedKFold(2).split(X, self.y))
        with pytest.raises(TargetError, match="'ann' stands in 5 rows"):
            next(MultiTaskStratifiedKFold(2, id_column="author").split(X, self.y))
        with pytest.raises(SourceError, match=r"'user' of \['author', 'n'\]"):
            next(MultiTaskStratifiedKFold(2, id_column="user").split(X, self.y))
        with pytest.raises(SourceError, match="'user' of list"):
            next(MultiTaskStratifiedKFold(2, id_column="user").split([1] * 10, self.y))

    def test_missing_ids_and_single_rows_are_fine(self) -> None:
        X = self.X.assign(user_id=[None, np.nan, *"abcdefgh"])
        assert len(list(MultiTaskStratifiedKFold(2).split(X, self.y))) == 2

    def test_rows_of_a_user_in_one_group(self) -> None:
        splitter = MultiTaskStratifiedGroupKFold(2, random_state=0)
        assert len(list(splitter.split(self.X, self.y, self.X["user_id"]))) == 2
        with pytest.raises(TargetError, match="training and the test part"):
            list(splitter.split(self.X, self.y, np.arange(10) // 5))

    def test_another_order_is_refused(self) -> None:
        X = self.X.drop(columns="user_id")
        splitter = MultiTaskStratifiedKFold(2, random_state=0)
        with pytest.raises(TargetError, match="same index in another order: row 0 is"):
            next(splitter.split(X, self.y[::-1]))
        with pytest.raises(TargetError, match="different indices: row 0 is 0 in X"):
            next(splitter.split(X, self.y.set_axis(range(10, 20))))
        with pytest.raises(TargetError, match="different indices: row 1 is nan in X"):
            next(
                splitter.split(
                    X.set_axis(["a", np.nan, *"cdefghij"]),
                    self.y.set_axis(["a", *"bcdefghij"]),
                )
            )
        with pytest.raises(TargetError, match="inconsistent numbers of users: 10 and"):
            next(splitter.split(X, self.y[:-1]))

    def test_row_numbers_beside_ids_go_by_position(self) -> None:
        X = self.X.drop(columns="user_id")
        splitter = MultiTaskStratifiedKFold(2, random_state=0)
        named = self.y.set_axis(list("abcdefghij"))
        wanted = [test.tolist() for _, test in splitter.split(X, self.y)]
        for pair in ((X, named), (X.set_axis(named.index), self.y)):
            assert [test.tolist() for _, test in splitter.split(*pair)] == wanted
        mixed = ["a", 1, *"cdefghij"]
        swapped = self.y.set_axis([1, "a", *mixed[2:]])
        with pytest.raises(TargetError, match="another order: row 0 is 'a' in X"):
            next(splitter.split(X.set_axis(mixed), swapped))
        # The same index with missing names is the same.
        same = ["a", np.nan, *"cdefghij"]
        assert list(splitter.split(X.set_axis(same), self.y.set_axis(same)))

    def test_splitters_of_scikit_learn_that_keep_users_together(self) -> None:
        folds = make_folds(LeaveOneGroupOut(), self.X, self.y, self.X["user_id"])
        assert [len(fold.test) for fold in folds] == [5, 5]
        with pytest.raises(TargetError, match="training and the test part"):
            make_folds([(range(5), range(5, 10))], self.X, self.y)
