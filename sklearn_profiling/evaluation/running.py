"""Cross-validation of several systems on the same folds, resumed where it stopped."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import PathLike
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from tqdm.auto import tqdm

from sklearn_profiling._cluster import SentOnce
from sklearn_profiling._config import config_context, get_config
from sklearn_profiling._processes import Parallel
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.evaluation._contents import checked_users
from sklearn_profiling.evaluation._pairs import labelled_cells
from sklearn_profiling.evaluation._probabilities import predict_tasks
from sklearn_profiling.evaluation._stored_results import Record, ResultStore
from sklearn_profiling.evaluation.comparison import SCORE_COLUMNS, Comparison
from sklearn_profiling.evaluation.duplicates import warn_of_shared_text
from sklearn_profiling.evaluation.metrics import (
    METRICS,
    Metric,
    named_metrics,
    needs_probabilities,
    one_of_a_name,
    task_report,
)
from sklearn_profiling.evaluation.splits import Fold, make_folds
from sklearn_profiling.exceptions import ProfilingWarning, TargetError, shortened
from sklearn_profiling.targets import Table, label_table

_LONGEST_ERROR = 500
OnFold = Callable[[str, int, pd.DataFrame], None]


def compare(
    systems: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = None,
    groups: Any = None,
    id_column: str | None = None,
    metrics: Metric | Sequence[Metric] = METRICS,
    n_jobs: int | None = None,
    error_score: Literal["raise", "report"] = "report",
    verbose: int = 0,
    on_fold: OnFold | None = None,
    results_folder: str | PathLike[str] | None = None,
) -> Comparison:
    """Cross-validate several systems on the same folds.

    Parameters
    ----------
    systems : mapping of str to estimator, list of estimator, or estimator
        Classifiers or Pipelines by name. A clone is fitted per fold. Without names a
        system is called by the class of its last step, with that of an inner estimator
        in brackets, and with " (2)" if the name is taken.
    X : array-like
        Users: DataFrame, array, sparse matrix, list or any container that
        scikit-learn can take rows of.
    y : DataFrame, Series or array-like of shape (n_users,) or (n_users, n_tasks)
        Labels; None, NaN and ``pd.NA`` are missing.
    cv : int, splitter or iterable of (train, test), default=None
        An integer is the number of folds of a :class:`MultiTaskStratifiedKFold` with
        ``random_state=0``, or :class:`MultiTaskStratifiedGroupKFold` with ``groups``;
        None means 5 folds, scikit-learn's number. The folds are made once, for all
        systems.
    groups : array-like of shape (n_users,), default=None
        Group of each user, for the splitter.
    id_column : str or None, default=None
        Column, or name of the index, of ``X`` with the ids of the users. None is
        ``"user_id"`` where there is one.
    metrics : str, callable or sequence of them, default=the five of `task_report`
        What to measure: names and functions as in :func:`task_report`. ``"log_loss"``
        and ``"roc_auc"`` need systems with ``predict_proba``.
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
    results_folder : str or path-like, default=None
        Folder in which each finished fold is stored, as JSON. A later call with the
        same folder takes from there what is finished and fits only what is not, so
        that a comparison goes on after an interrupt and grows system by system. None
        stores nothing.

    Returns
    -------
    Comparison
        The scores and tables made of them.

    Raises
    ------
    ValueError
        If there is no system, or a metric or ``error_score`` is unknown, or a system
        or the data cannot be hashed for ``results_folder``.
    TargetError
        If the labels cannot be split, ``X`` and ``y`` are not of the same users, a user
        is in the training and the test part of a fold, or a task has no label in the
        training part of a fold.
    SourceError
        If a user's messages or images are none.

    Warns
    -----
    DataQualityWarning
        If there are nulls among a user's messages or images, which are left out; if
        users are tested whose very messages stand in the training part.
    ProfilingWarning
        For each fold in which a system failed; if the results folder holds results of
        a system of the same name that were made otherwise, or a damaged file.

    See Also
    --------
    paired_test : The test behind ``Comparison.significance``.

    Notes
    -----
    Each fit runs on one thread of BLAS and torch, so that the scores are the same on
    any number of cores and for any ``n_jobs``;
    ``sklearn_profiling.set_config(deterministic=False)`` gives it all cores.

    A stored fold is taken if the system's name, class and parameters, the users and
    labels, the rows of the fold, the metrics beside the five that every result has,
    and the version of this package are those it was made with; parameters that
    change no result (``memory``, ``n_jobs``, ``verbose``) may differ, though not
    ``n_jobs`` of ``Word2VecTransformer``. Anything else is fitted anew, and what is
    in the folder stays there. Failed folds are not stored: the next call tries them
    again. Images that are given as paths count by path. A system without a
    ``random_state`` would give other scores each time; its stored ones are those of
    the first.

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
    systems = named_systems(systems)
    named = named_metrics(metrics)
    if error_score not in ("raise", "report"):
        msg = f"error_score must be 'report' or 'raise'; got {error_score!r}"
        raise ValueError(msg)
    X, y = checked_users(X, y, id_column)
    table, tasks, _ = label_table(y)
    folds = make_folds(cv, X, y, groups, id_column)
    _check_learnable(table, tasks, folds)
    warn_of_shared_text(X, folds)
    names = list(systems)
    measured = {**{name: name for name in METRICS}, **named}
    store = None
    if results_folder is not None:
        further = {name: m for name, m in named.items() if name not in METRICS}
        store = ResultStore.open(results_folder, systems, X, y, further)
        store.warn_of_strangers(folds)
    records: list[Record] = []
    run = partial(
        _run_in_config,
        {"deterministic": get_config()["deterministic"]},
        error_score=error_score,
        metrics=measured,
    )
    results = _results(systems, run, SentOnce((X, y)), folds, store, n_jobs)
    bar = tqdm(
        results,
        total=len(folds) * len(names),
        disable=verbose <= 0,
        desc="compare",
        unit="fit",
    )
    with closing(results):
        for rows in bar:
            wanted = [row for row in rows if row["metric"] in named]
            wanted.sort(key=lambda row: list(named).index(row["metric"]))
            records += wanted
            _report_fold(wanted, on_fold)
    order = {name: i for i, name in enumerate(names)}
    place = {task: i for i, task in enumerate(tasks)}
    records.sort(
        key=lambda row: (order[row["system"]], row["fold"], place[row["task"]])
    )
    return Comparison(pd.DataFrame(records, columns=list(SCORE_COLUMNS)))


