"""What users have in their cells, checked before the first fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.evaluation._users import check_same_users, ids_of, is_null
from sklearn_profiling.exceptions import DataQualityWarning
from sklearn_profiling.sources._columns import read_images, read_messages

__all__ = ["checked_users"]


# The sources name the class of what reads a column.
_OWNER = type("X", (), {})()


def checked_users(X: Any, y: Any, id_column: str | None) -> tuple[Any, Any]:
    """Return users and labels, tables as those of pandas, without nulls in lists.

    The columns ``messages`` and ``images`` are read as the sources read them; a cell
    that they refuse raises SourceError with the user's id.
    """
    check_same_users(X, y)
    given, tables = (X, y), pd.DataFrame | pd.Series
    X, y = as_pandas(X), as_pandas(y)
    # Only of pandas has a table an index, so another goes by position.
    if isinstance(X, tables) and isinstance(y, tables):
        if y is not given[1]:
            y = y.set_axis(X.index)
        elif X is not given[0]:
            X = X.set_axis(y.index)
    if not isinstance(X, pd.DataFrame) or not X.columns.is_unique:
        return X, y
    ids = ids_of(X, id_column)
    for name, read in (("messages", read_messages), ("images", _read_images)):
        if name in X and X[name].dtype.kind == "O":
            cells = X[name]
            column = _without_nulls(cells, name)
            read(column if ids is None else column.set_axis(ids.tolist()), _OWNER)
            if column is not cells:
                X = X.assign(**{name: column})
    return X, y


def _read_images(column: pd.Series[Any], owner: object) -> None:
    read_images(column, None, owner)


def _without_nulls(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Leave nulls among what a user has out, with one warning that counts them."""
    cells = column.tolist()
    kept: dict[int, list[Any]] = {}
    n_nulls = 0
    for row, cell in enumerate(cells):
        if isinstance(cell, list | tuple) or (
            isinstance(cell, np.ndarray) and cell.dtype == object and cell.ndim == 1
        ):
            left = [each for each in cell if not is_null(each)]
            if len(left) < len(cell):
                kept[row] = left
                n_nulls += len(cell) - len(left)
    if not kept:
        return column
    warnings.warn(
        f"{n_nulls} nulls among the {name} of {len(kept)} users are left out",
        DataQualityWarning,
        stacklevel=4,
    )
    made = np.empty(len(cells), dtype=object)
    made[:] = [kept.get(row, cell) for row, cell in enumerate(cells)]
    return pd.Series(made, index=column.index, name=column.name, dtype=object)
