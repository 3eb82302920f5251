"""The report on a system: tables, and a page to read."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling._writing import write_atomically
from sklearn_profiling.evaluation.bootstrap import bootstrap_report, check_resampling
from sklearn_profiling.evaluation.calibration import (
    calibration_report,
    reliability_table,
    risk_coverage,
)
from sklearn_profiling.evaluation.classes import confusion_tables
from sklearn_profiling.evaluation.comparison import Comparison
from sklearn_profiling.evaluation.explanation import Explanation
from sklearn_profiling.evaluation.fairness import group_report
from sklearn_profiling.evaluation.metrics import task_report
from sklearn_profiling.evaluation.report._cases import cases_of, explanations_of
from sklearn_profiling.evaluation.report._data import quality_of, sources_of, summary_of
from sklearn_profiling.evaluation.report._folds import cross_validate_once, read_users
from sklearn_profiling.evaluation.report._page import page_of_report
from sklearn_profiling.exceptions import TargetError, shortened
from sklearn_profiling.targets import label_table

__all__ = ["ProfilingReport"]

_MOST_GROUPS = 50
_SHARES = (0.5, 0.8, 1.0)
_MOST_EXPLAINED = 40  # messages, images, words and neighbours left out one by one


class ProfilingReport:
    """Cross-validate a system and report on it: how good, how sure, wrong for whom.

    Every figure is of users that the model had not seen, all from one
    cross-validation. The tables are DataFrames, and :meth:`to_html` writes them, with
    pictures and explained users, as one page without scripts and requests.

    Parameters
    ----------
    pipeline : estimator
        Classifier or Pipeline with ``predict_proba``. A clone of it is fitted per fold.
    X : DataFrame
        Users, one row each.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    cv : int, splitter or iterable of (train, test), default=None
        As for :func:`compare`, but that folds of an integer are drawn by
        `random_state`. A user may be in one test part at most.
    systems : mapping of str to estimator, list of estimator, Comparison or None, \
