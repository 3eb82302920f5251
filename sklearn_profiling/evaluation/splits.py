"""Splits stratified over all tasks, where labels may be missing."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.containers._ragged import ranges
from sklearn_profiling.evaluation._pairs import members
from sklearn_profiling.evaluation._users import (
    check_one_row_each,
    check_one_side,
    check_same_users,
    group_codes,
    repeated_ids,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.sources._grouped import groups_of
from sklearn_profiling.targets import label_table

IntArray = NDArray[np.int64]


class _StratifiedFolds(BaseCrossValidator):
    """Parameters of the splitters by all tasks, and their folds from assigned users."""

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = True,
        random_state: RandomState = None,
        id_column: str | None = None,
    ) -> None:
        if isinstance(n_splits, bool) or not isinstance(n_splits, int | np.integer):
            msg = f"n_splits must be an integer; got {n_splits!r}"
            raise ValueError(msg)  # noqa: TRY004 - as scikit-learn's splitters do
        if n_splits < 2:
            msg = f"n_splits must be 2 at least; got {n_splits}"
            raise ValueError(msg)
        if random_state is not None and not shuffle:
            msg = "random_state has no effect without shuffle; leave it None"
            raise ValueError(msg)
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state
        self.id_column = id_column

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored; here for scikit-learn's interface.

        Returns
        -------
        int
            ``n_splits``.
        """
        del X, y, groups
        return self.n_splits

    def _generator(self) -> np.random.Generator | None:
        """Return the source of the shuffling, None for the order of the users."""
        if not self.shuffle:
            return None
        return np.random.default_rng(derive_seed(self.random_state))

    def _read(self, X: Any, y: Any) -> pd.Series[Any] | None:
        """Check users and labels; return the ids if any stands in several rows."""
        if y is None:
            msg = f"{type(self).__name__} stratifies by labels; y must not be None"
            raise TargetError(msg)
        check_same_users(X, y)
        return repeated_ids(X, self.id_column)


