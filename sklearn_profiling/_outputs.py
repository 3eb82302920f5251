"""Predictions in tables that name the tasks."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.exceptions import MissingDependencyError

__all__ = ["NamedPredictionsMixin", "Probabilities", "index_of", "log_of"]

Probabilities = npt.NDArray[np.floating[Any]] | list[npt.NDArray[np.floating[Any]]]
"""One array (n_users, n_classes) per task; a single array if `y` had one dimension."""

_KINDS = ("default", "pandas", "polars")


class NamedPredictionsMixin:
    """Mixin of classifiers that predict arrays, or tables with a column for each task.

    The choice lies where scikit-learn keeps that of ``transform``, so clones have it.
    """

    task_names_: list[str]
    _sklearn_output_config: dict[str, str]

    def set_output(
        self, *, predict: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Choose what ``predict`` returns.

        Parameters
        ----------
        predict : {"default", "pandas", "polars"} or None, default=None
            "default" is an array. "pandas" is a DataFrame whose columns are the tasks,
            with the index of `X` where it has one, and "polars" a polars DataFrame;
            each is a Series if `y` had one dimension. None changes nothing.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If `predict` is none of these.
        """
        if predict is None:
            return self
        if predict not in _KINDS:
            msg = f"predict must be one of {_KINDS} or None; got {predict!r}"
            raise ValueError(msg)
        chosen = getattr(self, "_sklearn_output_config", {})
        self._sklearn_output_config = {**chosen, "predict": predict}
        return self

    def _as_output(self, predicted: npt.NDArray[Any], X: Any) -> Any:
        """Return labels (n_users,) or (n_users, n_tasks) in the form that is chosen."""
        chosen = getattr(self, "_sklearn_output_config", {})
        kind = chosen.get("predict", "default")
        if kind == "default":
            return predicted
        table = predicted.reshape(len(predicted), -1)
        columns = dict(zip(self.task_names_, table.T, strict=True))
        whole = _to_polars(columns) if kind == "polars" else _to_pandas(columns, X)
        return whole if predicted.ndim == 2 else whole[self.task_names_[0]]


def index_of(X: Any, n_users: int) -> pd.Index:
    """Return the index of a table or column of pandas; other users are numbered."""
    index = getattr(X, "index", None)
    # A list has a method of that name.
    return index if isinstance(index, pd.Index) else pd.RangeIndex(n_users)


def _to_pandas(columns: dict[str, npt.NDArray[Any]], X: Any) -> pd.DataFrame:
    index = index_of(X, len(next(iter(columns.values()))))
    return pd.DataFrame(columns, index=index).infer_objects()


def _to_polars(columns: dict[str, npt.NDArray[Any]]) -> Any:
    """Make a polars table; sets become sorted lists."""
    try:
        import polars as pl
    except ImportError as error:
        msg = f"set_output(predict='polars') needs polars ({error}): pip install polars"
        raise MissingDependencyError(msg) from error
    return pl.DataFrame(
        {name: [_plain(label) for label in c.tolist()] for name, c in columns.items()}
    )


def _plain(label: Any) -> Any:
    return sorted(label, key=str) if isinstance(label, frozenset) else label


def log_of(probabilities: Probabilities) -> Probabilities:
    """Logarithm of an array or of each array of a list; minus infinity of 0."""
    with np.errstate(divide="ignore"):
        if isinstance(probabilities, list):
            return [np.log(each) for each in probabilities]
        return np.log(probabilities)
