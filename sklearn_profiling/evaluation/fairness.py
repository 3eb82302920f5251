"""For whom a model errs: accuracy, selection and error rates of groups of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._label_kinds import sorted_classes
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling.evaluation._pairs import (
    MISSING,
    TaskPairs,
    by_origin,
    class_counts,
    members,
    task_pairs,
)
from sklearn_profiling.evaluation.bootstrap import check_resampling, interval
from sklearn_profiling.evaluation.calibration import calibration_report
from sklearn_profiling.exceptions import TargetError, shortened
from sklearn_profiling.targets import label_table

__all__ = ["GroupReport", "group_report"]

Floats = NDArray[np.float64]

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True)
class GroupReport:
    """What :func:`group_report` measured.

    Parameters
    ----------
    by_group : DataFrame
        One row per task and group: ``n_labelled`` users and their ``accuracy``, with
        ``low`` and ``high``, its Wilson interval; with probabilities also
        ``confidence``, ``ece``, ``brier`` and ``log_loss`` as in
        :func:`calibration_report`.
    by_class : DataFrame
        One row per task, class and group: ``n_labelled`` users, ``n_true`` who have the
        class, and ``selection_rate`` (share of the group for whom the class is
        predicted), ``true_positive_rate`` (of those who have it) and
        ``false_positive_rate`` (of those who do not). NaN of no user.
    gaps : DataFrame
        One row per task and measure: ``accuracy`` and, for each ``class``, the three
        rates. ``gap`` is the largest value of a group minus the smallest, ``low`` and
        ``high`` its bootstrap interval, ``least`` and ``most`` the groups.

    Attributes
    ----------
    by_group, by_class, gaps
        As given.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import group_report
    >>> report = group_report(
    ...     ["f", "f", "m", "m"],
    ...     ["f", "m", "m", "m"],
    ...     ["a", "b", "a", "b"],
    ...     n_bootstrap=10,
    ...     random_state=0,
    ... )
    >>> report.by_group["accuracy"].tolist()
    [1.0, 0.5]
    """

    by_group: pd.DataFrame
    by_class: pd.DataFrame
    gaps: pd.DataFrame


def group_report(
    y_true: Any,
    y_pred: Any,
    groups: Any,
    *,
    y_proba: Any = None,
    classes: Any = None,
    sources: Any = None,
    n_bootstrap: int = 1000,
    level: float = 0.95,
    random_state: RandomState = None,
) -> GroupReport:
    """Compare groups of users: accuracy, selection rates and error rates of each task.

    Parameters
    ----------
    y_true : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    y_pred : DataFrame, Series or array-like of the same shape
        Predictions. A missing one selects no class and is wrong.
    groups : DataFrame, Series, array-like of shape (n_users,), str or list of str
        Group of each user, of any number of kinds. Of several columns every
        combination that occurs is a group. Names are tasks of `y_true`, whose labels
        are the groups.
    y_proba : list of ndarray of shape (n_users, n_classes), or ndarray, default=None
        Probabilities, for the calibration of each group.
    classes : list of array-like, or array-like, default=None
        The classes of the columns of ``y_proba``, as in ``classes_``.
    sources : DataFrame, Series or array-like of the shape of `y_true`, default=None
        Where each label comes from, such as "declared" or "inferred". Labels of
        different origin are never counted together: all tables have the level
        ``source`` then.
    n_bootstrap : int, default=1000
        Number of draws of users, within groups, for the intervals of the gaps.
    level : float, default=0.95
        Confidence level of all intervals.
    random_state : int, RandomState instance or None, default=None
        Decides the draws.

    Returns
    -------
    GroupReport
        Tables of groups, of their classes, and of the gaps between groups.

    Raises
    ------
    TargetError
        If the tables have different users or tasks, a group is no task, or `sources`
        are given and there is no label.
    ValueError
        If ``n_bootstrap`` or ``level`` is none of the above, or ``classes`` is missing.

    See Also
    --------
    fairlearn.metrics.MetricFrame : The same figures for one task without gaps.

    Notes
    -----
    Users whose group, or the origin of whose label, is missing are in the group
    "(missing)", so that the numbers add up; the gaps leave this group out. A gap of
    small groups is large by chance alone, and its interval, which is not corrected for
    that, lies above 0: look at the intervals of the groups. The gap of the selection
    rate is the demographic parity difference, the larger of the gaps of the two other
    rates the equalised odds difference of a class.

    A difference is a question, not an answer: groups may differ in how much they write,
    or in how their labels were found.

    Examples
    --------
    >>> from sklearn_profiling.evaluation import group_report
    >>> y_true, y_pred = list("ffmm") * 10, list("ffmf") * 10
    >>> report = group_report(y_true, y_pred, ["old", "young"] * 20, random_state=0)
    >>> report.by_group.round(2)
                 n_labelled  accuracy   low  high
    task  group
    task0 old            20       1.0  0.84   1.0
          young          20       0.5  0.30   0.7
    >>> report.gaps.loc[("task0", "accuracy", ""), ["least", "most"]].tolist()
    ['young', 'old']
    """
    check_resampling(n_bootstrap, level)
    if y_proba is not None and classes is None:
        msg = "y_proba needs classes, the classes of its columns"
        raise ValueError(msg)
    table, names, _ = label_table(y_true)
    cells = _group_cells(groups, table, names)
    reports: dict[str, GroupReport] = {}
    for origin, labels in by_origin(sources, table, names):
        y = pd.DataFrame(labels, columns=names)
        tasks = [_Task.of(pairs, cells) for pairs in task_pairs(y, y_pred)]
        seed = derive_seed(random_state)
        reports[origin] = GroupReport(
            _by_group(tasks, y, y_proba, classes, level),
            _joined([task.by_class() for task in tasks]),
            _joined([task.gaps(n_bootstrap, level, seed) for task in tasks]),
        )
    if sources is None:
        return reports[""]
    tables = ("by_group", "by_class", "gaps")
    return GroupReport(
        *(
            pd.concat(
                {origin: getattr(each, name) for origin, each in reports.items()},
                names=["source"],
            )
            for name in tables
        )
    )


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below each other; pandas 2 warns of those without rows."""
    return pd.concat([each for each in tables if len(each)] or tables[:1])


