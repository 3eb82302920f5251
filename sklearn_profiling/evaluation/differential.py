"""Which words go with which class, over many users."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.sources._columns import as_users
from sklearn_profiling.sources.text.suited import SuitedSegmenter
from sklearn_profiling.sources.union import select_column
from sklearn_profiling.targets import LabelCodec

__all__ = ["differential_language"]

Floats = NDArray[np.float64]

_COLUMNS = ["task", "class", "word", "effect", "p_value", "p_corrected", "n_users"]


def differential_language(
    X: Any,
    y: Any,
    *,
    task: str | None = None,
    method: Literal["log_odds", "correlation"] = "log_odds",
    segmenter: Any = None,
    text_column: str = "messages",
    min_users: int = 5,
    prior: float = 500.0,
) -> pd.DataFrame:
    """Find the words that tell the users of each class from the others.

    Parameters
    ----------
    X : DataFrame, mapping, Series, list of messages, or TokenMessages, of n_users
        Users, or their text.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing. A user counts for the tasks that
        the user is labelled for.
    task : str, default=None
        Task to look at; None is every task.
    method : {"log_odds", "correlation"}, default="log_odds"
        Effect size: the log-odds ratio with an informative Dirichlet prior [1]_, or the
        correlation of a user's relative frequency of the word with membership in the
        class, as differential language analysis has it [2]_.
    segmenter : transformer, default=None
        From messages to words. None is what
        :func:`~sklearn_profiling.sources.choose_segmenter` chooses, with punctuation
        kept.
    text_column : str, default="messages"
        Column of `X` with lists of messages.
    min_users : int, default=5
        Words of fewer labelled users are left out (our choice).
    prior : float, default=500.0
        Number of words that the prior weighs as much as, spread over the words as all
        labelled users use them (our choice). Only for "log_odds".

    Returns
    -------
    DataFrame
        A row a class and word, by task, class and falling effect: "task", "class",
        "word", "effect" (above 0 if the class uses it more than the others), "p_value"
        (two-sided), "p_corrected" and "n_users", of the class who wrote the word.

    Raises
    ------
    TargetError
        If there is no such task, its cells are sets, or it has fewer than two classes.
    SourceError
        If `X` has no text, or no word has `min_users`.
    ValueError
        If `method`, `min_users` or `prior` is out of range.

    See Also
    --------
    explain : What decides the prediction of one user.

    Notes
    -----
    Of the log-odds ratio, with counts n of a word among N of a class, a of the prior
    among A, and the same of the other classes, the effect is ::

        log((n + a) / (N + A - n - a)) - log((n' + a) / (N' + A - n' - a))

    and its variance is 1 / (n + a) + 1 / (n' + a), from which the normal distribution
    gives the p value. It takes words for independent, so the words that a single user
    repeats look significant; the correlation counts users. ``p_corrected`` is that of
    Benjamini and Hochberg over all words and classes of a task.

    References
    ----------
    .. [1] B. L. Monroe, M. P. Colaresi, K. M. Quinn. Fightin' Words. Political
       Analysis 16(4), 2008.
    .. [2] H. A. Schwartz et al. Personality, Gender, and Age in the Language of Social
       Media. PLoS ONE 8(9), 2013.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import differential_language
    >>> users = pd.DataFrame({"messages": [["red tea"], ["ale"], ["rain"]] * 6})
    >>> found = differential_language(users, ["f", "m", None] * 6)
    >>> found.groupby("class").head(1)[["class", "word"]].values.tolist()
    [['f', 'red'], ['m', 'ale']]
    """
    if method not in ("log_odds", "correlation"):
        msg = f"method must be 'log_odds' or 'correlation'; got {method!r}"
        raise ValueError(msg)
    if isinstance(min_users, bool) or not isinstance(min_users, int) or min_users < 1:
        msg = f"min_users must be a whole number from 1 up; got {min_users!r}"
        raise ValueError(msg)
    if not prior > 0 or not np.isfinite(prior):
        msg = f"prior must be a number above 0; got {prior!r}"
        raise ValueError(msg)
    text = _text_of(X, segmenter, text_column)
    codec = LabelCodec.learn(y)
    labels = codec.encode(y)
    if len(labels) != len(text):
        msg = f"X and y must hold as many users; got {len(text)} and {len(labels)}"
        raise TargetError(msg)
    if task is not None and task not in codec.task_names:
        msg = f"task must be one of {codec.task_names}; got {task!r}"
        raise TargetError(msg)
    counts = _counts(text)
    parts = [
        _of_task(codec, labels.codes, place, text, counts, method, min_users, prior)
        for place, name in enumerate(codec.task_names)
        if task in (None, name)
    ]
    return pd.concat(parts, ignore_index=True)


def _text_of(X: Any, segmenter: Any, text_column: str) -> TokenMessages:
    """Segment the messages of users, unless they are segmented already."""
    if not isinstance(X, TokenMessages):
        cells = select_column(as_users(X, [text_column]), text_column, "text")
        X = (SuitedSegmenter() if segmenter is None else segmenter).fit_transform(cells)
    if not isinstance(X, TokenMessages) or not X.n_words:
        msg = "X holds no words: every message is missing or empty"
        raise SourceError(msg)
    return X


def _counts(text: TokenMessages) -> Any:
    """Count the words of users: csr (n_users, n_words)."""
    ones = np.ones(text.n_words)
    shape = len(text), len(text.vocabulary)
    counts = sparse.csr_array((ones, (text.word_users(), text.ids)), shape=shape)
    counts.sum_duplicates()
    return counts


def _of_task(
    codec: LabelCodec,
    codes: Any,
    place: int,
    text: TokenMessages,
    counts: Any,
    method: str,
    min_users: int,
    prior: float,
) -> pd.DataFrame:
    """Compare each class of a task with the others."""
    name, classes = codec.task_names[place], codec.classes[place]
    if codec.set_valued[place] or len(classes) < 2:
        kind = "sets" if codec.set_valued[place] else f"the one class {classes[0]!r}"
        msg = f"task {name!r} must have two or more classes; its cells hold {kind}"
        raise TargetError(msg)
    codes = codes[:, place]
    known = np.flatnonzero((codes >= 0) & (counts.sum(axis=1) > 0))
    own = counts[known]
    users = np.bincount(own.indices, minlength=own.shape[1])
    frequent = np.flatnonzero(users >= min_users)
    if not len(frequent):
        msg = (
            f"task {name!r}: no word is written by min_users={min_users} of the "
            f"{len(known)} labelled users with text"
        )
        raise SourceError(msg)
    totals = own.sum(axis=1)
    own = own[:, frequent]
    words = [text.vocabulary.words[word] for word in frequent]
    tables = []
    for code, label in enumerate(classes):
        member = codes[known] == code
        if method == "log_odds":
            effect, p_value = _log_odds(own, totals, member, prior)
        else:
            effect, p_value = _correlation(own, totals, member)
        columns = (name, label, words, effect, p_value, p_value, _users(own[member]))
        tables.append(pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True))))
    joined = pd.concat(tables, ignore_index=True)
    joined["p_corrected"] = stats.false_discovery_control(joined["p_value"])
    rank = joined["class"].map({label: n for n, label in enumerate(classes)})
    order = np.lexsort((-joined["effect"], rank))
    return joined.iloc[order].reset_index(drop=True)


def _users(counts: Any) -> NDArray[np.int64]:
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _log_odds(
    counts: Any, totals: Floats, member: Any, prior: float
) -> tuple[Floats, Floats]:
    """Compute log-odds ratios with a Dirichlet prior, and their p values."""
    shares = np.asarray(counts.sum(axis=0)) / totals.sum() * prior

    def odds(of: Any) -> tuple[Floats, Floats]:
        own = np.asarray(counts[of].sum(axis=0)) + shares
        return np.log(own) - np.log(totals[of].sum() + prior - own), 1 / own

    (first, variance), (second, other) = odds(member), odds(~member)
    effect: Floats = first - second
    p_value: Floats = 2 * stats.norm.sf(np.abs(effect) / np.sqrt(variance + other))
    return effect, p_value


def _correlation(counts: Any, totals: Floats, member: Any) -> tuple[Floats, Floats]:
    """Correlate relative frequencies with membership; p values of Student's t."""
    n_users = len(totals)
    rates = sparse.diags_array(1 / totals) @ counts
    mean = np.asarray(rates.sum(axis=0)) / n_users
    squares = np.asarray((rates * rates).sum(axis=0)) / n_users
    share = member.mean()
    products = np.asarray(rates[np.flatnonzero(member)].sum(axis=0)) / n_users
    deviations = np.sqrt(np.maximum(squares - mean**2, 0) * share * (1 - share))
    steady = deviations <= 1e-12  # of words that all use alike
    effect = (products - mean * share) / np.where(steady, 1.0, deviations)
    effect = np.clip(np.where(steady, 0.0, effect), -1.0, 1.0)
    degrees = max(n_users - 2, 1)
    t = effect * np.sqrt(degrees / np.maximum(1 - effect**2, 1e-300))
    p_value: Floats = 2 * stats.t.sf(np.abs(t), degrees)
    return effect, p_value
