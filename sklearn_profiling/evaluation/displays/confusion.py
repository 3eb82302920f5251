"""Confusion of the classes of one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.evaluation._pairs import task_pairs
from sklearn_profiling.evaluation.displays._canvas import (
    Display,
    choose_task,
    drawable,
    finish,
    name_cells,
)
from sklearn_profiling.exceptions import TargetError

__all__ = ["TaskConfusionDisplay"]

_MOST_NUMBERS = 12  # classes, above which the numbers of users do not fit


@dataclass
class TaskConfusionDisplay(Display):
    """Confusion matrix of one task, of the users who are labelled for it.

    Make it by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    confusion : ndarray of int, shape (n_classes, n_predicted)
        Number of users of each class, in rows, with each prediction.
    classes : sequence of str
        Names of the rows, and of the columns.
    task : str
        The task, which is the title.
    predicted : sequence of str, default=None
        Names of the columns, if there are more than the classes.

    Attributes
    ----------
    confusion, classes, task, predicted
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    im_ : matplotlib AxesImage
        The cells.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Of one task with all its labels.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import TaskConfusionDisplay
    >>> display = TaskConfusionDisplay.from_predictions(
    ...     ["f", "f", "m", None], ["f", "m", "m", "m"]
    ... )
    >>> display.confusion
    array([[1, 1],
           [0, 1]])
    """

    confusion: NDArray[np.int64]
    classes: Sequence[str]
    task: str
    predicted: Sequence[str] | None = None
    im_: Any = field(default=None, init=False, repr=False)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_pred: Any, *, task: str | None = None, ax: Any = None
    ) -> TaskConfusionDisplay:
        """Draw the confusion of labels and predictions.

        Parameters
        ----------
        y_true : DataFrame, Series or array-like, shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        y_pred : DataFrame, Series or array-like of the same shape
            Predictions; where one is missing, the column is "none".
        task : str, default=None
            The task; may be left out if there is only one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TaskConfusionDisplay
            The picture.

        Raises
        ------
        TargetError
            If the tables differ, nobody is labelled, the labels are sets, or there is
            no such task.
        MissingDependencyError
            If matplotlib is not installed.
        """
        pairs = task_pairs(y_true, y_pred)
        chosen = pairs[choose_task([each.task for each in pairs], task)]
        if any(isinstance(label, frozenset) for label in chosen.true):
            msg = f"task {chosen.task!r} holds sets of labels, which have no confusion"
            raise TargetError(msg)
        if not chosen.n_labelled:
            msg = f"nobody is labelled for task {chosen.task!r}"
            raise TargetError(msg)
        seen = {*chosen.true, *chosen.predicted} - {None}
        classes = sorted(seen, key=lambda label: (type(label).__name__, label))
        columns = [*classes, None]
        place = {label: number for number, label in enumerate(columns)}
        confusion = np.zeros((len(classes), len(columns)), dtype=np.int64)
        rows = [place[label] for label in chosen.true]
        np.add.at(confusion, (rows, [place[label] for label in chosen.predicted]), 1)
        names = [str(label) for label in classes]
        predicted = [*names, "none"]
        if not confusion[:, -1].any():
            confusion, predicted = confusion[:, :-1], names
        return cls(confusion, names, chosen.task, predicted).plot(ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, task: str | None = None, ax: Any = None
    ) -> TaskConfusionDisplay:
        """Draw the confusion of a fitted classifier on held-out users.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier or Pipeline.
        X : array-like
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        task : str, default=None
            The task; may be left out if there is only one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TaskConfusionDisplay
            The picture.
        """
        return cls.from_predictions(y, estimator.predict(X), task=task, ax=ax)

    def plot(self, ax: Any = None) -> TaskConfusionDisplay:
        """Draw the matrix; colours are shares of a row, the numbers users.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TaskConfusionDisplay
            Itself.
        """
        ax = self._open(ax)
        totals = self.confusion.sum(axis=1, keepdims=True)
        shares = self.confusion / np.maximum(totals, 1)
        self.im_ = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if max(self.confusion.shape) <= _MOST_NUMBERS:
            for (row, column), number in np.ndenumerate(self.confusion):
                colour = "white" if shares[row, column] > 0.5 else "black"
                place = {"ha": "center", "va": "center", "fontsize": "small"}
                ax.text(column, row, str(number), color=colour, **place)
        columns = self.classes if self.predicted is None else self.predicted
        name_cells(ax, self.classes, columns, 14)
        ax.set(xlabel="predicted", ylabel="label", title=drawable(self.task, 40))
        self.figure_.colorbar(self.im_, ax=ax, label="share of the class")
        finish(ax)
        return self
