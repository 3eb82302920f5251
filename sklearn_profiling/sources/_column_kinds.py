"""What the columns of a table of users hold, as far as their cells tell."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from sklearn_profiling.containers import SocialGraph
from sklearn_profiling.exceptions import GraphError, SourceError
from sklearn_profiling.sources._image_cells import images_of, is_null
from sklearn_profiling.sources._vectors import holds_vectors

__all__ = ["ColumnKind", "Kind", "column_kinds"]

Kind = Literal[
    "text", "images", "vectors", "numbers", "lists", "categories", "ids", "drop"
]

_FEWEST_USERS = 5
_SAMPLE = 1000
_SUFFIXES = re.compile(r"\.(jpe?g|png|gif|bmp|webp|tiff?|heic|avif)$", re.IGNORECASE)
_ID_NAME = re.compile(r"(^|[_\W])(id|uid|uuid|guid)$|Id$|ID$")
_DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|\s*$)")
_LONGEST_CATEGORY = 40
_ID_COLUMN = "user_id"
_SHARE_OF_IDS = 0.1
"""Of a column's cells that are users of the network, if the column holds ids."""


class ColumnKind(NamedTuple):
    """What a column holds, and how that was seen."""

    kind: Kind
    reason: str


def column_kinds(
    X: pd.DataFrame,
    graph: SocialGraph | None,
    given: Mapping[str, str],
) -> dict[str, ColumnKind]:
    """Say of each column what it holds; `given` has the user's own word.

    Raises SourceError for a kind or a column that is not there.
    """
    for name, kind in given.items():
        if kind not in get_args(Kind):
            msg = f"columns[{name!r}] must be one of {[*get_args(Kind)]}; got {kind!r}"
            raise SourceError(msg)
    absent = [name for name in given if name not in X]
    if absent:
        msg = f"columns names {absent}; X has {list(X)}"
        raise SourceError(msg)
    found: dict[str, ColumnKind] = {
        name: ColumnKind(given[name], "as given")  # type: ignore[arg-type] # checked
        if name in given
        else _kind_of(name, X[name])
        for name in X.columns
    }
    if graph is not None and not any(each.kind == "ids" for each in found.values()):
        _find_ids(X, graph, found, given)
    return found


def _find_ids(
    X: pd.DataFrame,
    graph: SocialGraph,
    found: dict[str, ColumnKind],
    given: Mapping[str, str],
) -> None:
    """Find the column with most users of the network, at least a tenth of its cells.

    Failing that, the loaders' column of ids, whose errors say what is wrong with it.
    """
    best, most = None, 0.0
    for name in X.columns:
        if name in given or not _may_be_ids(X[name]):
            continue
        try:
            share = float(np.mean(graph.index_of(X[name]) >= 0))
        except GraphError:  # numbers, but none that can be ids
            continue
        if share > most:
            best, most = name, share
    if best is None or most < _SHARE_OF_IDS:
        best = _ID_COLUMN if _ID_COLUMN in X and _ID_COLUMN not in given else None
    if best is None:
        msg = (
            "no column of X holds ids of the network: less than a tenth of the cells "
            'of each are users of the graph; name it as {column: "ids"} in columns'
        )
        raise SourceError(msg)
    found[best] = ColumnKind("ids", f"{most:.0%} of the cells are users of the network")


def _may_be_ids(cells: pd.Series) -> bool:
    first = next((cell for cell in cells if not is_null(cell)), None)
    return isinstance(first, str | int | np.integer | float)


def _kind_of(name: str, column: pd.Series) -> ColumnKind:
    there = column[~column.map(_is_empty).astype(bool)]
    if len(there) < _FEWEST_USERS:
        return ColumnKind("drop", f"{len(there)} users have it, fewer than 5")
    if name == _ID_COLUMN:
        # However often a user comes: who it is tells nothing of anybody else.
        return ColumnKind("drop", "ids: the users' own")
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return ColumnKind("categories", "categorical")
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return ColumnKind("numbers", "dates, in days")
    if pd.api.types.is_numeric_dtype(dtype):
        return _kind_of_numbers(name, there)
    return _kind_of_objects(name, there)


def _is_empty(cell: Any) -> bool:
    """Whether a user has nothing here: a null, an empty list or a blank text."""
    if isinstance(cell, str):
        return not cell.strip()
    return is_null(cell) or (
        isinstance(cell, list | tuple | np.ndarray) and not len(cell)
    )


def _kind_of_numbers(name: str, there: pd.Series) -> ColumnKind:
    whole = not pd.api.types.is_float_dtype(there.dtype)
    if whole and there.is_unique and _ID_NAME.search(name):
        return ColumnKind("drop", "ids: a number of its own for each user")
    if pd.api.types.is_bool_dtype(there.dtype):
        return ColumnKind("numbers", "yes or no")
    return ColumnKind("numbers", "numbers")


def _kind_of_objects(name: str, there: pd.Series) -> ColumnKind:
    sample = there.iloc[:: max(1, len(there) // _SAMPLE)].tolist()
    if all(isinstance(cell, str) for cell in sample):
        return _kind_of_strings(name, there, sample)
    if all(isinstance(cell, bool | np.bool_) for cell in sample):
        return ColumnKind("numbers", "yes or no")
    if all(isinstance(cell, int | float | np.number) for cell in sample):
        return _kind_of_numbers(name, there.infer_objects())
    if _are_images(sample):
        return ColumnKind("images", "lists of images, or of paths of image files")
    if holds_vectors(sample):
        lengths = {len(cell) for cell in sample}
        if len(lengths) == 1:
            return ColumnKind("vectors", f"vectors of {lengths.pop()} numbers")
        return ColumnKind("lists", "lists of numbers that differ in length")
    if all(_is_text(cell) for cell in sample):
        return ColumnKind("text", "lists of messages")
    kinds = sorted({type(cell).__name__ for cell in sample})
    return ColumnKind("drop", f"cells of {', '.join(kinds)}")


def _kind_of_strings(name: str, there: pd.Series, sample: list[str]) -> ColumnKind:
    if _are_images(sample):
        return ColumnKind("images", "paths of image files")
    if all(_DATE.match(cell) for cell in sample):
        return ColumnKind("numbers", "dates, in days")
    n_values, longest = there.nunique(), max(map(len, sample))
    if n_values <= len(there) / 2 and longest <= _LONGEST_CATEGORY:
        return ColumnKind("categories", f"{n_values} values")
    if _ID_NAME.search(name) and n_values == len(there):
        return ColumnKind("drop", "ids: a value of its own for each user")
    if np.mean([_has_words(cell) for cell in sample]) >= 0.5:
        return ColumnKind("text", "texts")
    return ColumnKind("drop", f"{n_values} values of {len(there)} users, without words")


def _has_words(cell: str) -> bool:
    """Whether letters are no less than half of a text; codes and dates have fewer."""
    return sum(map(str.isalpha, cell)) >= len(cell.replace(" ", "")) / 2


def _is_text(cell: Any) -> bool:
    if isinstance(cell, str):
        return True
    listed = isinstance(cell, list | tuple) or (
        isinstance(cell, np.ndarray) and cell.ndim == 1
    )
    return listed and all(isinstance(each, str) or is_null(each) for each in cell)


def _are_images(sample: list[Any]) -> bool:
    """Whether all cells hold images, none of them a str that is no image file."""
    images = []
    for cell in sample:
        try:
            images += images_of(cell)[0]
        except TypeError:
            return False
    return bool(images) and all(
        _SUFFIXES.search(os.fspath(image)) is not None
        if isinstance(image, str | os.PathLike)
        else True
        for image in images
    )
