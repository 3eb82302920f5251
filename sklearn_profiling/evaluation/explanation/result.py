"""What explains one prediction, to look at and to go on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sklearn_profiling.evaluation.explanation._page import page_of, text_of

__all__ = ["LEVELS", "Explanation"]

LEVELS = ("source", "column", "message", "word", "image", "neighbour")
"""What can be left out, in the order of the table."""


@dataclass(repr=False, eq=False)
class Explanation:
    """What each thing that a user has contributes to the prediction of a class.

    Made by :func:`explain`. A notebook shows it as :meth:`to_html` does.

    Parameters
    ----------
    task, label : str and object
        The task, and the class that is explained.
    predicted : object
        The class that is predicted.
    probability, log_odds : float
        Of the class that is explained.
    table : DataFrame
        A row a thing, by level and then by contribution: "level", "item" (position of a
        message or image, word, id of a neighbour, name of a source or column), "text"
        (message, word, path of an image), "contribution" (fall of the log-odds without
        it) and "source" (its column). With attention, a column "attention".
    user : DataFrame
        The user, a table of one row.
    weights_ : DataFrame or None
        Of linear models and experts, the user's features with "source", "feature",
        "value", "weight" and "contribution".
    gradients_ : DataFrame or None
        Of nets that read word vectors, the integrated gradient of each word.
    left_out_ : dict of str to int
        By level, the number of things that were not left out one by one.
    notes_ : list of str
        What could not be done for this system.
    messages, images, spans : dict
        By column, what the user has by position, and where words stand.

    See Also
    --------
    explain : Makes one.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.evaluation import explain
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_tfidf_baseline().fit(users.data, users.target)
    >>> found = explain(model, users.data[:1], task="gender", levels=["column"])
    >>> found.table[["level", "item"]].values.tolist()
    [['column', 'messages'], ['column', 'user_id']]
    """

    task: str
    label: Any
    predicted: Any
    probability: float
    log_odds: float
    table: pd.DataFrame
    user: pd.DataFrame
    weights_: pd.DataFrame | None = None
    gradients_: pd.DataFrame | None = None
    left_out_: dict[str, int] = field(default_factory=dict)
    notes_: list[str] = field(default_factory=list)
    messages: dict[str, dict[int, str]] = field(default_factory=dict)
    images: dict[str, dict[int, Any]] = field(default_factory=dict)
    spans: dict[str, dict[int, list[tuple[str, int, int]]]] = field(
        default_factory=dict
    )

    def top(self, level: str, n_items: int = 5) -> pd.DataFrame:
        """List the things of a level that speak most for the class.

        Parameters
        ----------
        level : str
            One of those of :func:`explain`.
        n_items : int, default=5
            Number of rows at most.

        Returns
        -------
        DataFrame
            Rows of ``table``.

        Raises
        ------
        ValueError
            If there is no such level.
        """
        if level not in LEVELS:
            msg = f"level must be one of {list(LEVELS)}; got {level!r}"
            raise ValueError(msg)
        return self.table[self.table["level"] == level].head(n_items)

    def to_html(self) -> str:
        """Write an HTML fragment: marked messages, images, neighbours and sources.

        Returns
        -------
        str
            One ``section`` element without script. All text of the user is escaped.
            Images are shown where they are arrays of pixels; of others the path stands.
        """
        return page_of(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_string(self, n_items: int = 5) -> str:
        """Write plain text: of each level what speaks for the class and against it.

        Parameters
        ----------
        n_items : int, default=5
            Number of things of each level and sign at most.

        Returns
        -------
        str
            Lines of text.
        """
        return text_of(self, n_items)

    def __repr__(self) -> str:
        """Show the same as `to_string`."""
        return self.to_string()
