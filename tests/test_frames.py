"""Tables of other libraries become pandas tables, and nothing in a cell changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.exceptions import SourceError

CELLS = {
    "id": [2**60 + 1, None, 3],
    "whole": [1, 2, 3],
    "messages": [["a", "b"], None, []],
    "gender": ["f", None, "m"],
    "image": [{"path": "a.png"}, None, {"path": None}],
    "share": [0.5, None, 1.0],
    "bot": [True, None, False],
    "vector": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
    "seen": [dt.datetime(2020, 1, 1), None, dt.datetime(2021, 1, 1)],  # noqa: DTZ001
}
TABLES = {"polars": pl.DataFrame(CELLS), "arrow": pa.table(CELLS)}


def cells(column: pd.Series[Any]) -> list[Any]:
    return [None if np.ndim(c) == 0 and pd.isna(c) else c for c in column.tolist()]


@pytest.mark.parametrize("kind", TABLES)
def test_every_cell_is_kept(kind: str) -> None:
    table = as_pandas(TABLES[kind])
    assert isinstance(table, pd.DataFrame)
    assert table.index.equals(pd.RangeIndex(3))
    assert {name: cells(table[name]) for name in table} == CELLS


@pytest.mark.parametrize("kind", TABLES)
def test_whole_numbers_stay_whole_and_lists_are_lists(kind: str) -> None:
    table = as_pandas(TABLES[kind])
    assert table["id"].tolist()[0] == 2**60 + 1
    assert [type(cell) for cell in table["messages"]] == [list, type(None), list]
    assert type(table["image"][0]) is dict
    assert table["whole"].dtype == np.int64


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_column_is_as_in_its_table(kind: str, name: str) -> None:
    column = as_pandas(TABLES[kind][name])
    assert isinstance(column, pd.Series)
    assert cells(column) == CELLS[name]


@pytest.mark.parametrize("kind", TABLES)
def test_no_rows_keep_their_columns(kind: str) -> None:
    table = as_pandas(TABLES[kind][:0])
    assert list(table) == list(CELLS)
    assert len(table) == 0


def test_categories_become_their_names() -> None:
    column = pl.Series("g", ["f", None, "m"], dtype=pl.Enum(["f", "m"]))
    assert cells(as_pandas(column)) == ["f", None, "m"]
    assert cells(as_pandas(pl.Series(["f", None], dtype=pl.Categorical))) == ["f", None]
    assert cells(as_pandas(pa.chunked_array([["f"]]).dictionary_encode())) == ["f"]


def test_an_arrow_array_and_a_batch_are_taken() -> None:
    assert as_pandas(pa.array(["a", "b"])).tolist() == ["a", "b"]
    batch = pa.RecordBatch.from_pydict({"x": [1, 2]})
    assert as_pandas(batch).to_dict("list") == {"x": [1, 2]}


@pytest.mark.parametrize(
    "other",
    [[1, 2], np.ones((2, 2)), None, "text", {"a": 1}, pd.DataFrame({"a": [1]})],
    ids=lambda other: type(other).__name__,
)
def test_anything_else_is_returned_as_it_is(other: object) -> None:
    assert as_pandas(other) is other


def test_a_table_that_is_not_in_memory_is_refused() -> None:
    with pytest.raises(SourceError, match=r"got a polars\.LazyFrame: collect"):
        as_pandas(TABLES["polars"].lazy())
