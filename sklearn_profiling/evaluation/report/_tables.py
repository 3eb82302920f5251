"""DataFrames as cells of text, for pages and cards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklearn_profiling.evaluation._users import is_null

__all__ = ["Cell", "Shown", "shown_table", "written"]

_MOST_ROWS = 100
_LONGEST = 60


class Cell(NamedTuple):
    """Text, and whether it is a number, which stands on the right."""

    text: str
    number: bool


@dataclass(frozen=True)
class Shown:
    """A table as text; the first `n_index` cells of a row name it."""

    caption: str
    heads: list[Cell]
    rows: list[list[Cell]]
    n_index: int
    n_more: int


def shown_table(
    table: pd.DataFrame, caption: str, most_rows: int = _MOST_ROWS
) -> Shown:
    """Write the index and the columns of a table as text."""
    flat = table.reset_index(allow_duplicates=True)
    columns = [flat.iloc[:, place].tolist() for place in range(flat.shape[1])]
    numeric = [all(map(_is_number, column)) for column in columns]
    heads = [
        Cell(str(name).replace("_", " "), number)
        for name, number in zip(flat.columns, numeric, strict=True)
    ]
    decimals = [_decimals(column) for column in columns]
    rows = [
        [
            Cell(written(*cell[:2]), cell[2])
            for cell in zip(row, decimals, numeric, strict=True)
        ]
        for row in list(zip(*columns, strict=True))[:most_rows]
    ]
    n_more = max(0, len(flat) - most_rows)
    return Shown(caption, heads, rows, table.index.nlevels, n_more)


def written(value: Any, decimals: int = 3) -> str:
    """Write a cell: numbers with decimals, sets side by side, text cut."""
    if is_null(value):
        return "–"
    if isinstance(value, float | np.floating):
        return f"{value:.{decimals}f}"
    if isinstance(value, frozenset | set):
        value = ", ".join(sorted(map(str, value)))
    text = " ".join(str(value).encode("utf-8", "replace").decode("utf-8").split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _decimals(column: list[Any]) -> int:
    """Choose decimals: none or one for counts and their medians, three for rates."""
    floats = [float(v) for v in column if isinstance(v, float | np.floating)]
    floats = [v for v in floats if not math.isnan(v)]
    if max(map(abs, floats), default=0.0) <= 1:
        return 3
    return next((n for n in (0, 1) if all(round(v, n) == v for v in floats)), 3)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    return is_null(value) or isinstance(value, int | float | np.number)