default=None
        What to compare with, on the same folds. None is the majority class and,
        where there are ``messages``, the linear classifier of
        :func:`~sklearn_profiling.baselines.make_tfidf_baseline`. A Comparison is shown
        as it is.
    fairness_by : str, list of str or array-like of shape (n_users,), default=None
        Groups of users: columns of `X` or tasks by name, or one group a user. A task
        is not compared by its own groups. None leaves fairness out.
    groups : array-like of shape (n_users,), default=None
        Group of each user, for the splitter.
    id_column : str or None, default=None
        Column, or name of the index, of ``X`` with the ids of the users. None is
        ``"user_id"`` where there is one.
    name : str, default="pipeline"
        What the system is called.
    n_explained : int, default=2
        Number of users to explain for each task, of those predicted wrongly with most
        confidence, and as many predicted rightly. 0 keeps all messages out of the page.
    n_bootstrap : int, default=1000
        Number of draws of the bootstrap intervals.
    level : float, default=0.95
        Confidence level of the intervals.
    random_state : int, RandomState instance or None, default=0
        Decides folds, draws, and every ``random_state`` of the systems that is None.
    n_jobs : int, default=None
        Number of folds to fit at a time, as in joblib.

    Attributes
    ----------
    summary : DataFrame
        One row a task: ``n_labelled``, ``n_missing``, ``n_classes``, ``most_frequent``
        class and ``its_share``.
    sources : DataFrame
        One row a column, and one for the network that the system reads: what it
        ``holds``, ``n_users`` who have something there, ``n_missing`` who have not, and
        where cells are lists the ``median`` and ``most`` that a user has.
    quality : DataFrame
        Near duplicates, leakage and users without labels: ``n_users`` and ``note``.
    comparison : DataFrame
        ``Comparison.summary`` of each metric: means, intervals, p values.
    compared : Comparison
        The systems on the folds.
    by_task, by_class, confusion : DataFrame, DataFrame and dict of DataFrame
        As of :func:`bootstrap_report`, of :func:`task_report` with ``by="class"`` and
        of :func:`confusion_tables`.
    calibration, reliability, coverage : DataFrame
        As of :func:`calibration_report`, :func:`reliability_table` and
        :func:`risk_coverage`.
    fairness, gaps : DataFrame or None
        As ``by_group`` and ``gaps`` of :func:`group_report`.
    cases : DataFrame
        The explained users: "task", "kind", "user", "row", "label", "predicted",
        "confidence" and the number of the fold's "model".
    explanations : list of Explanation
        One a row of `cases`, by a model that had not seen the user. None where the
        system fails on users who lack something.
    y, predictions, probabilities, classes : DataFrame, DataFrame, list and list
        Of the users in test parts, labels and out-of-fold predictions.
    name, steps, n_users, n_folds, seed
        How the report was made.

    Raises
    ------
    SourceError
        If the pipeline does not predict probabilities, or `X` is no table of users.
    TargetError
        If ``X`` and ``y`` are not of the same users, a user is tested twice, there are
        more than 50 groups or a group is neither column nor task.
    ValueError
        If a parameter is out of its range, or a system has the name of the pipeline.

    Warns
    -----
    DataQualityWarning
        If users are tested whose very messages stand in the training part.
    ProfilingWarning
        For each fold in which a system that is compared failed; if no user could be
        explained.

    See Also
    --------
    model_card : The figures as a page of Markdown.
    compare : Several systems, without what follows here.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_tfidf_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> from sklearn_profiling.evaluation import ProfilingReport
    >>> users = make_user_profiles(60, missing_labels=0.2, random_state=0)
    >>> report = ProfilingReport(
    ...     make_tfidf_baseline(),
    ...     users.data,
    ...     users.target[["gender", "age"]],
    ...     cv=3,
    ...     systems=[],
    ...     n_explained=0,
    ...     n_bootstrap=50,
    ... )
    >>> report.summary[["n_labelled", "n_missing", "n_classes"]]
            n_labelled  n_missing  n_classes
    task
    gender          49         11          2
    age             46         14          3
    """

    def __init__(
        self,
        pipeline: Any,
        X: Any,
        y: Any,
        *,
        cv: Any = None,
        systems: Any = None,
        fairness_by: Any = None,
        groups: Any = None,
        id_column: str | None = None,
        name: str = "pipeline",
        n_explained: int = 2,
        n_bootstrap: int = 1000,
        level: float = 0.95,
        random_state: RandomState = 0,
        n_jobs: int | None = None,
    ) -> None:
        _check_explained(n_explained)
        check_resampling(n_bootstrap, level)
        # An integer is the seed itself: folds are those of a splitter with it.
        self.seed = (
            int(random_state)
            if isinstance(random_state, int | np.integer)
            else derive_seed(random_state)
        )
        self.name = name
        users, y = read_users(X, y, id_column)
        cells = None if fairness_by is None else _groups_of(fairness_by, users, y)
        found = cross_validate_once(
            pipeline,
            users,
            y,
            name=name,
            systems=systems,
            cv=cv,
            groups=groups,
            id_column=id_column,
            n_jobs=n_jobs,
            seed=self.seed,
        )
        self.steps = _steps_of(pipeline)
        self.n_users, self.n_folds = len(found.X), len(found.folds)
        self.y, self.predictions = found.y, found.predictions
        self.probabilities, self.classes = found.probabilities, found.classes
        self.compared = found.comparison
        self._measure(n_bootstrap, level)
        self.fairness: pd.DataFrame | None = None
        self.gaps: pd.DataFrame | None = None
        if cells is not None:
            tested = cells.iloc[found.tested].reset_index(drop=True)
            self._compare_groups(tested, n_bootstrap, level)
        self.summary = summary_of(found.all_y)
        self.sources = sources_of(found.X, found.ids, pipeline)
        self.quality = quality_of(found.X, found.all_y, found.folds, self.seed)
        self.cases = cases_of(found, n_explained)
        self.explanations: list[Explanation] = explanations_of(
            found, self.cases, _MOST_EXPLAINED
        )

    def _measure(self, n_bootstrap: int, level: float) -> None:
        """Measure what labels and predictions say."""
        likely = (self.y, self.probabilities, self.classes)
        self.comparison = _comparison_table(self.compared, level)
        self.by_task = bootstrap_report(
            self.y,
            self.predictions,
            n_bootstrap=n_bootstrap,
            level=level,
            random_state=self.seed,
        )
        self.by_class = task_report(
            self.y,
            self.predictions,
            y_proba=self.probabilities,
            classes=self.classes,
            by="class",
        )
        self.confusion = confusion_tables(self.y, self.predictions)
        self.calibration = calibration_report(*likely)
        self.reliability = reliability_table(*likely)
        self.coverage = risk_coverage(*likely, coverages=_SHARES)

    def _compare_groups(
        self, cells: pd.DataFrame, n_bootstrap: int, level: float
    ) -> None:
        """Measure for whom the system errs."""
        kept = [n for n, task in enumerate(self.y) if task not in cells]
        found = group_report(
            self.y.iloc[:, kept],
            self.predictions.iloc[:, kept],
            cells,
            y_proba=[self.probabilities[number] for number in kept],
            classes=[self.classes[number] for number in kept],
            n_bootstrap=n_bootstrap,
            level=level,
            random_state=self.seed,
        )
        self.fairness, self.gaps = found.by_group, found.gaps

    def to_html(
        self,
        path: str | PathLike[str] | None = None,
        *,
        title: str = "Profiling report",
    ) -> str:
        """Write the report as one page; needs the extra ``plots``.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write; None writes none.
        title : str, default="Profiling report"
            What stands above, cut to 60 characters.

        Returns
        -------
        str
            The page: no script, no request to any host, all text escaped. The same
            report has the same bytes.

        Raises
        ------
        MissingDependencyError
            If jinja2 or matplotlib is not installed.
        """
        page = page_of_report(self, title)
        if path is not None:
            with write_atomically(Path(path)) as file:
                file.write(page.encode("utf-8"))
        return page

    def _repr_html_(self) -> str:
        """Show the page in a frame, apart from the styles of a notebook."""
        return (
            '<iframe sandbox title="Profiling report" '
            'style="width: 100%; height: 45em; border: 0" '
            f'srcdoc="{escape(self.to_html())}"></iframe>'
        )

    def __repr__(self) -> str:
        """Show the scores of the tasks."""
        scores = self.by_task["value"].unstack(sort=False).round(3).to_string()
        return f"{self.name}, {self.n_users} users, {self.n_folds} folds\n{scores}"


def _check_explained(n_explained: Any) -> None:
    if (
        isinstance(n_explained, bool)
        or not isinstance(n_explained, int | np.integer)
        or n_explained < 0
    ):
        msg = f"n_explained must be a whole number from 0 up; got {n_explained!r}"
        raise ValueError(msg)


def _steps_of(pipeline: Any) -> list[str]:
    """Name the classes of a Pipeline's steps."""
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else [("", pipeline)]
    return [type(step).__name__ for _, step in steps]


