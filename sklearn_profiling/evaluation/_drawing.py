"""Tables of scores as text."""

from __future__ import annotations

import numpy as np
import pandas as pd

_MARKS = ((0.01, "**"), (0.05, "*"))
MARKS_LEGEND = ", ".join(f"{mark} p < {level}" for level, mark in reversed(_MARKS))


def draw_cells(mean: pd.DataFrame, spread: pd.DataFrame | None = None) -> pd.DataFrame:
    """Write each cell as text.

    Parameters
    ----------
    mean : DataFrame
        Values; NaN where a system failed.
    spread : DataFrame of the same shape, default=None
        Standard deviations; NaN where there is one fold.

    Returns
    -------
    DataFrame of str
        The cells, without names of the axes.
    """
    spread = mean * np.nan if spread is None else spread
    cells = [
        [_cell(m, s) for m, s in zip(means, spreads, strict=True)]
        for means, spreads in zip(mean.to_numpy(), spread.to_numpy(), strict=True)
    ]
    index = mean.index.rename(None)
    return pd.DataFrame(cells, index=index, columns=mean.columns)


def mark_cells(cells: pd.DataFrame, p_values: pd.DataFrame) -> pd.DataFrame:
    """Mark the cells with a small p-value.

    Parameters
    ----------
    cells : DataFrame of str
        As :func:`draw_cells` writes them.
    p_values : DataFrame
        For some of the columns.

    Returns
    -------
    DataFrame of str
        The marked columns end in two places for the mark, so that numbers stay in line.
    """
    marked = cells.copy()
    for column in p_values:
        marks = [_mark(p) for p in p_values[column]]
        marked[column] = [
            cell + mark.ljust(2)
            for cell, mark in zip(cells[column], marks, strict=True)
        ]
    return marked


def _mark(p_value: float) -> str:
    return next((mark for level, mark in _MARKS if p_value < level), "")


def _cell(mean: float, spread: float) -> str:
    """Write one cell of the table."""
    if np.isnan(mean):
        return "failed"
    return f"{mean:.3f}" if np.isnan(spread) else f"{mean:.3f} ± {spread:.3f}"
