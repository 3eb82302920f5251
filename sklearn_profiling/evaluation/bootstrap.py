"""Intervals of metrics: what other users, drawn alike, might have given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation._pairs import TaskPairs, members, task_pairs
from sklearn_profiling.evaluation.metrics import METRICS, metrics_of_counts

__all__ = ["bootstrap_report", "check_resampling", "interval"]

Floats = NDArray[np.float64]

_KNOWN = (*METRICS, "balanced_accuracy")


def bootstrap_report(
    y_true: Any,
    y_pred: Any,
    *,
    metrics: str | Sequence[str] = ("accuracy", "macro_f1"),
    reference: str | None = None,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Measure one or several systems with bootstrap intervals over users.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_pred : DataFrame, Series, array-like, or mapping of str to these
        Predictions, or those of several systems by name.
    metrics : str or sequence of str, default=("accuracy", "macro_f1")
        Metrics of :func:`task_report` that need no probabilities.
    reference : str, default=None
        A system from which the others are subtracted: their differences, user by user
        on the same draws. None gives the values themselves.
    n_bootstrap : int, default=1000
        Number of draws, of as many users as there are.
    level : float, default=0.95
        Confidence level, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Decides the draws, which are the same for all systems and tasks.

    Returns
    -------
    DataFrame
        One row per system, task and metric (without ``system`` for one), with the
        columns ``value``, ``low`` and ``high``: percentiles of the draws. NaN for a
        task without labels.

    Raises
    ------
    TargetError
        If the tables have different users or tasks.
    ValueError
        If a parameter is none of the above.

    Notes
    -----
    The intervals are of one trained model on new users. They leave out what another
    training part would give, which :meth:`Comparison.significance` looks at. Draws in
    which a task has no labelled user do not count.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import bootstrap_report
    >>> y_true, y_pred = ["f", "m"] * 50, ["f", "m", "m", "m"] * 25
    >>> bootstrap_report(y_true, y_pred, metrics="accuracy", random_state=0).round(2)
                    value   low  high
    task  metric
    task0 accuracy   0.75  0.66  0.83
    """
    check_resampling(n_bootstrap, level)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    unknown = [name for name in names if name not in _KNOWN]
    if unknown or not names:
        msg = f"metrics must be some of {list(_KNOWN)}; got {unknown or names}"
        raise ValueError(msg)
    systems = y_pred if isinstance(y_pred, Mapping) else {"": y_pred}
    if reference is not None and reference not in systems:
        msg = f"reference must be one of {list(systems)}; got {reference!r}"
        raise ValueError(msg)
    pairs = {name: task_pairs(y_true, given) for name, given in systems.items()}
    keys = [(name, p.task) for name, tasks in pairs.items() for p in tasks]
    tables = [_Counted(p) for tasks in pairs.values() for p in tasks]
    n_users = len(tables[0].rows)
    draws = _draws(n_users, n_bootstrap, random_state)
    values = np.array(
        [[each.measure(w, names) for each in tables] for w in draws]
    )  # (1 + n_bootstrap, systems x tasks, metrics)
    if reference is not None:
        values = values.reshape(len(values), len(systems), -1, len(names))
        base = values[:, [list(systems).index(reference)]]
        values = (values - base).reshape(len(values), len(keys), len(names))
    index = pd.MultiIndex.from_tuples(
        [(*key, name) for key in keys for name in names],
        names=["system", "task", "metric"],
    )
    flat = values.reshape(len(values), -1)
    report = pd.DataFrame(interval(flat, level), index=index)
    return report if isinstance(y_pred, Mapping) else report.droplevel("system")


def check_resampling(n_bootstrap: Any, level: Any) -> None:
    """Refuse a number of draws below 1 and a level that is none."""
    if not isinstance(n_bootstrap, int | np.integer) or n_bootstrap < 1:
        msg = f"n_bootstrap must be a positive integer; got {n_bootstrap!r}"
        raise ValueError(msg)
    if not 0 < level < 1:
        msg = f"level must lie between 0 and 1; got {level!r}"
        raise ValueError(msg)


def interval(values: Floats, level: float) -> dict[str, Any]:
    """Return the first of the values (1 + n_draws, n) and percentiles of the others."""
    low, high = np.full((2, values.shape[1]), np.nan)
    known = ~np.isnan(values[0]) & ~np.isnan(values[1:]).all(axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if known.any():
        low[known], high[known] = np.nanquantile(values[1:, known], tails, axis=0)
    return {"value": values[0], "low": low, "high": high}


def _draws(n_users: int, n_bootstrap: int, random_state: RandomState) -> Any:
    """Yield how often each user counts: once, and then as drawn."""
    generator = np.random.default_rng(derive_seed(random_state))
    yield np.ones(n_users)
    for _ in range(n_bootstrap):
        drawn = generator.integers(n_users, size=n_users)
        yield np.bincount(drawn, minlength=n_users).astype(float)


class _Counted:
    """Labels and predictions of a task as memberships, to be counted by weights."""

    def __init__(self, pairs: TaskPairs) -> None:
        self.rows = pairs.rows
        self._right = pairs.hits.astype(float)
        place: dict[Any, int] = {}
        for cell in [*pairs.true, *pairs.predicted]:
            for label in members(cell):
                place.setdefault(label, len(place))
        sides = np.zeros((2, pairs.n_labelled, len(place)))
        for side, cells in zip(sides, (pairs.true, pairs.predicted), strict=True):
            for row, cell in enumerate(cells):
                side[row, [place[label] for label in members(cell)]] = 1
        self._sides = (sides[0] * sides[1], *sides)

    def measure(self, weights: Floats, names: list[str]) -> list[float]:
        """Measure users of the given weights (n_users,)."""
        of_labelled = weights[self.rows]
        total = of_labelled.sum()
        if not total:
            return [np.nan] * len(names)
        counts = np.array([of_labelled @ side for side in self._sides])
        seen = counts[1:].any(axis=0)
        found = metrics_of_counts(counts[:, seen], 0.0)
        found["accuracy"] = float(of_labelled @ self._right / total)
        return [found[name] for name in names]
