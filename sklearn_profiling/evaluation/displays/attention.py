"""The messages of a user, with the weights that a net gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.evaluation.displays._canvas import (
    Display,
    check_positive,
    drawable,
    finish,
)
from sklearn_profiling.exceptions import ProfilingError, SourceError

__all__ = ["MessageAttentionDisplay"]


@dataclass
class MessageAttentionDisplay(Display):
    """Strip of a user's messages; the darker, the more attention a net gives it.

    Attention is no reason: a message with much of it need not have changed the
    prediction. Make it by :meth:`from_estimator`.

    Parameters
    ----------
    weights : ndarray of float, shape (n_messages,)
        Weight of each message.
    messages : sequence of str
        The messages, in the same order.
    title : str, default=""
        What stands above.

    Attributes
    ----------
    weights, messages, title
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import MessageAttentionDisplay
    >>> display = MessageAttentionDisplay([0.8, 0.2], ["the sea", "a stone"]).plot()
    >>> [text.get_text() for text in display.ax_.texts]
    ['the sea', '0.80', 'a stone', '0.20']
    """

    weights: NDArray[np.float64]
    messages: Sequence[str]
    title: str = ""

    def __post_init__(self) -> None:
        self.weights = np.asarray(self.weights, dtype=np.float64)
        if self.weights.shape != (len(self.messages),):
            msg = (
                f"weights must have one entry a message, {len(self.messages)}; got the "
                f"shape {self.weights.shape}"
            )
            raise SourceError(msg)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        user: int = 0,
        *,
        source: str | None = None,
        task: str | None = None,
        ax: Any = None,
    ) -> MessageAttentionDisplay:
        """Draw the attention of a fitted net for one user.

        Parameters
        ----------
        estimator : estimator
            Fitted net with ``message_attention``, or a Pipeline that ends in one.
        X : array-like
            Users.
        user : int, default=0
            Row of the user.
        source : str, default=None
            Name of the text; may be left out if there is only one.
        task : str, default=None
            As in ``message_attention``.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        MessageAttentionDisplay
            The picture, with the words that the net has read.

        Raises
        ------
        ProfilingError
            If the estimator has no attention over messages.
        SourceError
            If there is no such user or text, or the user has no message.
        MissingDependencyError
            If matplotlib is not installed.
        """
        n_users = _num_samples(X)
        row: Any = user
        if not isinstance(row, int | np.integer) or not 0 <= row < n_users:
            msg = f"user must be a row from 0 to {n_users - 1}; got {user!r}"
            raise SourceError(msg)
        one = _safe_indexing(X, [user])
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                one = estimator[:-1].transform(one)
            estimator = estimator.steps[-1][1]
        if not hasattr(estimator, "message_attention"):
            msg = f"{type(estimator).__name__} has no attention over messages"
            raise ProfilingError(msg)
        options = {} if source is None else {"source": source}
        weights = estimator.message_attention(one, task=task, **options)[0]
        texts = {"": one} if isinstance(one, TokenMessages) else dict(one)
        found = {
            name: text
            for name, text in texts.items()
            if isinstance(text, TokenMessages)
        }
        text = found[source] if source in found else next(iter(found.values()))
        messages = [" ".join(words) for words in text.tolist()[0]]
        if not messages:
            msg = f"user {user} has no message"
            raise SourceError(msg)
        return cls(weights, messages, f"user {user}").plot(ax)

    def plot(
        self, ax: Any = None, *, max_messages: int = 12
    ) -> MessageAttentionDisplay:
        """Draw one strip a message, from the first to the last.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        max_messages : int, default=12
            Number of messages to draw, those with most attention, in their order; 1 at
            least.

        Returns
        -------
        MessageAttentionDisplay
            Itself.

        Raises
        ------
        ValueError
            If `max_messages` is out of its range.
        """
        check_positive("max_messages", max_messages)
        ax = self._open(ax)
        rows = np.sort(np.argsort(-self.weights, kind="stable")[:max_messages])
        shown = self.weights[rows]
        largest = float(shown.max(initial=0.0)) or 1.0
        ax.imshow(
            shown[:, None] / largest,
            cmap="Blues",
            vmin=0,
            vmax=1.6,  # so that black text can be read on the darkest
            aspect="auto",
            extent=(0, 1, len(rows) - 0.5, -0.5),
        )
        size = min(10.0, 0.55 * 72 * _height(ax) / max(len(rows), 1))
        limit = int(72 * _width(ax) * 0.85 / (0.57 * size))
        for place, row in enumerate(rows):
            text = drawable(self.messages[row], max(limit, 8))
            ax.text(0.01, place, text, va="center", fontsize=size)
            weight = f"{self.weights[row]:.2f}"
            ax.text(0.99, place, weight, va="center", ha="right", fontsize=size)
        left_out = len(self.weights) - len(rows)
        below = f"{left_out} messages with less attention left out" if left_out else ""
        ax.set(xticks=[], yticks=[], title=drawable(self.title, 40), xlabel=below)
        finish(ax)
        return self


def _height(ax: Any) -> float:
    return float(ax.get_position().height * ax.figure.get_size_inches()[1])


def _width(ax: Any) -> float:
    width = float(ax.get_position().width * ax.figure.get_size_inches()[0])
    # A layout engine will give these axes the margins, which have no labels.
    return width if ax.figure.get_layout_engine() is None else 1.2 * width
