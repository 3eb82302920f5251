"""Pipelines that look at labels and parameters before the first step begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sklearn_profiling._memory import checked_memory
from sklearn_profiling._outputs import Probabilities, index_of
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.exceptions import TargetError, shortened
from sklearn_profiling.training.label_weights import read_labels, weigh_labels
from sklearn_profiling.training.losses import resolve_loss_weights
from sklearn_profiling.training.net import usable_device

__all__ = ["CheckedPipeline"]


class CheckedPipeline(Pipeline):
    """A Pipeline that fails before the work where its last step would fail after it.

    A folder given as ``memory`` is a cache whose files are checked. Tables of
    predictions have the index of X, though sparse rows between the steps have none.
    """

    if TYPE_CHECKING:  # types that scikit-learn does not state
        steps: list[tuple[str, Any]]
        memory: Any

        def predict_proba(self, X: Any, **params: Any) -> Probabilities: ...
        def predict_log_proba(self, X: Any, **params: Any) -> Probabilities: ...
        def score(self, X: Any, y: Any = None, **params: Any) -> float: ...
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Check parameters, labels and their weights, then fit the steps in order."""
        _check_parameters(self)
        name, last = self.steps[-1]
        if _is_classifier(last):
            weight = params.get(f"{name}__sample_weight", params.get("sample_weight"))
            _check_labels(last, X, y, weight)
        fitted: Self = super().fit(X, y, **params)
        return fitted

    def _fit(self, *args: Any, **params: Any) -> Any:
        """Fit all steps but the last, as every fit of a Pipeline begins."""
        given = self.memory
        if isinstance(given, str):
            # joblib's own store believes what is damaged
            self.memory = checked_memory(given)
        try:
            return super()._fit(*args, **params)
        finally:
            self.memory = given

    @fixed_threads()  # once, not in each step: to limit threads takes a while
    def predict(self, X: Any, **params: Any) -> Any:
        """Predict as the last step does; a table of pandas gets the index of X."""
        predicted = super().predict(X, **params)
        if isinstance(predicted, pd.DataFrame | pd.Series):
            predicted.index = index_of(X, len(predicted))
        return predicted


def _check_parameters(pipeline: Pipeline) -> None:
    """Refuse parameters of the steps and their parts that no data could mend."""
    pipeline._validate_steps()  # noqa: SLF001 - as its own fit begins
    for part in pipeline.get_params(deep=True).values():
        if hasattr(part, "_parameter_constraints"):
            part._validate_params()  # noqa: SLF001 - as its own fit begins
        if _is_own(part) and hasattr(part, "device"):
            usable_device(part.device)


def _check_labels(classifier: Any, X: Any, y: Any, sample_weight: Any) -> None:
    """Refuse labels and weights as the fit of a classifier does."""
    if y is None:
        msg = f"{type(classifier).__name__} requires y to be passed, but y is None"
        raise TargetError(msg)
    going_on = getattr(classifier, "warm_start", False)
    codec = getattr(classifier, "_codec", None) if going_on else None
    known = read_labels(y, sample_weight, codec)
    n_users = _count_users(X)
    if n_users not in (None, len(known.labels)):
        msg = (
            "X and y hold inconsistent numbers of users: "
            f"{n_users} and {len(known.labels)}"
        )
        raise TargetError(msg)
    if not _is_own(classifier):
        return
    tasks = known.codec.task_names
    weigh_labels(known, getattr(classifier, "class_weight", None))
    resolve_loss_weights(getattr(classifier, "loss_weights", None), tasks)
    main = getattr(classifier, "main_task", None)
    if main is not None and main not in tasks:
        msg = f"main_task must be one of the tasks {tasks}; got {shortened(main)}"
        raise TargetError(msg)


def _count_users(X: Any) -> int | None:
    """Count the rows of a table, array or list; None of other containers."""
    if isinstance(X, list | tuple):
        return len(X)
    shape = () if isinstance(X, Mapping) else getattr(X, "shape", ())
    return int(shape[0]) if shape else None


def _is_classifier(step: Any) -> bool:
    return (
        isinstance(step, BaseEstimator)
        and get_tags(step).estimator_type == "classifier"
    )


def _is_own(part: Any) -> bool:
    return type(part).__module__.partition(".")[0] == "sklearn_profiling"
