"""Several systems on the same folds: scores, tables, p-values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sklearn_profiling.evaluation._drawing import (
    MARKS_LEGEND,
    draw_blocks,
    draw_cells,
    draw_html,
    mark_best,
    mark_cells,
)
from sklearn_profiling.evaluation.metrics import (
    F_METRICS,
    LOWER_IS_BETTER,
    FDefinition,
)
from sklearn_profiling.evaluation.significance import (
    CORRECTION_NAMES,
    METHOD_NAMES,
    Correction,
    SignificanceMethod,
    check_method,
    holm,
    paired_test,
)

SCORE_COLUMNS = (
    "system",
    "fold",
    "task",
    "metric",
    "value",
    "n_labelled",
    "n_train",
    "fit_seconds",
    "predict_seconds",
    "error",
)


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` measured.

    Parameters
    ----------
    scores : DataFrame
        One row per system, fold, task and metric, with the columns ``system``,
        ``fold`` (from 0), ``task``, ``metric``, ``value``, ``n_labelled`` (users
        scored), ``n_train`` (users of the training part who are labelled for the
        task), ``fit_seconds``, ``predict_seconds`` and ``error`` (the text of the
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
        failed = self.scores[self._failed]
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
            any fold has NaN: the mean of its lucky folds would flatter it. Of the log
            loss the columns' name says that lower is better.

        Raises
        ------
        ValueError
            If the metric was not measured or a weight names no task.
        """
        wide = self._by_fold(metric, weights)
        folds = wide.groupby(level="system", sort=False)
        result = folds.std(ddof=1) if spread else folds.mean()
        failed = self.failures["system"].unique()
        result.loc[result.index.isin(failed)] = np.nan
        direction = "lower is better" if metric in LOWER_IS_BETTER else None
        return result.reindex(self.systems).rename_axis(
            index="system", columns=direction
        )

    def significance(
        self,
        reference: str,
        metric: str = "accuracy",
        *,
        method: SignificanceMethod = "corrected",
        weights: Mapping[str, float] | None = None,
        correction: Correction | None = None,
    ) -> pd.DataFrame:
        """Test every system against one of them, fold by fold.

        Parameters
        ----------
        reference : str
            The system to compare with.
        metric : str, default="accuracy"
            One of the metrics that were measured.
        method : {"corrected", "t"}, default="corrected"
            As in :func:`paired_test`; the share of tested users, which the correction
            needs, is that of the labelled users of each task.
        weights : mapping of str to float, default=None
            Weight of each task in the column ``average``.
        correction : {"holm"} or None, default=None
            ``"holm"`` corrects the p-values of each column for the number of systems,
            so that the chance of any false difference in it is at most the level.

        Returns
        -------
        DataFrame of shape (n_systems, n_tasks + 1)
            Two-sided p-values; NaN for the reference and for systems without a score
            in some fold.

        Raises
        ------
        ValueError
            If the reference, the metric, the weights, the method or the correction is
            unknown, or there are fewer than 2 folds.

        See Also
        --------
        paired_test : The test and its assumptions.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn_profiling.baselines import (
        ...     MaskedMultiOutputClassifier,
        ...     make_majority_baseline,
        ... )
        >>> from sklearn_profiling.evaluation import compare
        >>> X = np.random.default_rng(0).normal(size=(60, 1))
        >>> y = np.where(X[:, 0] + 0.2 * np.sin(np.arange(60)) > 0, "f", "m")
        >>> systems = {
        ...     "majority": make_majority_baseline(),
        ...     "regression": MaskedMultiOutputClassifier(LogisticRegression()),
        ... }
        >>> result = compare(systems, X, y.astype(object), cv=5)
        >>> p_values = result.significance("majority")
        >>> bool(p_values.loc["regression", "task0"] < 0.01)
        True
        """
        check_method(method)
        if correction not in (None, "holm"):
            msg = f"correction must be 'holm' or None; got {correction!r}"
            raise ValueError(msg)
        if reference not in self.systems:
            msg = f"reference must be one of {self.systems}; got {reference!r}"
            raise ValueError(msg)
        wide = self._by_fold(metric, weights)
        shares = self._test_shares(metric)
        table: dict[str, list[float]] = {}
        for task in [*self.tasks, "average"]:
            folds = wide[task].unstack(level="system")
            whole = [s for s in self.systems if folds[s].notna().all()]
            table[task] = [
                paired_test(
                    folds[system],
                    folds[reference],
                    method=method,
                    test_fraction=shares[task],
                ).p_value
                if system != reference and {system, reference} <= set(whole)
                else np.nan
                for system in self.systems
            ]
            if correction == "holm":
                table[task] = holm(table[task]).tolist()
        return pd.DataFrame(table, index=pd.Index(self.systems, name="system"))

    def to_string(
        self,
        metric: str = "accuracy",
        *,
        weights: Mapping[str, float] | None = None,
        reference: str | None = None,
        method: SignificanceMethod = "corrected",
        correction: Correction | None = None,
        width: int | None = None,
    ) -> str:
        """Draw the table as text, mean ± standard deviation.

        ``>`` stands before the best of each column, if there are two systems or more.

        Parameters
        ----------
        metric : str, default="accuracy"
            One of the metrics that were measured.
        weights : mapping of str to float, default=None
            Weight of each task in the average.
        reference : str, default=None
            System to test the others against; what differs is marked, ``*`` for
            p < 0.05 and ``**`` for p < 0.01. None marks nothing.
        method : {"corrected", "t"}, default="corrected"
            The test, as in :meth:`significance`.
        correction : {"holm"} or None, default=None
            As in :meth:`significance`, within each column.
        width : int, default=None
            Characters of a line; columns that do not fit follow in blocks below. None
            draws one block.

        Returns
        -------
        str
            The table, what the marks mean with the test and its correction, and a line
            for each system that failed.
        """
        mean = self.table(metric, weights=weights)
        spread = self.table(metric, weights=weights, spread=True)
        worth = -mean if metric in LOWER_IS_BETTER else mean
        cells = mark_best(draw_cells(mean, spread), worth)
        lines = []
        if reference is not None:
            values = self.significance(
                reference,
                metric,
                method=method,
                weights=weights,
                correction=correction,
            )
            cells = mark_cells(cells, values)
            lines = [self._legend(reference, method, correction)]
        return "\n".join([draw_blocks(cells, width), *lines, *self._failure_lines()])

    def prf_table(
        self, *, definition: FDefinition = "f_of_averages", spread: bool = False
    ) -> pd.DataFrame:
        """Average macro precision, recall and F over the folds, as papers print them.

        Parameters
        ----------
        definition : {"f_of_averages", "average_of_f"}, default="f_of_averages"
            Which F, as in :func:`macro_prf`: 2PR / (P + R) of the averages, as in the
            Aux-LSTM paper, or the mean of the classes' F1, as in most others.
        spread : bool, default=False
            Whether to return the standard deviation over the folds instead.

        Returns
        -------
        DataFrame of shape (n_systems, 3 n_tasks)
            Columns (task, "P"), (task, "R") and (task, "F").

        Raises
        ------
        ValueError
            If the definition is unknown or one of the three was not measured.
        """
        parts = {
            letter: self.table(metric, spread=spread).drop(columns="average")
            for letter, metric in _prf_metrics(definition).items()
        }
        joined = pd.concat(parts, axis=1).swaplevel(axis=1)
        columns = [(task, letter) for task in self.tasks for letter in parts]
        result = joined[columns]
        result.columns.names = [None, None]
        return result

    def prf_to_string(
        self,
        *,
        definition: FDefinition = "f_of_averages",
        reference: str | None = None,
        method: SignificanceMethod = "corrected",
        correction: Correction | None = None,
        width: int | None = None,
    ) -> str:
        """Draw macro precision, recall and F of every task as text.

        ``>`` stands before the best of each column, if there are two systems or more.

        Parameters
        ----------
        definition : {"f_of_averages", "average_of_f"}, default="f_of_averages"
            Which F, as in :meth:`prf_table`.
        reference : str, default=None
            System to test the others against; an F that differs is marked.
        method : {"corrected", "t"}, default="corrected"
            The test, as in :meth:`significance`.
        correction : {"holm"} or None, default=None
            As in :meth:`significance`, within each column.
        width : int, default=None
            Characters of a line; columns that do not fit follow in blocks below. None
            draws one block.

        Returns
        -------
        str
            The table, what the marks mean with the test and its correction, and a line
            for each system that failed.
        """
        mean = self.prf_table(definition=definition)
        cells = mark_best(draw_cells(mean), mean)
        lines = []
        if reference is not None:
            metric = _prf_metrics(definition)["F"]
            values = self.significance(
                reference, metric, method=method, correction=correction
            )
            values = values.drop(columns="average")
            values.columns = pd.MultiIndex.from_product([values.columns, ["F"]])
            cells = mark_cells(cells, values)
            lines = [self._legend(reference, method, correction)]
        return "\n".join([draw_blocks(cells, width), *lines, *self._failure_lines()])

    def __str__(self) -> str:
        """Draw the first metric's table."""
        return self.to_string(self.scores["metric"].iloc[0])

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, metric: str | None = None) -> str:
        """Draw a table with marks of what is best and what differs, as HTML.

        Parameters
        ----------
        metric : str, default=None
            One of the metrics that were measured; None is the first.

        Returns
        -------
        str
            One ``div`` element; names are escaped.

        Raises
        ------
        ValueError
            If the metric was not measured.
        """
        metric = self.scores["metric"].iloc[0] if metric is None else metric
        mean = self.table(metric)
        cells = draw_cells(mean, self.table(metric, spread=True))
        worth = -mean if metric in LOWER_IS_BETTER else mean
        p_values = self._against_best(metric)
        legend = f"{metric}, mean ± standard deviation over the folds; best in bold"
        if p_values.notna().any(axis=None):
            legend += f"; differs from the best of its column: {MARKS_LEGEND}"
        return draw_html(cells, worth, p_values, [legend, *self._failure_lines()])

    def plot(
        self, metric: str | None = None, *, task: str = "average", ax: Any = None
    ) -> Any:
        """Draw the systems' means with their intervals; needs the extra ``plots``.

        Parameters
        ----------
        metric : str, default=None
            One of the metrics that were measured; None is the first.
        task : str, default="average"
            A task, or ``"average"`` over the tasks.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ComparisonDisplay
            The picture, with ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If the metric was not measured or there is no such task.
        MissingDependencyError
            If matplotlib is not installed.

        See Also
        --------
        ComparisonDisplay : The intervals and the marks.
        """
        from sklearn_profiling.evaluation.displays import ComparisonDisplay

        return ComparisonDisplay.from_comparison(self, metric, task=task, ax=ax)

    def summary(
        self, metric: str | None = None, *, confidence: float = 0.95
    ) -> pd.DataFrame:
        """List mean, interval and difference from the best of every system and task.

        Parameters
        ----------
        metric : str, default=None
            One of the metrics that were measured; None is the first.
        confidence : float, default=0.95
            Level of the intervals, in (0, 1).

        Returns
        -------
        DataFrame of shape (n_systems * (n_tasks + 1), 6)
            Columns ``system``, ``task`` (``"average"`` last), ``mean``, ``low``,
            ``high`` and ``p_value`` of the difference from the best of the task; NaN
            for the best itself, for systems that failed and where there is one fold.
            The intervals are wider than the spread over the folds by the correction of
            :func:`paired_test`.

        Raises
        ------
        ValueError
            If the metric was not measured or the confidence is out of its range.
        """
        if not 0 < confidence < 1:
            msg = f"confidence must lie between 0 and 1; got {confidence!r}"
            raise ValueError(msg)
        metric = self.scores["metric"].iloc[0] if metric is None else metric
        mean, spread = self.table(metric), self.table(metric, spread=True)
        shares = self._test_shares(metric)
        n_folds = self.scores["fold"].nunique()
        width = stats.t.ppf((1 + confidence) / 2, max(n_folds - 1, 1))
        half = spread * width * np.sqrt(1 / n_folds + shares / (1 - shares))
        columns = {
            "mean": mean,
            "low": mean - half[mean.columns],
            "high": mean + half[mean.columns],
            "p_value": self._against_best(metric),
        }
        long = pd.DataFrame({name: each.unstack() for name, each in columns.items()})
        order = pd.MultiIndex.from_product([mean.columns, self.systems])
        long = long.reindex(order).rename_axis(["task", "system"]).reset_index()
        return long[["system", "task", *columns]]

    def _against_best(self, metric: str) -> pd.DataFrame:
        """Test every system against the best of each column; NaN with one fold."""
        mean = self.table(metric)
        worth = -mean if metric in LOWER_IS_BETTER else mean
        p_values = mean * np.nan
        if self.scores["fold"].nunique() < 2:
            return p_values
        for column in mean:
            if worth[column].notna().any():
                best = worth[column].idxmax()
                p_values[column] = self.significance(str(best), metric)[column]
        return p_values

    def _by_fold(
        self, metric: str, weights: Mapping[str, float] | None
    ) -> pd.DataFrame:
        """Lay one metric out: systems and folds by tasks and their average."""
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
        return wide

    def _test_shares(self, metric: str) -> pd.Series[float]:
        """Find the share of the labelled users that one fold tests, task by task."""
        rows = self.scores[(self.scores["metric"] == metric) & ~self._failed]
        users = rows.groupby("task")[["n_labelled", "n_train"]].sum()
        users.loc["average"] = users.sum()
        return users["n_labelled"] / users.sum(axis=1)

    @property
    def _failed(self) -> pd.Series[bool]:
        return self.scores["error"].notna()

    def _legend(
        self, reference: str, method: SignificanceMethod, correction: Correction | None
    ) -> str:
        n_folds = self.scores["fold"].nunique()
        n_tests = len(self.systems) - 1
        corrected = f", not corrected for {n_tests} tests" if n_tests > 1 else ""
        if correction is not None:
            corrected = f", {CORRECTION_NAMES[correction]}"
        details = f"{METHOD_NAMES[method]}, {n_folds} folds{corrected}"
        return f"differs from {reference}: {MARKS_LEGEND} ({details})"

    def _failure_lines(self) -> list[str]:
        lines = []
        for system, rows in self.failures.groupby("system", sort=False):
            folds = ", ".join(map(str, rows["fold"]))
            lines.append(f"{system} failed in fold {folds}: {rows['error'].iloc[0]}")
        return lines


def _prf_metrics(definition: FDefinition) -> dict[str, str]:
    """Name the three metrics of a definition of F."""
    if definition not in F_METRICS:
        msg = f"definition must be one of {sorted(F_METRICS)}; got {definition!r}"
        raise ValueError(msg)
    return {"P": "macro_precision", "R": "macro_recall", "F": F_METRICS[definition]}


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