class MultiTaskStratifiedKFold(_StratifiedFolds):
    """K folds that are stratified over all tasks at once, with missing labels.

    Every pair of a task and one of its classes is spread evenly over the test parts
    by iterative stratification [1]_. A user without any label is in every training
    part, where word vectors can learn from it, and in no test part. An integer ``cv``
    makes scikit-learn stratify by itself, which fails on missing labels; give it this
    splitter instead.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2. The default is scikit-learn's.
    shuffle : bool, default=True
        Whether users of one class are shuffled before they are assigned to folds.
    random_state : int, RandomState instance or None, default=None
        Decides the shuffling. None shuffles anew at each call of ``split``.
    id_column : str or None, default=None
        Column, or name of the index, of `X` with the ids of the users. None is
        ``"user_id"`` where there is one.

    Raises
    ------
    ValueError
        If ``n_splits`` is below 2, or ``random_state`` is given without ``shuffle``.

    See Also
    --------
    MultiTaskStratifiedGroupKFold : Users of one group stay together.
    multi_task_train_test_split : One split of the same kind.

    Notes
    -----
    The rarest pair of task and class is distributed first; each of its users goes to
    the fold that lacks most users of the class, then to the one that lacks most users
    overall. Unlike in [1]_, a full fold takes no more users, so the sizes of test
    parts differ by one at most. A set of labels counts as all its classes.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the Stratification of
       Multi-Label Data", ECML PKDD 2011.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import MultiTaskStratifiedKFold
    >>> y = pd.DataFrame(
    ...     {
    ...         "gender": ["f", "f", "m", "m", None],
    ...         "age": ["old", "young", "old", None, None],
    ...     }
    ... )
    >>> folds = MultiTaskStratifiedKFold(n_splits=2, random_state=0)
    >>> for train, test in folds.split(y, y):
    ...     print(sorted(y["gender"][test]), 4 in train)
    ['f', 'm'] True
    ['f', 'm'] True
    """

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the rows of the training and test part of each fold.

        Parameters
        ----------
        X : array-like
            Users, one a row; only their number and their ids count. Sources that say
            which rows are of one person, as a Profiler's, keep them together.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        groups : None
            Ignored with a warning, as by scikit-learn's ``StratifiedKFold``;
            :class:`MultiTaskStratifiedGroupKFold` keeps groups together.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers in ascending order.

        Raises
        ------
        TargetError
            If ``y`` is None, is not of the same users as ``X``, or fewer than
            ``n_splits`` users have a label, or a user stands in several rows.
        """
        if groups is not None:
            warnings.warn(
                f"groups is ignored by {type(self).__name__}: users of one group can "
                "be in the training and the test part. "
                "MultiTaskStratifiedGroupKFold keeps them together",
                UserWarning,
                stacklevel=2,
            )
        if (whole := groups_of(X)) is not None:
            yield from MultiTaskStratifiedGroupKFold(**vars(self)).split(X, y, whole)
            return
        check_one_row_each(self._read(X, y))
        fractions = np.full(self.n_splits, 1 / self.n_splits)
        fold = _stratify(y, fractions, self._generator())
        rows = np.arange(len(fold))
        for test_fold in range(self.n_splits):
            yield rows[fold != test_fold], rows[fold == test_fold]


class MultiTaskStratifiedGroupKFold(GroupsConsumerMixin, _StratifiedFolds):
    """K folds stratified over all tasks, none of which parts the users of a group.

    The sister of :class:`MultiTaskStratifiedKFold` for accounts of one person, tweets
    of one author, or users of one household: all of a group are in the test part of
    one fold and in the training parts of the others. Tasks are balanced as well as
    whole groups allow. A user without any label is in no test part, and in each
    training part but that of the fold that tests others of the group.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2. The default is scikit-learn's.
    shuffle : bool, default=True
        Whether groups are shuffled before they are assigned to folds, which decides
        between groups of the same size.
    random_state : int, RandomState instance or None, default=None
        Decides the shuffling. None shuffles anew at each call of ``split``.
    id_column : str or None, default=None
        Column, or name of the index, of `X` with the ids of the users, who may stand
        in several rows of one group. None is ``"user_id"`` where there is one.

    Raises
    ------
    ValueError
        If ``n_splits`` is below 2, or ``random_state`` is given without ``shuffle``.

    See Also
    --------
    MultiTaskStratifiedKFold : Each user alone.
    sklearn.model_selection.StratifiedGroupKFold : One task with all its labels.

    Notes
    -----
    Greedy, after the iterative stratification of [1]_ with groups in place of users.
    Of the pairs of a task and a class the one with the fewest users left is distributed
    first; its groups, from the one with most of these users to the one with fewest,
    each go to the fold that lacks most users of the class, then to the one that lacks
    most users overall. So no fold is left empty. A set of labels counts as all its
    classes.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the Stratification of
       Multi-Label Data", ECML PKDD 2011.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import MultiTaskStratifiedGroupKFold
    >>> y = ["f", "f", "m", "m", "f", "m", "f", "m"]
    >>> authors = ["a", "a", "b", "b", "c", "c", "d", "d"]
    >>> folds = MultiTaskStratifiedGroupKFold(n_splits=2, random_state=0)
    >>> for train, test in folds.split(y, y, authors):
    ...     print(sorted(y[row] for row in test), len(train))
    ['f', 'f', 'm', 'm'] 4
    ['f', 'f', 'm', 'm'] 4
    """

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the rows of the training and test part of each fold.

        Parameters
        ----------
        X : array-like
            Users; only their number and their ids count.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        groups : array-like of shape (n_users,)
            Group of each user, of any hashable kind.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers in ascending order.

        Raises
        ------
        TargetError
            If ``y`` or ``groups`` is None or not of the same users as ``X``, a group is
            missing, fewer than ``n_splits`` groups have a label, or a user stands in
            several groups.
        """
        ids = self._read(X, y)
        if groups is None:
            msg = (
                f"{type(self).__name__} keeps groups together; groups must not be None"
            )
            raise TargetError(msg)
        codes = group_codes(groups, _num_samples(y))
        fractions = np.full(self.n_splits, 1 / self.n_splits)
        fold, labelled = _stratify_groups(y, codes, fractions, self._generator())
        rows = np.arange(len(codes))
        folds = [
            (rows[fold != number], rows[(fold == number) & labelled])
            for number in range(self.n_splits)
        ]
        check_one_side(ids, folds)
        yield from folds


