"""True and predicted labels side by side, one pair of columns per task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

ObjectArray = NDArray[np.object_]

MISSING = "(missing)"
"""In place of a group or an origin that is not known."""


@dataclass(frozen=True)
class TaskPairs:
    """Labels and predictions of the users labelled for one task, (n_labelled,) each.

    A predicted None is an abstention: it is no class and never right. ``rows``
    (n_users,) says who is labelled.
    """

    task: str
    true: ObjectArray
    predicted: ObjectArray
    rows: NDArray[np.bool_]

    @property
    def n_labelled(self) -> int:
        """Number of users with a label of this task."""
        return len(self.true)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Whether each prediction equals the label; sets must be equal as sets."""
        return equal_cells(self.true, self.predicted)


def equal_cells(true: ObjectArray, predicted: ObjectArray) -> NDArray[np.bool_]:
    """Compare object arrays cell by cell, with Python's own equality."""
    # numpy's == on object arrays warns or fails on some mixed kinds of label.
    flat = np.fromiter(
        (bool(a == b) for a, b in zip(true.flat, predicted.flat, strict=True)),
        dtype=bool,
        count=true.size,
    )
    return flat.reshape(true.shape)


def paired_tables(
    y_true: Any, y_pred: Any
) -> tuple[ObjectArray, ObjectArray, list[str]]:
    """Return labels and predictions, (n_users, n_tasks) each, and the names of tasks.

    Two DataFrames are matched by column name, everything else by position. Missing
    labels are None. The names are those of ``y_true``, or of ``y_pred`` if only it has
    names.
    """
    y_true, y_pred = as_pandas(y_true), as_pandas(y_pred)
    true, true_names, _ = label_table(y_true)
    predicted, predicted_names, _ = label_table(y_pred)
    if true.shape != predicted.shape:
        msg = (
            "y_true and y_pred must hold the same users and tasks; y_true has "
            f"(users, tasks) = {true.shape}, y_pred has {predicted.shape}"
        )
        raise TargetError(msg)
    if not hasattr(y_true, "columns"):
        named = predicted_names if hasattr(y_pred, "columns") else true_names
        return true, predicted, named
    if hasattr(y_pred, "columns"):
        if sorted(true_names) != sorted(predicted_names):
            msg = (
                "y_true and y_pred must have the same tasks as columns; y_true has "
                f"{true_names}, y_pred has {predicted_names}"
            )
            raise TargetError(msg)
        predicted = predicted[:, [predicted_names.index(name) for name in true_names]]
    return true, predicted, true_names


def task_pairs(y_true: Any, y_pred: Any) -> list[TaskPairs]:
    """Split labels and predictions by task, keeping the labelled users only."""
    true, predicted, names = paired_tables(y_true, y_pred)
    labelled = labelled_cells(true)
    return [
        TaskPairs(name, true[rows, task], predicted[rows, task], rows)
        for task, (name, rows) in enumerate(zip(names, labelled.T, strict=True))
    ]


def labelled_cells(table: ObjectArray) -> NDArray[np.bool_]:
    """Return where a table of shape (n_users, n_tasks) holds a label."""
    flat = np.fromiter(
        (label is not None for label in table.flat), dtype=bool, count=table.size
    )
    return flat.reshape(table.shape)


def by_origin(
    sources: Any, table: ObjectArray, names: list[str]
) -> Iterator[tuple[str, ObjectArray]]:
    """Yield labels of one origin after the other; others are missing."""
    if sources is None:
        yield "", table
        return
    origins = label_table(sources)[0]
    if origins.shape != table.shape:
        msg = (
            "sources must have an entry for each label, (users, tasks) = "
            f"{table.shape}; got {origins.shape}"
        )
        raise TargetError(msg)
    given = as_pandas(sources)
    if isinstance(given, pd.DataFrame):
        columns = [str(name) for name in given.columns]
        if sorted(columns) != sorted(names):
            msg = f"sources must have the tasks {names} as columns; got {columns}"
            raise TargetError(msg)
        origins = origins[:, [columns.index(name) for name in names]]
    origins[~labelled_cells(origins)] = MISSING
    labelled = labelled_cells(table)
    if not labelled.any():
        msg = "sources keep labels of different origin apart, and there is no label"
        raise TargetError(msg)
    for origin in sorted(set(origins[labelled].tolist()), key=str):
        labels = table.copy()
        labels[origins != origin] = None
        yield str(origin), labels


def members(label: Any) -> frozenset[Any]:
    """Return the classes of a cell: those of a set, a plain label, none for None."""
    if label is None:
        return frozenset()
    return label if isinstance(label, frozenset) else frozenset((label,))


def class_counts(
    pairs: TaskPairs,
) -> tuple[list[Any], NDArray[np.float64]]:
    """Return the classes seen on either side, and their counts (3, n_classes).

    The rows count right answers, labels and predictions.
    """
    right: Counter[Any] = Counter()
    n_true: Counter[Any] = Counter()
    n_predicted: Counter[Any] = Counter()
    for true, predicted in zip(pairs.true, pairs.predicted, strict=True):
        true_classes, predicted_classes = members(true), members(predicted)
        n_true.update(true_classes)
        n_predicted.update(predicted_classes)
        right.update(true_classes & predicted_classes)
    classes = list(n_true | n_predicted)
    counts = [[of[c] for c in classes] for of in (right, n_true, n_predicted)]
    return classes, np.array(counts, dtype=float)
