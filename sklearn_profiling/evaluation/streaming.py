"""Predictions of users who come some at a time, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._chunks import (
    FEWEST,
    SeenUsers,
    check_chunk_size,
    rechunked,
    whole_batches,
)
from sklearn_profiling._frames import as_pandas
from sklearn_profiling.datasets import stream_records
from sklearn_profiling.datasets._bunches import LabeledUsers
from sklearn_profiling.evaluation._probabilities import split_tasks
from sklearn_profiling.evaluation._users import ids_of, is_null
from sklearn_profiling.evaluation.scorers import task_names_of
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.targets import label_table

__all__ = ["predict_stream"]


def predict_stream(
    model: Any,
    users: str | PathLike[str] | Iterable[Any],
    *,
    chunk_size: int = 10_000,
    proba: bool = False,
    id_column: str | None = None,
) -> Iterator[pd.DataFrame]:
    """Predict users some at a time, from tables that are larger than memory.

    Parameters
    ----------
    model : Pipeline or classifier
        A fitted system.
    users : str, path-like or iterable
        Tables of users as `model` takes them, **one row a user**, or what
        :func:`~sklearn_profiling.datasets.stream_records` yields; a path is passed to
        that function, which also groups rows of messages whose user's stand together.
    chunk_size : int, default=10_000
        Number of users predicted at a time (our choice). It is rounded up to whole
        batches of the model's nets and to fifties, with a warning above ten times as
        many; the last chunk may have 49 more.
    proba : bool, default=False
        Whether to predict the probability of each class in place of labels.
    id_column : str or None, default=None
        Column, or name of the index, with the ids of the users. None is ``"user_id"``
        where there is one.

    Returns
    -------
    iterator of DataFrame
        One row a user, in order. The index holds the ids or, without ids, the numbers
        of the rows. One column a task or, with `proba`, one a class: ``gender=f``.

    Raises
    ------
    ValueError
        If `chunk_size` is no whole number of 1 or more.
    SourceError
        If `users` holds no table or no user, or a user stands in several rows, also of
        different tables.
    DataFormatError
        About a path, as from :func:`~sklearn_profiling.datasets.stream_records`.

    See Also
    --------
    sklearn_profiling.datasets.stream_records : Reads users some at a time.

    Notes
    -----
    Predictions have the bits of those in one piece: chunks are whole batches of the
    nets, and products of matrices have 50 rows or more. Encoders of
    :mod:`sklearn_profiling.sources` that sort texts of all users by length, as
    :class:`~sklearn_profiling.sources.PretrainedTextVectors` does, may differ in the
    last bits.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.evaluation import predict_stream
    >>> users = make_user_profiles(250, random_state=0)
    >>> model = make_majority_baseline().fit(users.data, users.target)
    >>> tables = (users.data[start : start + 40] for start in range(0, 250, 40))
    >>> for predicted in predict_stream(model, tables, chunk_size=100):
    ...     print(predicted.shape, predicted.index[0])
    (100, 4) 1000000001
    (100, 4) 1000000101
    (50, 4) 1000000201
    """
    size = whole_batches(model, check_chunk_size(chunk_size))
    if isinstance(users, str | PathLike):
        users = stream_records(users, chunk_size=size)
    if isinstance(users, pd.DataFrame | Mapping) or not isinstance(users, Iterable):
        msg = (
            "users must be a path or an iterable of tables of users; got "
            f"{type(users).__name__}"
        )
        raise SourceError(msg)
    return _predictions(model, _tables(users, id_column), size, proba, id_column)


def _tables(
    users: Iterable[Any], id_column: str | None
) -> Iterator[tuple[pd.DataFrame]]:
    """Yield tables of users, of whom none was there before."""
    seen = SeenUsers()
    columns: set[Any] | None = None
    n_users = 0
    for number, item in enumerate(users, 1):
        given = item["data"] if isinstance(item, Mapping) else item
        table = as_pandas(given)
        if not isinstance(table, pd.DataFrame):
            msg = f"table {number} of the stream is no table: {type(given).__name__}"
            raise SourceError(msg)
        columns = set(table.columns) if columns is None else columns
        # Chunks of records lack columns in which a user has several values; a model
        # that reads these says so.
        if columns != set(table.columns) and not isinstance(item, LabeledUsers):
            other = sorted(map(str, columns ^ set(table.columns)))
            msg = (
                f"all tables need the same columns; {other[0]!r:.60} is in table 1 or "
                f"table {number}, and not in both"
            )
            raise SourceError(msg)
        _check_new(seen, ids_of(table, id_column))
        if isinstance(table.index, pd.RangeIndex):
            stop = n_users + len(table)
            table = table.set_axis(pd.RangeIndex(n_users, stop))
        n_users += len(table)
        if len(table):
            yield (table,)
    if not n_users:
        msg = "the stream holds no user; at least one is needed"
        raise SourceError(msg)


def _check_new(seen: SeenUsers, ids: pd.Series[Any] | None) -> None:
    """Refuse a user who was there before; rows without an id are users of their own."""
    known = [] if ids is None else [each for each in ids if not is_null(each)]
    again = seen.add(known)
    if again is not None:
        msg = (
            f"user {again!r:.60} stands in several rows; one row a user is needed. "
            "stream_records of sklearn_profiling.datasets groups rows of messages"
        )
        raise SourceError(msg)


def _predictions(
    model: Any,
    tables: Iterator[tuple[pd.DataFrame]],
    size: int,
    proba: bool,
    id_column: str | None,
) -> Iterator[pd.DataFrame]:
    for (table,) in rechunked(tables, size, FEWEST):
        ids = ids_of(table, id_column)
        index = table.index if ids is None else _index_of(ids)
        columns = _probabilities(model, table) if proba else _labels(model, table)
        yield pd.DataFrame(columns, index=index)


def _index_of(ids: pd.Series[Any]) -> pd.Index[Any]:
    """Return ids as an index; a table's column keeps its kind on the way there."""
    return ids.to_frame().set_index(ids.name).index


def _labels(model: Any, users: pd.DataFrame) -> dict[str, Any]:
    """Return the predicted labels by task."""
    table, names, _ = label_table(model.predict(users))
    names = task_names_of(model) or names
    # A column of objects, whichever classes a chunk holds.
    return dict(zip(names, table.T, strict=True))


def _probabilities(model: Any, users: pd.DataFrame) -> dict[str, Any]:
    """Return the probability of each class of each task."""
    found = model.predict_proba(users)
    n_tasks = len(found) if isinstance(found, list | tuple) else 1
    names = task_names_of(model) or [f"task{k}" for k in range(n_tasks)]
    owner = type(model).__name__
    return {
        f"{task}={label}": np.ascontiguousarray(values[:, place])
        for task, (values, labels) in zip(
            names, split_tasks(found, model.classes_, names, owner), strict=True
        )
        for place, label in enumerate(labels)
    }
