"""Tables of scores as text and HTML: cells, marks, and blocks that fit a width."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

_MARKS = ((0.01, "**"), (0.05, "*"))
MARKS_LEGEND = ", ".join(f"{mark} p < {level}" for level, mark in reversed(_MARKS))
_DECIMALS = 3


def draw_cells(mean: pd.DataFrame, spread: pd.DataFrame | None = None) -> pd.DataFrame:
    """Write each mean, and its standard deviation if given, as text."""
    spread = mean * np.nan if spread is None else spread
    cells = [
        [_cell(m, s) for m, s in zip(means, spreads, strict=True)]
        for means, spreads in zip(mean.to_numpy(), spread.to_numpy(), strict=True)
    ]
    index = mean.index.rename(None)
    return pd.DataFrame(cells, index=index, columns=mean.columns)


def mark_cells(cells: pd.DataFrame, p_values: pd.DataFrame) -> pd.DataFrame:
    """Mark cells with a small p-value; marked columns stay aligned."""
    marked = cells.copy()
    for column in p_values:
        marks = [mark_of(p) for p in p_values[column]]
        marked[column] = [
            cell + mark.ljust(2)
            for cell, mark in zip(cells[column], marks, strict=True)
        ]
    return marked


def mark_of(p_value: float) -> str:
    return next((mark for level, mark in _MARKS if p_value < level), "")


def _cell(mean: float, spread: float) -> str:
    """Write one cell of the table."""
    if np.isnan(mean):
        return "failed"
    return f"{mean:.3f}" if np.isnan(spread) else f"{mean:.3f} ± {spread:.3f}"


def mark_best(cells: pd.DataFrame, mean: pd.DataFrame) -> pd.DataFrame:
    """Put ``>`` before the best of each column, all that are drawn alike with it."""
    shown = mean.round(_DECIMALS)
    if len(cells) < 2:
        return cells
    marked = cells.copy()
    for column in cells:
        best = shown[column] == shown[column].max()
        marked[column] = [
            f">{cell}" if here else cell
            for here, cell in zip(best, cells[column], strict=True)
        ]
    return marked


def draw_html(
    cells: pd.DataFrame,
    worth: pd.DataFrame,
    p_values: pd.DataFrame,
    lines: Sequence[str],
) -> str:
    """Draw a table as HTML: the best of a column in bold, p-values as marks."""
    shown = worth.round(_DECIMALS)
    best = ((shown == shown.max()) & (len(cells) > 1)).to_numpy()
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in cells)
    texts, marks = cells.to_numpy().tolist(), p_values.to_numpy().tolist()
    rows = []
    for row, system in enumerate(cells.index):
        made = [
            escape(text + mark_of(p))
            for text, p in zip(texts[row], marks[row], strict=True)
        ]
        made = [
            f"<td><strong>{text}</strong></td>" if here else f"<td>{text}</td>"
            for text, here in zip(made, best[row], strict=True)
        ]
        rows.append(
            f'<tr><th scope="row">{escape(str(system))}</th>{"".join(made)}</tr>'
        )
    below = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f"<div><table><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{below}</div>"
    )


def draw_blocks(cells: pd.DataFrame, width: int | None = None) -> str:
    """Draw a table; columns that do not fit the width follow in blocks below."""
    if width is None:
        return cells.to_string()
    names = list(cells.columns)
    blocks = []
    while names:
        n_fitting = next(
            (n for n in range(len(names), 1, -1) if _fits(cells[names[:n]], width)), 1
        )
        blocks.append(cells[names[:n_fitting]].to_string())
        names = names[n_fitting:]
    return "\n\n".join(blocks)


def _fits(cells: pd.DataFrame, width: int) -> bool:
    return all(len(line) <= width for line in cells.to_string().splitlines())
