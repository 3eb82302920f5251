"""Rows of different lengths laid end to end: index arithmetic for the containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Rows = slice | IntArray
"""Either a slice of step one or an array of row numbers."""


def without_ellipsis(key: Any) -> Any:
    """Take the row index out of ``(key, Ellipsis)``, as scikit-learn writes it.

    Parameters
    ----------
    key : any
        What stood in the brackets.

    Returns
    -------
    any
        The row index alone.
    """
    if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
        return key[0]
    return key


def resolve_rows(key: Any, n_rows: int) -> Rows:
    """Turn what numpy accepts as a row index into a slice of step one or row numbers.

    Parameters
    ----------
    key : slice, sequence or array of int or bool, or (key, Ellipsis)
        The last form is how scikit-learn indexes anything that has a shape.
    n_rows : int
        Number of rows that exist.

    Returns
    -------
    slice or ndarray of int64
        The rows meant, none of them negative.

    Raises
    ------
    IndexError
        If the key is of another kind or points outside.
    """
    key = without_ellipsis(key)
    if isinstance(key, slice):
        start, stop, step = key.indices(n_rows)
        if step == 1:
            return slice(start, max(start, stop))
        return np.arange(start, stop, step, dtype=np.int64)
    rows = np.asarray(key)
    if rows.size == 0 and rows.dtype.kind != "b":
        rows = rows.astype(np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "bui":
        msg = (
            "rows are chosen by an integer, a slice, a 1-D boolean mask or a 1-D "
            f"array of integers; got {type(key).__name__} of dtype {rows.dtype} and "
            f"{rows.ndim} dimensions"
        )
        raise IndexError(msg)
    if rows.dtype.kind == "b":
        if len(rows) != n_rows:
            msg = (
                f"a boolean mask must have {n_rows} entries, one a row; got {len(rows)}"
            )
            raise IndexError(msg)
        return np.flatnonzero(rows)
    rows = rows.astype(np.int64)
    outside = (rows < -n_rows) | (rows >= n_rows)
    if outside.any():
        msg = f"row {rows[outside][0]} is out of bounds: there are {n_rows} rows"
        raise IndexError(msg)
    return np.where(rows < 0, rows + n_rows, rows)


def take(starts: IntArray, rows: Rows) -> tuple[Rows, IntArray]:
    """Elements that belong to some rows, and the rows' new starts.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_rows + 1,)
        Row i holds the elements ``starts[i]:starts[i + 1]``.
    rows : slice or ndarray of int64
        As :func:`resolve_rows` gives it.

    Returns
    -------
    elements : slice or ndarray of int64
        Where the rows' elements lie; a slice where they lie end to end already.
    new_starts : ndarray of int64, shape (n_chosen + 1,)
        Starts among the chosen elements.
    """
    if isinstance(rows, slice):
        chosen = starts[rows.start : rows.stop + 1]
        return slice(int(chosen[0]), int(chosen[-1])), chosen - chosen[0]
    lengths = starts[rows + 1] - starts[rows]
    new_starts = np.concatenate([[0], np.cumsum(lengths)])
    # Position within the concatenation, moved to where its row begins.
    offsets = np.repeat(starts[rows] - new_starts[:-1], lengths)
    return offsets + np.arange(new_starts[-1], dtype=np.int64), new_starts


def segment_ids(starts: IntArray) -> IntArray:
    """Row number of every element.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_rows + 1,)
        Starts of the rows.

    Returns
    -------
    ndarray of int64, shape (n_elements,)
        The row each element belongs to.
    """
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def check_starts(
    starts: Sequence[int] | IntArray, n_elements: int, name: str
) -> IntArray:
    """Validate starts: from 0, never falling, up to the number of elements.

    Parameters
    ----------
    starts : array-like of int
        To be checked.
    n_elements : int
        What the last entry has to be.
    name : str
        Name in error messages.

    Returns
    -------
    ndarray of int64, read-only
        The starts.

    Raises
    ------
    ValueError
        If the starts do not describe rows.
    """
    given = np.asarray(starts)
    if given.ndim != 1 or len(given) == 0 or given.dtype.kind not in "iu":
        msg = (
            f"{name} must be a 1-D array of integers with at least one entry; got "
            f"{given.dtype} of shape {given.shape}"
        )
        raise ValueError(msg)
    checked = given.astype(np.int64)
    if checked[0] != 0 or checked[-1] != n_elements:
        msg = (
            f"{name} must begin with 0 and end with {n_elements}, the number of "
            f"elements; it begins with {checked[0]} and ends with {checked[-1]}"
        )
        raise ValueError(msg)
    falls = np.flatnonzero(np.diff(checked) < 0)
    if len(falls):
        msg = f"{name} must never fall; it does after entry {falls[0]}"
        raise ValueError(msg)
    checked.flags.writeable = False
    return checked
