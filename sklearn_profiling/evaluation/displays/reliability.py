"""How often a classifier is right when it is so sure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.evaluation._pairs import labelled_cells, members
from sklearn_profiling.evaluation._probabilities import split_tasks
from sklearn_profiling.evaluation.displays._canvas import (
    COLOURS,
    GREY,
    axes_for,
    check_positive,
    choose_task,
    drawable,
    finish,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

__all__ = ["ReliabilityDisplay"]

Floats = NDArray[np.float64]


@dataclass
class ReliabilityDisplay:
    """Accuracy against confidence of one task, in bins of equal width.

    The confidence is the probability of the most probable class. On the diagonal a
    classifier is right as often as it says. Make it by :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    confidence : ndarray of float, shape (n_bins,)
        Mean confidence of the users in each bin that holds some.
    accuracy : ndarray of float, shape (n_bins,)
        Share of them who are predicted rightly.
    n_users : ndarray of int, shape (n_bins,)
        Number of them.
    task : str
        The task, which is the title.

    Attributes
    ----------
    confidence, accuracy, n_users, task
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Of one task with two classes.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import ReliabilityDisplay
    >>> proba = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.5, 0.5]]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     ["f", "m", "m", None], proba, ["f", "m"], n_bins=2
    ... )
    >>> display.accuracy.round(2).tolist(), round(display.calibration_error, 2)
    ([0.67], 0.13)
    """

    confidence: Floats
    accuracy: Floats
    n_users: NDArray[np.int64]
    task: str
    ax_: Any = field(default=None, init=False, repr=False)
    figure_: Any = field(default=None, init=False, repr=False)

    @property
    def calibration_error(self) -> float:
        """Mean distance from the diagonal over the users, the ECE."""
        distance = np.abs(self.accuracy - self.confidence)
        return float(np.average(distance, weights=self.n_users))

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_proba: Any,
        classes: Any,
        *,
        task: str | None = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> ReliabilityDisplay:
        """Draw the reliability of probabilities.

        Parameters
        ----------
        y_true : DataFrame, Series or array-like, shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing. A set of labels counts as
            right if it holds the most probable class.
        y_proba : list of ndarray of shape (n_users, n_classes), or ndarray
            Probabilities as ``predict_proba`` gives them, one array a task. Rows with
            NaN are left out.
        classes : list of array-like, or array-like
            The classes of the columns, as in ``classes_``.
        task : str, default=None
            The task; may be left out if there is only one.
        n_bins : int, default=10
            Number of bins in [0, 1], 1 at least; the usual number.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            The picture.

        Raises
        ------
        TargetError
            If the tables differ, nobody is labelled or there is no such task.
        ValueError
            If `n_bins` is out of its range.
        MissingDependencyError
            If matplotlib is not installed.
        """
        check_positive("n_bins", n_bins)
        table, names, one_dimensional = label_table(y_true)
        number = choose_task(names, task)
        if one_dimensional and not isinstance(y_proba, list | tuple):
            y_proba = [y_proba]
            classes = [classes]
        elif one_dimensional and np.ndim(y_proba[0]) == 1:  # rows of one task
            y_proba, classes = [np.asarray(y_proba)], [classes]
        name = names[number]
        values, known = split_tasks(y_proba, classes, names, "y_proba")[number]
        if len(values) != len(table):
            msg = f"y_true has {len(table)} users, y_proba {len(values)}"
            raise TargetError(msg)
        kept = labelled_cells(table)[:, number] & np.isfinite(values).all(axis=1)
        if not kept.any():
            msg = f"nobody is labelled for task {name!r}, or has probabilities"
            raise TargetError(msg)
        values, labels = values[kept], table[kept, number]
        best = values.argmax(axis=1)
        right = [
            known[b] in members(label) for b, label in zip(best, labels, strict=True)
        ]
        return cls(*_binned(values.max(axis=1), np.array(right), n_bins), name).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        task: str | None = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> ReliabilityDisplay:
        """Draw the reliability of a fitted classifier on held-out users.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier or Pipeline with ``predict_proba``.
        X : array-like
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.
        task : str, default=None
            The task; may be left out if there is only one.
        n_bins : int, default=10
            Number of bins in [0, 1], 1 at least.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            The picture.
        """
        proba, classes = estimator.predict_proba(X), estimator.classes_
        return cls.from_predictions(y, proba, classes, task=task, n_bins=n_bins, ax=ax)

    def plot(self, ax: Any = None) -> ReliabilityDisplay:
        """Draw the bins; the area of a point grows with its users.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            Itself.
        """
        self.ax_ = ax = axes_for(ax)
        self.figure_ = ax.figure
        ax.plot([0, 1], [0, 1], ":", color=GREY, label="as sure as right")
        error = self.calibration_error
        ax.plot(
            self.confidence, self.accuracy, color=COLOURS[0], label=f"ECE {error:.3f}"
        )
        area = 10 + 120 * self.n_users / self.n_users.max()
        ax.scatter(self.confidence, self.accuracy, s=area, color=COLOURS[0])
        ax.set(
            xlabel="confidence",
            ylabel="accuracy",
            title=drawable(self.task, 40),
            xlim=(-0.02, 1.02),
            ylim=(-0.05, 1.05),
        )
        ax.legend(loc="best")
        finish(ax)
        return self


def _binned(
    confidence: Floats, right: NDArray[np.bool_], n_bins: int
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return mean confidence, accuracy and number of users of the bins with users."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    n_users = np.bincount(bins, minlength=n_bins)
    held = n_users > 0
    mean = np.bincount(bins, confidence, n_bins)[held] / n_users[held]
    share = np.bincount(bins, right, n_bins)[held] / n_users[held]
    return mean, share, n_users[held]
