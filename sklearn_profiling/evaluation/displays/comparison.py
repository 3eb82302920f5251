"""Systems side by side, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sklearn_profiling.evaluation._drawing import MARKS_LEGEND, mark_of
from sklearn_profiling.evaluation.comparison import Comparison
from sklearn_profiling.evaluation.displays._canvas import (
    COLOURS,
    GREY,
    Display,
    drawable,
    finish,
)

__all__ = ["ComparisonDisplay"]


@dataclass
class ComparisonDisplay(Display):
    """Means of the systems of a comparison, with intervals, on one task.

    Make it by :meth:`from_comparison` or ``Comparison.plot``.

    Parameters
    ----------
    summary : DataFrame
        Rows of ``Comparison.summary`` of one task.
    metric : str
        What was measured.

    Attributes
    ----------
    summary, metric
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.evaluation import ComparisonDisplay, compare
    >>> y = ["f", "m", "m"] * 4
    >>> result = compare({"majority": make_majority_baseline()}, [[0]] * 12, y, cv=2)
    >>> display = ComparisonDisplay.from_comparison(result)
    >>> display.summary["mean"].round(2).tolist()
    [0.67]
    """

    summary: pd.DataFrame
    metric: str

    @classmethod
    def from_comparison(
        cls,
        comparison: Comparison,
        metric: str | None = None,
        *,
        task: str = "average",
        confidence: float = 0.95,
        ax: Any = None,
    ) -> ComparisonDisplay:
        """Draw a comparison.

        Parameters
        ----------
        comparison : Comparison
            What :func:`compare` returned.
        metric : str, default=None
            One of the metrics that were measured; None is the first.
        task : str, default="average"
            A task, or ``"average"`` over the tasks.
        confidence : float, default=0.95
            Level of the intervals, in (0, 1).
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ComparisonDisplay
            The picture.

        Raises
        ------
        ValueError
            If the metric was not measured or there is no such task.
        MissingDependencyError
            If matplotlib is not installed.
        """
        tasks = [*comparison.tasks, "average"]
        if task not in tasks:
            msg = f"task must be one of {tasks}; got {task!r}"
            raise ValueError(msg)
        metric = comparison.scores["metric"].iloc[0] if metric is None else metric
        rows = comparison.summary(metric, confidence=confidence)
        rows = rows[rows["task"] == task].reset_index(drop=True)
        return cls(rows, str(metric)).plot(ax)

    def plot(self, ax: Any = None) -> ComparisonDisplay:
        """Draw a point and a line a system; filled is the best.

        Stars stand at systems that differ from the best, as the label below says.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ComparisonDisplay
            Itself.
        """
        ax = self._open(ax)
        rows = self.summary
        starred = False
        known = rows["p_value"].notna().any()
        for place, row in enumerate(rows.to_dict("records")):
            if pd.isna(row["mean"]):
                ax.text(
                    0.5,
                    place,
                    "failed",
                    transform=ax.get_yaxis_transform(),
                    ha="center",
                    va="center",
                    color=GREY,
                )
                continue
            best = known and pd.isna(row["p_value"])
            colour = COLOURS[1] if best else COLOURS[0]
            if not pd.isna(row["low"]):
                ax.plot([row["low"], row["high"]], [place, place], color=colour)
            fill = colour if best else "white"
            ax.plot(row["mean"], place, "o", color=colour, markerfacecolor=fill)
            mark = mark_of(row["p_value"])
            starred |= bool(mark)
            place_above = {"xytext": (0, 2), "textcoords": "offset points"}
            ax.annotate(
                mark, (row["mean"], place), ha="center", va="bottom", **place_above
            )
        ax.set_yticks(range(len(rows)), [drawable(name) for name in rows["system"]])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.margins(x=0.08)
        ax.grid(axis="x", alpha=0.3)
        below = self.metric
        if starred:
            below += f"\n{MARKS_LEGEND}\nagainst the best"
        ax.set(xlabel=below, title=drawable(rows["task"].iloc[0], 40))
        finish(ax)
        return self