def multi_task_train_test_split(
    X: Any,
    y: Any,
    *,
    test_size: float = 0.2,
    groups: Any = None,
    random_state: RandomState = None,
    id_column: str | None = None,
) -> tuple[Any, Any, Any, Any]:
    """Split users once, stratified over all tasks, with missing labels.

    Users without any label are in the training part; with groups, those whose group
    is tested are in neither part.

    Parameters
    ----------
    X : array-like
        Users: DataFrame, array, sparse matrix, list or any container that
        scikit-learn can take rows of.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    test_size : float, default=0.2
        Share of the users with a label that go to the test part, between 0 and 1. The
        default is the Aux-LSTM paper's.
    groups : array-like of shape (n_users,), default=None
        Group of each user, as from :func:`near_duplicates`; all of a group are on one
        side. None takes each user alone.
    random_state : int, RandomState instance or None, default=None
        Decides the shuffling.
    id_column : str or None, default=None
        Column, or name of the index, of ``X`` with the ids of the users. None is
        ``"user_id"`` where there is one.

    Returns
    -------
    X_train, X_test, y_train, y_test
        Of the kinds of ``X`` and ``y``.

    Raises
    ------
    ValueError
        If ``test_size`` is not between 0 and 1.
    TargetError
        If fewer than two users, or groups, have a label, ``X`` and ``y`` are not of
        the same users, or a user stands in several rows without a group for them.

    See Also
    --------
    MultiTaskStratifiedKFold : The stratification.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import multi_task_train_test_split
    >>> y = ["f", "m"] * 5 + [None]
    >>> _, X_test, _, y_test = multi_task_train_test_split(
    ...     list(range(11)), y, test_size=0.4, random_state=0
    ... )
    >>> sorted(y_test)
    ['f', 'f', 'm', 'm']
    """
    if not 0 < test_size < 1:
        msg = f"test_size must lie between 0 and 1; got {test_size!r}"
        raise ValueError(msg)
    check_same_users(X, y)
    ids = repeated_ids(X, id_column)
    fractions = np.array([1 - test_size, test_size])
    generator = np.random.default_rng(derive_seed(random_state))
    if groups is None:
        check_one_row_each(ids)
        fold = _stratify(y, fractions, generator)
        test = np.flatnonzero(fold == 1)
    else:
        codes = group_codes(groups, _num_samples(y))
        fold, labelled = _stratify_groups(y, codes, fractions, generator)
        test = np.flatnonzero((fold == 1) & labelled)
    train = np.flatnonzero(fold != 1)
    check_one_side(ids, [(train, test)])
    return (
        _safe_indexing(X, train),
        _safe_indexing(X, test),
        _safe_indexing(y, train),
        _safe_indexing(y, test),
    )


def _stratify(
    y: Any, fractions: NDArray[np.float64], generator: np.random.Generator | None
) -> IntArray:
    """Assign labelled users to folds in the wanted fractions; -1 for the others."""
    users, labels = _incidence(y)
    n_users = _num_samples(y)
    n_labelled = len(np.unique(users))
    _check_enough(n_labelled, n_users, len(fractions), "users")
    places = _capacities(n_labelled, fractions)
    sizes = np.ones(n_users, dtype=np.int64)
    pairs = _Pairs(users, labels, np.ones(len(users), dtype=np.int64))
    return _assign(pairs, sizes, places, fractions, generator, full_is_full=True)


