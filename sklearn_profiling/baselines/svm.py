"""A linear SVM on words and characters, or as in the Aux-LSTM paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import joblib
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seed, derive_seeds
from sklearn_profiling.baselines._inner_folds import SparingFolds
from sklearn_profiling.baselines._linear import make_linear, multiples
from sklearn_profiling.baselines._text_features import (
    Weighting,
    make_text_pipeline,
    search_strength,
)
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier

__all__ = ["make_calibrated_svm", "make_svm_baseline"]

Preset = Literal["default", "paper"]

_CALIBRATION_FOLDS = 3
_STRENGTHS = (0.3, 1.0, 3.0)


def make_svm_baseline(
    *,
    preset: Preset = "default",
    segmenter: Any = None,
    unigrams: Weighting | None = None,
    stylometric: Any = None,
    style_weight: float = 0.25,
    C: float | Sequence[float] | None = None,
    tune: bool = False,
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    text_column: str = "messages",
    max_features: int | None = 30_000,
    max_iter: int = 1000,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> CheckedPipeline:
    """Make tf-idf of words and characters and a linear SVM per task.

    Parameters
    ----------
    preset : {"default", "paper"}, default="default"
        Values of the parameters that are None, and how the SVM is calibrated. "paper"
        is the SVM of the Aux-LSTM paper, on single words and stylometric features.
    segmenter : transformer, default=None
        From messages to words. None is WordSegmenter, with parts of speech if the
        stylometric features need them, where single words are weighed; else it is what
        :func:`~sklearn_profiling.sources.choose_segmenter` chooses in ``fit``, with
        punctuation kept.
    unigrams : {"tf-idf", "tf", "binary"} or None, default=None
        Weights of a user's words: 1 + log(count) times the inverse document frequency,
        counts, or presence; each user's weights then have norm 1. None is "tf-idf" for
        the paper, our choice, since the paper does not report it; else it is tf-idf of
        one and two words and of two to four characters of a word
        (:class:`~sklearn_profiling.sources.TfidfVectors`).
    stylometric : transformer, "drop" or None, default=None
        Stylometric features; "drop" leaves them out. None is "drop", since beside
        n-grams they help on none of our data, and for the paper
        :class:`~sklearn_profiling.sources.StylometricFeatures`: F-measure and POS
        patterns (paper), or the surface of text in which words have no tags.
    style_weight : float, default=0.25
        Mean norm of a user's stylometric features; that of the words is 1 (our
        choice).
    C : float, sequence of float or None, default=None
        Inverse strength of the regularisation. Held-out training users choose from a
        sequence, for each task. None is (0.3, 1.0, 3.0), our choice, and scikit-learn's
        1.0 for the paper.
    tune : bool, default=False
        Whether held-out training users choose among 0.1, 1 and 10 times a single `C`.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.
    text_column : str, default="messages"
        Column of the users' DataFrame with lists of messages. The messages alone, a
        Series, list or array with one cell a user, are read as well.
    max_features : int or None, default=30_000
        Number of words, or n-grams of each kind, to keep, by frequency; our choice.
    max_iter : int, default=1000
        Maximum number of iterations; enough for convergence on our data.
    memory : str or joblib.Memory, default=None
        Folder for the cache of the Pipeline, so that a search over the classifier
        segments and tags the text of a fold only once.
    random_state : int, RandomState instance or None, default=None
        Decides the inner folds.
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
        If `preset`, `C`, `unigrams`, `stylometric` or `style_weight` is invalid.

    See Also
    --------
    make_maxent_baseline : The paper's features with logistic regression.
    make_meta_learning_baseline : The paper's SVM with posteriors of the other tasks.

    Notes
    -----
    The stylometric features are standardised and then jointly scaled to `style_weight`
    (our choice: at the weight of the words, hundreds of patterns dominate them on our
    data); a missing feature is set to the mean.

    The loss is the squared hinge, one class against the rest. A stratified third of the
    training users is held out once; it chooses `C` and calibrates the probabilities, as
    for :func:`make_tfidf_baseline`, so three values of `C` cost three fits.

    With ``preset="paper"`` probabilities are those of three SVMs, each trained on two
    thirds of the users and calibrated by Platt scaling on the others
    (:class:`~sklearn.calibration.CalibratedClassifierCV`), and the prediction is the
    most probable class. A class with a single user is kept for training. `C` has the
    highest accuracy over three stratified folds of the training users. N-grams of
    words and characters, punctuation and the values of `C` are ours, not the paper's.

    References
    ----------
    .. [1] J. Wang, S. Li, G. Zhou. Joint Learning on Relevant User Attributes in
       Micro-blog. IJCAI 2017.
    .. [2] A. Mukherjee, B. Liu. Improving Gender Classification of Blog Authors. EMNLP
       2010.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_svm_baseline
    >>> users = pd.DataFrame({"messages": [["喜欢足球"], ["喜欢口红"]] * 4 + [None]})
    >>> model = make_svm_baseline(random_state=0)
    >>> model = model.fit(users, ["m", "f"] * 4 + [None])
    >>> model.predict(pd.DataFrame({"messages": [["足球"], ["口红"]]}))
    array(['m', 'f'], dtype=object)
    """
    if preset not in get_args(Preset):
        msg = f"preset must be 'default' or 'paper'; got {preset!r}"
        raise ValueError(msg)
    if preset == "paper":
        unigrams = "tf-idf" if unigrams is None else unigrams
        svm: Any = make_calibrated_svm(
            1.0 if C is None else C,
            tune=tune,
            max_iter=max_iter,
            random_state=random_state,
        )
    else:
        stylometric = "drop" if stylometric is None else stylometric
        svm = make_linear(
            "squared_hinge",
            multiples(_STRENGTHS if C is None else C, tune=tune),
            max_iter=max_iter,
            random_state=derive_seed(random_state),
        )
    return make_text_pipeline(
        MaskedMultiOutputClassifier(svm, class_weight=class_weight, n_jobs=n_jobs),
        segmenter=segmenter,
        unigrams=unigrams,
        stylometric=stylometric,
        style_weight=style_weight,
        text_column=text_column,
        max_features=max_features,
        memory=memory,
    )


def make_calibrated_svm(
    C: float | Sequence[float],
    *,
    tune: bool,
    max_iter: int,
    random_state: RandomState,
) -> CalibratedClassifierCV:
    """Make a linear SVM with probabilities, which also learns classes of one user."""
    search_seed, seed = derive_seeds(random_state, 2)
    # The primal problem, because the dual's solver draws from a generator that all
    # threads of the process share.
    svm = LinearSVC(dual=False, max_iter=max_iter)
    return CalibratedClassifierCV(
        search_strength(svm, C, tune=tune, random_state=search_seed),
        method="sigmoid",
        cv=SparingFolds(_CALIBRATION_FOLDS, random_state=seed),
        ensemble=True,
    )