def _group_cells(groups: Any, table: Any, names: list[str]) -> pd.DataFrame:
    """Return the group of each user, one column a level, without gaps."""
    asked = [groups] if isinstance(groups, str) else groups
    if isinstance(asked, list) and asked and set(asked) <= set(names):
        columns = {name: table[:, names.index(name)] for name in asked}
        cells = pd.DataFrame(columns, dtype=object)
    elif isinstance(groups, str):
        msg = f"groups must name a task of {names}; got {shortened(groups)}"
        raise TargetError(msg)
    else:
        found, levels, one = label_table(groups)
        named = hasattr(as_pandas(groups), "columns") or getattr(groups, "name", None)
        if one and not named:
            levels = ["group"]
        cells = pd.DataFrame(found, columns=levels, dtype=object)
    if len(cells) != len(table):
        msg = f"groups must have one entry a user, {len(table)}; got {len(cells)}"
        raise TargetError(msg)
    return cells.where(cells.notna(), MISSING)


def _by_group(
    tasks: list[_Task], y: pd.DataFrame, y_proba: Any, classes: Any, level: float
) -> pd.DataFrame:
    """Lay the accuracies of the groups below each other, and their calibration."""
    report = pd.concat([task.by_group(level) for task in tasks])
    if y_proba is None:
        return report
    likely = y_proba if isinstance(y_proba, list | tuple) else [y_proba]
    likely = [np.asarray(each) for each in likely]
    known = classes if isinstance(y_proba, list | tuple) else [classes]
    parts = []
    for number, group in enumerate(tasks[0].keys):
        rows = tasks[0].of_users == number
        part = calibration_report(y[rows], [each[rows] for each in likely], known)
        part = part[["confidence", "ece", "brier", "log_loss"]]
        keys = [(task.name, *group) for task in tasks]
        part.index = pd.MultiIndex.from_tuples(keys, names=report.index.names)
        parts.append(part)
    return report.join(pd.concat(parts))


