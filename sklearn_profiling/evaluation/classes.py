"""One class at a time: scores, and which class is taken for which."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from sklearn_profiling._label_kinds import sorted_classes
from sklearn_profiling.evaluation._pairs import (
    TaskPairs,
    class_counts,
    members,
    task_pairs,
)
from sklearn_profiling.evaluation._probabilities import TaskProbabilities
from sklearn_profiling.exceptions import TargetError

__all__ = ["class_table", "confusion_tables"]

_COLUMNS = ["support", "n_predicted", "precision", "recall", "f1"]
_RANKED = ["roc_auc", "average_precision"]


def confusion_tables(y_true: Any, y_pred: Any) -> dict[str, pd.DataFrame]:
    """Count for each task which class is taken for which.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing and left out.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions.

    Returns
    -------
    dict of str to DataFrame
        For each task the numbers of users, true classes by predicted ones, which are
        those seen on either side. Users without a prediction are in a last column,
        None, if there are any. Where cells are sets there is a row for each class,
        with the columns ``true_positive``, ``false_positive``, ``false_negative`` and
        ``true_negative``.

    Raises
    ------
    TargetError
        If the two tables have different users or tasks.

    See Also
    --------
    task_report : With ``by="class"``, the scores of each class.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import confusion_tables
    >>> confusion_tables(["f", "f", "m", None], ["f", "m", "m", "f"])["task0"]
    predicted  f  m
    true
    f          1  1
    m          0  1
    """
    return {pairs.task: _confusion(pairs) for pairs in task_pairs(y_true, y_pred)}


def class_table(
    pairs: list[TaskPairs], probabilities: TaskProbabilities, zero_division: float
) -> pd.DataFrame:
    """Score each class of each task; probabilities are of all tasks or of none."""
    rows: dict[tuple[str, Any], list[float]] = {}
    for task, p in enumerate(pairs):
        seen, (right, n_true, n_predicted) = class_counts(p)
        for label in sorted_classes(seen, p.task).tolist():
            k = seen.index(label)
            row = [
                int(n_true[k]),
                int(n_predicted[k]),
                right[k] / n_predicted[k] if n_predicted[k] else zero_division,
                right[k] / n_true[k] if n_true[k] else zero_division,
                2 * right[k] / (n_true[k] + n_predicted[k]),
            ]
            if probabilities:
                row += _ranked(p, label, *probabilities[task])
            rows[p.task, label] = row
    index = pd.MultiIndex.from_tuples(list(rows), names=["task", "class"])
    columns = _COLUMNS + _RANKED * bool(probabilities)
    return pd.DataFrame(list(rows.values()), index=index, columns=columns)


def _ranked(
    pairs: TaskPairs, label: Any, likely: np.ndarray, classes: list[Any]
) -> list[float]:
    """Compute ROC AUC and average precision of a class; unknown ones have 0."""
    if len(likely) != len(pairs.rows):
        msg = (
            f"y_proba must have a row for each of the {len(pairs.rows)} users; that of "
            f"task {pairs.task!r} has {len(likely)}"
        )
        raise TargetError(msg)
    inside = np.array([label in members(cell) for cell in pairs.true], dtype=bool)
    if inside.all() or not inside.any():
        return [math.nan, math.nan]
    column = np.zeros(len(inside))
    if label in classes:
        column = likely[pairs.rows, classes.index(label)]
    scores = (roc_auc_score, average_precision_score)
    return [float(score(inside, column)) for score in scores]


def _confusion(pairs: TaskPairs) -> pd.DataFrame:
    seen, (right, n_true, n_predicted) = class_counts(pairs)
    order = sorted_classes(seen, pairs.task).tolist()
    if any(isinstance(cell, frozenset) for cell in pairs.true):
        places = [seen.index(label) for label in order]
        hits = right[places]
        missed, extra = n_true[places] - hits, n_predicted[places] - hits
        counts = {
            "true_positive": hits,
            "false_positive": extra,
            "false_negative": missed,
            "true_negative": pairs.n_labelled - hits - missed - extra,
        }
        table = pd.DataFrame(counts, index=pd.Index(order, dtype=object)).astype(int)
        return table.rename_axis(index="class")
    columns = order + [None] * any(cell is None for cell in pairs.predicted)
    numbers = np.zeros((len(order), len(columns)), dtype=int)
    for true, predicted in zip(pairs.true, pairs.predicted, strict=True):
        numbers[order.index(true), columns.index(predicted)] += 1
    return pd.DataFrame(
        numbers,
        index=pd.Index(order, dtype=object, name="true"),
        columns=pd.Index(columns, dtype=object, name="predicted"),
    )
