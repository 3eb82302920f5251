"""Several systems on the same folds, task by task."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_consistent_length
from tqdm.auto import tqdm

from sklearn_profiling.evaluation._folds import Fold, make_folds
from sklearn_profiling.evaluation.metrics import METRICS, task_report
from sklearn_profiling.exceptions import ProfilingWarning
from sklearn_profiling.targets import label_table

SCORE_COLUMNS = (
    "system",
    "fold",
    "task",
    "metric",
    "value",
    "n_labelled",
    "fit_seconds",
    "predict_seconds",
    "error",
)

Record = dict[str, Any]
OnFold = Callable[[str, int, pd.DataFrame], None]


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` measured.

    Parameters
    ----------
    scores : DataFrame
        One row per system, fold, task and metric, with the columns ``system``,
        ``fold`` (from 0), ``task``, ``metric``, ``value``, ``n_labelled`` (users
        scored), ``fit_seconds``, ``predict_seconds`` and ``error`` (the text of the
        exception, None where the system worked). A failed fold has NaN values.

    Attributes
    ----------
    scores
        As given.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.evaluation import compare
    >>> y = ["f", "m", "m"] * 4
    >>> result = compare({"majority": make_majority_baseline()}, [[0]] * 12, y, cv=2)
    >>> print(result.to_string())
                      task0        average
    majority  0.667 ± 0.000  0.667 ± 0.000
    """

    scores: pd.DataFrame

    @property
    def systems(self) -> list[str]:
        """Names of the systems in the order in which they were given."""
        return list(dict.fromkeys(self.scores["system"]))

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks in the order of the targets' columns."""
        return list(dict.fromkeys(self.scores["task"]))

    @property
    def failures(self) -> pd.DataFrame:
        """One row per failed fold, with ``system``, ``fold`` and ``error``."""
        failed = self.scores[self.scores["error"].notna()]
        unique = failed[["system", "fold", "error"]].drop_duplicates()
        return unique.reset_index(drop=True)

    def table(
        self,
        metric: str = "accuracy",
        *,
        weights: Mapping[str, float] | None = None,
        spread: bool = False,
    ) -> pd.DataFrame:
        """Average a metric over the folds.

        Parameters
        ----------
        metric : str, default="accuracy"
            One of the metrics that were measured.
        weights : mapping of str to float, default=None
            Weight of each task in the column ``average``; tasks that are not named do
            not count. None weighs all tasks alike.
        spread : bool, default=False
            Whether to return the standard deviation over the folds (with n - 1 in the
            denominator) instead of the mean.

        Returns
        -------
        DataFrame of shape (n_systems, n_tasks + 1)
            Systems by tasks, and ``average`` over the tasks. A system that failed in
            any fold has NaN: the mean of its lucky folds would flatter it.

        Raises
        ------
        ValueError
            If the metric was not measured or a weight names no task.
        """
        measured = list(dict.fromkeys(self.scores["metric"]))
        if metric not in measured:
            msg = f"metric must be one of those measured, {measured}; got {metric!r}"
            raise ValueError(msg)
        rows = self.scores[self.scores["metric"] == metric]
        wide = rows.pivot_table(
            index=["system", "fold"],
            columns="task",
            values="value",
            dropna=False,
            sort=False,
        ).reindex(columns=self.tasks)
        wide["average"] = _weighted_mean(wide, weights)
        folds = wide.groupby(level="system", sort=False)
        result = folds.std(ddof=1) if spread else folds.mean()
        failed = self.failures["system"].unique()
        result.loc[result.index.isin(failed)] = np.nan
        return result.reindex(self.systems).rename_axis(index="system", columns=None)

    def to_string(
        self, metric: str = "accuracy", *, weights: Mapping[str, float] | None = None
    ) -> str:
        """Draw the table as text, mean ± standard deviation.

        Parameters
        ----------
        metric : str, default="accuracy"
            One of the metrics that were measured.
        weights : mapping of str to float, default=None
            Weight of each task in the average.

        Returns
        -------
        str
            The table, and a line for each system that failed.
        """
        mean = self.table(metric, weights=weights)
        spread = self.table(metric, weights=weights, spread=True)
        cells = pd.DataFrame(
            {
                task: [
                    _cell(m, s) for m, s in zip(mean[task], spread[task], strict=True)
                ]
                for task in mean
            },
            index=mean.index.rename(None),
        )
        lines = [cells.to_string()]
        for system, rows in self.failures.groupby("system", sort=False):
            folds = ", ".join(map(str, rows["fold"]))
            lines.append(f"{system} failed in fold {folds}: {rows['error'].iloc[0]}")
        return "\n".join(lines)

    def __str__(self) -> str:
        """Draw the first metric's table."""
        return self.to_string(self.scores["metric"].iloc[0])