@dataclass(frozen=True)
class _Task:
    """Of one task, labelled users: groups, right answers, and who has which class.

    ``of_users`` (n_users,) are the groups of all users, by their place in `keys`.
    """

    name: str
    levels: list[str]
    keys: list[tuple[Any, ...]]
    of_users: NDArray[np.int64]
    codes: NDArray[np.int64]
    right: Floats
    classes: list[Any]
    true: Floats
    chosen: Floats

    @classmethod
    def of(cls, pairs: TaskPairs, cells: pd.DataFrame) -> _Task:
        """Count memberships."""
        users = list(cells.itertuples(index=False, name=None))
        keys = sorted(set(users), key=lambda key: tuple(map(str, key)))
        place = {key: number for number, key in enumerate(keys)}
        codes = np.array([place[key] for key in users], dtype=np.int64)
        classes = sorted_classes(class_counts(pairs)[0], pairs.task).tolist()
        sides = [
            np.array([[c in members(cell) for c in classes] for cell in side], float)
            for side in (pairs.true, pairs.predicted)
        ]
        shape = (pairs.n_labelled, len(classes))
        true, chosen = (side.reshape(shape) for side in sides)
        return cls(
            pairs.task,
            list(cells.columns),
            keys,
            codes,
            codes[pairs.rows],
            pairs.hits.astype(float),
            classes,
            true,
            chosen,
        )

    def sums(self, weights: Floats, values: Floats) -> Floats:
        """Add the values of labelled users (n, k) up by group, (n_groups, k)."""
        inside = np.zeros((len(self.keys), len(self.codes)))
        inside[self.codes, np.arange(len(self.codes))] = weights
        total: Floats = inside @ values
        return total

    def rates(self, weights: Floats) -> Floats:
        """Measure accuracy and the rates of each class, (n_groups, 1 + 3 n_classes)."""
        ones = np.ones((len(self.codes), 1))
        n = self.sums(weights, ones)
        n_true = self.sums(weights, self.true)
        selected = self.sums(weights, self.chosen)
        hits = self.sums(weights, self.true * self.chosen)
        parts = (
            (self.sums(weights, self.right[:, None]), n),
            (selected, np.repeat(n, len(self.classes), axis=1)),
            (hits, n_true),
            (selected - hits, n - n_true),
        )
        return np.hstack(
            [
                np.divide(top, low, out=np.full(top.shape, np.nan), where=low > 0)
                for top, low in parts
            ]
        )

    def by_group(self, level: float) -> pd.DataFrame:
        """Tabulate the accuracy of each group, with Wilson's interval."""
        ones = np.ones(len(self.codes))
        n = self.sums(ones, ones[:, None])[:, 0]
        accuracy = self.rates(ones)[:, 0]
        z = float(ndtri((1 + level) / 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            centre = (accuracy + z**2 / (2 * n)) / (1 + z**2 / n)
            half = np.sqrt(accuracy * (1 - accuracy) / n + (z / (2 * n)) ** 2)
            half *= z / (1 + z**2 / n)
        return pd.DataFrame(
            {
                "n_labelled": n.astype(int),
                "accuracy": accuracy,
                "low": centre - half,
                "high": centre + half,
            },
            index=pd.MultiIndex.from_tuples(
                [(self.name, *key) for key in self.keys], names=["task", *self.levels]
            ),
        )

    def by_class(self) -> pd.DataFrame:
        """Tabulate the rates of each class and group."""
        ones = np.ones(len(self.codes))
        n = self.sums(ones, ones[:, None])
        n_true = self.sums(ones, self.true)
        rates = self.rates(ones)[:, 1:].reshape(len(self.keys), 3, -1)
        rows = [
            (int(n[group, 0]), int(n_true[group, k]), *rates[group, :, k])
            for k in range(len(self.classes))
            for group in range(len(self.keys))
        ]
        index = pd.MultiIndex.from_tuples(
            [(self.name, label, *key) for label in self.classes for key in self.keys],
            names=["task", "class", *self.levels],
        )
        columns = ["n_labelled", "n_true", *RATES]
        return pd.DataFrame(rows, index=index, columns=columns)

    def gaps(self, n_bootstrap: int, level: float, seed: int) -> pd.DataFrame:
        """Tabulate the gaps of accuracy and rates between the groups that are known."""
        known = np.array([MISSING not in key for key in self.keys])
        generator = np.random.default_rng(seed)
        values = self.rates(np.ones(len(self.codes)))[known]
        draws = [_range(values)]
        places = [np.flatnonzero(self.codes == g) for g in range(len(self.keys))]
        for _ in range(n_bootstrap):
            drawn = [
                p[generator.integers(len(p), size=len(p))] for p in places if len(p)
            ]
            chosen = np.concatenate([*drawn, np.zeros(0, dtype=np.int64)])
            weights = np.bincount(chosen, minlength=len(self.codes)).astype(float)
            draws.append(_range(self.rates(weights)[known]))
        found = interval(np.array(draws), level)
        named = [_name(key) for key, kept in zip(self.keys, known, strict=True) if kept]
        ends = {"least": (np.inf, np.argmin), "most": (-np.inf, np.argmax)}
        for end, (fill, choose) in ends.items():
            filled = np.where(np.isnan(values), fill, values)
            found[end] = [
                None if np.isnan(gap) else named[int(choose(column))]
                for gap, column in zip(found["value"], filled.T, strict=True)
            ]
        measures = [("accuracy", "")]
        measures += [(rate, label) for rate in RATES for label in self.classes]
        index = pd.MultiIndex.from_tuples(
            [(self.name, *measure) for measure in measures],
            names=["task", "measure", "class"],
        )
        return pd.DataFrame(found, index=index).rename(columns={"value": "gap"})


def _range(values: Floats) -> Floats:
    """Return the largest minus the smallest of each column, without NaN."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    gap: Floats = np.fmax.reduce(values, axis=0) - np.fmin.reduce(values, axis=0)
    return gap


def _name(key: tuple[Any, ...]) -> Any:
    return key[0] if len(key) == 1 else key
