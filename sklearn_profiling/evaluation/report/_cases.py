"""The users of whom a system was most sure, rightly and wrongly, explained."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklearn_profiling.evaluation._probabilities import labelled_probabilities
from sklearn_profiling.evaluation.calibration import confidence_of
from sklearn_profiling.evaluation.explanation import Explanation, explain
from sklearn_profiling.evaluation.report._folds import OutOfFold
from sklearn_profiling.exceptions import ProfilingWarning, shortened

__all__ = ["MOST_SURE", "MOST_WRONG", "cases_of", "explanations_of"]

MOST_WRONG, MOST_SURE = "most wrong", "most sure"


def cases_of(found: OutOfFold, n_users: int) -> pd.DataFrame:
    """List for each task the most confident wrong and right predictions."""
    rows: list[dict[str, Any]] = []
    each = labelled_probabilities(found.y, found.probabilities, found.classes)
    for task in each:
        confidence = confidence_of(task.likely, of_sets=task.of_sets)
        places, right = np.flatnonzero(task.rows), task.hits()
        order = np.argsort(-confidence, kind="stable")
        for kind, kept in ((MOST_WRONG, ~right), (MOST_SURE, right)):
            for number in order[kept[order]][:n_users]:
                place = int(places[number])
                row = int(found.tested[place])
                rows.append(
                    {
                        "task": task.task,
                        "kind": kind,
                        "user": found.ids[row],
                        "row": row,
                        "label": found.y[task.task].iloc[place],
                        "predicted": found.predictions[task.task].iloc[place],
                        "confidence": float(confidence[number]),
                        "model": int(found.model_of[place]),
                    }
                )
    columns = ["task", "kind", "user", "row", "label", "predicted", "confidence"]
    return pd.DataFrame(rows, columns=[*columns, "model"], dtype=object)


def explanations_of(
    found: OutOfFold, cases: pd.DataFrame, max_items: int
) -> list[Explanation]:
    """Explain each case by the model that had not seen the user.

    None, with a warning, where the system fails on users who lack something.
    """
    numbers = {str(task): number for number, task in enumerate(found.y)}
    explanations = []
    for case in cases.to_dict("records"):
        model = found.models[case["model"]]
        user, task = found.X.iloc[[case["row"]]], numbers[case["task"]]
        try:
            named = _known_as(model, task)
            explained = explain(model, user, task=named, max_items=max_items)
        except (AttributeError, TypeError, ValueError) as error:
            warnings.warn(
                "no user is explained, since the system fails on users who lack "
                f"something: {shortened(str(error))}",
                ProfilingWarning,
                stacklevel=3,
            )
            return []
        explanations.append(explained)
    return explanations


def _known_as(model: Any, number: int) -> str | None:
    """Name a task as the model does; one that knows no names counts them."""
    last = model[-1] if isinstance(model, Pipeline) else model
    names = getattr(last, "task_names_", None)
    if names is not None:
        return str(list(names)[number])
    return str(number) if isinstance(model.classes_, list) else None
