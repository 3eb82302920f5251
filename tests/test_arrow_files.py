"""Parquet and Arrow within bounds: equal to what pyarrow reads, and refused in time."""

from __future__ import annotations

import io
import subprocess
import sys

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
from sklearn_profiling._parquet_footer import chunk_sizes
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
    columns = dict(PLAIN)
    if int(pa.__version__.split(".")[0]) < 23:
        columns.pop("pair")  # pyarrow 22 cannot read the null in it that it wrote
    pyarrow.parquet.write_table(pa.table(columns), path)
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


# -- the footer of Parquet -----------------------------------------------------------


def written(table, **options):
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table, stream, **options)
    return stream.getvalue()


SEVERAL = pa.table({name: PLAIN[name] for name in ("list", "struct", "map", "decimal")})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 1},
        {"write_statistics": False, "version": "1.0"},
        {"write_page_index": True, "use_dictionary": False, "compression": "zstd"},
        {"sorting_columns": [pyarrow.parquet.SortingColumn(0)], "store_schema": False},
    ],
    ids=str,
)
def test_sizes_of_the_footer_are_those_of_pyarrow(options):
    data = written(SEVERAL, **options)
    metadata = pyarrow.parquet.ParquetFile(pa.BufferReader(data)).metadata
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    expected = [(each.num_values, each.total_uncompressed_size) for each in chunks]
    assert list(chunk_sizes(pa.BufferReader(data))) == expected


@pytest.mark.parametrize(
    ("footer", "name"),
    [
        (b"", "IndexError"),
        (b"\x00", "KeyError"),
        (b"\x49\x1c\x00\x00", "KeyError"),  # a row group without columns
        (b"\x49\x10\x00", "KeyError"),  # its kind is none of Thrift's
        (b"\x49\xfc\x7f\x00", "ValueError"),  # 127 row groups in a byte
        (b"\x46" + b"\xff" * 12, "ValueError"),  # a number of 84 bits
        (b"\x1c" * 40, "ValueError"),
        (b"\x19" * 5000, "RecursionError"),  # lists within lists
        (b"\x48\x01a\x00", "TypeError"),  # a text in place of row groups
    ],
)
def test_a_damaged_footer_is_told(footer, name):
    size = len(footer).to_bytes(4, "little")
    data = b"PAR1" + footer + size + b"PAR1"
    with pytest.raises(pa.ArrowInvalid, match=rf"the footer is damaged \({name}\)"):
        list(chunk_sizes(pa.BufferReader(data)))


def test_kinds_that_parquet_uses_rarely():
    skipped = (
        *(b"\x11", b"\x12", b"\x13\x07", b"\x17" + bytes(8), b"\x1d" + bytes(16)),
        *(b"\x1b\x00", b"\x1b\x01\x51\x02\x01", b"\x19\xf2\x10" + b"\x01" * 16),
    )
    chunk = b"\x56\x0e\x16\x10\x00"  # 7 values and 8 bytes
    groups = b"\x09\x08\x1c\x19\x1c\x3c" + chunk + b"\x00\x00"
    footer = b"".join(skipped) + groups + b"\x00"
    data = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    assert list(chunk_sizes(pa.BufferReader(data))) == [(7, 8)]


def test_footers_that_would_end_the_process(tmp_path):
    # the histograms of levels, of which Arrow makes sure by ending the process
    data = written(pa.table({"a": PLAIN["list"]}))
    code = (
        "import sys; from pathlib import Path; import pyarrow as pa\n"
        "from sklearn_profiling._arrow_files import read_parquet\n"
        "from sklearn_profiling.exceptions import DataFormatError\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: read_parquet(path, pa.OSFile(str(path)))\n"
        "    except (pa.ArrowException, OSError, DataFormatError): pass\n"
    )
    length = int.from_bytes(data[-8:-4], "little")
    for place in range(len(data) - 8 - length, len(data) - 8, 3):
        changed = bytearray(data)
        changed[place] ^= 4
        (tmp_path / str(place)).write_bytes(changed)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.parametrize("kind", ["column", "struct", "list", "map"])
def test_names_that_are_no_utf8(kind, tmp_path):
    field = pa.array([{"abcdef": 1}])
    made = {
        "column": pa.table({"abcdef": [1]}),
        "struct": pa.table({"a": field}),
        "list": pa.table({"a": pa.array([[{"abcdef": 1}]])}),
        "map": pa.table({"a": pa.MapArray.from_arrays([0, 1], ["k"], field)}),
    }[kind]
    stream = io.BytesIO()
    pyarrow.feather.write_feather(made, stream, compression="uncompressed")
    for read, data in (
        (read_parquet, written(made, store_schema=False)),
        (read_feather, stream.getvalue()),
    ):
        path = tmp_path / "table"
        path.write_bytes(data.replace(b"abcdef", b"ab\xffdef"))
        with pytest.raises(pa.ArrowInvalid, match="the name of a column is no UTF-8"):
            read(path, pa.OSFile(str(path)))
