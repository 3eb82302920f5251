"""Word or character n-grams and logistic regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.sources._columns import as_users, read_messages
from sklearn_profiling.sources.union import select_column


def make_tfidf_baseline(
    *,
    column: str = "messages",
    analyzer: Literal["char", "char_wb", "word"] = "char",
    ngram_range: tuple[int, int] = (1, 2),
    max_features: int | None = 30_000,
    sublinear_tf: bool = True,
    C: float = 5.0,
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    max_iter: int = 1000,
    n_jobs: int | None = None,
) -> Pipeline:
    """Make tf-idf of the users' messages and a logistic regression per task.

    Parameters
    ----------
    column : str, default="messages"
        Column of the users' DataFrame with lists of messages. The messages alone, a
        Series, list or array with one cell a user, are read as well.
    analyzer : {"char", "char_wb", "word"}, default="char"
        Unit of the n-grams. Characters need no segmentation of Chinese; our choice.
    ngram_range : tuple of (int, int), default=(1, 2)
        Shortest and longest n-gram; our choice.
    max_features : int or None, default=30_000
        Number of n-grams to keep, by frequency; our choice.
    sublinear_tf : bool, default=True
        Whether a count c is replaced by 1 + log c; our choice, slightly better on real
        text.
    C : float, default=5.0
        Inverse strength of the regularisation; our choice.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.
    max_iter : int, default=1000
        Maximum number of iterations; enough for convergence on our data.
    n_jobs : int, default=None
        Number of tasks to fit in parallel, as in joblib.

    Returns
    -------
    Pipeline
        Unfitted, with the steps ``text``, ``tfidf`` and ``classifier``. A user without
        messages has an empty text and is predicted by the intercepts.

    See Also
    --------
    make_link_baseline : Logistic regression on the network.

    Notes
    -----
    Users without any label still contribute to the document frequencies.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> users = pd.DataFrame({"messages": [["看球", "足球"], ["化妆"], ["球赛"], None]})
    >>> model = make_tfidf_baseline().fit(users, ["m", "f", "m", None])
    >>> model.predict(pd.DataFrame({"messages": [["踢球"], ["妆"]]}))
    array(['m', 'f'], dtype=object)
    """
    return Pipeline(
        [
            ("text", FunctionTransformer(join_messages, kw_args={"column": column})),
            (
                "tfidf",
                TfidfVectorizer(
                    analyzer=analyzer,
                    ngram_range=ngram_range,
                    max_features=max_features,
                    sublinear_tf=sublinear_tf,
                ),
            ),
            (
                "classifier",
                MaskedMultiOutputClassifier(
                    LogisticRegression(C=C, max_iter=max_iter),
                    class_weight=class_weight,
                    n_jobs=n_jobs,
                ),
            ),
        ]
    )


def join_messages(X: Any, column: str) -> NDArray[np.object_]:
    """Join each user's messages by line breaks, to an object array (n_users,) of str.

    `X` is a table with the column, or the messages alone. A user without messages has
    an empty text.
    """
    cells = select_column(as_users(X, [column]), column, "text")
    texts = ["\n".join(own) for own in read_messages(cells, f"column {column!r}")]
    return np.array(texts, dtype=object)
