"""Parquet and Arrow within bounds: equal to what pyarrow reads, and refused in time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet
import pytest

from sklearn_profiling import _arrow_files
from sklearn_profiling._arrow_files import (
    dense_bytes,
    read_feather,
    read_parquet,
    read_stream,
)
from sklearn_profiling._bounds import bounded
from sklearn_profiling.exceptions import DataFormatError

PLAIN = {
    "list": pa.array([["x", "y"], ["z"], None]),
    "struct": pa.array([{"p": "q", "r": [1, 2]}, None, {"p": "u", "r": None}]),
    "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
    "map": pa.array([[("k", "v")], None, []], pa.map_(pa.string(), pa.string())),
    "binary": pa.array([b"1", b"2", None]),
    "null": pa.nulls(3),
    "float": pa.array([1.0, 2.0, None]),
    "bool": pa.array([True, None, False]),
    "decimal": pa.array([1, 2, None], pa.decimal128(5, 2)),
    "pair": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int32(), 2)),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "large": pa.array(["x", None, "y"], pa.large_string()),
}
ARROW = {
    **PLAIN,
    "view": pa.array(["x", None, "y" * 40], pa.string_view()),
    "views": pa.array([[1], None, [2, 3]], pa.list_view(pa.int32())),
    "text views": pa.array([["a"], None, ["b", "cc"]], pa.list_view(pa.string())),
    "runs": pc.run_end_encode(pa.array([1, 1, 2])),
    "union": pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()),
        pa.array([0, 0, 1], pa.int32()),
        [pa.array([1, 2]), pa.array(["a"])],
    ),
}


def written_stream(path, table, compression):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(path, table.schema, options=options) as writer:
        writer.write_table(table)


def written_file(path, table, compression):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(path, table.schema, options=options) as writer:
        writer.write_table(table)


def test_parquet_is_as_pyarrow_reads_it(tmp_path):
    path = tmp_path / "table"
    pyarrow.parquet.write_table(pa.table(PLAIN), path)
    table = read_parquet(path, pa.OSFile(str(path)))
    assert table.equals(pyarrow.parquet.read_table(path))
    assert table.schema.equals(pyarrow.parquet.read_table(path).schema)


def test_views_of_parquet_are_written_out(tmp_path):
    path = tmp_path / "table"
    columns = {
        "text": pa.array(["x", None, "y" * 40], pa.string_view()),
        "bytes": pa.array([b"x", None, b"y"], pa.binary_view()),
        "list": pa.array([["a"], None, []], pa.list_(pa.string_view())),
        "struct": pa.array([{"p": "q"}] * 3, pa.struct([("p", pa.string_view())])),
    }
    pyarrow.parquet.write_table(pa.table(columns), path)
    table = read_parquet(path, pa.OSFile(str(path)))
    assert table.to_pydict() == pa.table(columns).to_pydict()
    assert "view" not in str(table.schema.types)


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
@pytest.mark.parametrize(
    ("write", "read"), [(written_file, read_feather), (written_stream, read_stream)]
)
def test_arrow_is_as_pyarrow_reads_it(write, read, compression, tmp_path):
    path = tmp_path / "table"
    table = pa.table(ARROW)
    write(path, table, compression)
    assert read(path, pa.OSFile(str(path))).equals(table)


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_the_first_version_of_feather_is_read(tmp_path):
    path = tmp_path / "table"
    table = pa.table({"a": [1, 2]})
    pyarrow.feather.write_feather(table, str(path), version=1)
    assert read_feather(path, pa.OSFile(str(path))).equals(table)


@pytest.mark.parametrize(
    ("array", "n_bytes"),
    [
        (pa.array(["a", None, "ccc"]), 3 * 8 + 4),
        (pa.array(["a", "a"]).dictionary_encode(), 2 * 8 + 2),
        (pa.array([b"ab", b"cd"], pa.binary(2)), 2 * 8 + 4),
        (pa.nulls(5), 5 * 8),
        (pa.array([1, 2, 3], pa.int64()), 3 * 8 + 3 * 8),
        (pa.array([["a", "bb"], ["c"]]), 2 * 8 + 3 * 8 + 4),
        (pa.array([{"p": "ab"}, {"p": "c"}]), 2 * 8 + 2 * 8 + 3),
        (pa.array(["a", "y" * 40], pa.string_view()), 2 * 8 + 41),
        # each cell may be the largest
        (pa.array([["a"], ["b", "cc"]], pa.list_view(pa.string())), 2 * 8 + 3 * 10),
        (pc.run_end_encode(pa.array(["a", "a", "bbb"])), 3 * 8 + 3 * 11),
        (ARROW["union"], 3 * (8 + 8 + 8 + 1)),
    ],
)
def test_cells_are_counted_as_written_out(array, n_bytes):
    assert dense_bytes(array) == n_bytes


def large(n_rows):
    indices = pa.array(np.zeros(n_rows, np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1000]))


def test_a_large_value_is_refused_where_the_footer_is_small(tmp_path, monkeypatch):
    path = tmp_path / "table"
    pyarrow.parquet.write_table(
        pa.table({"a": large(50)}), path, store_schema=False, compression="zstd"
    )
    with bounded(20_000), pytest.raises(DataFormatError, match="more than 20,000"):
        read_parquet(path, pa.OSFile(str(path)))
    with bounded(60_000):
        assert read_parquet(path, pa.OSFile(str(path))).num_rows == 50


@pytest.mark.parametrize(
    ("write", "read"), [(written_file, read_feather), (written_stream, read_stream)]
)
@pytest.mark.parametrize(
    ("column", "compression"),
    [
        (np.zeros(5000), "zstd"),
        (large(50), None),
        (large(50), "zstd"),
        (pa.nulls(5000), None),
    ],
)
def test_arrow_bombs_are_refused(write, read, column, compression, tmp_path):
    path = tmp_path / "table"
    write(path, pa.table({"a": column}), compression)
    with bounded(20_000), pytest.raises(DataFormatError, match="more than 20,000"):
        read(path, pa.OSFile(str(path)))


@pytest.mark.parametrize("data", [b"", b"\xff" * 30, b"\x10\0\0\0" + b"\0" * 4])
def test_damaged_messages_are_told(data, tmp_path, monkeypatch):
    class Message:
        metadata = pa.py_buffer(data)
        body = None

    class Reader:
        @staticmethod
        def open_stream(source):
            return [Message]

    monkeypatch.setattr(_arrow_files.pa.ipc, "MessageReader", Reader)
    path = tmp_path / "table"
    path.write_bytes(b"x")
    with pytest.raises(DataFormatError, match="a damaged message"):
        read_stream(path, pa.OSFile(str(path)))
