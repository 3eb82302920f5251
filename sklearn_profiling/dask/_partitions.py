"""Work on the partitions of a Dask table of users."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sklearn_profiling._cluster import KeptData
from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import SourceError, shortened

__all__ = [
    "EXTRA",
    "check_column",
    "current_client",
    "id_columns",
    "map_partitions",
    "shared",
]

EXTRA = {"extra": "dask", "purpose": "Work by partition"}
_ID_COLUMN = "user_id"
_TEXT = "string[pyarrow]"
Part = Callable[[Any, pd.DataFrame], pd.DataFrame]


def check_frame(frame: Any) -> None:
    """Refuse what is no Dask DataFrame."""
    tables = import_optional("dask.dataframe", **EXTRA)
    if not isinstance(frame, tables.DataFrame):
        kind = f"{type(frame).__module__}.{type(frame).__qualname__}"
        msg = (
            "frame must be a Dask DataFrame, as dask.dataframe.read_parquet returns "
            f"one; got {kind}"
        )
        raise SourceError(msg)


def check_column(frame: Any, column: str, parameter: str) -> None:
    """Refuse a column that the table does not have."""
    check_frame(frame)
    if column not in frame.columns:
        msg = (
            f"{parameter} must name a column of frame: {shortened(column)} is none of "
            f"{shortened(list(frame.columns), 300)}"
        )
        raise SourceError(msg)


def id_columns(frame: Any, id_column: str | None) -> list[str]:
    """Return the column of the ids in a list, an empty one without."""
    check_frame(frame)
    if id_column is None:
        return [_ID_COLUMN] if _ID_COLUMN in frame.columns else []
    check_column(frame, id_column, "id_column")
    return [id_column]


def shared(value: Any) -> Any:
    """Return what stands for an object in tasks; each worker gets it once."""
    client = current_client()
    if client is None:
        return import_optional("dask", **EXTRA).delayed(value, traverse=False)
    return KeptData(client).keep(value)


def current_client() -> Any:
    """Return the client of a cluster; None for threads, processes or none of them."""
    try:
        return import_optional("distributed", **EXTRA).get_client()
    except ValueError:
        return None


def map_partitions(
    frame: Any,
    function: Part,
    value: Any,
    columns: Mapping[str, Any],
    kept: list[str],
) -> Any:
    """Apply ``function(value, part)`` to each partition: a Dask DataFrame.

    `columns` has the types of the columns that are made, `kept` those of the table that
    stand before them. What `function` returns may have other rows than its users, of
    which it gives the positions as index.
    """
    clash = [name for name in kept if name in columns]
    if clash:
        msg = (
            f"the ids are in the column {clash[0]!r}, which is also the name of a "
            "result; rename it"
        )
        raise SourceError(msg)
    meta = import_optional("dask.dataframe.utils", **EXTRA).make_meta(frame)[kept]
    # Of objects no writer of files knows the type.
    types = {n: _TEXT if meta[n].dtype == object else meta[n].dtype for n in kept}
    types |= columns
    meta = meta.assign(**{n: pd.Series([], dtype=d) for n, d in types.items()})
    return frame.map_partitions(_of_part, function, shared(value), meta, meta=meta)


def _of_part(
    part: pd.DataFrame, function: Part, value: Any, meta: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of one partition, with its ids and index."""
    if not len(part):
        return meta
    for name in part:
        _refuse_lists_as_text(part[name])
    made = function(value, part)
    kept = [name for name in meta if name not in made]
    for name in kept:
        if part[name].dtype == object:
            _refuse_mixed_ids(part[name])
    rows = part[kept].take(made.index.to_numpy())
    rows = rows.assign(**{str(name): made[name].array for name in made})
    return rows.astype(meta.dtypes.to_dict())


def _refuse_mixed_ids(column: pd.Series[Any]) -> None:
    """Refuse ids that would become text beside others that are."""
    others = [each for each in column.dropna() if not isinstance(each, str)]
    if others:
        msg = (
            f"the column {column.name!r} holds objects, which as ids must be str; got "
            f"{shortened(others[0])}. Convert it, as by astype(int)"
        )
        raise SourceError(msg)


def _refuse_lists_as_text(column: pd.Series[Any]) -> None:
    """Refuse lists of messages or paths that Dask has written as text."""
    if not isinstance(column.dtype, pd.StringDtype):
        return
    cells = column.dropna()
    if not len(cells):
        return
    if not (cells.str.startswith("[") & cells.str.endswith("]")).all():
        return
    filled = cells[cells.str.len() > 2]
    try:
        listed = ast.literal_eval(filled.iloc[0]) if len(filled) else []
    except (ValueError, SyntaxError):
        return
    if all(isinstance(each, str) for each in listed):
        msg = (
            f"column {column.name!r} holds lists that Dask has written as text, as "
            "dask.dataframe.from_pandas does: read the table by read_parquet, or make "
            "it within dask.config.set({'dataframe.convert-string': False})"
        )
        raise SourceError(msg)
