"""How often a classifier is right when it is so sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling.evaluation._probabilities import (
    labelled_probabilities,
    split_tasks,
)
from sklearn_profiling.evaluation.calibration import bins_of
from sklearn_profiling.evaluation.displays._canvas import (
    COLOURS,
    GREY,
    Display,
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
class ReliabilityDisplay(Display):
    """Accuracy against confidence of one task, in bins of equal width.

    The confidence is the probability of the most probable class, and a bin holds its
    upper bound, as in :func:`reliability_table`. On the diagonal a classifier is right
    as often as it says. Make it by :meth:`from_estimator` or :meth:`from_predictions`.

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
        table, tasks, one_dimensional = label_table(y_true)
        number = choose_task(tasks, task)
        if one_dimensional and not isinstance(y_proba, list | tuple):
            y_proba, classes = [y_proba], [classes]
        elif one_dimensional and np.ndim(y_proba[0]) == 1:  # rows of one task
            y_proba, classes = [np.asarray(y_proba)], [classes]
        likely, known = split_tasks(y_proba, classes, tasks, "y_proba")[number]
        labels = table[:, number].copy()
        if len(likely) == len(labels):
            labels[~np.isfinite(likely).all(axis=1)] = None
        y_one = pd.DataFrame({tasks[number]: labels}, dtype=object)
        (found,) = labelled_probabilities(y_one, [likely], [known])
        if not len(found.likely):
            msg = f"nobody is labelled for task {found.task!r}, or has probabilities"
            raise TargetError(msg)
        best = found.likely.argmax(axis=1)
        right = found.inside[np.arange(len(best)), best].astype(float)
        bins = bins_of(found.likely.max(axis=1), right, n_bins)
        return cls(
            bins["confidence"].to_numpy(),
            bins["accuracy"].to_numpy(),
            bins["n"].to_numpy(),
            found.task,
        ).plot(ax)

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
        ax = self._open(ax)
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
