"""What the first stage of stacking says of users: direct and out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from sklearn_profiling._seeding import RandomState
from sklearn_profiling.baselines._inner_folds import deal
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.inputs import as_sources

__all__ = [
    "SOURCE",
    "append_posteriors",
    "check_read",
    "check_readable",
    "fit_task",
    "join_columns",
    "out_of_fold",
    "posteriors_of",
    "seeded",
]

Floats = NDArray[np.float64]

#: Name of the posteriors among the sources of a ``SliceDict``.
SOURCE = "posteriors"


def seeded(estimator: Any, seed: int, random_state: RandomState) -> Any:
    """Clone an estimator and set every seed that it leaves open.

    Parameters
    ----------
    estimator : estimator
        Estimator, perhaps of several parts.
    seed : int
        The seed.
    random_state : int, RandomState instance or None
        None leaves the clone as it is.

    Returns
    -------
    estimator
        The clone.
    """
    made = clone(estimator)
    if random_state is None:
        return made
    open_seeds = [
        name
        for name, value in made.get_params(deep=True).items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return made.set_params(**dict.fromkeys(open_seeds, seed))


def fit_task(
    estimator: Any,
    X: Any,
    labels: NDArray[np.object_],
    weights: Floats | None,
) -> MaskedMultiOutputClassifier:
    """Fit a clone on the users labelled for one task.

    Parameters
    ----------
    estimator : classifier
        What is cloned.
    X : array, sparse matrix or SliceDict
        Users.
    labels : ndarray of object, shape (n_users,)
        Labels, None where missing.
    weights : ndarray of float64, shape (n_users,), or None
        Weight of each user.

    Returns
    -------
    MaskedMultiOutputClassifier
        A fitted classifier of the one task.
    """
    # A Series, since an array of sets could be taken for one of several tasks.
    y = pd.Series(labels, dtype=object)
    masked = MaskedMultiOutputClassifier(clone(estimator))
    fitted: MaskedMultiOutputClassifier = masked.fit(X, y, weights)
    return fitted


def out_of_fold(
    fitted: MaskedMultiOutputClassifier,
    estimator: Any,
    X: Any,
    labels: NDArray[np.object_],
    codes: NDArray[np.int64],
    weights: Floats | None,
    *,
    cv: Any,
    seed: int,
    n_jobs: int | None,
) -> Floats:
    """Give users the posteriors of classifiers that have not seen their labels.

    Parameters
    ----------
    fitted : MaskedMultiOutputClassifier
        The task's classifier trained on all labelled users; it answers for the others.
    estimator : classifier
        What is trained on the rest of each fold.
    X : array, sparse matrix or SliceDict
        Users.
    labels : ndarray of object, shape (n_users,)
        Labels of the task, None where missing.
    codes : ndarray of int64, shape (n_users,)
        The labels as numbers, -1 where missing.
    weights : ndarray of float64, shape (n_users,), or None
        Weight of each user.
    cv : int, splitter or iterable of (train, test)
        Folds; of a number each class is dealt evenly.
    seed : int
        Decides the folds of a number.
    n_jobs : int or None
        Number of fits at a time.

    Returns
    -------
    ndarray of float64, shape (n_users, n_classes)
        Posteriors as of :func:`posteriors_of`. Of uniform probabilities where nobody
        is left to learn from.

    Raises
    ------
    ValueError
        If the folds never hold out a user who carries a label.
    """
    classes = np.asarray(fitted.classes_)
    result = posteriors_of(fitted, X, classes)
    splits = _splits(cv, labels, codes, seed)
    answers = Parallel(n_jobs=n_jobs)(
        delayed(_answer)(estimator, X, train, rows, labels, weights, classes)
        for train, rows in splits
    )
    for (_, rows), answer in zip(splits, answers, strict=True):
        result[rows] = answer
    return result


def _splits(
    cv: Any, labels: NDArray[np.object_], codes: NDArray[np.int64], seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return training and held-out users of each fold, labelled ones alone."""
    labelled = np.flatnonzero(codes >= 0)
    if isinstance(cv, Integral):
        folds = deal(codes[labelled], min(int(cv), len(labelled)), seed)
        return [
            (labelled[folds != fold], labelled[folds == fold])
            for fold in range(folds.max() + 1)
        ]
    y = pd.Series(labels, dtype=object)
    splits = [
        (np.intersect1d(train, labelled), np.intersect1d(test, labelled))
        for train, test in check_cv(cv).split(np.zeros((len(y), 1)), y)
    ]
    never = np.setdiff1d(labelled, np.concatenate([test for _, test in splits]))
    if len(never):
        msg = (
            "cv must hold out every user who carries a label, or the first stage would "
            f"answer for users it was trained on; it never holds out row {never[0]}"
        )
        raise ValueError(msg)
    return [(train, test) for train, test in splits if len(test)]


def _answer(
    estimator: Any,
    X: Any,
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    labels: NDArray[np.object_],
    weights: Floats | None,
    classes: NDArray[Any],
) -> Floats:
    """Train on some users and give the posteriors of others."""
    if not len(train):
        uniform = np.full((len(rows), len(classes)), 1 / len(classes))
        return uniform if hasattr(estimator, "predict_proba") else 2 * uniform - 1
    fitted = fit_task(
        estimator,
        _safe_indexing(X, train),
        labels[train],
        None if weights is None else weights[train],
    )
    return posteriors_of(fitted, _safe_indexing(X, rows), classes)