def _check_learnable(table: Table, tasks: Sequence[str], folds: Sequence[Fold]) -> None:
    """Refuse a task that no system could learn in some fold."""
    labelled = labelled_cells(table)
    for fold in folds:
        empty = ~labelled[fold.train].any(axis=0)
        if not empty.any():
            continue
        task = int(empty.argmax())
        n_labelled = int(labelled[:, task].sum())
        msg = (
            f"task {tasks[task]!r} has no label in the training part of fold "
            f"{fold.number}: {n_labelled} of {len(table)} users are labelled. Leave "
            "it out, or choose other folds"
        )
        raise TargetError(msg)


def _results(
    systems: Mapping[str, Any],
    run: Callable[..., list[Record]],
    users: SentOnce,
    folds: Sequence[Fold],
    store: ResultStore | None,
    n_jobs: int | None,
) -> Generator[list[Record], None, None]:
    """Yield the rows of every system and fold, first those that are stored."""
    todo: list[tuple[str, Fold]] = []
    for fold in folds:
        for name in systems:
            stored = None if store is None else store.load(name, fold)
            if stored is None:
                todo.append((name, fold))
            else:
                yield stored
    by_number = {fold.number: fold for fold in folds}
    once = {name: SentOnce(clone(systems[name])) for name in dict(todo)}
    # In the order of completion, so that progress is shown when it is made.
    results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(run)(name, once[name], users, fold=fold) for name, fold in todo
    )
    with closing(results):  # an interrupt ends the workers
        for rows in results:
            if store is not None and rows[0]["error"] is None:
                store.save(by_number[rows[0]["fold"]], rows)
            yield rows


