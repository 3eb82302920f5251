"""The weight of each label: as it is given, and times that of its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import (
    EncodedLabels,
    LabelCodec,
    Table,
    in_task_order,
    label_table,
    weight_table,
)

__all__ = [
    "ClassWeight",
    "KnownLabels",
    "LabelWeights",
    "read_labels",
    "resolve_class_weight",
    "weigh_labels",
]

Floats = npt.NDArray[np.float64]
ClassWeight = Literal["balanced"] | dict[Any, float] | None
"""Weights of the classes of one task."""


@dataclass(frozen=True)
class LabelWeights:
    """Weights (n_users, n_tasks) of labels, 0 where a label is missing.

    `given` are the user's own, `loss` the same times the weights of classes.
    """

    given: Floats
    loss: Floats

    @classmethod
    def of_users(cls, weights: Floats, n_tasks: int) -> Self:
        """Give all labels of a user the weight (n_users,) of the user."""
        table = np.repeat(weights[:, None], n_tasks, axis=1)
        return cls(table, table)

    @property
    def users(self) -> Floats:
        """Weight (n_users,) of a user: that of the user's weightiest label."""
        most: Floats = self.given.max(axis=1)
        return most

    def take(self, rows: npt.NDArray[np.int64]) -> LabelWeights:
        """Choose users by their rows."""
        return LabelWeights(self.given[rows], self.loss[rows])


class KnownLabels(NamedTuple):
    """Labels of weight above zero: tasks and classes, a table, codes and weights.

    `table` is an object array (n_users, n_tasks), None where a label is missing or has
    weight 0; `weights` (n_users, n_tasks) are 0 there.
    """

    codec: LabelCodec
    table: Table
    labels: EncodedLabels
    weights: Floats


def read_labels(
    y: Any,
    sample_weight: Any = None,
    codec: LabelCodec | None = None,
    classes: Any = None,
    groups: Any = None,
) -> KnownLabels:
    """Read labels and their weights; a label of weight 0 is a missing one.

    Users of one of the `groups` (n_users,) are held out together. Tasks and classes are
    learned from `y` unless `codec` has them. Raises TargetError if labels or weights
    are not usable, or no label is left to learn a task from.
    """
    _require_same_order(y, sample_weight)
    table, names, one_dimensional = label_table(y)
    weights = weight_table(sample_weight, table, names)
    known = ~pd.isna(table)
    weights[~known] = 0.0
    if known.any() and not weights.any():
        msg = "no user has both a label and a sample_weight above zero"
        raise TargetError(msg)
    table[weights == 0] = None
    if codec is None:
        if classes is None:
            _require_labels(names, known, weights)
        series = pd.Series(table[:, 0], name=names[0], dtype=object)
        frame = pd.DataFrame(table, columns=names, dtype=object)
        codec = LabelCodec.learn(series if one_dimensional else frame, classes)
    elif set(names) >= set(codec.task_names):
        order = [names.index(name) for name in codec.task_names]
        table, weights = table[:, order], weights[:, order]
    else:
        in_task_order(y, codec.task_names)  # names of some tasks alone are an error
    labels = replace(codec.encode(table), groups=groups)
    return KnownLabels(codec, table, labels, weights)


def weigh_labels(
    known: KnownLabels, class_weight: Any = None, *, partial: bool = False
) -> tuple[EncodedLabels, LabelWeights]:
    """Weigh labels by their classes; a label of a class of weight 0 becomes missing.

    `partial` says that these users are not all, so that classes cannot be balanced.
    Raises TargetError if `class_weight` does not fit the tasks and classes.
    """
    codec, _, labels, given = known
    loss = given.copy()
    for task, weights in enumerate(resolve_class_weight(class_weight, codec)):
        if weights == "balanced" and partial:
            msg = (
                "class_weight='balanced' counts the labels of all users, and "
                "partial_fit sees some of them; give a mapping from classes to weights"
            )
            raise TargetError(msg)
        if weights is not None:
            counts = np.bincount(
                labels.codes[:, task] + 1,
                weights=given[:, task],
                minlength=len(codec.classes[task]) + 1,
            )
            factors = _class_factors(weights, codec.classes[task], counts[1:])
            # The last one is for code -1, a missing label.
            loss[:, task] *= np.append(factors, 0.0)[labels.codes[:, task]]
    kept = loss > 0
    if not partial:
        _require_labels(codec.task_names, given > 0, loss)
    members = {task: m & kept[:, [task]] for task, m in labels.members.items()}
    codes = np.where(kept, labels.codes, -1)
    left = replace(labels, codes=codes, members=members)
    return left, LabelWeights(np.where(kept, given, 0.0), loss)


