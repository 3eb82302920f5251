"""Probabilities of the classes of each task, and the metrics that need them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from sklearn_profiling.evaluation._pairs import ObjectArray, members
from sklearn_profiling.exceptions import TargetError

__all__ = ["PROBABILITY_METRICS", "TaskProbabilities", "predict_tasks", "split_tasks"]

Floats = NDArray[np.float64]
# Of each task the probabilities (n_users, n_classes) and the classes.
TaskProbabilities = list[tuple[Floats, list[Any]]]

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
    likely = np.clip(likely, _SMALLEST, 1 - _SMALLEST)
    if any(isinstance(cell, frozenset) for cell in true):
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
