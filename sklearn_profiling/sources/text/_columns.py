"""Reading the messages column of a table of users."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import DataFormatError, SourceError

__all__ = ["read_messages", "read_word_list"]

_SURROGATES = re.compile("[\ud800-\udfff]")

#: A word list: words, or the path of a file with one word a line.
WordList = str | os.PathLike[str] | Iterable[str]


def read_messages(column: Any, owner: object) -> list[list[str]]:
    """Bring a messages column of any form into one list of messages a user.

    Parameters
    ----------
    column : Series, array-like of shape (n_users,), or table with one column
        Cells are lists of str, one str (one message), or None / NaN (no text).
    owner : object
        The step that reads, for errors.

    Returns
    -------
    list of list of str
        Messages of each user; an empty list for a user without text. Surrogate pairs
        have become characters, lone surrogates are gone.

    Raises
    ------
    SourceError
        If the column or a cell is anything else; the row is named.
    """
    cells, labels = _cells(column, owner)
    users: list[list[str]] = []
    for row, cell in enumerate(cells):
        try:
            users.append(_messages_of(cell))
        except TypeError as error:
            place = f"row {row}" if labels is None else f"row {row} ({labels[row]!r})"
            msg = f"{type(owner).__name__}, {place}: {error}"
            raise SourceError(msg) from None
    return users


def _cells(column: Any, owner: object) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """Return the cells of the one column and, for pandas, the labels of its rows."""
    name = type(owner).__name__
    if isinstance(column, TokenMessages):
        msg = (
            f"{name} takes raw messages; got TokenMessages, which are segmented already"
        )
        raise SourceError(msg)
    if isinstance(column, pd.DataFrame):
        if column.shape[1] != 1:
            msg = (
                f"{name} takes one column of messages; got a table with "
                f"{column.shape[1]} columns: {list(column.columns)}"
            )
            raise SourceError(msg)
        return column.iloc[:, 0].tolist(), column.index.tolist()
    if isinstance(column, pd.Series):
        return column.tolist(), column.index.tolist()
    if isinstance(column, np.ndarray) and column.ndim == 2 and column.shape[1] == 1:
        return column[:, 0].tolist(), None
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return column.tolist(), None
    if isinstance(column, list | tuple):
        return column, None
    shape = getattr(column, "shape", None)
    kind = type(column).__name__ + ("" if shape is None else f" of shape {shape}")
    msg = (
        f"{name} takes a Series, list or 1-D array with the messages of one user in "
        f"each cell; got {kind}"
    )
    raise SourceError(msg)


def _messages_of(cell: Any) -> list[str]:
    if isinstance(cell, str):
        return [_well_formed(cell)]
    if isinstance(cell, list | tuple | np.ndarray):
        for position, message in enumerate(cell):
            if not isinstance(message, str):
                reason = f"message {position} must be a str; got {_described(message)}"
                raise TypeError(reason)
        return [_well_formed(message) for message in cell]
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return []
    reason = (
        "the messages of a user must be a list of str, one str, or None or NaN for "
        f"no text; got {_described(cell)}"
    )
    raise TypeError(reason)


def _described(value: Any) -> str:
    return f"{value!r:.60} ({type(value).__name__})"


def _well_formed(message: str) -> str:
    if _SURROGATES.search(message) is None:
        return message
    # Halves of one character, as careless JSON writers leave them, come together;
    # a half alone could not be written to any file.
    return message.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def read_word_list(words: WordList | None, parameter: str) -> list[tuple[int, str]]:
    """Read a parameter that is a list of words or the path of a file.

    Parameters
    ----------
    words : str, path-like, iterable of str or None
        A str is a path. A file is UTF-8 with one entry a line; empty lines are left
        out.
    parameter : str
        Name of the parameter, for errors.

    Returns
    -------
    list of (int, str)
        Line or position, counted from 1, and the entry.

    Raises
    ------
    DataFormatError
        If the file is not UTF-8.
    SourceError
        If the file does not exist, an entry is not a str, or `words` is an iterator.
    """
    if words is None:
        return []
    if not isinstance(words, str | os.PathLike):
        if isinstance(words, Iterator):
            msg = (
                f"{parameter} must be a list or set of words or a path; an iterator "
                "could be read only once"
            )
            raise SourceError(msg)
        entries = list(words)
        for position, word in enumerate(entries):
            if not isinstance(word, str) or not word.strip():
                msg = (
                    f"{parameter} must hold words; entry {position} is "
                    f"{_described(word)}"
                )
                raise SourceError(msg)
        return [(number, word.strip()) for number, word in enumerate(entries, 1)]
    path = Path(words)
    if not path.is_file():
        msg = (
            f"{parameter} is a list of words or the path of a file with one a line; "
            f"there is no file {os.fspath(words)!r}"
        )
        raise SourceError(msg)
    read: list[tuple[int, str]] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            entry = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            reason = f"{parameter} must be UTF-8: {error}"
            raise DataFormatError(path, number, reason) from error
        if entry:
            read.append((number, entry))
    return read
