"""Which task helps which, as a matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from sklearn_profiling.evaluation.displays._canvas import Display, finish, name_cells
from sklearn_profiling.evaluation.relatedness import task_relatedness

__all__ = ["TaskRelatednessDisplay"]

_PARTS = ("gain", "low", "high")
_MOST_NUMBERS = 8  # tasks, above which the gains do not fit


@dataclass
class TaskRelatednessDisplay(Display):
    """Gain of each task, in rows, from each other, in columns.

    Parameters
    ----------
    relatedness : DataFrame
        What :func:`task_relatedness` returned.

    Attributes
    ----------
    relatedness
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    im_ : matplotlib AxesImage
        The cells.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import TaskRelatednessDisplay
    >>> y = pd.DataFrame({"degree": list("abab") * 15, "job": list("pqpq") * 15})
    >>> display = TaskRelatednessDisplay.from_estimator(None, [[0]] * 60, y, cv=3)
    >>> display.relatedness["gain"].loc["degree", "job"].round(1)
    np.float64(0.5)
    """

    relatedness: pd.DataFrame
    im_: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        found = self.relatedness
        if not isinstance(found, pd.DataFrame) or found.columns.nlevels != 2:
            msg = "relatedness must be what task_relatedness returned; got "
            raise ValueError(msg + type(found).__name__)
        absent = [part for part in _PARTS if part not in found]
        if absent:
            msg = f"relatedness must have {list(_PARTS)}; {absent} are missing"
            raise ValueError(msg)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        by: Literal["labels", "training"] = "labels",
        cv: Any = None,
        ax: Any = None,
    ) -> TaskRelatednessDisplay:
        """Measure the gains by :func:`task_relatedness` and draw them.

        Parameters
        ----------
        estimator : estimator or None
            Classifier or Pipeline, which is cloned and fitted.
        X : array-like
            Users.
        y : DataFrame or array-like of shape (n_users, n_tasks)
            Labels of two tasks or more; None, NaN and ``pd.NA`` are missing.
        by : {"labels", "training"}, default="labels"
            As in :func:`task_relatedness`.
        cv : int, splitter or iterable of (train, test), default=None
            As in :func:`task_relatedness`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TaskRelatednessDisplay
            The picture.
        """
        return cls(task_relatedness(X, y, estimator, by=by, cv=cv)).plot(ax)

    def plot(self, ax: Any = None) -> TaskRelatednessDisplay:
        """Draw the gains in points of accuracy; in bold if the interval leaves 0 out.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TaskRelatednessDisplay
            Itself.
        """
        ax = self._open(ax)
        gain, low, high = (100 * self.relatedness[part] for part in _PARTS)
        values = gain.to_numpy()
        largest = max(1.0, float(np.abs(values[np.isfinite(values)]).max(initial=0)))
        self.im_ = ax.imshow(values, cmap="PuOr_r", vmin=-largest, vmax=largest)
        sure = (low > 0).to_numpy() | (high < 0).to_numpy()
        if len(gain) <= _MOST_NUMBERS:
            for (row, column), value in np.ndenumerate(values):
                if np.isfinite(value):
                    ax.text(
                        column,
                        row,
                        f"{value:+.1f}",
                        ha="center",
                        va="center",
                        fontsize="small",
                        fontweight="bold" if sure[row, column] else "normal",
                        color="white" if abs(value) > 0.65 * largest else "black",
                    )
        name_cells(ax, list(gain.index), list(gain.columns), 16)
        ax.set(xlabel="task that helps", ylabel="task that gains")
        self.figure_.colorbar(self.im_, ax=ax, label="gain, points of accuracy")
        finish(ax)
        return self