def _stratify_groups(
    y: Any,
    codes: IntArray,
    fractions: NDArray[np.float64],
    generator: np.random.Generator | None,
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Assign users to the fold of their group, and say who has a label.

    Users of groups without any label have the fold -1.
    """
    users, labels = _incidence(y)
    labelled = np.bincount(users, minlength=len(codes)) > 0
    n_groups = int(codes.max(initial=-1)) + 1
    sizes = np.bincount(codes[labelled], minlength=n_groups)
    _check_enough(int((sizes > 0).sum()), n_groups, len(fractions), "groups")
    n_labels = int(labels.max()) + 1
    pairs, counts = np.unique(codes[users] * n_labels + labels, return_counts=True)
    fold = _assign(
        _Pairs(pairs // n_labels, pairs % n_labels, counts),
        sizes,
        labelled.sum() * fractions,
        fractions,
        generator,
        full_is_full=False,
    )
    return fold[codes], labelled


def _check_enough(n_labelled: int, n_all: int, n_parts: int, what: str) -> None:
    if n_labelled < n_parts:
        msg = (
            f"{n_parts} parts need as many {what} with a label of any task; "
            f"y has {n_labelled} among {n_all} {what}"
        )
        raise TargetError(msg)


class _Pairs(NamedTuple):
    """Units, users or groups, with a label: how many of their users have it."""

    units: IntArray
    labels: IntArray
    counts: IntArray


def _assign(
    pairs: _Pairs,
    sizes: IntArray,
    places: NDArray[Any],
    fractions: NDArray[np.float64],
    generator: np.random.Generator | None,
    *,
    full_is_full: bool,
) -> IntArray:
    """Assign units of `sizes` users, (n_units,), to folds; -1 if without a label.

    `places` are the users wanted in each fold, which no fold exceeds if `full_is_full`.
    """
    units, labels, counts = pairs
    numbers = np.arange(len(units))
    by_label, starts = _group(labels, numbers)
    by_unit, unit_starts = _group(units, numbers, n_groups=len(sizes))
    remaining = np.bincount(labels, weights=counts).astype(np.int64)
    wanted = np.outer(remaining, fractions)
    fold = np.full(len(sizes), -1, dtype=np.int64)
    while remaining.any():
        label = int(np.argmin(np.where(remaining > 0, remaining, np.iinfo(int).max)))
        mine = by_label[starts[label] : starts[label + 1]]
        mine = mine[fold[units[mine]] < 0]
        if generator is not None:
            mine = generator.permutation(mine)
        mine = mine[np.argsort(-counts[mine], kind="stable")]
        rows = units[mine]
        chosen = _choose_folds(
            counts[mine], sizes[rows], wanted[label], places, generator, full_is_full
        )
        fold[rows] = chosen
        # All labels of the units just assigned are wanted so much less.
        lengths = unit_starts[rows + 1] - unit_starts[rows]
        assigned = by_unit[ranges(unit_starts[rows], lengths)[0]]
        less = counts[assigned]
        np.subtract.at(wanted, (labels[assigned], np.repeat(chosen, lengths)), less)
        np.subtract.at(remaining, labels[assigned], less)
    return fold


def _incidence(y: Any) -> tuple[IntArray, IntArray]:
    """List every (user, label) pair, labels numbered over all tasks."""
    table, _, _ = label_table(y)
    numbers: dict[tuple[int, Any], int] = {}
    sets = [
        [(task, label) for label in members(cell)]
        for task, column in enumerate(table.T)
        for cell in column
    ]
    n_users, n_tasks = table.shape
    users = np.repeat(np.tile(np.arange(n_users), n_tasks), [len(s) for s in sets])
    labels = np.fromiter(
        (numbers.setdefault(pair, len(numbers)) for pair in chain.from_iterable(sets)),
        dtype=np.int64,
        count=len(users),
    )
    return users.astype(np.int64), labels


def _group(
    keys: IntArray, values: IntArray, n_groups: int | None = None
) -> tuple[IntArray, IntArray]:
    """Sort values by key; group k is values[starts[k]:starts[k + 1]]."""
    counts = np.bincount(keys, minlength=n_groups or 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return values[np.argsort(keys, kind="stable")], starts


def _capacities(n_users: int, fractions: NDArray[np.float64]) -> IntArray:
    """Share users among folds: whole numbers, nearest to the fractions, none empty."""
    exact = n_users * fractions
    places = np.floor(exact + 1e-9).astype(np.int64)
    left = n_users - places.sum()
    places[np.argsort(places - exact, kind="stable")[:left]] += 1
    for empty in np.flatnonzero(places == 0):
        places[empty] += 1
        places[np.argmax(places)] -= 1
    return places


def _choose_folds(
    counts: IntArray,
    sizes: IntArray,
    wanted: NDArray[np.float64],
    places: NDArray[Any],
    generator: np.random.Generator | None,
    full_is_full: bool,
) -> IntArray:
    """Choose folds for the units of one label; takes the places that are used.

    `counts` are the users with the label and `sizes` all labelled users of each unit.
    """
    # Plain lists: a loop over a handful of folds is far quicker than numpy calls.
    want, free = wanted.tolist(), places.tolist()
    n_units, n_folds = len(counts), len(free)
    ties = (
        np.broadcast_to(-np.arange(n_folds, dtype=float), (n_units, n_folds))
        if generator is None
        else generator.random((n_units, n_folds))
    ).tolist()
    chosen = np.empty(n_units, dtype=np.int64)
    used = zip(counts.tolist(), sizes.tolist(), ties, strict=True)
    for unit, (count, size, tie) in enumerate(used):
        best = max(
            (fold for fold in range(n_folds) if free[fold] > 0 or not full_is_full),
            key=lambda fold: (round(want[fold], 9), round(free[fold], 9), tie[fold]),
        )
        chosen[unit] = best
        want[best] -= count
        free[best] -= size
    places[:] = free
    return chosen


_N_SPLITS = 5


@dataclass(frozen=True)
class Fold:
    """Rows of one training and test part; `number` counts the folds from 0."""

    number: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def make_folds(
    cv: Any, X: Any, y: Any, groups: Any = None, id_column: str | None = None
) -> list[Fold]:
    """Split users by a number of stratified folds (None is 5) or a splitter.

    Rows of one user are kept on one side, or refused.
    """
    check_same_users(X, y)
    if groups is not None:
        groups = group_codes(groups, _num_samples(y))
    # scikit-learn's own reading of an integer stratifies by y and fails on missing
    # labels, so integers never reach it.
    if cv is None or isinstance(cv, numbers.Integral):
        n_splits = _N_SPLITS if cv is None else int(cv)
        kind = (
            MultiTaskStratifiedKFold
            if groups is None
            else MultiTaskStratifiedGroupKFold
        )
        cv = kind(n_splits, random_state=0, id_column=id_column)
    folds = [
        Fold(number, np.asarray(train), np.asarray(test))
        for number, (train, test) in enumerate(check_cv(cv).split(X, y, groups))
    ]
    ids = repeated_ids(X, id_column)
    check_one_side(ids, [(fold.train, fold.test) for fold in folds])
    return folds
