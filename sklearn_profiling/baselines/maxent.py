"""Maximum entropy (logistic regression) on unigrams and stylometric features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import joblib
from sklearn.linear_model import LogisticRegression

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.baselines._text_features import (
    Weighting,
    make_text_pipeline,
    search_strength,
)
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier

__all__ = ["make_maxent_baseline"]


def make_maxent_baseline(
    *,
    segmenter: Any = None,
    unigrams: Weighting = "tf-idf",
    stylometric: Any = None,
    style_weight: float = 0.25,
    C: float | Sequence[float] = 10.0,
    tune: bool = False,
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    text_column: str = "messages",
    max_features: int | None = 30_000,
    max_iter: int = 1000,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> CheckedPipeline:
    """Make unigrams, stylometric features and a maximum entropy classifier per task.

    Parameters
    ----------
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, with parts of speech if the
        stylometric features need them.
    unigrams : {"tf-idf", "tf", "binary"}, default="tf-idf"
        Weights of a user's words: 1 + log(count) times the inverse document frequency,
        counts, or presence; each user's weights then have norm 1. Our choice; the paper
        does not report it.
    stylometric : transformer, "drop" or None, default=None
        Stylometric features. None is
        :class:`~sklearn_profiling.sources.StylometricFeatures`: F-measure and POS
        patterns (paper, "the same features settings as SVM"); "drop" leaves them out.
    style_weight : float, default=0.25
        Mean norm of a user's stylometric features; that of the words is 1 (our
        choice).
    C : float or sequence of float, default=10.0
        Inverse strength of the regularisation; our choice. Inner folds choose from a
        sequence, for each task.
    tune : bool, default=False
        Whether inner folds choose among 0.1, 1 and 10 times `C` for each task.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.
    text_column : str, default="messages"
        Column of the users' DataFrame with lists of messages. The messages alone, a
        Series, list or array with one cell a user, are read as well.
    max_features : int or None, default=30_000
        Number of words to keep, by frequency; our choice.
    max_iter : int, default=1000
        Maximum number of iterations; enough for convergence on our data.
    memory : str or joblib.Memory, default=None
        Folder for the cache of the Pipeline, so that a search over the classifier
        segments and tags the text of a fold only once.
    random_state : int, RandomState instance or None, default=None
        Decides the inner folds that choose `C`.
    n_jobs : int, default=None
        Number of tasks to fit in parallel, as in joblib.

    Returns
    -------
    Pipeline
        Unfitted, with the steps ``text``, ``segmenter``, ``features`` and
        ``classifier``. A user without messages gets zeros and is predicted by the
        intercepts.

    Raises
    ------
    ValueError
        If `C`, `unigrams`, `stylometric` or `style_weight` is invalid.

    See Also
    --------
    make_svm_baseline : With ``preset="paper"``, the same features and a linear SVM;
        how the features are scaled.

    Notes
    -----
    A maximum entropy classifier with word features is multinomial logistic regression.
    Features, scaling and search are those of :func:`make_svm_baseline` with
    ``preset="paper"``.

    References
    ----------
    .. [1] J. Wang, S. Li, G. Zhou. Joint Learning on Relevant User Attributes in
       Micro-blog. IJCAI 2017.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_maxent_baseline
    >>> users = pd.DataFrame({"messages": [["喜欢足球"], ["喜欢口红"], None]})
    >>> model = make_maxent_baseline().fit(users, ["m", "f", None])
    >>> model.predict(pd.DataFrame({"messages": [["足球"], ["口红"]]}))
    array(['m', 'f'], dtype=object)
    """
    regression = search_strength(
        LogisticRegression(max_iter=max_iter),
        C,
        tune=tune,
        random_state=derive_seed(random_state),
    )
    return make_text_pipeline(
        MaskedMultiOutputClassifier(
            regression, class_weight=class_weight, n_jobs=n_jobs
        ),
        segmenter=segmenter,
        unigrams=unigrams,
        stylometric=stylometric,
        style_weight=style_weight,
        text_column=text_column,
        max_features=max_features,
        memory=memory,
    )
