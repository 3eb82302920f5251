"""Columns of vectors: one array or list of numbers in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.exceptions import SourceError

__all__ = ["VectorColumn", "holds_vectors"]


def holds_vectors(column: Any) -> bool:
    """Whether the first cell that is not missing holds numbers."""
    cells = _cells(column)
    first = next((cell for cell in cells or () if not _is_missing(cell)), None)
    if isinstance(first, np.ndarray):
        return first.ndim == 1 and first.size > 0 and first.dtype.kind in "fiub"
    return isinstance(first, list | tuple) and bool(first) and _is_number(first[0])


class VectorColumn:
    """Stacks the vectors of a column, with a row of NaN for users without one.

    The width is that of the first vector in the column it is made for; any other raises
    SourceError, which names the row.
    """

    def __init__(self, source: str, column: Any) -> None:
        first = next(cell for cell in _cells(column) or () if not _is_missing(cell))
        self._source = source
        self._n_features = len(first)

    def transform(self, column: Any) -> npt.NDArray[np.floating[Any]]:
        """Return the array (n_users, n_features)."""
        cells = _cells(column)
        if cells is None:
            shape = getattr(column, "shape", "")
            msg = (
                f"source {self._source!r} must be a Series, list or 1-D array with the "
                f"vector of one user in each cell, as in fit; got "
                f"{type(column).__name__} {shape}"
            )
            raise SourceError(msg)
        rows = np.full((len(cells), self._n_features), np.nan)
        kinds = set()
        for row, cell in enumerate(cells):
            if _is_missing(cell):
                continue
            vector = self._vector(cell, row)
            kinds.add(vector.dtype)
            rows[row] = vector
        return rows.astype(np.float32) if kinds == {np.dtype(np.float32)} else rows

    def _vector(self, cell: Any, row: int) -> npt.NDArray[Any]:
        try:
            vector = np.asarray(cell)
            if vector.dtype.kind not in "fiub":
                vector = vector.astype(np.float64)
        except (TypeError, ValueError):
            vector = np.empty((0, 0))
        if vector.shape != (self._n_features,):
            msg = (
                f"source {self._source!r}, row {row}: the vector of a user must hold "
                f"{self._n_features} numbers as the first one does, or be None or NaN; "
                f"got {cell!r:.60}"
            )
            raise SourceError(msg)
        return vector


def _cells(column: Any) -> Sequence[Any] | None:
    if isinstance(column, pd.Series):
        return column.tolist()
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return list(column)
    return column if isinstance(column, list) else None


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
