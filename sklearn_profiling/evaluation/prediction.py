"""Out-of-fold probabilities that survive missing labels."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Bunch, _safe_indexing

from sklearn_profiling._processes import Parallel
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.evaluation._contents import checked_users
from sklearn_profiling.evaluation._probabilities import predict_tasks
from sklearn_profiling.evaluation.splits import Fold, make_folds
from sklearn_profiling.exceptions import TargetError, shortened
from sklearn_profiling.targets import LabelCodec, label_table

Probabilities = list[NDArray[np.float64]]


class FoldPrediction(NamedTuple):
    """What the model of one fold predicts of its test users, and the model if kept."""

    probabilities: Probabilities
    predictions: NDArray[np.object_]
    model: Any
    fit_seconds: float
    predict_seconds: float


if TYPE_CHECKING:

    class CrossValPredictions(Bunch):
        """The types of what cross-validation predicts."""

        probabilities: Probabilities
        classes: list[NDArray[Any]]
        task_names: list[str]
        predictions: NDArray[np.object_]

else:
    CrossValPredictions = Bunch


def cross_val_predict_proba(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = None,
    groups: Any = None,
    id_column: str | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CrossValPredictions:
    """Predict every user by a model that has not seen this user's labels.

    :func:`sklearn.model_selection.cross_val_predict` takes a missing label for a class
    of its own and adds a column for it. Here the columns are the classes of ``y``; a
    class that a fold's training part lacks has probability 0.

    Parameters
    ----------
    estimator : estimator
        Classifier or Pipeline with ``predict``, ``predict_proba`` and ``classes_``. A
        clone of it is fitted per fold.
    X : array-like
        Users: DataFrame, array, sparse matrix, list or any container that
        scikit-learn can take rows of.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    cv : int, splitter or iterable of (train, test), default=None
        An integer is the number of folds of a :class:`MultiTaskStratifiedKFold` with
        ``random_state=0``, or :class:`MultiTaskStratifiedGroupKFold` with ``groups``;
        None means 5 folds, scikit-learn's number.
    groups : array-like of shape (n_users,), default=None
        Group of each user, for the splitter.
    id_column : str or None, default=None
        Column, or name of the index, of ``X`` with the ids of the users. None is
        ``"user_id"`` where there is one.
    n_jobs : int, default=None
        Number of folds to fit at a time, as in joblib.
    verbose : int, default=0
        Verbosity of joblib.

    Returns
    -------
    Bunch
        ``probabilities``: list of arrays of shape (n_users, n_classes), one per task
        (also for one-dimensional ``y``); NaN for users who are in no test part.
        ``classes``: list of arrays, the columns. ``task_names``: list of str.
        ``predictions``: ndarray of dtype object and shape (n_users, n_tasks), or
        (n_users,) for one-dimensional ``y``; None for users in no test part.

    Raises
    ------
    TargetError
        If a user is in several test parts, or in the training and the test part of a
        fold; if ``X`` and ``y`` are not of the same users, or the estimator's classes
        or tasks are not those of ``y``.
    SourceError
        If a user's messages or images are none.

    Warns
    -----
    DataQualityWarning
        If there are nulls among a user's messages or images, which are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.evaluation import cross_val_predict_proba
    >>> y = pd.DataFrame({"gender": ["f", "f", "f", "f", "m", "m", None]})
    >>> X = [[0]] * 7
    >>> found = cross_val_predict_proba(make_majority_baseline(), X, y, cv=2)
    >>> found.classes[0].tolist(), found.probabilities[0][[0, 6]].round(2).tolist()
    (['f', 'm'], [[0.67, 0.33], [nan, nan]])
    """
    X, y = checked_users(X, y, id_column)
    codec = LabelCodec.learn(y)
    folds = make_folds(cv, X, y, groups, id_column)
    outputs = predict_folds(estimator, X, y, folds, codec, n_jobs, verbose)
    return joined_folds(folds, outputs, codec, len(codec.encode(y)))


def predict_folds(
    estimator: Any,
    X: Any,
    y: Any,
    folds: Sequence[Fold],
    codec: LabelCodec,
    n_jobs: int | None,
    verbose: int = 0,
    *,
    keep_models: bool = False,
) -> list[FoldPrediction]:
    """Fit a clone on each training part and predict the test part."""
    _check_disjoint(folds)
    found: list[FoldPrediction] = Parallel(n_jobs=n_jobs, verbose=verbose)(
        delayed(_fit_and_predict)(clone(estimator), X, y, fold, codec, keep_models)
        for fold in folds
    )
    return found


def joined_folds(
    folds: Sequence[Fold],
    outputs: Sequence[FoldPrediction],
    codec: LabelCodec,
    n_users: int,
) -> CrossValPredictions:
    """Put what the folds predict in the order of the users."""
    probabilities = [np.full((n_users, len(c)), np.nan) for c in codec.classes]
    predictions = np.full((n_users, len(codec.task_names)), None, dtype=object)
    for fold, output in zip(folds, outputs, strict=True):
        for target, values in zip(probabilities, output.probabilities, strict=True):
            target[fold.test] = values
        predictions[fold.test] = output.predictions
    return CrossValPredictions(
        probabilities=probabilities,
        classes=codec.classes,
        task_names=codec.task_names,
        predictions=predictions[:, 0] if codec.one_dimensional else predictions,
    )


@fixed_threads()
def _fit_and_predict(
    estimator: Any, X: Any, y: Any, fold: Fold, codec: LabelCodec, keep_model: bool
) -> FoldPrediction:
    """Fit on one training part and predict its test part."""
    started = time.perf_counter()
    estimator.fit(_safe_indexing(X, fold.train), _safe_indexing(y, fold.train))
    fitted = time.perf_counter()
    X_test = _safe_indexing(X, fold.test)
    aligned = [
        align_classes(values, known, codec, task)
        for task, (values, known) in enumerate(
            predict_tasks(estimator, X_test, codec.task_names)
        )
    ]
    predicted = label_table(estimator.predict(X_test))[0]
    seconds = (fitted - started, time.perf_counter() - fitted)
    return FoldPrediction(
        aligned, predicted, estimator if keep_model else None, *seconds
    )


def align_classes(
    values: NDArray[Any], known: list[Any], codec: LabelCodec, task: int
) -> NDArray[np.float64]:
    """Put an estimator's columns at the places of the same classes in y."""
    place = {label: i for i, label in enumerate(codec.classes[task].tolist())}
    strange = [label for label in known if label not in place]
    if strange:
        msg = (
            f"task {codec.task_names[task]!r}: the estimator has the classes "
            f"{shortened(strange)}, which y lacks; its classes are "
            f"{shortened(list(place))}"
        )
        raise TargetError(msg)
    aligned = np.zeros((len(values), len(place)))
    aligned[:, [place[label] for label in known]] = values
    return aligned


def _check_disjoint(folds: Sequence[Fold]) -> None:
    """Refuse splitters that test a user several times."""
    tested = np.concatenate([fold.test for fold in folds])
    users, counts = np.unique(tested, return_counts=True)
    if (counts > 1).any():
        msg = (
            "cv must put a user in one test part at most, so that each has one "
            f"prediction; row {users[counts > 1][0]} is in {counts.max()}"
        )
        raise TargetError(msg)