def _run_in_config(
    config: Mapping[str, bool], *args: Any, **kwargs: Any
) -> list[Record]:
    """Run a fold under options of the caller, which a worker does not know.

    A worker trains alone: it is none of the processes of a launch.
    """
    with config_context(**config), fixed_threads():
        return _run_fold(*args, **kwargs)


def _run_fold(
    system: str,
    estimator: SentOnce,
    users: SentOnce,
    *,
    fold: Fold,
    error_score: str,
    metrics: Mapping[str, Metric],
) -> list[Record]:
    """Fit and score one system on one fold; one record per task and metric."""
    X, y = users.value
    y_train, y_test = _safe_indexing(y, fold.train), _safe_indexing(y, fold.test)
    tasks = label_table(y_train)[1]
    common: Record = {"system": system, "fold": fold.number, "error": None}
    fitted = clone(estimator.value)
    started = time.perf_counter()
    try:
        fitted.fit(_safe_indexing(X, fold.train), y_train)
        between = time.perf_counter()
        X_test = _safe_indexing(X, fold.test)
        y_pred = fitted.predict(X_test)
        common["fit_seconds"] = between - started
        common["predict_seconds"] = time.perf_counter() - between
        y_proba, classes = None, None
        if needs_probabilities(metrics):
            pairs = predict_tasks(fitted, X_test, tasks)
            y_proba, classes = zip(*pairs, strict=True)
        report = task_report(
            y_test,
            y_pred,
            metrics=list(metrics.values()),
            y_proba=y_proba,
            classes=classes,
        )
    # Any fault of one system: it is reported, and the other systems go on.
    except Exception as error:
        if error_score == "raise":
            raise
        # Errors of other packages may repeat all that a user wrote.
        text = f"{type(error).__name__}: {error}"
        longer = len(text) > _LONGEST_ERROR
        common["error"] = f"{text[: _LONGEST_ERROR - 3]}..." if longer else text
        index = pd.Index(tasks, name="task")
        report = pd.DataFrame(np.nan, index=index, columns=["n_labelled", *metrics])
    return fold_records(common, y_train, report, list(metrics))


def fold_records(
    common: Record, y_train: Any, report: pd.DataFrame, metrics: Sequence[str]
) -> list[Record]:
    """Return one record per task and metric of a fold's report."""
    table, tasks, _ = label_table(y_train)
    n_train = labelled_cells(table).sum(axis=0)
    return [
        {
            **common,
            "task": task,
            "metric": metric,
            "value": float(row[metric]),
            "n_labelled": float(row["n_labelled"]),
            "n_train": int(n),
        }
        for task, n, row in zip(tasks, n_train, report.to_dict("records"), strict=True)
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


def named_systems(systems: Any) -> dict[str, Any]:
    """Return systems by name; ValueError if there is none, or one is no classifier."""
    if isinstance(systems, Mapping):
        named = {str(name): system for name, system in systems.items()}
    else:
        named = {}
        for system in systems if isinstance(systems, list | tuple) else [systems]:
            named[one_of_a_name(_system_name(system), named)] = system
    if not named:
        msg = "systems must hold one estimator at least"
        raise ValueError(msg)
    for name, system in named.items():
        if isinstance(system, type) or not hasattr(system, "fit"):
            msg = (
                "systems must be a classifier, a list of classifiers, or a mapping "
                f"from names to classifiers; {name!r} is {shortened(system)}"
            )
            raise ValueError(msg)
    return named


def _system_name(system: Any) -> str:
    """Name a system by the class of its last step and of the estimator in that."""
    while isinstance(system, Pipeline):
        system = system.steps[-1][1]
    name = type(system).__name__
    inner = getattr(system, "estimator", None)
    return name if inner is None else f"{name}({_system_name(inner)})"
