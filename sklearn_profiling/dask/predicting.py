"""Predictions and features of more users than memory holds, by partition."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.dask._partitions import id_columns, map_partitions
from sklearn_profiling.evaluation.scorers import task_names_of
from sklearn_profiling.exceptions import SourceError

__all__ = ["predict", "predict_proba", "transform"]


def predict(model: Any, frame: Any, *, id_column: str | None = None) -> Any:
    """Predict the users of a Dask DataFrame, partition by partition.

    Parameters
    ----------
    model : classifier
        A fitted classifier or Pipeline. Each worker gets it once.
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, one row each, with the columns that `model` reads.
    id_column : str or None, default=None
        Column with the ids of the users, which becomes the first of the result. None is
        ``"user_id"`` where there is one.

    Returns
    -------
    dask.dataframe.DataFrame of shape (n_users, n_tasks)
        Labels, a column for each task, with the index and the partitions of `frame`;
        nothing is computed before it is asked for, as by ``to_parquet``.

    Raises
    ------
    NotFittedError
        If `model` is not fitted.
    SourceError
        If `frame` is no Dask DataFrame, there is no such column, or `model` does not
        predict classes. When computed, if a column holds lists that Dask has written as
        text, or a label is a set of classes, which a column of a table cannot hold.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    predict_proba : The probabilities of the classes.

    Notes
    -----
    A user's prediction does not depend on the others, so the labels are those of
    ``model.predict`` on all users at once. A worker needs memory for `model` and for as
    many partitions as it has threads. With a client open, the model is sent to its
    cluster, so the result is to be computed by that client. Dask's ``from_pandas``
    writes lists as text, unless its option ``dataframe.convert-string`` is False; a
    column of such texts that the model does not read is refused too, so leave it out.

    Examples
    --------
    >>> import dask
    >>> import dask.dataframe as dd
    >>> from sklearn_profiling import dask as on_dask
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> from sklearn_profiling.datasets import make_user_profiles
    >>> users = make_user_profiles(20, random_state=0)
    >>> model = make_majority_baseline().fit(users.data, users.target)
    >>> with dask.config.set({"dataframe.convert-string": False}):
    ...     frame = dd.from_pandas(users.data, npartitions=2)
    >>> labels = on_dask.predict(model, frame)
    >>> labels.columns.tolist()
    ['user_id', 'gender', 'age', 'region', 'occupation']
    >>> labels.compute(scheduler="synchronous").shape
    (20, 5)
    """
    tasks, classes = _tasks(model)
    columns = {
        task: pd.Series(list(own)).dtype
        for task, own in zip(tasks, classes, strict=True)
    }
    work = partial(_labels, columns)
    return map_partitions(frame, work, model, columns, id_columns(frame, id_column))


def predict_proba(model: Any, frame: Any, *, id_column: str | None = None) -> Any:
    """Predict probabilities of the users of a Dask DataFrame, by partition.

    Parameters
    ----------
    model : classifier
        A fitted classifier or Pipeline with ``predict_proba``.
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, as for :func:`predict`.
    id_column : str or None, default=None
        As for :func:`predict`.

    Returns
    -------
    dask.dataframe.DataFrame of shape (n_users, n_classes of all tasks)
        Probabilities as float64, a column ``task=class`` for each class of each task.

    Raises
    ------
    NotFittedError
        If `model` is not fitted.
    SourceError
        As for :func:`predict`, and if `model` has no ``predict_proba``.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    predict : The most probable classes.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_profiling import dask as on_dask
    >>> users = pd.DataFrame({"posts": [1.0, 2.0, 8.0, 9.0]})
    >>> model = LogisticRegression().fit(users, ["f", "f", "m", "m"])
    >>> frame = dd.from_pandas(users, npartitions=2)
    >>> likely = on_dask.predict_proba(model, frame)
    >>> likely.compute(scheduler="synchronous").round(2)
       task0=f  task0=m
    0     0.96     0.04
    1     0.92     0.08
    2     0.08     0.92
    3     0.04     0.96
    """
    tasks, classes = _tasks(model)
    if not hasattr(model, "predict_proba"):
        msg = f"{type(model).__name__} does not predict probabilities"
        raise SourceError(msg)
    names = [f"{t}={c}" for t, o in zip(tasks, classes, strict=True) for c in o]
    kept = id_columns(frame, id_column)
    columns = dict.fromkeys(names, np.dtype(float))
    return map_partitions(frame, partial(_likely, names), model, columns, kept)


def transform(
    model: Any,
    frame: Any,
    *,
    id_column: str | None = None,
    dtype: npt.DTypeLike = np.float32,
) -> Any:
    """Turn the users of a Dask DataFrame into vectors, partition by partition.

    Parameters
    ----------
    model : transformer
        A fitted transformer or Pipeline that makes a dense array and has
        ``get_feature_names_out``.
    frame : dask.dataframe.DataFrame of shape (n_users, n_columns)
        Users, as for :func:`predict`.
    id_column : str or None, default=None
        As for :func:`predict`.
    dtype : dtype, default=float32
        Type of the columns; this package's transformers make float32.

    Returns
    -------
    dask.dataframe.DataFrame of shape (n_users, n_features)
        The features, named as the transformer names them.

    Raises
    ------
    NotFittedError
        If `model` is not fitted.
    SourceError
        As for :func:`predict`, and if `model` does not name its features. When
        computed, if it makes anything but a dense array.
    MissingDependencyError
        If Dask is not installed.

    See Also
    --------
    segment : The words of text.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_profiling import dask as on_dask
    >>> users = pd.DataFrame({"posts": [1.0, 2.0, 8.0, 9.0]})
    >>> model = StandardScaler().fit(users)
    >>> scaled = on_dask.transform(model, dd.from_pandas(users, npartitions=2))
    >>> scaled.compute(scheduler="synchronous")["posts"].round(1).to_numpy()
    array([-1.1, -0.8,  0.8,  1.1], dtype=float32)
    """
    check_is_fitted(model)
    try:
        names = list(map(str, model.get_feature_names_out()))
    except (AttributeError, TypeError, ValueError) as error:
        msg = (
            f"{type(model).__name__} must name its features, which become the columns "
            f"of the result: {error!s:.200}"
        )
        raise SourceError(msg) from error
    kept = id_columns(frame, id_column)
    columns = dict.fromkeys(names, np.dtype(dtype))
    return map_partitions(frame, partial(_features, columns), model, columns, kept)


def _tasks(model: Any) -> tuple[list[str], list[Sequence[Any]]]:
    """Return the names and the classes of the tasks of a fitted classifier."""
    check_is_fitted(model)
    classes = getattr(model, "classes_", None)
    if classes is None:
        msg = f"model must predict classes; {type(model).__name__} has no classes_"
        raise SourceError(msg)
    several = list(classes) if isinstance(classes, list) else [classes]
    names = task_names_of(model) or [f"task{n}" for n in range(len(several))]
    return names, several


def _labels(columns: dict[str, Any], model: Any, part: pd.DataFrame) -> pd.DataFrame:
    """Predict the labels of one partition."""
    predicted = np.asarray(model.predict(part), dtype=object)
    table = predicted.reshape(len(part), -1)
    made = {}
    for (task, dtype), labels in zip(columns.items(), table.T, strict=True):
        if any(isinstance(label, frozenset) for label in labels):
            msg = (
                f"task {task!r} has sets of classes as labels, which no column can "
                "hold; use predict_proba"
            )
            raise SourceError(msg)
        made[task] = pd.Series(labels.tolist(), dtype=dtype)
    return pd.DataFrame(made)


def _likely(names: list[str], model: Any, part: pd.DataFrame) -> pd.DataFrame:
    """Predict the probabilities of one partition."""
    made = model.predict_proba(part)
    parts = made if isinstance(made, list) else [made]
    return pd.DataFrame(np.hstack(parts).astype(float, copy=False), columns=names)


def _features(columns: dict[str, Any], model: Any, part: pd.DataFrame) -> pd.DataFrame:
    """Transform one partition."""
    made = model.transform(part)
    if sparse.issparse(made) or not isinstance(made, np.ndarray | pd.DataFrame):
        msg = (
            "transform writes dense columns; "
            f"{type(model).__name__} made {type(made).__name__}"
        )
        raise SourceError(msg)
    dtype = next(iter(columns.values()))
    return pd.DataFrame(np.asarray(made, dtype=dtype), columns=list(columns))