def _comparison_table(compared: Comparison, level: float) -> pd.DataFrame:
    """Lay the summaries of all metrics below each other."""
    metrics = list(dict.fromkeys(compared.scores["metric"]))
    parts = []
    for metric in metrics:
        part = compared.summary(metric, confidence=level)
        part.insert(0, "metric", metric)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _groups_of(fairness_by: Any, X: pd.DataFrame, y: Any) -> pd.DataFrame:
    """Return the groups of the users, a column a level."""
    table, tasks, _ = label_table(y)
    known = {str(name): X.iloc[:, place].tolist() for place, name in enumerate(X)}
    known |= {task: table[:, place].tolist() for place, task in enumerate(tasks)}
    names = [fairness_by] if isinstance(fairness_by, str) else fairness_by
    if isinstance(names, list) and names and all(str(name) in known for name in names):
        columns = {str(name): known[str(name)] for name in names}
        cells = pd.DataFrame(columns, dtype=object)
    elif isinstance(fairness_by, str):
        msg = (
            f"fairness_by must name a task or a column of X, {list(known)}; got "
            f"{shortened(fairness_by)}"
        )
        raise TargetError(msg)
    else:
        groups, levels, one = label_table(fairness_by)
        named = hasattr(fairness_by, "columns") or getattr(fairness_by, "name", None)
        levels = ["group"] if one and not named else levels
        cells = pd.DataFrame(groups, columns=levels, dtype=object)
    if len(cells) != len(X):
        msg = (
            f"fairness_by must name tasks or columns of X, {list(known)}, or have one "
            f"entry a user, {len(X)}; got {len(cells)}"
        )
        raise TargetError(msg)
    if set(tasks) <= set(cells):
        msg = "fairness_by must leave a task that is compared; it names all of them"
        raise TargetError(msg)
    n_groups = len(set(cells.astype(str).itertuples(index=False, name=None)))
    if n_groups > _MOST_GROUPS:
        msg = (
            f"fairness_by has {n_groups} groups, and {_MOST_GROUPS} at most can be "
            "compared; join small ones, or bin numbers first"
        )
        raise TargetError(msg)
    return cells
