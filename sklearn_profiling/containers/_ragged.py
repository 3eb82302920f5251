"""Rows of different lengths laid end to end: index arithmetic for the containers."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Rows = slice | IntArray
"""Either a slice of step one or an array of row numbers."""


class Ragged:
    """Any number of elements a user; `user_starts` has shape (n_users + 1,).

    A subclass says in `_select` how some elements and their new starts are built, and
    what is pickled.
    """

    user_starts: IntArray

    def _select(self, elements: Rows, user_starts: IntArray) -> Self:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        raise NotImplementedError

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int]:
        """Number of users, as numpy arrays give it."""
        return (len(self),)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """True for users without any element."""
        empty: npt.NDArray[np.bool_] = np.diff(self.user_starts) == 0
        return empty

    def first_of_each(self, n: int | None) -> Self:
        """Keep the first elements of each user.

        Parameters
        ----------
        n : int or None
            Number of messages or images to keep of a user; None keeps all.

        Returns
        -------
        TokenMessages or ImageBags
            The same users; itself if nobody has more.
        """
        sizes = np.diff(self.user_starts)
        if n is None or (sizes <= n).all():
            return self
        return self._select(*ranges(self.user_starts[:-1], sizes.clip(max=n)))

    def __len__(self) -> int:
        return len(self.user_starts) - 1


def without_ellipsis(key: Any) -> Any:
    """Return the row index of ``(key, Ellipsis)``, as scikit-learn writes it."""
    if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
        return key[0]
    return key


def resolve_rows(key: Any, n_rows: int) -> Rows:
    """Turn a row index of numpy into a slice of step one or row numbers from 0.

    A key of another kind or outside `n_rows` is an IndexError.
    """
    key = without_ellipsis(key)
    if isinstance(key, slice):
        start, stop, step = key.indices(n_rows)
        if step == 1:
            return slice(start, max(start, stop))
        return np.arange(start, stop, step, dtype=np.int64)
    return as_slice(_row_numbers(key, n_rows))


def _row_numbers(key: Any, n_rows: int) -> IntArray:
    """Turn a mask or an array of integers into row numbers from 0."""
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


def as_slice(rows: IntArray) -> Rows:
    """Return rows that follow each other as a slice, which copies nothing."""
    follow = len(rows) and (np.diff(rows) == 1).all()
    return slice(int(rows[0]), int(rows[-1]) + 1) if follow else rows


def is_mapped(array: Any) -> bool:
    """Tell whether an array lies in a file that is mapped into memory."""
    while isinstance(array, np.ndarray | memoryview):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return isinstance(array, mmap.mmap)


def without_name(array: Any) -> Any:
    """Return an array without the name of the file that it is mapped from.

    With it joblib would have other processes open the file, which may be gone by then
    or hold something else. Without it they get the bytes.
    """
    return np.asarray(memoryview(array)) if is_mapped(array) else array


def take(starts: IntArray, rows: Rows) -> tuple[Rows, IntArray]:
    """Return where the elements of rows lie, and the new starts of the rows.

    Row i holds the elements ``starts[i]:starts[i + 1]``. Elements that lie end to end
    already are a slice.
    """
    if isinstance(rows, slice):
        chosen = starts[rows.start : rows.stop + 1]
        first = int(chosen[0])
        return slice(first, int(chosen[-1])), chosen - first if first else chosen
    return ranges(starts[rows], starts[rows + 1] - starts[rows])


def ranges(first: IntArray, lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return the elements of ranges, end to end, and where each range starts there."""
    starts = np.concatenate([[0], np.cumsum(lengths)])
    # Position within the concatenation, moved to where its range begins.
    offsets = np.repeat(first - starts[:-1], lengths)
    return offsets + np.arange(starts[-1], dtype=np.int64), starts


def segment_ids(starts: IntArray) -> IntArray:
    """Return the row of every element, shape (n_elements,)."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def check_starts(
    starts: Sequence[int] | IntArray, n_elements: int, name: str
) -> IntArray:
    """Return starts as read-only int64: from 0, non-decreasing, up to `n_elements`."""
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
        msg = f"{name} must be non-decreasing; it decreases after entry {falls[0]}"
        raise ValueError(msg)
    checked.flags.writeable = False
    return checked
