"""What estimators' parameters mean for the users and tasks at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_profiling.exceptions import TargetError

__all__: list[str] = []


def resolve_loss_weights(given: Any, tasks: list[str]) -> list[float] | None:
    """Turn the parameter ``loss_weights`` into one weight a task.

    Parameters
    ----------
    given : mapping, sequence, "paper", "uncertainty" or None
        As the user gave it.
    tasks : list of str
        Names of the tasks.

    Returns
    -------
    list of float, or None
        The weights; None if they are to be learned.

    Raises
    ------
    TargetError
        If the parameter does not fit the tasks.
    """
    if given is None:
        return [1.0] * len(tasks)
    if isinstance(given, str):
        return _named_weights(given, tasks)
    if isinstance(given, Mapping):
        unknown = [task for task in given if task not in tasks]
        if unknown:
            msg = f"loss_weights names {unknown}, which are none of the tasks {tasks}"
            raise TargetError(msg)
        given = [given.get(task, 1.0) for task in tasks]
    try:
        weights = [float(weight) for weight in given]
    except (TypeError, ValueError):
        weights = []
    usable = all(np.isfinite(weight) and weight >= 0 for weight in weights)
    if len(weights) != len(tasks) or not usable:
        msg = (
            f"loss_weights must hold {len(tasks)} weights of at least 0, one a "
            f"task; got {list(given)}"
        )
        raise TargetError(msg)
    return weights


def _named_weights(name: str, tasks: list[str]) -> list[float] | None:
    if name == "uncertainty":
        return None
    if name == "paper":
        return [3.0 if task == "age" else 1.0 for task in tasks]
    msg = (
        "loss_weights must be a mapping, a sequence, 'paper', 'uncertainty' or "
        f"None; got {name!r}"
    )
    raise TargetError(msg)
