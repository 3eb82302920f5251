"""Users of two tables: as many, in one order, and none of them twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.exceptions import SourceError, TargetError, shortened

__all__ = [
    "check_one_row_each",
    "check_one_side",
    "check_same_users",
    "group_codes",
    "ids_of",
    "is_null",
    "repeated_ids",
]

_ID_COLUMN = "user_id"
_ADVICE = (
    "a model that is tested on users it was trained on looks better than it is. Make "
    "one row of each user (users_from_messages of sklearn_profiling.datasets), or give "
    "groups= to keep the rows of a user together (with MultiTaskStratifiedGroupKFold "
    "as cv)"
)


def check_same_users(X: Any, y: Any) -> None:
    """Refuse X and y of other lengths, or two pandas tables whose indices differ.

    An index that only numbers the rows goes with ids of another kind by position.
    """
    n_users, n_labelled = _num_samples(X), _num_samples(y)
    if n_users != n_labelled:
        msg = f"X and y hold inconsistent numbers of users: {n_users} and {n_labelled}"
        raise TargetError(msg)
    tables = pd.DataFrame | pd.Series
    if not isinstance(X, tables) or not isinstance(y, tables):
        return
    first, second = X.index, y.index
    if first.equals(second) or _only_numbers(first, second):
        return
    row = next(
        row
        for row, (a, b) in enumerate(zip(first, second, strict=True))
        if is_null(a) != is_null(b) or not (is_null(a) or a == b)
    )
    # Counted, since an index may hold what has no order.
    order = (
        "hold the same index in another order"
        if Counter(first) == Counter(second)
        else "have different indices"
    )
    msg = (
        f"X and y {order}: row {row} is {shortened(first[row])} in X and "
        f"{shortened(second[row])} in y. Bring y into the order of X by "
        "y.loc[X.index], or call reset_index(drop=True) on both if they are matched "
        "by position"
    )
    raise TargetError(msg)


def _only_numbers(first: pd.Index[Any], second: pd.Index[Any]) -> bool:
    """Whether one index counts the rows and the other holds no numbers."""
    counts = pd.RangeIndex(len(first))
    return any(
        counts.equals(one) and not pd.api.types.is_numeric_dtype(other.dtype)
        for one, other in ((first, second), (second, first))
    )


def ids_of(X: Any, id_column: str | None) -> pd.Series[Any] | None:
    """Return the ids of the users, one a row, or None.

    They are in the column, or index, `id_column`; None is ``user_id`` if there is one.
    """
    X = as_pandas(X)
    name = _ID_COLUMN if id_column is None else id_column
    if isinstance(X, pd.DataFrame) and name in X:
        return X[name].reset_index(drop=True)
    if isinstance(X, pd.DataFrame | pd.Series) and X.index.name == name:
        return X.index.to_series(index=pd.RangeIndex(len(X)))
    if id_column is not None:
        has = list(X) if isinstance(X, pd.DataFrame) else type(X).__name__
        msg = f"id_column must name a column or the index of X: {id_column!r} of {has}"
        raise SourceError(msg)
    return None


def is_null(value: Any) -> bool:
    """Whether a value of any kind is None, NaN, ``pd.NA`` or ``pd.NaT``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def repeated_ids(X: Any, id_column: str | None) -> pd.Series[Any] | None:
    """Return the ids of the users, one a row, if one stands in several rows."""
    ids = ids_of(X, id_column)
    return None if ids is None or not ids.dropna().duplicated().any() else ids


def check_one_row_each(ids: pd.Series[Any] | None) -> None:
    """Refuse repeated ids."""
    if ids is not None:
        user = ids.dropna().value_counts().index[0]
        raise _repeated(ids, user, "")


def check_one_side(
    ids: pd.Series[Any] | None, folds: Iterable[tuple[Any, Any]]
) -> None:
    """Refuse repeated ids of which one is in both rows, (training, test), of a fold."""
    if ids is None:
        return
    for train, test in folds:
        tested = ids.iloc[test].dropna()
        seen = tested[tested.isin(ids.iloc[train].dropna())]
        if len(seen):
            where = ", and is in the training and the test part of one fold"
            raise _repeated(ids, seen.iloc[0], where)


def _repeated(ids: pd.Series[Any], user: Any, where: str) -> TargetError:
    counts = ids.value_counts()
    n_others = int((counts > 1).sum()) - 1
    others = f", as do {n_others} other users" if n_others else ""
    return TargetError(
        f"user {shortened(user)} stands in {counts[user]} rows of X{others}{where}; "
        f"{_ADVICE}"
    )


def group_codes(groups: Any, n_users: int) -> NDArray[np.int64]:
    """Return the number of each user's group, (n_users,); every user needs one."""
    values = as_pandas(groups)
    column = pd.Series(
        values.to_numpy() if isinstance(values, pd.Series) else values, dtype=object
    )
    if len(column) != n_users:
        msg = f"groups must have one entry a user, {n_users}; got {len(column)}"
        raise TargetError(msg)
    absent = np.flatnonzero(column.isna())
    if len(absent):
        msg = f"groups must name the group of every user; that of row {absent[0]} is "
        raise TargetError(msg + "missing")
    return np.asarray(pd.factorize(column)[0], dtype=np.int64)
