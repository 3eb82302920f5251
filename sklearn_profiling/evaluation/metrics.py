"""Metrics of several tasks, some of whose labels are missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from sklearn_profiling.evaluation._pairs import (
    TaskPairs,
    by_origin,
    class_counts,
    equal_cells,
    labelled_cells,
    paired_tables,
    task_pairs,
)
from sklearn_profiling.evaluation._probabilities import (
    PROBABILITY_METRICS,
    TaskProbabilities,
    split_tasks,
)
from sklearn_profiling.evaluation.classes import class_table
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

SMPCUP_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"gender": 0.2, "age": 0.3, "region": 0.5}
)
METRICS = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "f_of_averages")
KNOWN_METRICS = (*METRICS, "balanced_accuracy", *PROBABILITY_METRICS)
LOWER_IS_BETTER = frozenset({"log_loss"})

Metric = str | Callable[[Any, Any], float]

FDefinition = Literal["average_of_f", "f_of_averages"]
F_METRICS: Mapping[str, str] = MappingProxyType(
    {"average_of_f": "macro_f1", "f_of_averages": "f_of_averages"}
)


def task_report(
    y_true: Any,
    y_pred: Any,
    *,
    zero_division: float = 0.0,
    metrics: Metric | Sequence[Metric] = METRICS,
    y_proba: Any = None,
    classes: Any = None,
    by: Literal["task", "class"] = "task",
    sources: Any = None,
) -> pd.DataFrame:
    """Report every metric for every task, or for every class of every task.

    A missing label adds nothing: each task is scored on the users who are labelled
    for it. A cell may hold a set of labels; it is right if the sets are equal, and
    precision, recall and F count the membership of each class.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions. A missing prediction for a labelled user counts as wrong.
    zero_division : {0.0, 1.0, nan}, default=0.0
        Precision of a class that is never predicted and recall of a class that no
        user has. ``nan`` leaves such a class out of the average. Our choice of the
        default is scikit-learn's value, without its warning.
    metrics : str, callable or sequence of them, default=the five below
        What to measure: ``"accuracy"``, ``"macro_precision"``, ``"macro_recall"``,
        ``"macro_f1"`` (the average of the classes' F1), ``"f_of_averages"``
        (2PR / (P + R) of the two averages), ``"balanced_accuracy"``, ``"log_loss"``,
        ``"roc_auc"``, or functions ``(y_true, y_pred)`` of the labels and predictions
        of the users labelled for one task, arrays of shape (n_labelled,).
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray, default=None
        Probabilities as ``predict_proba`` gives them, one array a task, for
        ``"log_loss"`` and ``"roc_auc"``.
    classes : list of array-like, or array-like, default=None
        The classes of the columns of ``y_proba``, as in ``classes_``.
    by : {"task", "class"}, default="task"
        ``"class"`` has one row for each task and class seen among labels and
        predictions, with the columns ``support`` (users who have the class),
        ``n_predicted``, ``precision``, ``recall``, ``f1``, and, with `y_proba`,
        ``roc_auc`` and ``average_precision`` of the class against the rest (NaN where
        no labelled user has it, or all have). `metrics` has no part in it.
    sources : DataFrame or array-like, default=None
        Where each label comes from, such as "declared" or "inferred", in the shape of
        `y_true`; or, of shape (n_users,), what is known of each user, such as "text" or
        "network". Labels of different origin are never counted together: the rows have
        the level ``source`` then.

    Returns
    -------
    DataFrame of shape (n_tasks, 2 + n_metrics)
        One row per task. Columns: ``n_labelled`` users, ``n_classes`` seen among
        labels and predictions, and the metrics; a function by its ``__name__``. A task
        without labels has NaN.

    Raises
    ------
    TargetError
        If the tables have different users or tasks, or `sources` are given and there is
        no label.
    ValueError
        If a metric is unknown, or needs ``y_proba`` and ``classes``.

    See Also
    --------
    macro_prf : Precision, recall and one F alone.
    group_report : Differences between groups of users, with intervals.

    Notes
    -----
    The two F differ, and papers rarely say which one they print. The Aux-LSTM paper
    prints the F of the averages, the others the average of F. The classes are those
    seen among the labels and the predictions, as in scikit-learn.

    The balanced accuracy is the mean recall of the classes that users have. The ROC
    AUC is the mean over the classes of the area of a class against the rest; a class
    that no labelled user has, or all have, is left out, and where none is left it is
    NaN. A class that is not in ``classes``, because no training user had it, has
    probability 0, which the log loss raises to 2.2e-16 as scikit-learn does. For sets
    of labels both take each class as a question of its own.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import task_report
    >>> y_true = pd.DataFrame({"gender": ["f", "m", None], "age": ["old"] * 3})
    >>> y_pred = [["f", "old"], ["f", "old"], ["m", "young"]]
    >>> task_report(y_true, y_pred)[["n_labelled", "accuracy"]].round(3)
            n_labelled  accuracy
    task
    gender           2     0.500
    age              3     0.667
    """
    _check_zero_division(zero_division)
    if by not in ("task", "class"):
        msg = f"by must be 'task' or 'class'; got {by!r}"
        raise ValueError(msg)
    if sources is not None:
        report = partial(
            task_report,
            zero_division=zero_division,
            metrics=metrics,
            y_proba=y_proba,
            classes=classes,
            by=by,
        )
        return _of_each_origin(report, y_true, y_pred, sources)
    named = named_metrics(metrics)
    pairs = task_pairs(y_true, y_pred)
    tasks = [p.task for p in pairs]
    if by == "class":
        if tuple(named) != METRICS:
            msg = f"by='class' has metrics of its own; metrics is {list(named)}"
            raise ValueError(msg)
        given = y_proba is not None
        likely = _probabilities(
            {"roc_auc": "roc_auc"} if given else {}, y_proba, classes, tasks
        )
        return class_table(pairs, likely, zero_division)
    probabilities = _probabilities(named, y_proba, classes, tasks)
    rows = []
    for task, p in enumerate(pairs):
        row = {"n_labelled": p.n_labelled, **_task_metrics(p, zero_division)}
        for name, metric in named.items():
            if callable(metric):
                row[name] = _measure(metric, p)
            elif metric in PROBABILITY_METRICS:
                values, known = probabilities[task]
                row[name] = _measure_likely(metric, p, values, known)
        rows.append(row)
    return pd.DataFrame(
        rows,
        index=pd.Index(tasks, name="task"),
        columns=["n_labelled", "n_classes", *named],
    )


def _of_each_origin(
    report: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
    y_true: Any,
    y_pred: Any,
    sources: Any,
) -> pd.DataFrame:
    """Report the labels of one origin after the other; of a user all are of one."""
    true, predicted, names = paired_tables(y_true, y_pred)
    given, _, one_dimensional = label_table(sources)
    if one_dimensional:
        sources = np.repeat(given, len(names), axis=1)
    y_pred = pd.DataFrame(predicted, columns=names, dtype=object)
    parts = {
        origin: report(pd.DataFrame(labels, columns=names, dtype=object), y_pred)
        for origin, labels in by_origin(sources, true, names)
    }
    return pd.concat(parts, names=["source"])


def macro_prf(
    y_true: Any,
    y_pred: Any,
    *,
    definition: FDefinition = "average_of_f",
    zero_division: float = 0.0,
) -> pd.DataFrame:
    """Compute macro precision, recall and F per task.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing and left out.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions.
    definition : {"average_of_f", "f_of_averages"}, default="average_of_f"
        ``"average_of_f"`` is the mean of the classes' F1, as in scikit-learn and most
        papers; ``"f_of_averages"`` is 2PR / (P + R) of the macro averages, as in the
        Aux-LSTM paper.
    zero_division : {0.0, 1.0, nan}, default=0.0
        As in :func:`task_report`.

    Returns
    -------
    DataFrame of shape (n_tasks, 3)
        Columns ``precision``, ``recall`` and ``f``, one row per task.

    Raises
    ------
    TargetError
        If the two tables have different users or tasks.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import macro_prf
    >>> y_true, y_pred = list("aaab"), list("aabb")
    >>> macro_prf(y_true, y_pred, definition="average_of_f")["f"].round(4).tolist()
    [0.7333]
    >>> macro_prf(y_true, y_pred, definition="f_of_averages")["f"].round(4).tolist()
    [0.7895]
    """
    if definition not in F_METRICS:
        msg = f"definition must be one of {sorted(F_METRICS)}; got {definition!r}"
        raise ValueError(msg)
    report = task_report(y_true, y_pred, zero_division=zero_division)
    return report[["macro_precision", "macro_recall", F_METRICS[definition]]].set_axis(
        ["precision", "recall", "f"], axis=1
    )


def accuracy_per_task(y_true: Any, y_pred: Any) -> pd.Series[float]:
    """Compute the accuracy of each task on the users labelled for it.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing and left out.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions.

    Returns
    -------
    Series of length n_tasks
        Accuracies by task name; NaN for a task without labels.

    Raises
    ------
    TargetError
        If the two tables have different users or tasks.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import accuracy_per_task
    >>> accuracy_per_task([["f", None], ["m", 1]], [["f", 1], ["f", 1]]).tolist()
    [0.5, 1.0]
    """
    pairs = task_pairs(y_true, y_pred)
    return pd.Series(
        [_mean(p.hits) for p in pairs],
        index=pd.Index([p.task for p in pairs], name="task"),
        name="accuracy",
        dtype=float,
    )


def smpcup_score(y_true: Any, y_pred: Any) -> float:
    """Compute the score of the SMP CUP 2016 competition.

    It is 0.2 x gender accuracy + 0.3 x age accuracy + 0.5 x region accuracy. Further
    tasks are ignored.

    Parameters
    ----------
    y_true : DataFrame of shape (n_users, n_tasks)
        Labels with the columns ``gender``, ``age`` and ``region`` (at least). An
        array will do if ``y_pred`` is a DataFrame.
    y_pred : DataFrame or array-like of the same shape
        Predictions.

    Returns
    -------
    float
        The score, between 0 and 1.

    Raises
    ------
    TargetError
        If one of the three tasks is missing or nobody is labelled for it.

    References
    ----------
    .. [1] D. Zhu et al., "MMLUP: Multi-Source & Multi-Task Learning for User Profiles
       in Social Network", section 4.3.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.evaluation import smpcup_score
    >>> y = pd.DataFrame({"gender": ["m"], "age": ["1990-"], "region": ["华北"]})
    >>> smpcup_score(y, [["m", "1990-", "华东"]])
    0.5
    """
    accuracies = accuracy_per_task(y_true, y_pred)
    absent = [task for task in SMPCUP_WEIGHTS if task not in accuracies.index]
    if absent:
        msg = (
            f"the SMP CUP score needs the tasks {list(SMPCUP_WEIGHTS)} as column names "
            f"of y_true or y_pred; {absent} missing among {list(accuracies.index)}"
        )
        raise TargetError(msg)
    unlabelled = [task for task in SMPCUP_WEIGHTS if math.isnan(accuracies[task])]
    if unlabelled:
        msg = f"the SMP CUP score is undefined: no user is labelled for {unlabelled}"
        raise TargetError(msg)
    return float(sum(w * accuracies[task] for task, w in SMPCUP_WEIGHTS.items()))


def exact_match_score(y_true: Any, y_pred: Any) -> float:
    """Compute the share of fully labelled users with every task right.

    This is what :class:`sklearn.multioutput.MultiOutputClassifier` calls its score.
    It is undefined for a user with a missing label, so such users are left out.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions.

    Returns
    -------
    float
        The share, between 0 and 1.

    Raises
    ------
    TargetError
        If no user is labelled for every task, or the tables do not match.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import exact_match_score
    >>> y_true = [["f", 1], ["m", 2], ["m", None]]
    >>> exact_match_score(y_true, [["f", 1], ["m", 1], ["m", 1]])
    0.5
    """
    true, predicted, tasks = paired_tables(y_true, y_pred)
    complete = labelled_cells(true).all(axis=1)
    if not complete.any():
        msg = (
            "the exact match is undefined: none of the "
            f"{len(true)} users is labelled for all of the tasks {tasks}"
        )
        raise TargetError(msg)
    return float(equal_cells(true, predicted)[complete].all(axis=1).mean())


def named_metrics(metrics: Metric | Sequence[Metric]) -> dict[str, Metric]:
    """Return metrics by the names of their columns; ValueError if one is unknown."""
    given: Sequence[Metric] = (
        [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
    )
    unknown = [m for m in given if not callable(m) and m not in KNOWN_METRICS]
    if unknown or not given:
        msg = (
            f"metrics must be some of {list(KNOWN_METRICS)}, or functions of the "
            f"labels and predictions of one task; got {unknown or metrics}"
        )
        raise ValueError(msg)
    named: dict[str, Metric] = {}
    for metric in given:
        if not callable(metric):
            named[metric] = metric
            continue
        inner = metric.func if isinstance(metric, partial) else metric
        named[one_of_a_name(getattr(inner, "__name__", repr(inner)), named)] = metric
    return named


def one_of_a_name(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name, with " (2)", " (3)" and so on if it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def needs_probabilities(named: Mapping[str, Metric]) -> bool:
    """Whether one of the metrics is of probabilities."""
    return any(m in PROBABILITY_METRICS for m in named.values() if isinstance(m, str))


def _probabilities(
    named: Mapping[str, Metric], y_proba: Any, classes: Any, tasks: list[str]
) -> TaskProbabilities:
    """Pair probabilities and classes of each task, if a metric needs them."""
    if not needs_probabilities(named):
        return []
    if y_proba is None or classes is None:
        msg = (
            f"{list(PROBABILITY_METRICS)} need y_proba and classes, the probabilities "
            "of predict_proba and their columns of classes_"
        )
        raise ValueError(msg)
    return split_tasks(y_proba, classes, tasks, "y_proba")


def _measure(metric: Callable[[Any, Any], float], pairs: TaskPairs) -> float:
    """Call a function on the labels and predictions of one task."""
    if not pairs.n_labelled:
        return math.nan
    return float(metric(_natural(pairs.true), _natural(pairs.predicted)))


def _natural(labels: np.ndarray) -> np.ndarray:
    """Return numbers as an array of numbers, which metrics elsewhere expect."""
    kinds = {type(label) for label in labels}
    numbers = all(issubclass(kind, bool | int | float | np.number) for kind in kinds)
    return np.array(labels.tolist()) if numbers and len(kinds) == 1 else labels


def _measure_likely(
    metric: str, pairs: TaskPairs, probabilities: np.ndarray, classes: list[Any]
) -> float:
    """Measure the probabilities of one task."""
    if len(probabilities) != len(pairs.rows):
        msg = (
            f"y_proba must have a row for each of the {len(pairs.rows)} users; that of "
            f"task {pairs.task!r} has {len(probabilities)}"
        )
        raise TargetError(msg)
    if not pairs.n_labelled:
        return math.nan
    return PROBABILITY_METRICS[metric](pairs.true, probabilities[pairs.rows], classes)


def _task_metrics(pairs: TaskPairs, zero_division: float) -> dict[str, float]:
    """Compute every metric of one task."""
    classes, counts = class_counts(pairs)
    # Every class was seen on one side at least, so no F1 divides by zero.
    return {
        "n_classes": len(classes),
        "accuracy": _mean(pairs.hits),
        **metrics_of_counts(counts, zero_division),
    }


def metrics_of_counts(counts: np.ndarray, zero_division: float) -> dict[str, float]:
    """Compute the metrics of right answers, labels, predictions (3, n_classes)."""
    hits, true_counts, predicted_counts = counts
    precision = _mean_defined(_ratio(hits, predicted_counts, zero_division))
    recall = _mean_defined(_ratio(hits, true_counts, zero_division))
    had = true_counts > 0
    return {
        "macro_precision": precision,
        "macro_recall": recall,
        "macro_f1": _mean(2 * hits / (true_counts + predicted_counts)),
        "f_of_averages": _harmonic_mean(precision, recall),
        "balanced_accuracy": _mean(hits[had] / true_counts[had]),
    }


def _ratio(
    numerator: np.ndarray, denominator: np.ndarray, zero_division: float
) -> np.ndarray:
    """Divide, with a chosen value where the denominator is zero."""
    out = np.full(len(numerator), zero_division, dtype=float)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _harmonic_mean(first: float, second: float) -> float:
    """Return the harmonic mean; zero where both are zero, which is its limit."""
    if first == second == 0:
        return 0.0
    return 2 * first * second / (first + second)


def _mean(values: np.ndarray) -> float:
    """Return the mean, NaN without a warning for no values."""
    return float(np.mean(values)) if len(values) else math.nan


def _mean_defined(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN."""
    return _mean(values[~np.isnan(values)])


def _check_zero_division(zero_division: float) -> None:
    """Refuse anything but the three values that have a meaning."""
    if not (zero_division in (0, 1) or math.isnan(zero_division)):
        msg = f"zero_division must be 0.0, 1.0 or nan; got {zero_division!r}"
        raise ValueError(msg)
