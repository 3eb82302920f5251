"""Splits stratified over all tasks, where labels may be missing."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_consistent_length

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.containers._ragged import ranges
from sklearn_profiling.evaluation._pairs import members
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

IntArray = NDArray[np.int64]


class MultiTaskStratifiedKFold(BaseCrossValidator):
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

    Raises
    ------
    ValueError
        If ``n_splits`` is below 2, or ``random_state`` is given without ``shuffle``.

    See Also
    --------
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

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = True,
        random_state: RandomState = None,
    ) -> None:
        if isinstance(n_splits, bool) or not isinstance(n_splits, int | np.integer):
            msg = f"n_splits must be an integer; got {n_splits!r}"
            raise ValueError(msg)  # noqa: TRY004  as scikit-learn's splitters do
        if n_splits < 2:
            msg = f"n_splits must be 2 at least; got {n_splits}"
            raise ValueError(msg)
        if random_state is not None and not shuffle:
            msg = "random_state has no effect without shuffle; leave it None"
            raise ValueError(msg)
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the rows of the training and test part of each fold.

        Parameters
        ----------
        X : array-like
            Users; only their number counts.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        groups : None
            Ignored with a warning, as by scikit-learn's ``StratifiedKFold``.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers in ascending order.

        Raises
        ------
        TargetError
            If ``y`` is None or fewer than ``n_splits`` users have a label.
        """
        if groups is not None:
            warnings.warn(
                f"groups is ignored by {type(self).__name__}: users of one group can "
                "be in the training and the test part",
                UserWarning,
                stacklevel=2,
            )
        if y is None:
            msg = f"{type(self).__name__} stratifies by labels; y must not be None"
            raise TargetError(msg)
        check_consistent_length(X, y)
        fractions = np.full(self.n_splits, 1 / self.n_splits)
        fold = _stratify(y, fractions, self._generator())
        rows = np.arange(len(fold))
        for test_fold in range(self.n_splits):
            yield rows[fold != test_fold], rows[fold == test_fold]

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


def multi_task_train_test_split(
    X: Any, y: Any, *, test_size: float = 0.2, random_state: RandomState = None
) -> tuple[Any, Any, Any, Any]:
    """Split users once, stratified over all tasks, with missing labels.

    Users without any label are in the training part.

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
    random_state : int, RandomState instance or None, default=None
        Decides the shuffling.

    Returns
    -------
    X_train, X_test, y_train, y_test
        Of the kinds of ``X`` and ``y``.

    Raises
    ------
    ValueError
        If ``test_size`` is not between 0 and 1.
    TargetError
        If fewer than two users have a label.

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
    check_consistent_length(X, y)
    generator = np.random.default_rng(derive_seed(random_state))
    fold = _stratify(y, np.array([1 - test_size, test_size]), generator)
    test, train = np.flatnonzero(fold == 1), np.flatnonzero(fold != 1)
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
    labelled = np.unique(users)
    if len(labelled) < len(fractions):
        msg = (
            f"{len(fractions)} parts need as many users with a label of any task; "
            f"y has {len(labelled)} among {n_users} users"
        )
        raise TargetError(msg)
    by_label, starts = _group(labels, users)
    by_user, user_starts = _group(users, labels, n_groups=n_users)
    wanted = np.outer(np.diff(starts), fractions)
    places = _capacities(len(labelled), fractions)
    fold = np.full(n_users, -1, dtype=np.int64)
    remaining = np.diff(starts)
    while remaining.any():
        label = int(np.argmin(np.where(remaining > 0, remaining, np.iinfo(int).max)))
        rows = by_label[starts[label] : starts[label + 1]]
        rows = rows[fold[rows] < 0]
        if generator is not None:
            rows = generator.permutation(rows)
        chosen = _choose_folds(len(rows), wanted[label], places, generator)
        fold[rows] = chosen
        # All labels of the users just assigned are wanted once less.
        lengths = user_starts[rows + 1] - user_starts[rows]
        assigned = by_user[ranges(user_starts[rows], lengths)[0]]
        np.subtract.at(wanted, (assigned, np.repeat(chosen, lengths)), 1)
        remaining -= np.bincount(assigned, minlength=len(remaining))
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
    n_users: int,
    wanted: NDArray[np.float64],
    places: IntArray,
    generator: np.random.Generator | None,
) -> IntArray:
    """Choose folds for the users of one label; takes the places that are used."""
    # Plain lists: a loop over a handful of folds is far quicker than numpy calls.
    want, free = wanted.tolist(), places.tolist()
    n_folds = len(free)
    ties = (
        np.broadcast_to(-np.arange(n_folds, dtype=float), (n_users, n_folds))
        if generator is None
        else generator.random((n_users, n_folds))
    ).tolist()
    chosen = np.empty(n_users, dtype=np.int64)
    for user in range(n_users):
        tie = ties[user]
        best = max(
            (fold for fold in range(n_folds) if free[fold] > 0),
            key=lambda fold: (round(want[fold], 9), free[fold], tie[fold]),
        )
        chosen[user] = best
        want[best] -= 1
        free[best] -= 1
    places[:] = free
    return chosen


_N_SPLITS = 5


@dataclass(frozen=True)
class Fold:
    """Rows of one training and test part; `number` counts the folds from 0."""

    number: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def make_folds(cv: Any, X: Any, y: Any) -> list[Fold]:
    """Split users by a number of stratified folds (None is 5) or a splitter."""
    # scikit-learn's own reading of an integer stratifies by y and fails on missing
    # labels, so integers never reach it.
    if cv is None or isinstance(cv, numbers.Integral):
        n_splits = _N_SPLITS if cv is None else int(cv)
        cv = MultiTaskStratifiedKFold(n_splits, random_state=0)
    return [
        Fold(number, np.asarray(train), np.asarray(test))
        for number, (train, test) in enumerate(check_cv(cv).split(X, y))
    ]
