"""Tables of any library as pandas tables."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from sklearn_profiling.exceptions import ProfilingError, SourceError, shortened

__all__ = ["as_pandas", "refuse_levels"]

_NOT_FOR_NARWHALS = (
    pd.DataFrame,
    pd.Series,
    np.ndarray,
    dict,
    list,
    sparse.spmatrix,
    sparse.sparray,
)


def as_pandas(table: Any) -> Any:
    """Return a table or column of polars, Arrow or another library as a pandas one.

    Lists and structs become lists and dicts, and whole numbers stay whole beside
    nulls. What narwhals does not know as a table or column is returned as it is; a
    table that is not in memory is a SourceError.
    """
    # Nearly all input is one of these, and narwhals takes a while.
    if isinstance(table, _NOT_FOR_NARWHALS):
        return table
    if isinstance(table, pa.RecordBatch):
        table = pa.table(table)
    elif isinstance(table, pa.Array):
        table = pa.chunked_array([table])
    known = nw.from_native(table, allow_series=True, pass_through=True)
    if isinstance(known, nw.LazyFrame):
        kind = f"{type(table).__module__.partition('.')[0]}.{type(table).__name__}"
        msg = f"a table in memory is needed; got a {kind}: collect or compute it first"
        raise SourceError(msg)
    if isinstance(known, nw.Series):
        return _column(known)
    if isinstance(known, nw.DataFrame):
        columns = {name: _column(known.get_column(name)) for name in known.columns}
        return pd.DataFrame(columns, index=pd.RangeIndex(len(known)))
    return table


def refuse_levels(table: Any, what: str, error: type[ProfilingError]) -> None:
    """Refuse a table whose columns have names of several levels."""
    if isinstance(table, pd.DataFrame) and table.columns.nlevels > 1:
        msg = (
            f"{what} must have one name a column; got a MultiIndex of "
            f"{table.columns.nlevels} levels, such as {shortened(table.columns[0])}. "
            "Join the levels: table.columns = ['_'.join(map(str, name)) for name in "
            "table.columns]"
            if len(table.columns)
            else f"{what} must have one name a column; got an empty MultiIndex"
        )
        raise error(msg)


def _column(series: nw.Series[Any]) -> pd.Series[Any]:
    """Return a column; nested values as Python's, and whole numbers never as floats."""
    kind = series.dtype
    if isinstance(kind, nw.String | nw.Categorical | nw.Enum):
        values: pd.Series[Any] = pd.Series(series.to_list())
    elif kind.is_nested() or (
        (isinstance(kind, nw.Boolean) or kind.is_integer())
        and bool(series.is_null().any())
    ):
        values = pd.Series(series.to_list(), dtype=object)
    else:
        values = pd.Series(series.to_pandas().to_numpy())
    return values.rename(series.name or None)
