"""Scorers for searches and cross-validation: one number a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sklearn_profiling.evaluation.metrics import (
    KNOWN_METRICS,
    LOWER_IS_BETTER,
    SMPCUP_WEIGHTS,
    Metric,
    exact_match_score,
    named_metrics,
    needs_probabilities,
    task_report,
)
from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.targets import in_task_order


class TaskScorer:
    """Score a model by one metric of one task, or of several tasks on average.

    It is called as ``scorer(estimator, X, y)`` and so serves as ``scoring`` in
    :class:`~sklearn.model_selection.GridSearchCV` and
    :func:`~sklearn.model_selection.cross_validate`. Users without a label of a task
    do not count for that task.

    Parameters
    ----------
    metric : str or callable, default="accuracy"
        A name or function as in :func:`task_report`, or ``"exact_match"`` (see
        :func:`exact_match_score`). ``"log_loss"`` scores its negative, and it and
        ``"roc_auc"`` need an estimator with ``predict_proba``.
    task : str, default=None
        The only task to score. None scores all of them.
    weights : mapping of str to float, default=None
        Weight of each task in the average; tasks that are not named do not count.
        None weighs all tasks alike. Not together with ``task``.

    Raises
    ------
    ValueError
        If the metric is unknown, the weights are negative or all zero, or two
        parameters contradict each other.

    See Also
    --------
    smpcup_scorer : The weights of the SMP CUP 2016 competition.

    Notes
    -----
    A task for which no user of the scored part is labelled is left out, and the
    weights of the others are scaled up. Where nobody is labelled for any scored task
    the result is NaN, which scikit-learn reports as a failed fit.

    The tasks are named by the columns of ``y``. With an array for ``y``, the names are
    those that the package gives to unnamed tasks.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.evaluation import TaskScorer
    >>> y = pd.DataFrame({"gender": list("ffm"), "age": ["old", "young", None]})
    >>> X = [[0], [0], [0]]
    >>> model = make_majority_baseline().fit(X, y)
    >>> TaskScorer(weights={"gender": 3, "age": 1})(model, X, y)
    0.625
    >>> TaskScorer("macro_f1", task="gender")
    TaskScorer(metric='macro_f1', task='gender')
    """

    def __init__(
        self,
        metric: Metric = "accuracy",
        *,
        task: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        if not callable(metric) and metric not in (*KNOWN_METRICS, "exact_match"):
            msg = (
                f"metric must be one of {[*KNOWN_METRICS, 'exact_match']}, or a "
                f"function; got {metric!r}"
            )
            raise ValueError(msg)
        if task is not None and weights is not None:
            msg = "task and weights exclude each other: one task needs no weight"
            raise ValueError(msg)
        if metric == "exact_match" and (task is not None or weights is not None):
            msg = "exact_match is over all tasks; task and weights must be None"
            raise ValueError(msg)
        self.metric = metric
        self.task = task
        self.weights = None if weights is None else _checked_weights(weights)

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            With ``predict``, and ``predict_proba`` if the metric needs it.
        X : array-like
            Users.
        y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
            Labels; None, NaN and ``pd.NA`` are missing.

        Returns
        -------
        float
            Greater is better.

        Raises
        ------
        TargetError
            If a task that was asked for is not in ``y``.
        """
        y_pred = estimator.predict(X)
        y = in_task_order(y, task_names_of(estimator))
        if self.metric == "exact_match":
            return exact_match_score(y, y_pred)
        named = named_metrics(self.metric)
        likely: dict[str, Any] = {}
        if needs_probabilities(named):
            likely = {
                "y_proba": estimator.predict_proba(X),
                "classes": estimator.classes_,
            }
        report = task_report(y, y_pred, metrics=self.metric, **likely)
        column = report[next(iter(named))]
        sign = -1.0 if self.metric in LOWER_IS_BETTER else 1.0
        values = {str(task): sign * float(value) for task, value in column.items()}
        weights = self._task_weights(list(values))
        labelled = {t: w for t, w in weights.items() if not math.isnan(values[t])}
        total = sum(labelled.values())
        if total == 0:
            return math.nan
        return float(sum(w * values[t] for t, w in labelled.items()) / total)

    def __repr__(self) -> str:
        """Show the parameters that differ from the defaults."""
        shown = [f"metric={self.metric!r}"]
        shown += [
            f"{name}={getattr(self, name)!r}"
            for name in ("task", "weights")
            if getattr(self, name) is not None
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _task_weights(self, tasks: list[str]) -> dict[str, float]:
        """Return the weight of each scored task."""
        if self.task is not None:
            weights = {self.task: 1.0}
        elif self.weights is not None:
            weights = self.weights
        else:
            weights = dict.fromkeys(tasks, 1.0)
        unknown = [task for task in weights if task not in tasks]
        if unknown:
            msg = f"{self!r} scores the tasks {unknown}; y has the tasks {tasks}"
            raise TargetError(msg)
        return weights


def smpcup_scorer() -> TaskScorer:
    """Make the scorer of the SMP CUP 2016 competition.

    Returns
    -------
    TaskScorer
        Accuracy with weights 0.2 for gender, 0.3 for age and 0.5 for region.

    See Also
    --------
    smpcup_score : The same from labels and predictions.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import smpcup_scorer
    >>> smpcup_scorer().weights
    {'gender': 0.2, 'age': 0.3, 'region': 0.5}
    """
    return TaskScorer("accuracy", weights=SMPCUP_WEIGHTS)


def task_names_of(estimator: Any) -> list[str]:
    """Return the names of the tasks that an estimator learned, none if it has none."""
    while not hasattr(estimator, "task_names_"):
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return []
    return list(estimator.task_names_)


def _checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Copy the weights; refuse those that give no average."""
    checked = {str(task): float(weight) for task, weight in weights.items()}
    bad = {t: w for t, w in checked.items() if not (math.isfinite(w) and w >= 0)}
    if bad or not sum(checked.values()) > 0:
        msg = (
            "weights must be finite, not negative and not all zero; "
            f"got {dict(weights)}"
        )
        raise ValueError(msg)
    return checked