def _require_same_order(y: Any, sample_weight: Any) -> None:
    """Refuse weights of the same users as `y` in another order."""
    tables = pd.DataFrame | pd.Series
    if not (isinstance(y, tables) and isinstance(sample_weight, tables)):
        return
    users, weighed = y.index, sample_weight.index
    if (
        not users.equals(weighed)
        and users.is_unique
        and len(users) == len(weighed)
        and bool(users.isin(weighed).all())
    ):
        msg = (
            "sample_weight and y have the same index in another order; bring them to "
            "one order, sample_weight.loc[y.index], or give the weights as an array"
        )
        raise TargetError(msg)


def _require_labels(
    names: Sequence[str], known: npt.NDArray[np.bool_], weights: Floats
) -> None:
    """Refuse a task whose labels all have weight 0."""
    nothing = known.any(axis=0) & ~weights.any(axis=0)
    if nothing.any():
        msg = f"every label of task {names[int(nothing.argmax())]!r} has weight zero"
        raise TargetError(msg)


def _class_factors(
    weights: Literal["balanced"] | dict[Any, float],
    classes: npt.NDArray[Any],
    counts: npt.NDArray[Any],
) -> Floats:
    """Weights of classes from their weighted counts (n_classes,)."""
    if isinstance(weights, dict):
        return np.array([weights[label] for label in classes.tolist()])
    seen = counts > 0
    factors = np.zeros(len(counts))
    factors[seen] = counts.sum() / (seen.sum() * counts[seen])
    return factors


def resolve_class_weight(given: Any, codec: LabelCodec) -> list[ClassWeight]:
    """Turn the parameter ``class_weight`` into weights of each task's classes.

    Weights that are given name every class of the task. Raises TargetError if they do
    not fit the tasks and classes.
    """
    resolved: list[ClassWeight] = []
    for task, weights in enumerate(_of_tasks(given, codec.task_names)):
        name = codec.task_names[task]
        if weights is not None and codec.set_valued[task]:
            msg = (
                f"class_weight: task {name!r} holds sets of labels, which have no one "
                "class; weigh its users by sample_weight, and name the other tasks in "
                f"class_weight, for example {_example(codec)}"
            )
            raise TargetError(msg)
        if weights is None or (isinstance(weights, str) and weights == "balanced"):
            resolved.append(None if weights is None else "balanced")
            continue
        if not isinstance(weights, Mapping):
            msg = (
                f"class_weight of task {name!r} must be 'balanced', None or a mapping "
                f"from classes to weights; got {weights!r:.60}"
            )
            raise TargetError(msg)
        resolved.append(_of_classes(weights, codec.classes[task].tolist(), name))
    return resolved


def _example(codec: LabelCodec) -> dict[str, str]:
    """Show how weights are given by task."""
    pairs = zip(codec.task_names, codec.set_valued, strict=True)
    return {name: "balanced" for name, several in pairs if not several}


def _of_tasks(given: Any, names: list[str]) -> list[Any]:
    """Split weights by task."""
    if given is None or (isinstance(given, str) and given == "balanced"):
        return [given] * len(names)
    if isinstance(given, Mapping):
        if given and all(isinstance(value, Real) for value in given.values()):
            if len(names) > 1:
                msg = (
                    f"class_weight must name tasks, since y has {names}: a mapping "
                    "from each to 'balanced', None or the weights of its classes; got "
                    f"{given!r:.60}"
                )
                raise TargetError(msg)
            return [given]
        unknown = [task for task in given if str(task) not in names]
        if unknown:
            msg = (
                f"class_weight names {unknown[0]!r:.60}, which is none of the tasks "
                f"{names}"
            )
            raise TargetError(msg)
        by_name = {str(task): weights for task, weights in given.items()}
        return [by_name.get(name) for name in names]
    if not isinstance(given, list | tuple) or len(given) != len(names):
        found = f"{len(given)} of them" if isinstance(given, list | tuple) else given
        msg = (
            "class_weight must be None, 'balanced', a mapping, or a list with one of "
            f"these for each of the {len(names)} tasks {names}; got {found!s:.60}"
        )
        raise TargetError(msg)
    return list(given)


def _of_classes(
    given: Mapping[Any, Any], classes: list[Any], name: str
) -> dict[Any, float]:
    """Give every class its weight, 1 where none is given.

    As in scikit-learn, a class that `y` lacks may be named if all others are: a fold
    may lack it.
    """
    for label, weight in given.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            msg = (
                f"class_weight of task {name!r}: class {label!r:.60} needs a "
                f"finite weight of at least 0; got {weight!r:.60}"
            )
            raise TargetError(msg)
    unknown = [label for label in given if label not in classes]
    if unknown and any(label not in given for label in classes):
        msg = (
            f"class_weight of task {name!r} names {unknown[0]!r:.60}, which is none of "
            f"its classes {classes!s:.200}"
        )
        raise TargetError(msg)
    return {label: float(given.get(label, 1.0)) for label in classes}
