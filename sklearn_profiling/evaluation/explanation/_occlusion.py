"""Copies of one user, each without one thing that the user has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._image_formats import image_endings
from sklearn_profiling.containers._ids import object_array
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources._image_cells import images_of, is_null

__all__ = [
    "Contents",
    "Item",
    "contents_of",
    "copies",
    "read_user",
    "without_columns",
    "without_members",
    "without_words",
]


class Item(NamedTuple):
    """One thing that a user has, and the cells of the copy that lacks it."""

    level: str
    item: Any
    text: str
    source: str
    cells: dict[str, Any]


class Contents(NamedTuple):
    """Columns with messages and with images, as lists without nulls, by position."""

    messages: dict[str, dict[int, str]]
    images: dict[str, dict[int, Any]]


def read_user(X_user: Any) -> pd.DataFrame:
    """Return one user as a table of one row; SourceError for anything else."""
    X_user = as_pandas(X_user)
    if isinstance(X_user, pd.Series):
        X_user = X_user.to_dict()
    if isinstance(X_user, Mapping):
        columns = {str(name): object_array([cell]) for name, cell in X_user.items()}
        X_user = pd.DataFrame(columns)
    if not isinstance(X_user, pd.DataFrame) or len(X_user) != 1:
        shape = f" of shape {X_user.shape}" if hasattr(X_user, "shape") else ""
        msg = (
            "X_user must be one user: a table of one row, a row of a table or a mapping"
            f" from column names; got {type(X_user).__name__}{shape}"
        )
        raise SourceError(msg)
    if not X_user.columns.is_unique:
        msg = f"X_user has several columns of one name: {shortened(list(X_user))}"
        raise SourceError(msg)
    return X_user.set_axis([str(name) for name in X_user], axis=1).reset_index(
        drop=True
    )


def contents_of(user: pd.DataFrame) -> Contents:
    """Find the messages and images of a user by what stands in the cells."""
    found = Contents({}, {})
    for column in user:
        cell = user[column].iloc[0]
        messages = _messages_of(cell)
        images = {} if messages else _images_of(cell)
        if messages:
            found.messages[str(column)] = messages
        elif images:
            found.images[str(column)] = images
    return found


def _messages_of(cell: Any) -> dict[int, str]:
    """Return the messages of a cell; a string is one if it has several words."""
    if isinstance(cell, str):
        return {0: cell} if len(cell.split()) > 1 or len(cell) > 40 else {}
    members = _members(cell)
    if not members or not all(isinstance(text, str) for text in members.values()):
        return {}
    return {} if all(map(_names_image, members.values())) else members


def _members(cell: Any) -> dict[int, Any]:
    """Return what is not null of a list, by position."""
    is_list = isinstance(cell, list | tuple) or (
        isinstance(cell, np.ndarray) and cell.dtype == object and cell.ndim == 1
    )
    if not is_list:
        return {}
    return {place: each for place, each in enumerate(cell) if not is_null(each)}


def _names_image(text: str) -> bool:
    return len(text) < 500 and PurePath(text).suffix.lower() in image_endings()


def _images_of(cell: Any) -> dict[int, Any]:
    """Return the images of a list, by position; of anything else none."""
    members = _members(cell)
    try:
        return members if images_of(list(members.values()))[0] else {}
    except TypeError:
        return {}


def without_columns(user: pd.DataFrame) -> list[Item]:
    """List the columns that are not empty, each to be left out."""
    return [
        Item("column", str(name), "", str(name), {str(name): None})
        for name in user
        if not is_null(user[name].iloc[0])
    ]


def without_members(
    user: pd.DataFrame, level: str, column: str, groups: Sequence[Sequence[int]]
) -> Iterator[Item]:
    """Yield groups of messages or images of a column, each to be left out."""
    cell = user[column].iloc[0]
    cells = [cell] if isinstance(cell, str) else list(cell)
    for group in groups:
        left = [each for place, each in enumerate(cells) if place not in set(group)]
        first = cells[group[0]]
        text = first if level == "message" else _image_name(first)
        kept = (left[0] if left else "") if isinstance(cell, str) else left
        yield Item(level, group[0], text, column, {column: kept})


def _image_name(image: Any) -> str:
    """Return the path of an image; nothing for pixels and bytes."""
    if isinstance(image, Mapping):
        image = image.get("path")
    return str(image) if isinstance(image, str | PurePath) else ""


def without_words(
    user: pd.DataFrame,
    column: str,
    spans: Mapping[int, Sequence[tuple[str, int, int]]],
    groups: Sequence[Sequence[str]],
) -> Iterator[Item]:
    """Yield groups of words of a column, each to be left out wherever they stand.

    The spans of a message are words, where each begins and where it ends.
    """
    cell = user[column].iloc[0]
    cells = [cell] if isinstance(cell, str) else list(cell)
    for group in groups:
        left = list(cells)
        for place, found in spans.items():
            left[place] = _cut(cells[place], [s for s in found if s[0] in set(group)])
        kept = left[0] if isinstance(cell, str) else left
        yield Item("word", group[0], group[0], column, {column: kept})


def _cut(message: str, spans: Sequence[tuple[str, int, int]]) -> str:
    """Put a blank in the place of each span, so that no new word is made."""
    for _, start, end in reversed(spans):
        message = f"{message[:start]} {message[end:]}"
    return message


def copies(user: pd.DataFrame, items: Sequence[Item]) -> pd.DataFrame:
    """Make a table of one row an item: the user without it."""
    table = user.iloc[np.zeros(len(items), dtype=int)].reset_index(drop=True)
    changed = {name for item in items for name in item.cells}
    for name in changed:
        cell = user[name].iloc[0]
        cells = object_array([item.cells.get(name, cell) for item in items])
        made = pd.Series(cells, index=table.index, name=name, dtype=object)
        dtype: Any = user[name].dtype
        if pd.api.types.is_numeric_dtype(dtype):
            made = made.astype(float)
        elif pd.api.types.is_datetime64_any_dtype(dtype):
            made = made.astype(dtype)
        table[name] = made
    return table
