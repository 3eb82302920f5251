"""Posteriors of the first stage of stacking, directly and out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import validate_data

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._processes import Parallel
from sklearn_profiling._seeding import RandomState
from sklearn_profiling.baselines._inner_folds import deal
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources import SourceUnion
from sklearn_profiling.training.inputs import as_sources, raw_content
from sklearn_profiling.training.label_weights import ClassWeight

__all__ = [
    "SOURCE",
    "append_posteriors",
    "check_read",
    "check_readable",
    "check_users",
    "fit_task",
    "names_of_classes",
    "out_of_fold",
    "posteriors_of",
    "seeded",
    "splits",
]

Floats = NDArray[np.float64]

#: Name of the posteriors among the sources of a ``SliceDict``.
SOURCE = "posteriors"


def check_users(
    estimator: Any, X: Any, *, reset: bool, allow_nan: bool, recipe: str
) -> Any:
    """Validate a table of numbers, dense or CSR; sources become a ``SliceDict``.

    Sources are checked by the classifiers that read them. `recipe` names the call that
    makes a Pipeline of the estimator.
    """
    # Scipy's dictionary of keys is a dict too.
    if isinstance(X, dict) and not sparse.issparse(X):
        return X
    if isinstance(X, TokenMessages | ImageBags):
        name = "text" if isinstance(X, TokenMessages) else "images"
        return SourceUnion([(name, "passthrough", name)]).fit_transform({name: X})
    X = as_pandas(X)
    found = raw_content(X)
    if found:
        msg = (
            f"X must be a table of numbers; {found}. Put the steps that read them "
            f"before {type(estimator).__name__} in a Pipeline, as {recipe} does"
        )
        raise SourceError(msg)
    return validate_data(
        estimator,
        X,
        reset=reset,
        accept_sparse="csr",
        dtype="numeric",
        ensure_all_finite="allow-nan" if allow_nan else True,
    )


def seeded(estimator: Any, seed: int, random_state: RandomState) -> Any:
    """Clone an estimator and, unless `random_state` is None, set its open seeds."""
    made = clone(estimator)
    if random_state is None:
        return made
    open_seeds = [
        name
        for name, value in made.get_params(deep=True).items()
        if value is None and name.rpartition("__")[2] == "random_state"
    ]
    return made.set_params(**dict.fromkeys(open_seeds, seed))


def fit_task(
    estimator: Any,
    X: Any,
    labels: NDArray[np.object_],
    weights: Floats | None,
    class_weight: ClassWeight,
) -> MaskedMultiOutputClassifier:
    """Fit a clone on the users labelled for one task; a label is None if missing.

    `weights` (n_users,) are those of the labels.
    """
    # A Series, since an array of sets could be taken for one of several tasks.
    y = pd.Series(labels, dtype=object)
    masked = MaskedMultiOutputClassifier(clone(estimator), class_weight=class_weight)
    fitted: MaskedMultiOutputClassifier = masked.fit(X, y, weights)
    return fitted


def out_of_fold(
    fitted: MaskedMultiOutputClassifier,
    estimator: Any,
    X: Any,
    codes: NDArray[np.int64],
    labels: NDArray[np.object_],
    weights: Floats | None,
    class_weight: ClassWeight,
    *,
    classes: NDArray[Any],
    cv: Any,
    seed: int,
    n_jobs: int | None,
) -> Floats:
    """Compute posteriors (n_users, n_classes) that have not seen a user's own label.

    `fitted` was trained on all labelled users and predicts the others; for each fold of
    `cv`, a clone of `estimator` trained on the rest predicts its labelled users.
    `codes` (n_users,) are the labels as numbers, -1 where missing.
    """
    result = posteriors_of(fitted, X, classes)
    parts = splits(cv, labels, codes, seed)
    answers = Parallel(n_jobs=n_jobs)(
        delayed(_answer)(
            estimator, X, train, rows, labels, weights, class_weight, classes
        )
        for train, rows in parts
    )
    for (_, rows), answer in zip(parts, answers, strict=True):
        result[rows] = answer
    return result


def splits(
    cv: Any, labels: NDArray[np.object_], codes: NDArray[np.int64], seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return training and held-out rows of each fold, of labelled users only."""
    labelled = np.flatnonzero(codes >= 0)
    if isinstance(cv, Integral):
        folds = deal(codes[labelled], min(int(cv), len(labelled)), seed)
        return [
            (labelled[folds != fold], labelled[folds == fold])
            for fold in range(folds.max() + 1)
        ]
    y = pd.Series(labels, dtype=object)
    parts = [
        (np.intersect1d(train, labelled), np.intersect1d(test, labelled))
        for train, test in check_cv(cv).split(np.zeros((len(y), 1)), y)
    ]
    never = np.setdiff1d(labelled, np.concatenate([test for _, test in parts]))
    if len(never):
        msg = (
            "cv must hold out every labelled user, or the first stage would predict "
            f"users that it was trained on; it never holds out row {never[0]}"
        )
        raise ValueError(msg)
    return [(train, test) for train, test in parts if len(test)]


