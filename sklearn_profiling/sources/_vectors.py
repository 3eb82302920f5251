"""Columns of vectors: one array or list of numbers in each cell."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources._image_cells import is_null

__all__ = ["VectorColumn", "holds_vectors"]


def holds_vectors(column: Any) -> bool:
    """Whether the first cell that is not missing holds numbers."""
    first = next((c for c in _cells(column) or () if not is_null(c)), None)
    if isinstance(first, np.ndarray | torch.Tensor):
        return first.ndim == 1 and len(first) > 0 and _array(first).dtype.kind in "fiub"
    return isinstance(first, list | tuple) and bool(first) and _is_number(first[0])


class VectorColumn:
    """Stacks the vectors of a column, with a row of NaN for users without one.

    The width is that of the first vector in the column it is made for; any other raises
    SourceError, which names the row.
    """

    def __init__(self, source: str, column: Any) -> None:
        first = next(cell for cell in _cells(column) or () if not is_null(cell))
        self._source = source
        self.n_features = len(first)

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
        rows = np.full((len(cells), self.n_features), np.nan)
        kinds = set()
        for row, cell in enumerate(cells):
            if is_null(cell):
                continue
            vector = self._vector(cell, row, column)
            kinds.add(vector.dtype)
            rows[row] = vector
        return rows.astype(np.float32) if kinds == {np.dtype(np.float32)} else rows

    def _vector(self, cell: Any, row: int, column: Any) -> npt.NDArray[Any]:
        try:
            vector = _array(cell)
            if vector.dtype.kind not in "fiub":
                # None among numbers is a missing number; text is none
                given = np.array([np.nan if is_null(v) else v for v in cell], object)
                texts = any(isinstance(value, str | bytes) for value in given)
                vector = np.empty(0) if texts else given.astype(np.float64)
        except (TypeError, ValueError):
            vector = np.empty((0, 0))
        if vector.shape != (self.n_features,):
            place = f"row {row}"
            if isinstance(column, pd.Series):
                place += f" ({shortened(column.index[row])})"
            msg = (
                f"source {self._source!r}, {place}: the vector of a user must hold "
                f"{self.n_features} numbers as the first one does, or be None or NaN; "
                f"got {_described(cell)}"
            )
            raise SourceError(msg)
        return vector


def _cells(column: Any) -> Sequence[Any] | None:
    column = as_pandas(column)
    if isinstance(column, pd.Series):
        return column.tolist()
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return list(column)
    return column if isinstance(column, list | tuple) else None


def _array(cell: Any) -> npt.NDArray[Any]:
    if not isinstance(cell, torch.Tensor):
        return np.asarray(cell)
    # numpy has no bfloat16
    plain = cell.detach().cpu()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def _described(cell: Any) -> str:
    n_numbers = f"{len(cell)} values, " if isinstance(cell, Sized) else ""
    return n_numbers + shortened(cell)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
