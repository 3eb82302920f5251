"""Whether what explanations rank first matters most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.evaluation.explanation._model import ClassModel
from sklearn_profiling.evaluation.explanation._occlusion import (
    Item,
    copies,
    without_members,
    without_words,
)
from sklearn_profiling.evaluation.explanation.result import Explanation

__all__ = ["faithfulness"]

_LEVELS = ("message", "word", "image")
_N_RANDOM = 10


@fixed_threads()
def faithfulness(
    pipeline: Any,
    explanations: Iterable[Explanation],
    *,
    level: str = "message",
    share: float = 0.2,
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Delete what explanations rank first, and as many random things, and compare.

    Parameters
    ----------
    pipeline : estimator
        The system whose predictions are explained.
    explanations : iterable of Explanation
        Explanations of the system's predictions, one a user.
    level : {"message", "word", "image"}, default="message"
        What is deleted.
    share : float, default=0.2
        Share of the things of a user to delete, at least one and at most all but one
        (our choice).
    random_state : int, RandomState instance or None, default=None
        Decides the random things; ten draws are averaged.

    Returns
    -------
    DataFrame
        One row a user with at least two such things: "n_deleted", "top" and "random",
        how far the log-odds fall without them, and "faithfulness", their difference.
        The explanations are faithful if its mean is above 0.

    Raises
    ------
    ValueError
        If `level` or `share` is out of range, or no user has two things of the level.

    See Also
    --------
    explain : Makes explanations.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.evaluation import explain, faithfulness
    >>> users = make_user_profiles(60, random_state=0)
    >>> model = make_tfidf_baseline().fit(users.data, users.target)
    >>> found = [
    ...     explain(model, users.data[row : row + 1], task="gender", levels=["message"])
    ...     for row in range(5)
    ... ]
    >>> table = faithfulness(model, found, random_state=0)
    >>> bool(table["faithfulness"].mean() > 0)
    True
    """
    if level not in _LEVELS:
        msg = f"level must be one of {list(_LEVELS)}; got {level!r}"
        raise ValueError(msg)
    if not 0 < share < 1:
        msg = f"share must be above 0 and below 1; got {share!r}"
        raise ValueError(msg)
    rng = np.random.default_rng(derive_seed(random_state))
    rows = []
    for place, found in enumerate(explanations):
        items = found.table[found.table["level"] == level]
        for column, own in items.groupby("source", sort=False):
            if len(own) < 2:
                continue
            rows.append(
                {
                    "explanation": place,
                    "source": column,
                    **_deletion(pipeline, found, own, share, rng),
                }
            )
    if not rows:
        msg = f"no explanation has two or more rows of level {level!r}"
        raise ValueError(msg)
    return pd.DataFrame(rows)


def _deletion(
    pipeline: Any,
    found: Explanation,
    own: pd.DataFrame,
    share: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Compare the fall of the log-odds without the top things and without others."""
    n_deleted = min(max(1, round(share * len(own))), len(own) - 1)
    draws = [np.arange(n_deleted)]
    draws += [rng.choice(len(own), n_deleted, replace=False) for _ in range(_N_RANDOM)]
    edits = [_without(found, own.iloc[draw]) for draw in draws]
    model = ClassModel(pipeline, found.user, found.task, found.label)
    falls = model.whole - model.log_odds(copies(found.user, edits))
    top, random = float(falls[0]), float(falls[1:].mean())
    return {
        "n_deleted": n_deleted,
        "top": top,
        "random": random,
        "faithfulness": top - random,
    }


def _without(found: Explanation, rows: pd.DataFrame) -> Item:
    """Make the edit that leaves out several things of one column."""
    column, items = rows["source"].iloc[0], rows["item"].tolist()
    level = rows["level"].iloc[0]
    if level == "word":
        return next(without_words(found.user, column, found.spans[column], [items]))
    return next(without_members(found.user, level, column, [items]))
