"""tf-idf of words and characters and a linear classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import FunctionTransformer

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling.baselines._linear import Loss, make_linear
from sklearn_profiling.baselines._text_features import text_of
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.sources import TfidfVectors
from sklearn_profiling.sources._columns import as_users, read_messages
from sklearn_profiling.sources.text.suited import SuitedSegmenter
from sklearn_profiling.sources.union import select_column


def make_tfidf_baseline(
    *,
    column: str = "messages",
    segmenter: Any = None,
    analyzer: Literal["char", "char_wb", "word"] | None = None,
    ngram_range: tuple[int, int] | None = None,
    max_features: int | None = 30_000,
    sublinear_tf: bool = True,
    loss: Loss = "squared",
    C: float | Sequence[float] = (0.5, 2.0, 10.0),
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    max_iter: int = 1000,
    n_jobs: int | None = None,
) -> CheckedPipeline:
    """Make tf-idf of the users' messages and a linear classifier per task.

    Parameters
    ----------
    column : str, default="messages"
        Column of the users' DataFrame with lists of messages. The messages alone, a
        Series, list or array with one cell a user, are read as well.
    segmenter : transformer, default=None
        From messages to words, if `analyzer` is None. None is what
        :func:`~sklearn_profiling.sources.choose_segmenter` chooses in ``fit``, with
        punctuation kept.
    analyzer : {"char", "char_wb", "word"} or None, default=None
        Unit of the n-grams. None is one and two words and two to four characters of a
        word (:class:`~sklearn_profiling.sources.TfidfVectors`); the others are those of
        scikit-learn's ``TfidfVectorizer`` on the messages as they are.
    ngram_range : tuple of (int, int) or None, default=None
        Shortest and longest n-gram of `analyzer`; None is (1, 2).
    max_features : int or None, default=30_000
        Number of n-grams of each kind to keep, by frequency; our choice, more
        accurate on poets than 200,000.
    sublinear_tf : bool, default=True
        Whether a count c is replaced by 1 + log c; our choice, slightly better on real
        text.
    loss : {"squared", "squared_hinge", "log"}, default="squared"
        Ridge regression or a linear SVM, one class against the rest, or multinomial
        logistic regression.
    C : float or sequence of float, default=(0.5, 2.0, 10.0)
        Inverse strength of the regularisation; our choice. Of a sequence, held-out
        users choose for each task.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.
    max_iter : int, default=1000
        Maximum number of iterations; enough for convergence on our data.
    n_jobs : int, default=None
        Number of tasks to fit in parallel, as in joblib.

    Returns
    -------
    Pipeline
        Unfitted, with the steps ``text``, ``segmenter`` if `analyzer` is None,
        ``tfidf`` and ``classifier``. A user without messages has an empty text and is
        predicted by the intercepts.

    Raises
    ------
    ValueError
        If `C` or `loss` is invalid, or parameters of another `analyzer` are given.

    See Also
    --------
    make_link_baseline : The same classifier on the network.
    make_svm_baseline : A linear SVM on such n-grams, and the Aux-LSTM paper's.

    Notes
    -----
    A stratified third of the labelled users is held out once. For each `C` it gives the
    scale of the decision values whose softmax has the least log loss there, and the
    least of these losses chooses `C`, which is better on our data than accuracy; then
    the classifier is trained on all. So three values cost three fits.
    Ridge regression is as accurate on our data as logistic regression, at a tenth of
    its time.

    ``analyzer="char", loss="log", C=5.0`` is the baseline of
    earlier versions. Users without any label still contribute to the document
    frequencies.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> users = pd.DataFrame({"messages": [["看球", "足球"], ["化妆"], ["球赛"], None]})
    >>> model = make_tfidf_baseline().fit(users, ["m", "f", "m", None])
    >>> model.predict(pd.DataFrame({"messages": [["足球"], ["化妆"]]}))
    array(['m', 'f'], dtype=object)
    """
    steps: list[tuple[str, Any]]
    if analyzer is None:
        if ngram_range is not None:
            msg = f"ngram_range={ngram_range!r} needs an analyzer: 'char', for example"
            raise ValueError(msg)
        tfidf = TfidfVectors(
            min_users=1, max_features=max_features, sublinear_tf=sublinear_tf
        )
        if segmenter is None:
            segmenter = SuitedSegmenter()
        steps = [("text", text_of(column)), ("segmenter", segmenter), ("tfidf", tfidf)]
    else:
        if segmenter is not None:
            msg = f"analyzer={analyzer!r} reads no words; leave segmenter None"
            raise ValueError(msg)
        vectorizer = TfidfVectorizer(
            analyzer=analyzer,
            ngram_range=(1, 2) if ngram_range is None else ngram_range,
            max_features=max_features,
            sublinear_tf=sublinear_tf,
        )
        joined = FunctionTransformer(join_messages, kw_args={"column": column})
        steps = [("text", joined), ("tfidf", vectorizer)]
    classifier = MaskedMultiOutputClassifier(
        make_linear(loss, C, max_iter=max_iter),
        class_weight=class_weight,
        n_jobs=n_jobs,
    )
    return CheckedPipeline([*steps, ("classifier", classifier)])


def join_messages(X: Any, column: str) -> NDArray[np.object_]:
    """Join each user's messages by line breaks, to an object array (n_users,) of str.

    `X` is a table with the column, or the messages alone. A user without messages has
    an empty text.
    """
    cells = select_column(as_users(X, [column]), column, "text")
    texts = ["\n".join(own) for own in read_messages(cells, f"column {column!r}")]
    return np.array(texts, dtype=object)
