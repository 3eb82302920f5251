"""The Meta-Learning baseline: the SVM with the posteriors of the other tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import joblib

from sklearn_profiling._checked_pipeline import CheckedPipeline
from sklearn_profiling._seeding import RandomState, derive_seeds
from sklearn_profiling.baselines._text_features import Weighting, make_text_pipeline
from sklearn_profiling.baselines.stacking import MetaLearningClassifier
from sklearn_profiling.baselines.svm import make_calibrated_svm

__all__ = ["make_meta_learning_baseline"]


def make_meta_learning_baseline(
    *,
    main_task: str | None = None,
    segmenter: Any = None,
    unigrams: Weighting = "tf-idf",
    stylometric: Any = None,
    style_weight: float = 0.25,
    C: float | Sequence[float] = 1.0,
    tune: bool = False,
    class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None,
    cv: int = 5,
    text_column: str = "messages",
    max_features: int | None = 30_000,
    max_iter: int = 1000,
    memory: str | joblib.Memory | None = None,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> CheckedPipeline:
    """Make the paper's SVM baseline with the posteriors of the other tasks.

    Parameters
    ----------
    main_task : str or None, default=None
        The task that the others help; None is every task in turn.
    segmenter, unigrams, stylometric, style_weight : object
        As for :func:`make_maxent_baseline`.
    C : float or sequence of float, default=1.0
        Inverse strength of the regularisation of the SVMs of both stages;
        scikit-learn's default. Inner folds choose from a sequence, for each task.
    tune : bool, default=False
        As for :func:`make_maxent_baseline`.
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MetaLearningClassifier`.
    cv : int, default=5
        Number of folds of the posteriors of training users (our choice).
    text_column, max_features, max_iter, memory : object
        As for :func:`make_svm_baseline`.
    random_state : int, RandomState instance or None, default=None
        Decides all folds.
    n_jobs : int, default=None
        Number of fits in parallel, as in joblib.

    Returns
    -------
    Pipeline
        Unfitted, with the steps ``text``, ``segmenter``, ``features`` and
        ``classifier``, a :class:`MetaLearningClassifier` of calibrated linear SVMs.

    Raises
    ------
    ValueError
        If `C`, `unigrams`, `stylometric` or `style_weight` is invalid.

    See Also
    --------
    make_svm_baseline : With ``preset="paper"``, the same without the other tasks.

    Notes
    -----
    The vocabulary, document frequencies and POS patterns are learned once from all
    users of ``fit``, without labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_meta_learning_baseline
    >>> users = pd.DataFrame({"messages": [["喜欢足球"], ["喜欢口红"]] * 6})
    >>> y = pd.DataFrame({"gender": ["m", "f"] * 6, "age": ["80s", "90s"] * 6})
    >>> model = make_meta_learning_baseline(main_task="age", random_state=0)
    >>> model.fit(users, y).predict(pd.DataFrame({"messages": [["足球"], ["口红"]]}))
    array([['m', '80s'],
           ['f', '90s']], dtype=object)
    """
    svm_seed, seed = derive_seeds(random_state, 2)
    svm = make_calibrated_svm(C, tune=tune, max_iter=max_iter, random_state=svm_seed)
    classifier = MetaLearningClassifier(
        svm,
        class_weight=class_weight,
        main_task=main_task,
        cv=cv,
        random_state=seed,
        n_jobs=n_jobs,
    )
    return make_text_pipeline(
        classifier,
        segmenter=segmenter,
        unigrams=unigrams,
        stylometric=stylometric,
        style_weight=style_weight,
        text_column=text_column,
        max_features=max_features,
        memory=memory,
    )
