"""Columns of a table of users: messages, images and lists of words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling._bounds import check_file
from sklearn_profiling._frames import as_pandas, refuse_levels
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.containers._ids import object_array
from sklearn_profiling.exceptions import DataFormatError, SourceError, shortened
from sklearn_profiling.sources._image_cells import (
    described,
    images_of,
    is_null,
)

__all__ = [
    "ImageColumn",
    "as_users",
    "read_images",
    "read_messages",
    "read_word_list",
]


_LARGEST_LIST = 1 << 27  # bytes of a file with a list of words
_LONGEST = 60  # characters of a text in a message
_SURROGATES = re.compile("[\ud800-\udfff]")

#: A word list: words, or the path of a file with one word a line.
WordList = str | os.PathLike[str] | Iterable[str]


def as_users(X: Any, columns: Iterable[str]) -> Any:
    """Return users as a table or mapping.

    A Series, list or array with one cell a user becomes a table if but one of the
    `columns` is read; SourceError otherwise.
    """
    X = as_pandas(X)
    refuse_levels(X, "X", SourceError)
    if isinstance(X, pd.DataFrame | Mapping):
        return X
    names = sorted(set(columns))
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    is_column = (
        X.ndim == 1
        if isinstance(X, pd.Series | np.ndarray)
        else isinstance(X, Sequence) and not isinstance(X, str | bytes)
    )
    if not is_column or len(names) > 1:
        listed = ", ".join(map(repr, names))
        one = f"the column {listed}, or that column alone"
        wanted = one if len(names) == 1 else f"the columns {listed}"
        shape = f" of shape {X.shape}" if hasattr(X, "shape") else ""
        msg = (
            "X must be a DataFrame of users or a mapping from column names, with "
            f"{wanted}; got {type(X).__name__}{shape}"
        )
        raise SourceError(msg)
    if isinstance(X, pd.Series):
        return X.to_frame(names[0])
    return pd.DataFrame({names[0]: object_array(X)})


def read_messages(
    column: Any, owner: object, *, keep_nulls: bool = False
) -> list[list[str]]:
    """Return each user's messages as a list of str, an empty one where there are none.

    Nulls among messages are left out, or empty with `keep_nulls`; surrogate pairs
    become characters, and lone surrogates are dropped. Any other cell raises
    SourceError, which names the row. `owner` is the transformer that errors name, or
    what to say in its place.
    """
    name = owner if isinstance(owner, str) else type(owner).__name__
    if isinstance(column, TokenMessages):
        msg = (
            f"{name} takes raw messages; got TokenMessages, which are segmented already"
        )
        raise SourceError(msg)
    cells, labels = _cells(column, name, "messages")
    users: list[list[str]] = []
    for row, cell in enumerate(cells):
        try:
            users.append(_messages_of(cell, keep_nulls))
        except TypeError as error:
            msg = f"{name}, {_place(row, labels)}: {error}"
            raise SourceError(msg) from None
    return users


def _place(row: int, labels: Sequence[Any] | None) -> str:
    """Name a row, for errors, with what pandas calls it."""
    return f"row {row}" + ("" if labels is None else f" ({shortened(labels[row])})")


def _cells(
    column: Any, name: str, what: str
) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """Return the cells of the one column and, for pandas, the labels of its rows."""
    is_frame = isinstance(column, pd.DataFrame | pd.Series)
    column = as_pandas(column)
    if isinstance(column, pd.DataFrame):
        if column.shape[1] != 1:
            msg = (
                f"{name} takes one column of {what}; got a table with "
                f"{column.shape[1]} columns: {list(column.columns)}"
            )
            raise SourceError(msg)
        column = column.iloc[:, 0]
    if isinstance(column, pd.Series):
        return column.tolist(), column.index.tolist() if is_frame else None
    of_objects = what == "images"
    # An array of numbers is one image, not a column; an array of str holds paths.
    if isinstance(column, np.ndarray) and (column.dtype.kind in "OU" or not of_objects):
        if column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if column.ndim == 1:
            return column.tolist(), None
    if isinstance(column, Sequence) and not isinstance(column, str | bytes):
        return column, None
    shape = getattr(column, "shape", None)
    kind = type(column).__name__ + ("" if shape is None else f" of shape {shape}")
    objects = " of objects or str" if of_objects else ""
    msg = (
        f"{name} takes a Series, list or 1-D array{objects} with the {what} of one "
        f"user in each cell; got {kind}"
    )
    raise SourceError(msg)


def _messages_of(cell: Any, keep_nulls: bool) -> list[str]:
    if isinstance(cell, str):
        return [_well_formed(cell)]
    if (
        isinstance(cell, list)
        and set(map(type, cell)) == {str}
        and _SURROGATES.search("".join(cell)) is None
    ):
        return list(cell)  # nearly all users: a quick look at all messages at once
    if isinstance(cell, list | tuple | pd.Series) or (
        isinstance(cell, np.ndarray) and cell.ndim == 1
    ):
        return [
            "" if is_null(message) else _well_formed(_message(message, position))
            for position, message in enumerate(cell)
            if keep_nulls or not is_null(message)
        ]
    if is_null(cell):
        return []
    reason = (
        "the messages of a user must be a list of str, one str, or None or NaN for "
        f"no text; got {described(cell)}"
    )
    raise TypeError(reason)


def _message(message: Any, position: int) -> str:
    if not isinstance(message, str):
        reason = f"message {position} must be a str; got {described(message)}"
        raise TypeError(reason)
    return str(message)  # NumPy's str is one too


def _well_formed(message: str) -> str:
    if _SURROGATES.search(message) is None:
        return message
    # Halves of one character, as careless JSON writers leave them, come together;
    # a half alone could not be written to any file.
    return message.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def read_word_list(words: WordList | None, parameter: str) -> list[tuple[int, str]]:
    """Read (number, entry) of a list of words or of a UTF-8 file with one a line.

    Numbers are positions or lines, from 1; a str is a path, empty lines are skipped.
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
                    f"{described(word)}"
                )
                raise SourceError(msg)
        return [(number, word.strip()) for number, word in enumerate(entries, 1)]
    return _words_of_file(Path(words), parameter)


