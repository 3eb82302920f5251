"""Weights of the features of a user, where a class is a linear function of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.pipeline import Pipeline

from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.evaluation.explanation._model import ClassModel, Floats
from sklearn_profiling.sources import SourceUnion
from sklearn_profiling.sources.union import select_column

__all__ = ["linear_weights"]

_INNER = ("estimator_", "best_estimator_")
"""Attributes of what wraps a fitted classifier."""


def linear_weights(model: ClassModel, user: pd.DataFrame) -> pd.DataFrame | None:
    """List the features of a user that a linear model reads; None without such a model.

    Columns are "source", "feature", "value", "weight" and "contribution", the product
    of the two before. Linear experts, whose log-odds a net goes on from, count with the
    net's factors.
    """
    tables = list(_of_last_step(model, user))
    tables += list(_of_experts(model, user))
    if not tables:
        return None
    joined = pd.concat(tables, ignore_index=True)
    order = np.argsort(-joined["contribution"].to_numpy(), kind="stable")
    return joined.iloc[order].reset_index(drop=True)


def _of_last_step(model: ClassModel, user: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the features of a Pipeline that ends with a linear model."""
    if not isinstance(model.system, Pipeline) or len(model.system.steps) < 2:
        return
    fitted = getattr(model.final, "estimators_", None)
    linear = _linear(fitted[model.number] if fitted else model.final)
    if linear is None:
        return
    name = model.system.steps[-2][0]
    rows = model.prepare(user)
    names = _names(model.system[-2], rows.shape[1])
    code = model.place if fitted else model.label
    yield from _features(name, linear, rows, names, code, 1.0)


def _of_experts(model: ClassModel, user: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the features of each linear expert among the sources of a Pipeline."""
    if not isinstance(model.system, Pipeline):
        return
    users: Any = user
    factors = _factors(model)
    for _, step in model.system.steps[:-1]:
        union = getattr(step, "union_", step)
        if isinstance(union, SourceUnion):
            # AutoSources makes what its union reads in a step of its own.
            stage = step._stage(users, "transform") if union is not step else users  # noqa: SLF001 - what its experts read
            for name, made, column in union.sources_:
                yield from _of_expert(
                    model, name, made, column, stage, step, factors.get(name, 1.0)
                )
        users = step.transform(users)


def _of_expert(
    model: ClassModel,
    name: str,
    made: Any,
    column: Any,
    stage: Any,
    step: Any,
    factor: float,
) -> Iterator[pd.DataFrame]:
    """Yield the features of one source of log-odds."""
    logits = made[-1] if isinstance(made, Pipeline) else made
    experts = getattr(logits, "estimators_", None)
    if not experts or not hasattr(logits, "scales_") or experts[model.number] is None:
        return
    linear = _linear(experts[model.number].estimators_[0])
    if linear is None:
        return
    rows = select_column(stage, column, name)
    if isinstance(made, Pipeline) and len(made.steps) > 1:
        rows = made[:-1].transform(rows)
        names = _names(made[-2], rows.shape[1])
    else:
        second = getattr(getattr(step, "second_", None), "named_sources_", {})
        names = _names(second.get(column, logits), rows.shape[1])
    scale = factor * logits.scales_[model.number]
    yield from _features(name, linear, rows, names, model.place, float(scale))


def _factors(model: ClassModel) -> dict[str, float]:
    """Find what a net multiplies the log-odds of each source by, for the task."""
    final = model.final
    temperature = 1.0
    if hasattr(final, "temperatures_"):
        temperature = float(final.temperatures_[model.number])
    for inner in _INNER:
        final = getattr(final, inner, final)
    module: Any = getattr(getattr(final, "net_", None), "module_", None)
    if not isinstance(module, OffsetLogits):
        return {}
    return {
        name: float(factors.detach()[model.number]) / temperature
        for name, factors in zip(module.names, module.factors, strict=True)
    }


def _linear(classifier: Any) -> Any:
    """Find the linear model within a classifier; None if there is none."""
    for inner in ("classifier_", *_INNER):
        classifier = getattr(classifier, inner, classifier)
    if hasattr(classifier, "calibrated_classifiers_"):
        return _linear(classifier.calibrated_classifiers_[0].estimator)
    return classifier if hasattr(classifier, "coef_") else None


def _features(
    source: str, linear: Any, rows: Any, names: list[str], code: Any, scale: float
) -> Iterator[pd.DataFrame]:
    """Yield the features of one row that are not zero, with the weights of a class."""
    classes = list(linear.classes_)
    if code not in classes or len(classes) < 2:
        return
    values = _row(linear, rows)
    coefficients = np.atleast_2d(linear.coef_)
    place = classes.index(code)
    if len(coefficients) == 1:
        weights = coefficients[0] if place == 1 else -coefficients[0]
    else:
        weights = coefficients[place] - coefficients.mean(axis=0)
    used = np.flatnonzero(np.nan_to_num(values))
    weights = scale * weights[used]
    yield pd.DataFrame(
        {
            "source": source,
            "feature": pd.Series([names[column] for column in used], dtype=object),
            "value": values[used],
            "weight": weights,
            "contribution": values[used] * weights,
        }
    )


def _row(linear: Any, rows: Any) -> Floats:
    """Return the values of one user, (n_features,), as the linear model reads them."""
    if hasattr(linear, "_scaled"):  # counts, weighted by naive Bayes
        rows = linear._scaled(rows)  # noqa: SLF001 - of this package
    given: Any = rows
    dense = given.toarray() if sparse.issparse(rows) else np.asarray(rows)
    values: Floats = dense.reshape(-1).astype(float)
    return values


def _names(transformer: Any, n_features: int) -> list[str]:
    """Name features by a transformer, or by number where it has no names."""
    try:
        found = [str(name) for name in transformer.get_feature_names_out()]
    except (AttributeError, TypeError, ValueError):
        found = []
    if len(found) != n_features:
        found = [str(number) for number in range(n_features)]
    return found
