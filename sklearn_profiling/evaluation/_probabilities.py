"""Probabilities of the classes of each task, and the metrics that need them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from sklearn_profiling.evaluation._pairs import ObjectArray, members
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import label_table

__all__ = [
    "PROBABILITY_METRICS",
    "LabelledProbabilities",
    "TaskProbabilities",
    "check_probabilities",
    "labelled_probabilities",
    "log_loss_of",
    "predict_tasks",
    "split_tasks",
]

Floats = NDArray[np.float64]
# Of each task the probabilities (n_users, n_classes) and the classes.
TaskProbabilities = list[tuple[Floats, list[Any]]]

_ROUNDING = 1e-3
"""How far from 1 the probabilities of a user may add up, as those of 16 bits do."""
_SMALLEST = float(np.finfo(np.float64).eps)


def predict_tasks(
    estimator: Any, X: Any, task_names: Sequence[str]
) -> TaskProbabilities:
    """Predict the probabilities of each task by a fitted classifier."""
    probabilities = estimator.predict_proba(X)
    return split_tasks(
        probabilities, estimator.classes_, task_names, type(estimator).__name__
    )


def split_tasks(
    probabilities: Any, classes: Any, task_names: Sequence[str], owner: str
) -> TaskProbabilities:
    """Pair probabilities with classes, one pair a task, both alone for one task."""
    if not isinstance(probabilities, list | tuple):
        probabilities, classes = [probabilities], [classes]
    if not len(probabilities) == len(classes) == len(task_names):
        msg = (
            f"{owner} must give probabilities and classes for each of the tasks "
            f"{list(task_names)}; got {len(probabilities)} arrays and "
            f"{len(classes)} lists of classes"
        )
        raise TargetError(msg)
    pairs = []
    for name, values, known in zip(task_names, probabilities, classes, strict=True):
        array = np.asarray(values, dtype=np.float64)
        labels = np.asarray(known).tolist()
        if array.ndim != 2 or array.shape[1] != len(labels):
            msg = (
                f"{owner}: the probabilities of task {name!r} must have one column for "
                f"each of its {len(labels)} classes; got the shape {array.shape}"
            )
            raise TargetError(msg)
        pairs.append((array, labels))
    return pairs


@dataclass(frozen=True)
class LabelledProbabilities:
    """Of one task, the users labelled for it: `rows` (n_users,) says who they are.

    ``inside`` and ``likely`` (n_labelled, n_classes): who has which class, and how
    probable that was. Classes that the model does not know come last, with 0.
    """

    task: str
    rows: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    likely: Floats
    of_sets: bool

    def predicted(self) -> NDArray[np.bool_]:
        """Choose classes as ``predict`` does, (n_labelled, n_classes)."""
        chosen = np.zeros(self.likely.shape, dtype=bool)
        if self.likely.size:
            best = self.likely.argmax(axis=1)
            chosen[np.arange(len(best)), best] = self.likely.max(axis=1) > 0
        return chosen | (self.likely > 0.5) if self.of_sets else chosen

    def hits(self) -> NDArray[np.bool_]:
        """Whether the prediction is the label; sets must be equal."""
        equal: NDArray[np.bool_] = (self.predicted() == self.inside).all(axis=1)
        return equal


def labelled_probabilities(
    y_true: Any, y_proba: Any, classes: Any
) -> list[LabelledProbabilities]:
    """Lay labels and probabilities side by side, for each task its labelled users."""
    table, tasks, _ = label_table(y_true)
    parts = split_tasks(y_proba, classes, tasks, "y_proba")
    return [
        _labelled(table[:, task], name, *part)
        for task, (name, part) in enumerate(zip(tasks, parts, strict=True))
    ]


def _labelled(
    labels: ObjectArray, task: str, likely: Floats, classes: list[Any]
) -> LabelledProbabilities:
    if len(likely) != len(labels):
        msg = (
            f"y_proba must have a row for each of the {len(labels)} users; that of "
            f"task {task!r} has {len(likely)}"
        )
        raise TargetError(msg)
    rows = np.array([label is not None for label in labels], dtype=bool)
    of_sets = any(isinstance(label, frozenset) for label in labels)
    check_probabilities(likely, np.flatnonzero(rows), task, of_sets=of_sets)
    inside, known = _memberships(labels[rows], likely[rows], classes)
    return LabelledProbabilities(task, rows, inside, known, of_sets)


def check_probabilities(
    likely: Floats, rows: NDArray[np.int64], task: str, *, of_sets: bool
) -> None:
    """Refuse what is no probability in the given rows."""
    values = likely[rows]
    good = ((values >= 0) & (values <= 1 + _ROUNDING)).all(axis=1)
    rule = "lie between 0 and 1"
    if not of_sets:
        good &= np.abs(values.sum(axis=1) - 1) <= _ROUNDING
        rule += " and add up to 1"
    if not good.all():
        row = rows[~good][0]
        shown = [round(float(value), 4) for value in likely[row][:5]]
        msg = (
            f"the probabilities of task {task!r} must {rule} for every user that "
            f"counts; row {row} has {shown}"
        )
        raise TargetError(msg)


def _memberships(
    true: ObjectArray, probabilities: Floats, classes: list[Any]
) -> tuple[NDArray[np.bool_], Floats]:
    """Return who has which class, and probabilities, (n_users, n_classes) both.

    A class that the model does not know has probability 0.
    """
    place = {label: column for column, label in enumerate(classes)}
    for cell in true:
        for label in members(cell):
            place.setdefault(label, len(place))
    inside = np.zeros((len(true), len(place)), dtype=bool)
    for row, cell in enumerate(true):
        inside[row, [place[label] for label in members(cell)]] = True
    unknown = np.zeros((len(true), len(place) - len(classes)))
    return inside, np.hstack([probabilities, unknown])


def _log_loss(true: ObjectArray, probabilities: Floats, classes: list[Any]) -> float:
    """Compute the mean negative log probability of the labels; of sets a class."""
    inside, likely = _memberships(true, probabilities, classes)
    of_sets = any(isinstance(cell, frozenset) for cell in true)
    return log_loss_of(inside, likely, of_sets=of_sets)


def log_loss_of(inside: NDArray[np.bool_], likely: Floats, *, of_sets: bool) -> float:
    """Compute the log loss of memberships and probabilities (n_users, n_classes)."""
    likely = np.clip(likely, _SMALLEST, 1 - _SMALLEST)
    if of_sets:
        return float(-np.log(np.where(inside, likely, 1 - likely)).mean())
    return float(-np.log(likely[inside]).mean())


def _roc_auc(true: ObjectArray, probabilities: Floats, classes: list[Any]) -> float:
    """Compute the mean over the classes of the ROC AUC of a class against the rest."""
    inside, likely = _memberships(true, probabilities, classes)
    areas = [
        roc_auc_score(positive, score)
        for positive, score in zip(inside.T, likely.T, strict=True)
        if positive.any() and not positive.all()
    ]
    return float(np.mean(areas)) if areas else math.nan


PROBABILITY_METRICS: Mapping[str, Callable[[ObjectArray, Floats, list[Any]], float]] = (
    MappingProxyType({"log_loss": _log_loss, "roc_auc": _roc_auc})
)