def compare(
    systems: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    cv: Any = None,
    metrics: Sequence[str] = METRICS,
    n_jobs: int | None = None,
    error_score: Literal["raise", "report"] = "report",
    verbose: int = 0,
    on_fold: OnFold | None = None,
) -> Comparison:
    """Cross-validate several systems on the same folds.

    Parameters
    ----------
    systems : mapping of str to estimator
        Classifiers or Pipelines by name. A clone is fitted per fold.
    X : array-like
        Users: DataFrame, array, sparse matrix, list or any container that
        scikit-learn can take rows of.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    cv : int, splitter or iterable of (train, test), default=None
        An integer is the number of folds of a :class:`MultiTaskStratifiedKFold` with
        ``random_state=0``; None means 5 folds, scikit-learn's number. The folds are
        made once, for all systems.
    metrics : sequence of str, default=all metrics of :func:`task_report`
        What to measure.
    n_jobs : int, default=None
        Number of fits at a time, as in joblib.
    error_score : {"report", "raise"}, default="report"
        What to do if a system fails: ``"report"`` warns, notes the error's text in
        the scores and goes on; ``"raise"`` raises the error.
    verbose : int, default=0
        Above 0 a progress bar counts the fits.
    on_fold : callable, default=None
        Called as ``on_fold(system, fold, scores)`` after each fit, with that fold's
        rows of the scores.

    Returns
    -------
    Comparison
        The scores and tables made of them.

    Raises
    ------
    ValueError
        If there is no system, or a metric or ``error_score`` is unknown.
    TargetError
        If the labels cannot be split.

    Warns
    -----
    ProfilingWarning
        For each fold in which a system failed.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling.baselines import (
    ...     MaskedMultiOutputClassifier,
    ...     make_majority_baseline,
    ... )
    >>> from sklearn_profiling.evaluation import compare
    >>> X = [[float(user % 3)] for user in range(24)]
    >>> y = pd.DataFrame({"gender": ["f", "m", "m"] * 8, "age": ["old", None] * 12})
    >>> systems = {
    ...     "majority": make_majority_baseline(),
    ...     "regression": MaskedMultiOutputClassifier(LogisticRegression()),
    ... }
    >>> compare(systems, X, y, cv=4).table("accuracy").round(2)
                gender  age  average
    system
    majority      0.67  1.0     0.83
    regression    1.00  1.0     1.00
    """
    _check_arguments(systems, metrics, error_score)
    check_consistent_length(X, y)
    tasks = label_table(y)[1]
    folds = make_folds(cv, X, y)
    names = list(systems)
    jobs = (
        delayed(_run_fold)(
            name, clone(systems[name]), X, y, fold, tuple(metrics), error_score
        )
        for fold in folds
        for name in names
    )
    # In the order of completion, so that progress is shown when it is made.
    results: Iterable[list[Record]] = tqdm(
        Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs),
        total=len(folds) * len(names),
        disable=verbose <= 0,
        desc="compare",
        unit="fit",
    )
    records: list[Record] = []
    for rows in results:
        records += rows
        _report_fold(rows, on_fold)
    order = {name: i for i, name in enumerate(names)}
    place = {task: i for i, task in enumerate(tasks)}
    records.sort(
        key=lambda row: (order[row["system"]], row["fold"], place[row["task"]])
    )
    return Comparison(pd.DataFrame(records, columns=list(SCORE_COLUMNS)))


def _run_fold(
    system: str,
    estimator: Any,
    X: Any,
    y: Any,
    fold: Fold,
    metrics: tuple[str, ...],
    error_score: str,
) -> list[Record]:
    """Fit and score one system on one fold; one record per task and metric."""
    y_test = _safe_indexing(y, fold.test)
    common: Record = {"system": system, "fold": fold.number, "error": None}
    started = time.perf_counter()
    try:
        estimator.fit(_safe_indexing(X, fold.train), _safe_indexing(y, fold.train))
        fitted = time.perf_counter()
        y_pred = estimator.predict(_safe_indexing(X, fold.test))
        common["fit_seconds"] = fitted - started
        common["predict_seconds"] = time.perf_counter() - fitted
        report = task_report(y_test, y_pred)
    # Any fault of one system: it is reported, and the other systems go on.
    except Exception as error:
        if error_score == "raise":
            raise
        common["error"] = f"{type(error).__name__}: {error}"
        tasks = pd.Index(label_table(y)[1], name="task")
        report = pd.DataFrame(np.nan, index=tasks, columns=["n_labelled", *metrics])
    return [
        {
            **common,
            "task": task,
            "metric": metric,
            "value": row[metric],
            "n_labelled": row["n_labelled"],
        }
        for task, row in report.iterrows()
        for metric in metrics
    ]


def _report_fold(rows: list[Record], on_fold: OnFold | None) -> None:
    """Warn of a failure and hand the rows to the caller."""
    first = rows[0]
    if first["error"] is not None:
        warnings.warn(
            f"{first['system']} failed in fold {first['fold']} and has no score there: "
            f"{first['error']}",
            ProfilingWarning,
            stacklevel=3,
        )
    if on_fold is not None:
        scores = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
        on_fold(first["system"], first["fold"], scores)


def _weighted_mean(
    wide: pd.DataFrame, weights: Mapping[str, float] | None
) -> pd.Series[float]:
    """Average the tasks of each row; a missing value makes the average missing."""
    weights = dict.fromkeys(wide.columns, 1.0) if weights is None else weights
    unknown = [task for task in weights if task not in wide.columns]
    if unknown or not sum(weights.values()) > 0:
        msg = (
            f"weights must name tasks of {list(wide.columns)} and have a positive sum; "
            f"got {dict(weights)}"
        )
        raise ValueError(msg)
    values = wide[list(weights)].to_numpy(dtype=float)
    factors = np.array(list(weights.values()), dtype=float)
    return pd.Series(values @ factors / factors.sum(), index=wide.index)


def _cell(mean: float, spread: float) -> str:
    """Write one cell of the table."""
    if np.isnan(mean):
        return "failed"
    return f"{mean:.3f}" if np.isnan(spread) else f"{mean:.3f} ± {spread:.3f}"


def _check_arguments(
    systems: Mapping[str, Any], metrics: Sequence[str], error_score: str
) -> None:
    """Refuse arguments that would fail after the first long fit."""
    if not systems:
        msg = "systems must hold one estimator at least"
        raise ValueError(msg)
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or not metrics:
        msg = f"metrics must be some of {list(METRICS)}; got {list(metrics)}"
        raise ValueError(msg)
    if error_score not in ("raise", "report"):
        msg = f"error_score must be 'report' or 'raise'; got {error_score!r}"
        raise ValueError(msg)