def _answer(
    estimator: Any,
    X: Any,
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    labels: NDArray[np.object_],
    weights: Floats | None,
    class_weight: ClassWeight,
    classes: NDArray[Any],
) -> Floats:
    """Train on some rows and compute the posteriors of others.

    They are uniform if there is nobody to train on.
    """
    if not len(train):
        uniform = np.full((len(rows), len(classes)), 1 / len(classes))
        return uniform if hasattr(estimator, "predict_proba") else 2 * uniform - 1
    fitted = fit_task(
        estimator,
        _safe_indexing(X, train),
        labels[train],
        None if weights is None else weights[train],
        class_weight,
    )
    return posteriors_of(fitted, _safe_indexing(X, rows), classes)


def posteriors_of(
    fitted: MaskedMultiOutputClassifier, X: Any, classes: NDArray[Any]
) -> Floats:
    """Compute the posteriors of one task, with a column for each of its classes.

    They are probabilities, or decision values if the estimator has no probabilities. A
    class that `fitted` has not seen gets probability 0 or the decision value -1, and
    the only one that it has seen probability 1 or the decision value 1.
    """
    inner = fitted.estimators_[0]
    # Of the estimator and not of its clone, which is a dummy where it saw a single
    # class: all folds must use one scale.
    if hasattr(fitted.estimator, "predict_proba"):
        answer, unseen = np.asarray(fitted.predict_proba(X)), 0.0
    elif isinstance(inner, DummyClassifier):
        answer, unseen = 2 * np.asarray(fitted.predict_proba(X)) - 1, -1.0
    else:
        answer, unseen = np.asarray(inner.decision_function(X)), -1.0
        if answer.ndim == 1:  # of two classes, or of sets of a single one
            both = [answer] if len(fitted.classes_) == 1 else [-answer, answer]
            answer = np.column_stack(both)
    result = np.full((len(answer), len(classes)), unseen)
    seen = np.asarray(fitted.classes_)
    position = {label: column for column, label in enumerate(classes.tolist())}
    result[:, [position[label] for label in seen.tolist()]] = answer
    return result


def names_of_classes(
    tasks: Sequence[str], classes: Sequence[NDArray[Any]]
) -> NDArray[np.object_]:
    """Name a column for each class of each task, as ``task=class``."""
    names = [
        f"{task}={label}"
        for task, own in zip(tasks, classes, strict=True)
        for label in own
    ]
    return np.array(names, dtype=object)


def check_readable(estimator: Any, X: Any, n_users: int) -> None:
    """Refuse a second stage that would not read the posteriors beside X.

    Of meta-estimators the innermost estimator is asked.
    """
    if not isinstance(X, dict):
        return
    if SOURCE in X:
        msg = (
            f"X must not have a source named {SOURCE!r}, the name of the first stage's "
            f"posteriors; it has {list(X)}"
        )
        raise SourceError(msg)
    while not hasattr(estimator, "_pick_sources"):
        if not hasattr(estimator, "estimator"):
            return
        estimator = estimator.estimator
    sources = {**X, SOURCE: np.zeros((n_users, 1))}
    given = as_sources(sources, default_name="text")
    read = estimator._pick_sources(given)  # noqa: SLF001 - nothing public is known before fit
    if SOURCE not in read:
        raise _unread(estimator, list(read))


def check_read(fitted: MaskedMultiOutputClassifier) -> None:
    """Refuse a second stage, a Pipeline, whose fitted last step read no vectors.

    Only a fitted Pipeline knows what reaches its last step.
    """
    inner = fitted.estimators_[0]
    if isinstance(inner, Pipeline) and hasattr(inner[-1], "_specs"):
        specs = inner[-1]._specs  # noqa: SLF001 - no public name of a net's sources
        # The Pipeline may have renamed the sources, so look at their kinds.
        if all(spec.kind != "vectors" for spec in specs.values()):
            raise _unread(inner[-1], list(specs))


def _unread(estimator: Any, read: list[str]) -> SourceError:
    return SourceError(
        f"{type(estimator).__name__} in the second stage would read the sources {read} "
        f"and not the source {SOURCE!r}, so that no task could help another; set "
        "final_estimator to a classifier that also reads vectors, such as "
        "MMLUPClassifier"
    )


def append_posteriors(X: Any, posteriors: Sequence[Floats]) -> Any:
    """Append posteriors (n_users, n_classes) as columns, or as a source of a dict."""
    if not posteriors:
        return X
    columns = np.hstack(posteriors)
    if isinstance(X, dict):
        return type(X)(**X, **{SOURCE: columns})
    if sparse.issparse(X):
        blocks: list[Any] = [X, sparse.csr_array(columns)]
        return sparse.hstack(blocks, format="csr")
    return np.hstack([X, columns])
