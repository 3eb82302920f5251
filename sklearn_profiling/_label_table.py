"""Targets of any form to one: a table of objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.exceptions import TargetError

__all__ = ["Table", "label_table"]

Table = npt.NDArray[np.object_]


def label_table(y: Any) -> tuple[Table, list[str], bool]:
    """Bring targets of any form into one: a table of objects, None where missing.

    Parameters
    ----------
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels of any hashable kind; sets, frozensets and lists are set-valued cells.

    Returns
    -------
    table : ndarray of object, shape (n_users, n_tasks)
        The labels; None where missing, a frozenset where a cell holds a set.
    task_names : list of str
        Column names of a DataFrame, the name of a Series, else ``task0``, ``task1``...
    one_dimensional : bool
        True if `y` had shape (n_users,).

    Raises
    ------
    TargetError
        If `y` has another number of dimensions, no task, two tasks of one name, or
        sets that hold unhashable labels.
    """
    if isinstance(y, pd.DataFrame):
        values: Table = y.to_numpy(dtype=object)
        names = [str(name) for name in y.columns]
    elif isinstance(y, pd.Series):
        values = y.to_numpy(dtype=object)
        names = ["task0" if y.name is None else str(y.name)]
    else:
        values = _object_array(y)
        names = (
            [f"task{task}" for task in range(values.shape[1:2][0])]
            if (values.ndim == 2)
            else ["task0"]
        )
    if values.ndim not in (1, 2):
        msg = (
            "y must have shape (n_users,) or (n_users, n_tasks); got an array with "
            f"{values.ndim} dimensions"
        )
        raise TargetError(msg)
    if not names:
        msg = "y must have at least one task; it has no column"
        raise TargetError(msg)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"each task needs a name of its own; {twice!r} stands twice"
        raise TargetError(msg)
    one_dimensional = values.ndim == 1
    table = values.reshape(len(values), len(names)).copy()
    table[pd.isna(table)] = None
    for task, name in enumerate(names):
        if _holds_sets(table[:, task]):
            table[:, task] = _as_sets(table[:, task], name)
    return table, names, one_dimensional


def _object_array(y: Any) -> Table:
    """Make an array of objects without numpy unpacking set-valued cells."""
    if isinstance(y, pd.api.extensions.ExtensionArray):
        return y.to_numpy(dtype=object)
    if isinstance(y, np.ma.MaskedArray):
        unmasked: Table = np.array(y.data).astype(object)
        unmasked[np.ma.getmaskarray(y)] = None
        return unmasked
    if hasattr(y, "__array__"):
        array = np.asarray(y)
        if array.dtype.kind in "Mm" and array.ndim in (1, 2):
            # Numpy would make bare numbers of times to the nanosecond.
            return pd.DataFrame(array).to_numpy(dtype=object).reshape(array.shape)
        return array.astype(object)
    try:
        rows = [row.tolist() if isinstance(row, np.ndarray) else row for row in y]
    except TypeError as error:
        msg = (
            "y must be a DataFrame, a Series or an array of labels; got "
            f"{type(y).__name__}: {error}"
        )
        raise TargetError(msg) from error
    if any(isinstance(row, list | tuple) for row in rows):
        return _nested_array(rows)
    cells: Table = np.empty(len(rows), dtype=object)
    cells[:] = rows
    return cells


def _nested_array(rows: list[Any]) -> Table:
    """Make a 2-D array of one list a user."""
    width = len(rows[0]) if isinstance(rows[0], list | tuple) else -1
    array: Table = np.empty((len(rows), max(width, 0)), dtype=object)
    for number, row in enumerate(rows):
        if not isinstance(row, list | tuple) or len(row) != width:
            msg = (
                "y as nested lists needs one list of equal length a user; "
                f"row {number} is {row!r}"
            )
            raise TargetError(msg)
        for column, cell in enumerate(row):
            array[number, column] = cell
    return array


def _holds_sets(column: Table) -> bool:
    return any(isinstance(cell, set | frozenset | list) for cell in column)


def _as_sets(column: Table, name: str) -> Table:
    sets = np.empty(len(column), dtype=object)
    for row, cell in enumerate(column):
        if cell is not None and not isinstance(cell, set | frozenset | list):
            msg = (
                f"task {name!r} holds sets of labels, so every labelled cell must be a "
                f"set, frozenset or list; row {row} is {cell!r}"
            )
            raise TargetError(msg)
        try:
            sets[row] = None if cell is None else frozenset(cell)
        except TypeError as error:
            msg = (
                f"labels must be hashable; task {name!r}, row {row} holds one that is "
                f"not: {error}"
            )
            raise TargetError(msg) from error
    return sets
