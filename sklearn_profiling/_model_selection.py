"""Labels that scikit-learn's model selection cannot read, refused in clear words.

With an integer ``cv`` scikit-learn stratifies by ``y`` before any estimator sees it,
and its scorers compare labels that may be missing. Both ask for the tags of the
estimator first, so the labels are looked at in the function that asks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Integral
from types import FrameType
from typing import Any

from sklearn.utils.multiclass import type_of_target

from sklearn_profiling.exceptions import ProfilingError, TargetError
from sklearn_profiling.targets import Table, label_table

__all__ = ["refuse_unreadable_labels"]

# Pipelines and searches within one another pass the question on.
_DEEPEST = 40
_PROBABILITIES = ("decision_function", "predict_proba", "predict_log_proba")


def refuse_unreadable_labels() -> None:
    """Raise ProfilingError if scikit-learn is about to read labels that it cannot read.

    For ``__sklearn_tags__`` of a classifier. Does nothing where scikit-learn's
    functions are not those that are known. The error is no ValueError, since a Pipeline
    passes over those of its steps' tags and would be taken for no classifier.
    """
    frame = _asking_frame()
    if frame is None:
        return
    module = frame.f_globals.get("__name__", "")
    function, names = frame.f_code.co_name, frame.f_locals
    if module.startswith("sklearn.model_selection.") and "y" in names:
        _check_selection(function, names)
    elif module.startswith("sklearn.metrics.") and "y_true" in names:
        scorer = names.get("self")
        if _is_scikit_learns(scorer):
            _check_scored(names["y_true"], scorer, several=False)


def _asking_frame() -> FrameType | None:
    """Return the frame of the function that asks whether this is a classifier."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - nothing public is as quick
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        if (
            frame.f_code.co_name in ("is_classifier", "is_regressor")
            and frame.f_globals.get("__name__") == "sklearn.base"
        ):
            return frame.f_back
        frame = frame.f_back
    return None


def _check_selection(function: str, names: Mapping[str, Any]) -> None:
    """Check the labels that a function of scikit-learn's model selection was given."""
    owner, y = names.get("self"), names["y"]
    # Splitters come in their place once they are made.
    cv = names.get("cv", getattr(owner, "cv", ""))
    if cv is None or isinstance(cv, Integral):
        _check_stratified(y, cv)
    if function == "cross_val_predict" and names.get("method") in _PROBABILITIES:
        _check_encoded(y, names["method"])
    scoring = names.get("scoring", getattr(owner, "scoring", None))
    for scorer in _scorers(scoring):
        if _is_scikit_learns(scorer):
            _check_scored(y, scorer, several=True)


def _check_stratified(y: Any, cv: Any) -> None:
    """Refuse labels that scikit-learn would fail to stratify by."""
    read = _read(y)
    reason = None if read is None else _missing(*read) or _unreadable(y)
    if reason is not None:
        msg = (
            f"cv={cv!r} makes scikit-learn stratify y by itself, which it cannot: "
            f"{reason}. Give cv=MultiTaskStratifiedKFold({5 if cv is None else cv}), "
            "and scoring=TaskScorer() in place of a metric of scikit-learn's, both of "
            "sklearn_profiling.evaluation"
        )
        raise ProfilingError(msg)


def _check_encoded(y: Any, method: str) -> None:
    """Refuse labels of which scikit-learn would take the missing for a class."""
    read = _read(y)
    reason = None if read is None else _missing(*read)
    if reason is not None:
        msg = (
            f"cross_val_predict with method={method!r} takes a missing label for a "
            f"class of its own, and {reason}. Use cross_val_predict_proba of "
            "sklearn_profiling.evaluation"
        )
        raise ProfilingError(msg)


def _check_scored(y: Any, scorer: Any, *, several: bool) -> None:
    """Refuse labels that a metric of scikit-learn would fail on.

    With `several` only those of several tasks: of one task a splitter may keep users
    without a label out of the test parts.
    """
    read = _read(y)
    if read is None or (several and len(read[1]) < 2):
        return
    reason = _missing(*read) or _unreadable(y, "unknown", "multiclass-multioutput")
    if reason is not None:
        msg = (
            f"scoring={scorer!r} compares labels as scikit-learn does, which it "
            f"cannot: {reason}. Give scoring=TaskScorer(), which scores each task on "
            "the users labelled for it, and cv=MultiTaskStratifiedKFold() for folds, "
            "both of sklearn_profiling.evaluation"
        )
        raise ProfilingError(msg)


def _read(y: Any) -> tuple[Table, list[str]] | None:
    """Read labels; None if they are none at all, which other checks say."""
    try:
        table, names, _ = label_table(y)
    except TargetError:
        return None
    return table, names


def _missing(table: Table, names: list[str]) -> str | None:
    """Say of the first task with missing labels how many there are."""
    for name, column in zip(names, table.T, strict=True):
        n_missing = sum(label is None for label in column)
        if n_missing:
            return f"{n_missing} of {len(table)} users have no label of task {name!r}"
    return None


def _unreadable(y: Any, *kinds: str) -> str | None:
    """Say why scikit-learn cannot compare complete labels; `kinds` count as unread."""
    try:
        kind = type_of_target(y, input_name="y")
    except (TypeError, ValueError) as error:
        return f"it cannot compare the labels ({error!s:.100})"
    return f"to scikit-learn the target is {kind}" if kind in kinds else None


def _scorers(scoring: Any) -> list[Any]:
    """Return what `scoring` names: one scorer, a list, or a mapping of several."""
    if isinstance(scoring, Mapping):
        return list(scoring.values())
    return list(scoring) if isinstance(scoring, list | tuple | set) else [scoring]


def _is_scikit_learns(scorer: Any) -> bool:
    """Whether a scorer compares labels by a metric of scikit-learn."""
    metric = getattr(scorer, "_score_func", None)
    module = getattr(metric, "__module__", None) or ""
    return isinstance(scorer, str) or module.partition(".")[0] == "sklearn"
