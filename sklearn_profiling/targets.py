"""Labels of several tasks, of any kind, some missing, and their codes.

A target is a DataFrame or an array of shape (n_users, n_tasks), or (n_users,) for one
task. ``None``, NaN, ``pd.NA``, ``pd.NaT`` and blank text mark a missing label. A cell
may hold a set of labels (a ``set``, ``frozenset`` or ``list``), for example several
preferences. ``_label_kinds`` has the rules of labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling._frames import as_pandas, refuse_levels
from sklearn_profiling._label_kinds import Classes, read_column, sorted_classes
from sklearn_profiling.exceptions import TargetError, shortened

__all__ = [
    "EncodedLabels",
    "LabelCodec",
    "Table",
    "label_table",
    "mean_accuracy",
]

Table = npt.NDArray[np.object_]


@dataclass(frozen=True)
class LabelCodec:
    """Tasks and classes learned in ``fit``; encodes labels and decodes predictions.

    Attributes
    ----------
    task_names : list of str
        One name a task.
    classes : list of ndarray
        Classes of each task in sorted order.
    set_valued : list of bool
        Whether a cell of the task holds a set of classes.
    one_dimensional : bool
        Whether the targets had shape (n_users,).

    Examples
    --------
    >>> from sklearn_profiling.targets import LabelCodec
    >>> y = [["m", 1990], [None, 1980], ["f", None]]
    >>> codec = LabelCodec.learn(y)
    >>> codec.classes[0].tolist(), codec.encode(y).codes.tolist()
    (['f', 'm'], [[1, 1], [-1, 0], [0, -1]])
    """

    task_names: list[str]
    classes: list[Classes]
    set_valued: list[bool]
    one_dimensional: bool

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> LabelCodec:
        """Find tasks and classes.

        Parameters
        ----------
        y : DataFrame, Series or array-like
            Targets, see :func:`label_table`.
        classes : array-like, sequence of array-like or mapping, default=None
            All classes, where `y` may not hold each of them: for one task an array,
            for several a sequence with one array a task or a mapping by task name.

        Returns
        -------
        LabelCodec
            The codec.

        Raises
        ------
        TargetError
            If a task has no label at all, labels are continuous, or `classes` does not
            fit `y`.
        """
        table, names, one_dimensional = label_table(y)
        given = _given_classes(classes, names, one_dimensional=one_dimensional)
        found: list[Classes] = []
        set_valued: list[bool] = []
        for task, name in enumerate(names):
            labels = [cell for cell in table[:, task] if cell is not None]
            sets = any(isinstance(label, frozenset) for label in labels)
            if sets:
                labels = [label for cell in labels for label in cell]
            if not labels and given is None:
                msg = (
                    f"task {name!r} has no label: all {len(table)} cells are missing; "
                    "leave it out"
                )
                raise TargetError(msg)
            _check_discrete(labels, name)
            found.append(sorted_classes(labels if given is None else given[task], name))
            set_valued.append(sets)
        return cls(names, found, set_valued, one_dimensional)

    def encode(self, y: Any) -> EncodedLabels:
        """Turn labels into codes.

        Parameters
        ----------
        y : DataFrame, Series or array-like
            Targets with the tasks seen before; the columns of a DataFrame are taken
            by name.

        Returns
        -------
        EncodedLabels
            The codes.

        Raises
        ------
        TargetError
            If tasks differ, `y` names some and not all, or a label is no class of its
            task.
        """
        table, names, _ = label_table(in_task_order(y, self.task_names))
        if len(names) != len(self.task_names):
            msg = (
                f"y must have the {len(self.task_names)} tasks {self.task_names}; got "
                f"{len(names)}: {names}"
            )
            raise TargetError(msg)
        codes = np.full(table.shape, -1, dtype=np.int64)
        members: dict[int, npt.NDArray[np.bool_]] = {}
        for task in range(len(names)):
            position = {label: i for i, label in enumerate(self.classes[task].tolist())}
            if self.set_valued[task]:
                members[task] = self._encode_sets(table, task, position)
                codes[[cell is not None for cell in table[:, task]], task] = 0
                continue
            for row, cell in enumerate(table[:, task]):
                if cell is not None:
                    codes[row, task] = self._look_up(cell, task, position, row)
        return EncodedLabels(codes, members)

    def _look_up(
        self, label: Any, task: int, position: dict[Any, int], row: int
    ) -> int:
        try:
            return position[label]
        except KeyError:
            msg = (
                f"row {row}: {shortened(label)} is no class of task "
                f"{self.task_names[task]!r}, whose classes are "
                f"{shortened(self.classes[task].tolist())}"
            )
            raise TargetError(msg) from None

    def _encode_sets(
        self, table: Table, task: int, position: dict[Any, int]
    ) -> npt.NDArray[np.bool_]:
        members = np.zeros((len(table), len(position)), dtype=bool)
        for row, cell in enumerate(table[:, task]):
            for label in () if cell is None else cell:
                members[row, self._look_up(label, task, position, row)] = True
        return members

    def decode(self, probabilities: Sequence[npt.NDArray[np.floating[Any]]]) -> Any:
        """Turn probabilities into labels.

        Parameters
        ----------
        probabilities : sequence of ndarray, shape (n_users, n_classes)
            One array a task.

        Returns
        -------
        ndarray, shape (n_users,) or (n_users, n_tasks)
            The most probable class; for a set-valued task the frozenset of classes
            with probability above 0.5, or the most probable one if none reaches it, or
            no class if all have probability 0.
        """
        columns: list[npt.NDArray[Any]] = []
        for task, probability in enumerate(probabilities):
            best = probability.argmax(axis=1)
            if not self.set_valued[task]:
                columns.append(self.classes[task][best])
                continue
            inside = probability > 0.5
            rows = np.arange(len(best))
            inside[rows, best] = probability[rows, best] > 0
            sets = np.empty(len(best), dtype=object)
            for row, chosen in enumerate(inside):
                sets[row] = frozenset(self.classes[task][chosen].tolist())
            columns.append(sets)
        if self.one_dimensional:
            return columns[0]
        kinds = {column.dtype for column in columns}
        dtype = kinds.pop() if len(kinds) == 1 else np.dtype(object)
        table = np.empty((len(columns[0]), len(columns)), dtype=dtype)
        for task, column in enumerate(columns):
            table[:, task] = column
        return table


@dataclass(frozen=True)
class EncodedLabels:
    """Labels as numbers.

    Attributes
    ----------
    codes : ndarray of int64, shape (n_users, n_tasks)
        Position of the label among the task's classes; -1 where missing. For a
        set-valued task 0 where there is a set.
    members : dict of int to ndarray of bool, shape (n_users, n_classes)
        For each set-valued task which classes belong to the user's set.
    groups : ndarray of shape (n_users,) or None
        Which users are held out together, since they are one person.

    Examples
    --------
    >>> from sklearn_profiling.targets import LabelCodec
    >>> LabelCodec.learn([["f"], ["m"], [None]]).encode([["m"], [None]]).codes
    array([[ 1],
           [-1]])
    """

    codes: npt.NDArray[np.int64]
    members: dict[int, npt.NDArray[np.bool_]] = field(default_factory=dict)
    groups: npt.NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.int64]) -> EncodedLabels:
        """Choose users.

        Parameters
        ----------
        rows : ndarray of int64
            Row numbers.

        Returns
        -------
        EncodedLabels
            Their labels.
        """
        return EncodedLabels(
            self.codes[rows],
            {task: m[rows] for task, m in self.members.items()},
            None if self.groups is None else self.groups[rows],
        )


def label_table(y: Any) -> tuple[Table, list[str], bool]:
    """Convert targets of any form to a table of objects, None where missing.

    Parameters
    ----------
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels of any hashable kind; sets, frozensets and lists are set-valued cells.

    Returns
    -------
    table : ndarray of object, shape (n_users, n_tasks)
        The labels; None where missing, a frozenset where a cell holds a set.
    task_names : list of str
        Column names of a DataFrame, the name of a Series, else ``task0``, ``task1``...
    one_dimensional : bool
        True if `y` had shape (n_users,).

    Raises
    ------
    TargetError
        If `y` has another number of dimensions, no task, two tasks of one name, or
        sets that hold unhashable labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.targets import label_table
    >>> label_table(pd.DataFrame({"gender": ["f", None], "age": [30, 40]}))
    (array([['f', 30],
           [None, 40]], dtype=object), ['gender', 'age'], False)
    """
    y = as_pandas(y)
    refuse_levels(y, "y", TargetError)
    if isinstance(y, pd.DataFrame):
        values: Table = y.to_numpy(dtype=object)
        names = [str(name) for name in y.columns]
    elif isinstance(y, pd.Series):
        values = y.to_numpy(dtype=object)
        names = ["task0" if y.name is None else str(y.name)]
    else:
        values = _object_array(y)
        names = (
            [f"task{task}" for task in range(values.shape[1:2][0])]
            if (values.ndim == 2)
            else ["task0"]
        )
    if values.ndim not in (1, 2):
        msg = (
            "y must have shape (n_users,) or (n_users, n_tasks); got an array with "
            f"{values.ndim} dimensions"
        )
        raise TargetError(msg)
    if not names:
        msg = "y must have at least one task; it has no column"
        raise TargetError(msg)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"each task needs a name of its own; {twice!r} stands twice"
        raise TargetError(msg)
    one_dimensional = values.ndim == 1
    table = values.reshape(len(values), len(names)).copy()
    table[pd.isna(table)] = None
    for task, name in enumerate(names):
        table[:, task] = _read_task(table[:, task], name)
    return table, names, one_dimensional


def in_task_order(y: Any, task_names: Sequence[str]) -> Any:
    """Take the columns of a table by the names of the tasks, and leave out others.

    Parameters
    ----------
    y : DataFrame, Series or array-like
        Targets.
    task_names : sequence of str
        Names of the tasks in the wanted order.

    Returns
    -------
    DataFrame, Series or array-like
        The columns in order; `y` itself if it is no table or names none of the tasks.

    Raises
    ------
    TargetError
        If `y` names some of the tasks and not all.
    """
    y = as_pandas(y)
    refuse_levels(y, "y", TargetError)
    if not isinstance(y, pd.DataFrame):
        return y
    names = [str(name) for name in y.columns]
    absent = [task for task in task_names if task not in names]
    if len(absent) == len(task_names):
        return y
    if absent:
        msg = (
            f"y must have the {len(task_names)} tasks {list(task_names)}; got "
            f"{len(names)}: {names}, without {absent}"
        )
        raise TargetError(msg)
    return y.set_axis(names, axis=1)[list(task_names)]


def mean_accuracy(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
    """Mean over tasks of the accuracy on the users labelled for the task.

    Parameters
    ----------
    y_true, y_pred : DataFrame, Series or array-like
        True labels, some missing, and predicted ones; two tables are compared by the
        names of their columns.
    sample_weight : array-like of shape (n_users,) or (n_users, n_tasks), default=None
        Weight of each user, or of each label; all 1 by default.

    Returns
    -------
    float
        The mean accuracy; tasks without a labelled user of positive weight are left
        out.

    Raises
    ------
    TargetError
        If the shapes differ or no label is left to score on.

    Examples
    --------
    >>> from sklearn_profiling.targets import mean_accuracy
    >>> mean_accuracy([["f", 30], ["m", None]], [["f", 40], ["f", 40]])
    0.25
    """
    predicted, predicted_names, _ = label_table(y_pred)
    if isinstance(as_pandas(y_pred), pd.DataFrame):
        y_true = in_task_order(y_true, predicted_names)
    true, names, _ = label_table(y_true)
    if true.shape != predicted.shape:
        msg = (
            "true and predicted labels must have the same shape; got "
            f"{true.shape} and {predicted.shape}"
        )
        raise TargetError(msg)
    weights = np.where(pd.isna(true), 0.0, weight_table(sample_weight, true, names))
    totals = weights.sum(axis=0)
    if not (totals > 0).any():
        msg = "no label to score on: every label is missing or has weight 0"
        raise TargetError(msg)
    hits = ((true == predicted).astype(bool) * weights).sum(axis=0)
    return float((hits[totals > 0] / totals[totals > 0]).mean())


def weight_table(
    sample_weight: Any, labels: npt.NDArray[Any], task_names: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Bring weights (n_users,) or (n_users, n_tasks) to one a label, as float64.

    A table is read by the names of its columns, a number is the weight of everybody,
    and None is 1. `labels` (n_users, n_tasks) are labels or codes. Raises TargetError
    if the shape is another or a weight is negative, infinite or no number.
    """
    if sample_weight is None:
        return np.ones(labels.shape)
    given = as_pandas(sample_weight)
    refuse_levels(given, "sample_weight", TargetError)
    if isinstance(given, pd.DataFrame):
        given = _weights_by_name(given, task_names)
    try:
        weights = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"sample_weight must hold numbers; {error!s:.100}"
        raise TargetError(msg) from error
    n_users, n_tasks = labels.shape
    if weights.ndim and weights.shape not in ((n_users,), (n_users, n_tasks)):
        msg = (
            f"sample_weight must have shape ({n_users},), one weight a user, or "
            f"({n_users}, {n_tasks}), one a label; got {weights.shape}"
        )
        raise TargetError(msg)
    bad = np.argwhere(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        place = tuple(bad[0].tolist())
        of = [f"row {row}, " for row in place[:1]]
        of += [f"task {task_names[task]!r}, " for task in place[1:]]
        msg = (
            "sample_weight must be finite and not negative; got "
            f"{''.join(of)}{weights[place]}"
        )
        raise TargetError(msg)
    if weights.ndim == 1:
        weights = weights[:, None]
    return np.broadcast_to(weights, labels.shape).copy()


def _weights_by_name(weights: pd.DataFrame, task_names: Sequence[str]) -> pd.DataFrame:
    """Order the columns of a table of weights as the tasks; numbered ones stay."""
    columns: list[Any] = list(weights.columns)
    if columns != list(range(len(task_names))):
        names = [str(name) for name in columns]
        if sorted(names) != sorted(task_names):
            msg = (
                f"sample_weight must have one column a task, {list(task_names)}; it "
                f"has {names}"
            )
            raise TargetError(msg)
        weights = weights.set_axis(names, axis=1)[list(task_names)]
    return weights.astype(object).where(weights.notna(), np.nan)


def _given_classes(
    classes: Any, names: list[str], *, one_dimensional: bool
) -> list[Any] | None:
    if classes is None:
        return None
    if isinstance(classes, Mapping):
        absent = [name for name in names if name not in classes]
        if absent:
            msg = f"classes must name every task; {absent} are missing"
            raise TargetError(msg)
        return [classes[name] for name in names]
    given = [classes] if one_dimensional else list(classes)
    if len(given) != len(names):
        msg = f"classes must hold one array a task, {len(names)}; got {len(given)}"
        raise TargetError(msg)
    # As objects: numpy would make one kind of labels of several kinds.
    return [np.asarray(labels, dtype=object).tolist() for labels in given]


def _check_discrete(labels: list[Any], name: str) -> None:
    for label in labels:
        if isinstance(label, float | np.floating) and not float(label).is_integer():
            kind = "infinity" if np.isinf(label) else "continuous"
            msg = (
                f"Unknown label type: {kind}. Task {name!r} holds "
                f"{shortened(label)}; a classifier's labels are discrete: strings, "
                "integers or other hashable objects, and None or NaN where missing"
            )
            raise TargetError(msg)


def _object_array(y: Any) -> Table:
    """Make an array of objects without numpy unpacking set-valued cells."""
    if isinstance(y, pd.api.extensions.ExtensionArray):
        return y.to_numpy(dtype=object)
    if isinstance(y, np.ma.MaskedArray):
        unmasked: Table = np.array(y.data).astype(object)
        unmasked[np.ma.getmaskarray(y)] = None
        return unmasked
    if hasattr(y, "__array__"):
        array = np.asarray(y)
        if array.dtype.kind in "Mm" and array.ndim in (1, 2):
            # Numpy would make bare numbers of times to the nanosecond.
            return pd.DataFrame(array).to_numpy(dtype=object).reshape(array.shape)
        return array.astype(object)
    try:
        rows = [row.tolist() if isinstance(row, np.ndarray) else row for row in y]
    except TypeError as error:
        msg = (
            "y must be a DataFrame, a Series or an array of labels; got "
            f"{type(y).__name__}: {error}"
        )
        raise TargetError(msg) from error
    if any(isinstance(row, list | tuple) for row in rows):
        return _nested_array(rows)
    cells: Table = np.empty(len(rows), dtype=object)
    cells[:] = rows
    return cells


def _nested_array(rows: list[Any]) -> Table:
    """Make a 2-D array of one list a user."""
    width = len(rows[0]) if isinstance(rows[0], list | tuple) else -1
    array: Table = np.empty((len(rows), max(width, 0)), dtype=object)
    for number, row in enumerate(rows):
        if not isinstance(row, list | tuple) or len(row) != width:
            msg = (
                "y as nested lists needs one list of equal length a user; "
                f"row {number} is {shortened(row)}"
            )
            raise TargetError(msg)
        for column, cell in enumerate(row):
            array[number, column] = cell
    return array


def _read_task(column: Table, name: str) -> Table:
    """Read the labels of a task; where one cell holds a set, all do."""
    labels = read_column(column, name)
    if not any(isinstance(label, frozenset) for label in labels):
        return labels
    for row, label in enumerate(labels):
        if label is not None and not isinstance(label, frozenset):
            msg = (
                f"task {name!r} holds sets of labels, so every labelled cell must be a "
                f"set, frozenset or list; row {row} is {shortened(label)}"
            )
            raise TargetError(msg)
    return labels
