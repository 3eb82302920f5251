"""Words and what each contributes to a prediction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.evaluation.displays._canvas import (
    COLOURS,
    Display,
    check_positive,
    drawable,
    finish,
)
from sklearn_profiling.evaluation.explanation.result import Explanation
from sklearn_profiling.exceptions import SourceError

__all__ = ["WordContributionDisplay"]


@dataclass
class WordContributionDisplay(Display):
    """Signed contributions of words, as bars; the largest are on top.

    Of one prediction make it by :meth:`from_explanation`.

    Parameters
    ----------
    contributions : DataFrame
        Columns ``word`` and ``contribution``, finite numbers; one row a word.
    title : str, default=""
        What stands above, such as the class.

    Attributes
    ----------
    contributions, title
        As given.
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    bars_ : matplotlib BarContainer
        The bars.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import WordContributionDisplay
    >>> words = pd.DataFrame({"word": ["sea", "tax"], "contribution": [0.4, -0.9]})
    >>> display = WordContributionDisplay(words, "poet").plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['tax', 'sea']
    """

    contributions: pd.DataFrame
    title: str = ""
    bars_: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        table = as_pandas(self.contributions)
        wanted = ["word", "contribution"]
        if not isinstance(table, pd.DataFrame) or not set(wanted) <= set(table):
            has = (
                list(table) if isinstance(table, pd.DataFrame) else type(table).__name__
            )
            msg = f"contributions must be a table with the columns {wanted}; got {has}"
            raise SourceError(msg)
        values = pd.to_numeric(table["contribution"], errors="coerce").to_numpy(float)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad) or not len(table):
            msg = "contributions must hold a finite number a word, of one word at least"
            raise SourceError(f"{msg}; row {bad[0]} does not" if len(bad) else msg)
        self.contributions = table[wanted].assign(contribution=values)

    @classmethod
    def from_explanation(
        cls, explanation: Explanation, *, max_words: int = 20, ax: Any = None
    ) -> WordContributionDisplay:
        """Draw the words of an explanation; the title is the task and the class.

        Parameters
        ----------
        explanation : Explanation
            What :func:`explain` returned, with the level "word".
        max_words : int, default=20
            Number of words, 1 at least.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        WordContributionDisplay
            The picture.

        Raises
        ------
        SourceError
            If the explanation has no words.
        ValueError
            If `max_words` is out of its range.
        MissingDependencyError
            If matplotlib is not installed.
        """
        table = explanation.table
        words = table[table["level"] == "word"].rename(columns={"item": "word"})
        if not len(words):
            msg = "the explanation has no words; explain(levels=) needs 'word'"
            raise SourceError(msg)
        title = f"{explanation.task}: {explanation.label}"
        return cls(words, title).plot(ax, max_words=max_words)

    def plot(self, ax: Any = None, *, max_words: int = 20) -> WordContributionDisplay:
        """Draw the words whose contributions are largest, of either sign.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        max_words : int, default=20
            Number of words, 1 at least.

        Returns
        -------
        WordContributionDisplay
            Itself.

        Raises
        ------
        ValueError
            If `max_words` is out of its range.
        """
        check_positive("max_words", max_words)
        ax = self._open(ax)
        values = self.contributions["contribution"].to_numpy()
        rows = np.argsort(-np.abs(values), kind="stable")[:max_words]
        shown = values[rows]
        colours = np.where(shown < 0, COLOURS[1], COLOURS[0]).tolist()
        self.bars_ = ax.barh(range(len(rows)), shown, color=colours)
        words = [drawable(word, 20) for word in self.contributions["word"].iloc[rows]]
        size = 10.0 if len(rows) <= 12 else 7.0
        ax.set_yticks(range(len(rows)), words, fontsize=size)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(xlabel="contribution", title=drawable(self.title, 40))
        finish(ax)
        return self