def _words_of_file(path: Path, parameter: str) -> list[tuple[int, str]]:
    if not os.path.lexists(path):
        msg = (
            f"{parameter} is a list of words or the path of a file with one a line; "
            f"there is no file {os.fspath(path)!r}"
        )
        raise SourceError(msg)
    if check_file(path) > _LARGEST_LIST:
        reason = f"{parameter} must have at most {_LARGEST_LIST:,} bytes"
        raise DataFormatError(path, None, reason)
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


@dataclass(frozen=True)
class ImageColumn:
    """Images of all users end to end: paths, bytes, PIL images or arrays.

    ``rows`` (int64, (n_images,)) has the user of each, ``labels`` the index of a pandas
    column, ``n_over_maximum`` counts the images beyond `max_images`, ``n_nulls`` the
    nulls among images.
    """

    images: list[Any]
    rows: npt.NDArray[np.int64]
    n_users: int
    n_over_maximum: int
    n_nulls: int
    labels: Sequence[Any] | None

    def place(self, image: int) -> str:
        """Return the row and, if there is one, the path of an image, for errors."""
        place = _place(int(self.rows[image]), self.labels)
        path = self.path(image)
        return place if path is None else f"{place}, {_brief(path)}"

    def label(self, row: int) -> Any:
        """Return what pandas calls a row, or its number."""
        return row if self.labels is None else self.labels[row]

    def path(self, image: int) -> str | None:
        """Return the path of an image, or None if it was given as bytes or pixels."""
        given = self.images[image]
        return os.fspath(given) if isinstance(given, str | os.PathLike) else None


def _brief(path: str) -> str:
    """Return a path; the end of what may be a text in its place."""
    folder = os.path.dirname(path)  # noqa: PTH120 - pathlib calls no folder "."
    if len(path) <= _LONGEST or os.path.exists(folder):  # noqa: PTH110 - as above
        return path
    return f"...{path[3 - _LONGEST :]}"


def read_images(column: Any, max_images: int | None, owner: object) -> ImageColumn:
    """Read a column of images, at most `max_images` a user, without opening any.

    Any other cell raises SourceError, which names the row.
    """
    name = type(owner).__name__
    if isinstance(column, ImageBags):
        msg = f"{name} takes images as they come; got ImageBags, which are made already"
        raise SourceError(msg)
    cells, labels = _cells(column, name, "images")
    images: list[Any] = []
    sizes = np.zeros(len(cells), dtype=np.int64)
    n_over = n_nulls = 0
    for row, cell in enumerate(cells):
        try:
            given, n_null = images_of(cell)
        except TypeError as error:
            msg = f"{name}, {_place(row, labels)}: {error}"
            raise SourceError(msg) from None
        kept = given if max_images is None else given[:max_images]
        images += kept
        sizes[row] = len(kept)
        n_over += len(given) - len(kept)
        n_nulls += n_null
    rows = np.repeat(np.arange(len(cells)), sizes)
    return ImageColumn(images, rows, len(cells), n_over, n_nulls, labels)
