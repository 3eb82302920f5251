"""The one cross-validation that all sections of a report share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from sklearn_profiling.evaluation._contents import checked_users
from sklearn_profiling.evaluation._users import ids_of
from sklearn_profiling.evaluation.comparison import SCORE_COLUMNS, Comparison
from sklearn_profiling.evaluation.duplicates import warn_of_shared_text
from sklearn_profiling.evaluation.metrics import METRICS, task_report
from sklearn_profiling.evaluation.prediction import (
    FoldPrediction,
    joined_folds,
    predict_folds,
)
from sklearn_profiling.evaluation.running import compare, fold_records, named_systems
from sklearn_profiling.evaluation.splits import (
    Fold,
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    make_folds,
)
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.targets import LabelCodec, label_table

__all__ = ["OutOfFold", "cross_validate_once", "read_users"]

_MEASURED = (*METRICS, "log_loss")


@dataclass(frozen=True)
class OutOfFold:
    """Users, and what models that had not seen a user predict of it.

    ``tested`` are the rows in some test part; ``y``, ``predictions`` and
    ``probabilities`` are those of these rows. ``model_of`` has the number of the model
    of each, in ``models``.
    """

    X: pd.DataFrame
    ids: list[Any]
    all_y: pd.DataFrame
    folds: list[Fold]
    tested: NDArray[np.int64]
    y: pd.DataFrame
    predictions: pd.DataFrame
    probabilities: list[NDArray[np.float64]]
    classes: list[NDArray[Any]]
    models: list[Any]
    model_of: NDArray[np.int64]
    comparison: Comparison


def read_users(X: Any, y: Any, id_column: str | None) -> tuple[pd.DataFrame, Any]:
    """Return users and labels, checked; SourceError if users are no table."""
    X, y = checked_users(X, y, id_column)
    if not isinstance(X, pd.DataFrame):
        msg = f"X must be a table of users; got {type(X).__name__}"
        raise SourceError(msg)
    return X, y


def cross_validate_once(
    pipeline: Any,
    X: pd.DataFrame,
    y: Any,
    *,
    name: str,
    systems: Any,
    cv: Any,
    groups: Any,
    id_column: str | None,
    n_jobs: int | None,
    seed: int,
) -> OutOfFold:
    """Predict every user by a model that has not seen it, and compare with others."""
    if not hasattr(pipeline, "predict_proba"):
        msg = f"{type(pipeline).__name__} does not predict probabilities"
        raise SourceError(msg)
    codec = LabelCodec.learn(y)
    folds = make_folds(_splitter(cv, groups, seed, id_column), X, y, groups, id_column)
    outputs = predict_folds(
        _seeded(pipeline, seed), X, y, folds, codec, n_jobs, keep_models=True
    )
    found = joined_folds(folds, outputs, codec, len(X))
    table, tasks, _ = label_table(y)
    all_y = pd.DataFrame(table, columns=tasks, dtype=object)
    own = _scores(name, y, codec, folds, outputs)
    others = {} if isinstance(systems, Comparison) else _beside(systems, name, X)
    comparison = Comparison(own)
    if isinstance(systems, Comparison):
        comparison = _checked(systems, tasks)
    if others:
        parts = [(fold.train, fold.test) for fold in folds]
        found_there = compare(
            {each: _seeded(system, seed) for each, system in others.items()},
            X,
            y,
            cv=parts,
            id_column=id_column,
            metrics=_MEASURED,
            n_jobs=n_jobs,
        )
        both = pd.concat([own, found_there.scores], ignore_index=True)
        comparison = Comparison(both)
    else:
        warn_of_shared_text(X, folds)
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    model_of = np.full(len(X), -1)
    for fold in folds:
        model_of[fold.test] = fold.number
    predicted = np.asarray(found.predictions, dtype=object).reshape(len(X), -1)
    ids = ids_of(X, id_column)
    return OutOfFold(
        X,
        list(range(len(X))) if ids is None else ids.tolist(),
        all_y,
        folds,
        tested,
        all_y.iloc[tested].reset_index(drop=True),
        pd.DataFrame(predicted[tested], columns=tasks, dtype=object),
        [each[tested] for each in found.probabilities],
        found.classes,
        [output.model for output in outputs],
        model_of[tested],
        comparison,
    )


def _splitter(cv: Any, groups: Any, seed: int, id_column: str | None) -> Any:
    """Return a splitter for a number of folds, and anything else as it is."""
    if cv is not None and not isinstance(cv, int | np.integer):
        return cv
    kind = MultiTaskStratifiedKFold if groups is None else MultiTaskStratifiedGroupKFold
    n_splits = kind().n_splits if cv is None else int(cv)
    return kind(n_splits, random_state=seed, id_column=id_column)


def _seeded(system: Any, seed: int) -> Any:
    """Clone a system and give every ``random_state`` of None the seed."""
    made = clone(system)
    found = {
        name: seed
        for name, value in made.get_params(deep=True).items()
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    return made.set_params(**found) if found else made


def _beside(systems: Any, name: str, X: pd.DataFrame) -> dict[str, Any]:
    """Return the systems to compare with, the usual baselines for None."""
    if systems is None:
        # The one import of a neighbour: baselines know nothing of evaluation.
        from sklearn_profiling.baselines import (
            make_majority_baseline,
            make_tfidf_baseline,
        )

        found: dict[str, Any] = {"majority class": make_majority_baseline()}
        if "messages" in X:
            found["TF-IDF"] = make_tfidf_baseline()
        return {each: system for each, system in found.items() if each != name}
    found = {} if systems in ([], (), {}) else named_systems(systems)
    if name in found:
        msg = f"systems must not hold {name!r}, the name of the pipeline itself"
        raise ValueError(msg)
    return found


def _checked(comparison: Comparison, tasks: list[str]) -> Comparison:
    if comparison.tasks != tasks:
        msg = (
            f"the comparison in systems has the tasks {comparison.tasks}, y has {tasks}"
        )
        raise TargetError(msg)
    return comparison


def _scores(
    name: str,
    y: Any,
    codec: LabelCodec,
    folds: list[Fold],
    outputs: list[FoldPrediction],
) -> pd.DataFrame:
    """Score the pipeline fold by fold, as `compare` does."""
    records = []
    for fold, output in zip(folds, outputs, strict=True):
        common: Mapping[str, Any] = {
            "system": name,
            "fold": fold.number,
            "error": None,
            "fit_seconds": output.fit_seconds,
            "predict_seconds": output.predict_seconds,
        }
        predicted = output.predictions
        report = task_report(
            _safe_indexing(y, fold.test),
            predicted[:, 0] if codec.one_dimensional else predicted,
            metrics=_MEASURED,
            y_proba=output.probabilities,
            classes=codec.classes,
        )
        y_train = _safe_indexing(y, fold.train)
        records += fold_records(dict(common), y_train, report, list(_MEASURED))
    return pd.DataFrame(records, columns=list(SCORE_COLUMNS))