def posteriors_of(
    fitted: MaskedMultiOutputClassifier, X: Any, classes: NDArray[Any]
) -> Floats:
    """Ask a classifier of one task, with one column for each of the task's classes.

    Parameters
    ----------
    fitted : MaskedMultiOutputClassifier
        Classifier of one task that may not have seen every class.
    X : array, sparse matrix or SliceDict
        Users.
    classes : ndarray
        All classes of the task.

    Returns
    -------
    ndarray of float64, shape (n_users, n_classes)
        Probabilities, or decision values where the estimator gives none. A class that
        was not seen has probability 0, or the decision value -1 of a clear no; one that
        was the only one seen has probability 1, or the decision value 1.
    """
    inner = fitted.estimators_[0]
    # Asked of the estimator and not of its clone, which is another where it saw a
    # single class: all folds must answer in one scale.
    if hasattr(fitted.estimator, "predict_proba"):
        answer, unseen = np.asarray(fitted.predict_proba(X)), 0.0
    elif isinstance(inner, DummyClassifier):
        answer, unseen = 2 * np.asarray(fitted.predict_proba(X)) - 1, -1.0
    else:
        answer, unseen = np.asarray(inner.decision_function(X)), -1.0
        if answer.ndim == 1:
            answer = np.column_stack([-answer, answer])
    result = np.full((len(answer), len(classes)), unseen)
    seen = np.asarray(fitted.classes_)
    position = {label: column for column, label in enumerate(classes.tolist())}
    result[:, [position[label] for label in seen.tolist()]] = answer
    return result


def check_readable(estimator: Any, X: Any, n_users: int) -> None:
    """Refuse a second stage that would leave the posteriors unread.

    Parameters
    ----------
    estimator : classifier
        The second stage, not fitted; of wrappers the innermost estimator is asked.
    X : array, sparse matrix or SliceDict
        Users, without posteriors.
    n_users : int
        Number of users.

    Raises
    ------
    SourceError
        If an estimator of this package would not read the posteriors, or `X` has a
        source of their name.
    """
    if not isinstance(X, dict):
        return
    if SOURCE in X:
        msg = (
            f"X must not hold a source named {SOURCE!r}, the name of what the first "
            f"stage says; it holds {list(X)}"
        )
        raise SourceError(msg)
    while not hasattr(estimator, "_check_architecture"):
        if not hasattr(estimator, "estimator"):
            return
        estimator = estimator.estimator
    sources = {**X, SOURCE: np.zeros((n_users, 1))}
    given = as_sources(sources, default_name="text")
    read = estimator._check_architecture(given)  # noqa: SLF001 - nothing public tells it before a fit
    if SOURCE not in read:
        raise _unread(estimator, list(read))


def check_read(fitted: MaskedMultiOutputClassifier) -> None:
    """Refuse a second stage that left the posteriors unread at the end of a Pipeline.

    Only a fitted Pipeline tells what reaches its last step.

    Parameters
    ----------
    fitted : MaskedMultiOutputClassifier
        Fitted classifier of one task.

    Raises
    ------
    SourceError
        If the last step is an estimator of this package and read no vectors.
    """
    inner = fitted.estimators_[0]
    if isinstance(inner, Pipeline) and hasattr(inner[-1], "_specs"):
        specs = inner[-1]._specs  # noqa: SLF001 - no public name of what a net read
        # The Pipeline may have named them anew.
        if all(spec.kind != "vectors" for spec in specs.values()):
            raise _unread(inner[-1], list(specs))


def _unread(estimator: Any, read: list[str]) -> SourceError:
    return SourceError(
        f"{type(estimator).__name__} in the second stage would read the sources {read} "
        f"and not the source {SOURCE!r}, so that no task could help another; give "
        "parameter final_estimator a classifier that reads vectors beside them, such "
        "as MMLUPClassifier"
    )


def append_posteriors(X: Any, posteriors: Sequence[Floats]) -> Any:
    """Append posteriors to the features of users.

    Parameters
    ----------
    X : array, sparse matrix or SliceDict
        Users.
    posteriors : sequence of ndarray, shape (n_users, n_classes)
        Posteriors of each auxiliary task.

    Returns
    -------
    array, sparse matrix or SliceDict
        Users with more columns, or with one more source; `X` if there are none.
    """
    if not posteriors:
        return X
    columns = np.hstack(posteriors)
    if isinstance(X, dict):
        return type(X)(**X, **{SOURCE: columns})
    if sparse.issparse(X):
        blocks: list[Any] = [X, sparse.csr_array(columns)]
        return sparse.hstack(blocks, format="csr")
    return np.hstack([X, columns])


def join_columns(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Stand the labels of several tasks side by side.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n_users,)
        Labels of each task.

    Returns
    -------
    ndarray, shape (n_users, n_tasks)
        Of the columns' dtype, or of objects if these differ.
    """
    kinds = {column.dtype for column in columns}
    dtype = kinds.pop() if len(kinds) == 1 else np.dtype(object)
    table = np.empty((len(columns[0]), len(columns)), dtype=dtype)
    for task, column in enumerate(columns):
        table[:, task] = column
    return table
