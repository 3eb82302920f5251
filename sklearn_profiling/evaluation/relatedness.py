"""Which task helps which: the gain of each from each other on held-out users."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation._contents import checked_users
from sklearn_profiling.evaluation._pairs import equal_cells
from sklearn_profiling.evaluation.prediction import cross_val_predict_proba
from sklearn_profiling.evaluation.splits import Fold, make_folds
from sklearn_profiling.exceptions import TargetError, shortened
from sklearn_profiling.targets import label_table

__all__ = ["task_relatedness"]

Floats = NDArray[np.float64]
Table = NDArray[np.object_]
_SMALLEST = 1e-6


def task_relatedness(
    X: Any,
    y: Any,
    estimator: Any = None,
    *,
    by: Literal["labels", "training"] = "labels",
    cv: Any = None,
    groups: Any = None,
    id_column: str | None = None,
    confidence: float = 0.95,
    n_bootstraps: int = 1000,
    n_jobs: int | None = None,
    random_state: RandomState = 0,
) -> pd.DataFrame:
    """Measure how much each task gains in accuracy from each other task.

    Parameters
    ----------
    X : array-like
        Users: DataFrame, array, sparse matrix, list or any container that
        scikit-learn can take rows of.
    y : DataFrame or array-like of shape (n_users, n_tasks)
        Labels of two tasks or more; None, NaN and ``pd.NA`` are missing.
    estimator : estimator, default=None
        Classifier or Pipeline of several tasks with ``predict_proba``. None leaves
        ``X`` out: what one label says about another.
    by : {"labels", "training"}, default="labels"
        ``"labels"`` asks what *knowing* the other label adds: a logistic regression
        on the estimator's log-probabilities is compared with one that has the other
        label too, one-hot. ``"training"`` asks what *learning* the other task adds: the
        estimator is trained on the two tasks and on the one. It is 0 for estimators
        that learn each task by itself.
    cv : int, splitter or iterable of (train, test), default=None
        As in :func:`cross_val_predict_proba`.
    groups : array-like of shape (n_users,), default=None
        Group of each user, for the splitter.
    id_column : str or None, default=None
        Column, or name of the index, of ``X`` with the ids of the users. None is
        ``"user_id"`` where there is one.
    confidence : float, default=0.95
        Level of the intervals, in (0, 1).
    n_bootstraps : int, default=1000
        Number of resamples of the users, 1 at least; scipy's default is 9999, which
        changes little.
    n_jobs : int, default=None
        Number of folds to fit at a time, as in joblib.
    random_state : int, RandomState instance or None, default=0
        Decides the resampling.

    Returns
    -------
    DataFrame of shape (n_tasks, 4 n_tasks)
        One row for each task that gains. The first level of the columns is ``"gain"``,
        the difference of two accuracies; ``"low"`` and ``"high"``, the ends of the
        bootstrap's percentile interval; and ``"n_users"``, who were tested. The second
        is the task that helps. ``found["gain"]`` is the matrix. NaN for a task with
        itself, or where nobody could be tested.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    TargetError
        If there is one task only, or a task that holds sets, or the labels cannot be
        split.

    See Also
    --------
    TaskRelatednessDisplay : The matrix as a picture.

    Notes
    -----
    Every user is tested by models that have not seen this user's labels of the task.
    By labels, the gain is over the users who have both; the estimator is fitted once a
    fold, and the regressions use the same folds. By training, it is over all who have
    the label of the task, and there are n_tasks (n_tasks + 1) / 2 fits a fold. The
    intervals are those of the tested users, and leave out how much the models would
    vary with other training users. A gain is no cause.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import task_relatedness
    >>> y = pd.DataFrame({"degree": list("abab") * 15, "job": list("pqpq") * 15})
    >>> found = task_relatedness([[0]] * 60, y, cv=3)
    >>> found["gain"].round(1).to_numpy()
    array([[nan, 0.5],
           [0.5, nan]])
    """
    _check_parameters(estimator, by, confidence, n_bootstraps)
    X, y = checked_users(X, y, id_column)
    table, tasks, _ = label_table(y)
    _check_tasks(table, tasks)
    folds = make_folds(cv, X, y, groups, id_column)
    if by == "training":
        hits = _hits_by_training(X, y, estimator, folds, n_jobs, id_column)
    else:
        hits = _hits_by_labels(X, y, estimator, folds, n_jobs, id_column)
    n_tasks = len(tasks)
    generator = np.random.default_rng(derive_seed(random_state))
    values = np.full((4, n_tasks, n_tasks), np.nan)
    for (task, other), (alone, helped) in hits.items():
        difference = helped - alone
        difference = difference[np.isfinite(difference)]
        values[3, task, other] = len(difference)
        if len(difference):
            ends = _interval(difference, confidence, n_bootstraps, generator)
            values[:3, task, other] = difference.mean(), *ends
    return pd.concat(
        {
            name: pd.DataFrame(each, index=pd.Index(tasks, name="task"), columns=tasks)
            for name, each in zip(
                ("gain", "low", "high", "n_users"), values, strict=True
            )
        },
        axis=1,
    )


def _check_parameters(
    estimator: Any, by: Any, confidence: Any, n_bootstraps: Any
) -> None:
    if by not in ("labels", "training"):
        msg = f"by must be 'labels' or 'training'; got {shortened(by)}"
        raise ValueError(msg)
    if by == "training" and estimator is None:
        msg = "by='training' trains an estimator; estimator must not be None"
        raise ValueError(msg)
    if not 0 < confidence < 1:
        msg = f"confidence must lie between 0 and 1; got {shortened(confidence)}"
        raise ValueError(msg)
    if not isinstance(n_bootstraps, Integral) or n_bootstraps < 1:
        msg = f"n_bootstraps must be an integer of 1 at least; got {n_bootstraps!r}"
        raise ValueError(msg)


def _check_tasks(table: Table, tasks: list[str]) -> None:
    if len(tasks) < 2:
        msg = f"task_relatedness needs two tasks at least; y has {tasks}"
        raise TargetError(msg)
    for task, column in zip(tasks, table.T, strict=True):
        if any(isinstance(label, frozenset) for label in column):
            msg = f"task_relatedness takes one label a cell; task {task!r} holds sets"
            raise TargetError(msg)


# By the task that gains and the one that helps: whether each user (n_users,) is
# predicted rightly alone and with help; NaN if untested.
Hits = dict[tuple[int, int], tuple[Floats, Floats]]


def _hits(table: Table, task: int, predicted: Table) -> Floats:
    hits: Floats = equal_cells(table[:, task], predicted).astype(float)
    absent = equal_cells(table[:, task], np.full(len(table), None))
    untested = equal_cells(predicted, np.full(len(table), None))
    hits[absent | untested] = np.nan
    return hits


def _hits_by_training(
    X: Any,
    y: Any,
    estimator: Any,
    folds: list[Fold],
    n_jobs: int | None,
    id_column: str | None,
) -> Hits:
    """Train on one task and on two, on the users who have a label of the first."""
    table, tasks, _ = label_table(y)
    n_tasks = len(tasks)

    def predict(*chosen: int) -> Table:
        found = cross_val_predict_proba(
            estimator,
            X,
            pd.DataFrame(table[:, chosen], columns=[tasks[task] for task in chosen]),
            cv=[(fold.train, fold.test) for fold in folds],
            id_column=id_column,
            n_jobs=n_jobs,
        )
        predictions: Table = found.predictions
        return predictions

    alone = [_hits(table, task, predict(task)[:, 0]) for task in range(n_tasks)]
    hits: Hits = {}
    for first in range(n_tasks):
        for second in range(first + 1, n_tasks):
            both = predict(first, second)
            hits[first, second] = alone[first], _hits(table, first, both[:, 0])
            hits[second, first] = alone[second], _hits(table, second, both[:, 1])
    return hits


def _hits_by_labels(
    X: Any,
    y: Any,
    estimator: Any,
    folds: list[Fold],
    n_jobs: int | None,
    id_column: str | None,
) -> Hits:
    """Compare logistic regressions with and without the other label, one-hot."""
    table, _, _ = label_table(y)
    n_users, n_tasks = table.shape
    known = [np.zeros((n_users, 1))] * n_tasks
    if estimator is not None:
        found = cross_val_predict_proba(
            estimator,
            X,
            y,
            cv=[(fold.train, fold.test) for fold in folds],
            id_column=id_column,
            n_jobs=n_jobs,
        )
        known = [np.log(np.maximum(each, _SMALLEST)) for each in found.probabilities]
    one_hot = [_one_hot(column) for column in table.T]
    hits: Hits = {}
    for task in range(n_tasks):
        alone = _hits(table, task, _regressed(known[task], table[:, task], folds))
        for other in range(n_tasks):
            if other != task:
                columns = np.hstack([known[task], one_hot[other]])
                helped = _hits(table, task, _regressed(columns, table[:, task], folds))
                helped[~one_hot[other].any(axis=1)] = np.nan
                hits[task, other] = alone, helped
    return hits


def _one_hot(column: Table) -> Floats:
    """Return one column a class; zeros where the label is missing."""
    codes, classes = pd.factorize(pd.Series(column, dtype=object))
    made: Floats = (codes[:, None] == np.arange(len(classes))).astype(float)
    return made


def _regressed(columns: Floats, labels: Table, folds: list[Fold]) -> Table:
    """Predict each tested user by a logistic regression; None for the others."""
    codes, classes = pd.factorize(pd.Series(labels, dtype=object))
    predicted: Table = np.full(len(labels), None)
    usable = (codes >= 0) & np.isfinite(columns).all(axis=1)
    for fold in folds:
        train, test = fold.train[usable[fold.train]], fold.test[usable[fold.test]]
        seen = np.unique(codes[train])
        if not len(test) or not len(seen):
            continue
        if len(seen) == 1:
            found = np.full(len(test), seen[0])
        else:
            model = LogisticRegression(max_iter=1000)
            found = model.fit(columns[train], codes[train]).predict(columns[test])
        predicted[test] = np.asarray(classes, dtype=object)[found]
    return predicted


def _interval(
    values: Floats, confidence: float, n_bootstraps: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval of the mean over resampled users."""
    n_users = len(values)
    means = [
        values[generator.integers(n_users, size=n_users)].mean()
        for _ in range(n_bootstraps)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
