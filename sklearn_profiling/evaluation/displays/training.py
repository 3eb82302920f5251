"""Losses of a net over its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_profiling.evaluation.displays._canvas import COLOURS, Display, finish
from sklearn_profiling.exceptions import ProfilingError

__all__ = ["TrainingCurveDisplay"]

_LOSSES = {"train_loss": "training users", "valid_loss": "validation users"}


@dataclass
class TrainingCurveDisplay(Display):
    """Loss of a net by epoch, of the training and the validation users.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    history : sequence of dict
        ``history_`` of an estimator of this package: ``train_loss`` of each epoch, and
        ``valid_loss`` if it had validation users.

    Attributes
    ----------
    history
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of users.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import TrainingCurveDisplay
    >>> history = [{"train_loss": 0.7, "valid_loss": 0.8}, {"train_loss": 0.4}]
    >>> TrainingCurveDisplay(history).losses["valid_loss"].tolist()
    [0.8, nan]
    """

    history: Sequence[Mapping[str, Any]]

    @property
    def losses(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """Losses by name, (n_epochs,) each; those that were not measured are absent."""
        return {
            name: np.array([epoch.get(name, np.nan) for epoch in self.history], float)
            for name in _LOSSES
            if any(name in epoch for epoch in self.history)
        }

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> TrainingCurveDisplay:
        """Draw the curve of a fitted net.

        Parameters
        ----------
        estimator : estimator
            Fitted net, a Pipeline that ends in one, or a
            :class:`TemperatureScaledClassifier` of one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurveDisplay
            The picture.

        Raises
        ------
        ProfilingError
            If the estimator has no ``history_``.
        MissingDependencyError
            If matplotlib is not installed.
        """
        net = estimator
        while not hasattr(net, "history_"):
            if isinstance(net, Pipeline):
                net = net.steps[-1][1]
            elif hasattr(net, "estimator_"):
                net = net.estimator_
            else:
                msg = (
                    "a curve needs the history_ of a fitted net of this package; "
                    f"{type(net).__name__} has none"
                )
                raise ProfilingError(msg)
        return cls(net.history_).plot(ax)

    def plot(self, ax: Any = None) -> TrainingCurveDisplay:
        """Draw one line a kind of users; the best epoch of the validation has a point.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurveDisplay
            Itself.
        """
        ax = self._open(ax)
        epochs = np.arange(1, len(self.history) + 1)
        styles = {"train_loss": "-", "valid_loss": "--"}
        for colour, (name, values) in zip(COLOURS, self.losses.items(), strict=False):
            ax.plot(epochs, values, styles[name], color=colour, label=_LOSSES[name])
            if name == "valid_loss":
                best = int(np.nanargmin(values))
                ax.plot(epochs[best], values[best], "o", color=colour)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
        finish(ax)
        return self
