"""Parquet and Arrow files, read within bounds: few bytes may stand for many cells."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from sklearn_profiling._bounds import allowed_bytes, too_large
from sklearn_profiling._parquet_footer import chunk_sizes
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["parquet_batches", "read_feather", "read_parquet", "read_stream"]

_ROWS_AT_ONCE: Final = 1 << 15
#: Bytes of a cell in Python's memory, at the least.
_CELL: Final = 8
_FILE_MAGIC: Final = b"ARROW1\0\0"
_TEXTS: Final = ("NONE", "STRING", "JSON", "ENUM")
#: Of Arrow's messages: kinds of their headers.
_DICTIONARY, _RECORDS = 2, 3


def read_parquet(path: Path, source: Any) -> pa.Table:
    """Read a table in small chunks, of which each can be let go."""
    schema, batches = parquet_batches(path, source)
    return pa.Table.from_batches(batches, schema)


def parquet_batches(
    path: Path, source: Any, n_rows: int = _ROWS_AT_ONCE, n_buffered: int = 0
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema of a table, and its rows in batches.

    With `n_buffered`, columns are read in pieces of so many bytes, not row group by row
    group.
    """
    count = _Count(path, source.size())
    with _names_told():
        file = pyarrow.parquet.ParquetFile(source)
        _read_names(file.schema_arrow)
    for n_values, n_bytes in chunk_sizes(source):
        count.add(max(n_values * _CELL, n_bytes, 0))
    schema = pa.schema(
        [f.with_type(_without_views(f.type)) for f in file.schema_arrow],
        file.schema_arrow.metadata,
    )
    # A value that is repeated is read once, until its size is known.
    texts = [
        column.path
        for column in map(file.schema.column, range(len(file.schema)))
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type in _TEXTS
    ]
    file = pyarrow.parquet.ParquetFile(
        source, read_dictionary=texts, buffer_size=n_buffered
    )
    count.n_bytes = 0

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(n_rows, use_threads=False):
            count.add(sum(map(dense_bytes, batch.columns)))
            dense = _cast(batch, schema)
            dense.validate(full=True)  # texts may be no UTF-8
            yield dense

    return schema, batches()


@contextmanager
def _names_told() -> Iterator[None]:
    """Turn the error about a name of a column or field into one of Arrow."""
    try:
        yield
    except UnicodeDecodeError as error:
        msg = f"the name of a column is no UTF-8: {error.reason}"
        raise pa.ArrowInvalid(msg) from error


def _read_names(fields: Iterable[pa.Field]) -> None:
    """Read the names of all fields, those within others too."""
    for field in fields:
        _ = field.name
        kind = field.type
        if pa.types.is_map(kind):
            _read_names([kind.key_field, kind.item_field])
        elif pa.types.is_struct(kind) or pa.types.is_union(kind):
            _read_names(map(kind.field, range(kind.num_fields)))
        elif hasattr(kind, "value_field"):
            _read_names([kind.value_field])


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Write dictionaries out where the schema has none."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Return the type that dictionaries can be written out to."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_without_views(kind.value_type)))
    if pa.types.is_struct(kind):
        fields = map(kind.field, range(kind.num_fields))
        return pa.struct([f.with_type(_without_views(f.type)) for f in fields])
    return kind


def read_feather(path: Path, source: Any) -> pa.Table:
    """Read an Arrow file, or one of Feather's first version."""
    start = source.read(len(_FILE_MAGIC))
    if start == _FILE_MAGIC:
        _check_messages(path, source)
    source.seek(0)
    return _counted(path, source, pyarrow.feather.read_table(source))


def read_stream(path: Path, source: Any) -> pa.Table:
    """Read Arrow's format for streams."""
    _check_messages(path, source)
    source.seek(0)
    return _counted(path, source, pyarrow.ipc.open_stream(source).read_all())


def _counted(path: Path, source: Any, table: pa.Table) -> pa.Table:
    with _names_told():
        _read_names(table.schema)
    # a file may state anything, and Arrow reads it without a look
    table.validate(full=True)
    count = _Count(path, source.size())
    for column in table.columns:
        for chunk in column.chunks:
            count.add(dense_bytes(chunk))
    return table


class _Count:
    """Counts the bytes that a file of `n_packed` bytes takes unpacked."""

    def __init__(self, path: Path, n_packed: int) -> None:
        self.path = path
        self.n_bytes = 0
        self.most = allowed_bytes(n_packed)

    def add(self, n_bytes: int) -> None:
        self.n_bytes += n_bytes
        if self.n_bytes > self.most:
            raise too_large(self.path, self.most, "unpacks to")


def dense_bytes(array: pa.Array) -> int:
    """Return how many bytes the cells take at the most, once each is written out."""
    kind = array.type
    own = _CELL * len(array)
    if pa.types.is_struct(kind):
        return own + sum(map(dense_bytes, array.flatten()))
    if pa.types.is_map(kind):
        return own + dense_bytes(array.keys) + dense_bytes(array.items)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        # the views may overlap
        n_cells = int(pc.sum(array.sizes).as_py() or 0)
        return own + n_cells * _largest(array.values)
    if pa.types.is_run_end_encoded(kind):
        return own + len(array) * _largest(array.values)
    if pa.types.is_union(kind):
        return len(array) * sum(
            _largest(array.field(i)) for i in range(kind.num_fields)
        )
    if pa.types.is_nested(kind):
        return own + dense_bytes(array.flatten())
    if pa.types.is_dictionary(kind):
        sizes = pa.array(_sizes(array.dictionary))
        return own + int(pc.sum(sizes.take(array.indices)).as_py() or 0)
    return own + int(_sizes(array).sum())


def _largest(array: pa.Array) -> int:
    """Return the bytes of the largest value, or of all where they are nested."""
    if pa.types.is_nested(array.type) or pa.types.is_dictionary(array.type):
        return dense_bytes(array)
    return _CELL + int(_sizes(array).max(initial=0))


def _sizes(array: pa.Array) -> NDArray[np.int64]:
    """Return the bytes of each value beside its cell, (n_values,)."""
    kind = array.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        views = np.frombuffer(array.buffers()[1], np.int32).reshape(-1, 4)
        lengths = views[array.offset : array.offset + len(array), 0]
        return np.maximum(lengths, 0).astype(np.int64)
    if not (_is_text(kind) or pa.types.is_fixed_size_binary(kind)):
        return np.full(len(array), array.nbytes // max(len(array), 1), np.int64)
    lengths = pc.fill_null(pc.binary_length(array), 0)
    return np.asarray(lengths, dtype=np.int64)


def _is_text(kind: pa.DataType) -> bool:
    tests = (
        *(pa.types.is_string, pa.types.is_large_string),
        *(pa.types.is_binary, pa.types.is_large_binary),
    )
    return any(is_kind(kind) for is_kind in tests)


def _check_messages(path: Path, source: Any) -> None:
    """Count the bytes that compressed buffers state, before any is unpacked."""
    count = _Count(path, source.size())
    try:
        for message in pa.ipc.MessageReader.open_stream(source):
            table = _Table(message.metadata.to_pybytes())
            kind, header = table.number(1, "B"), table.inner(2)
            if kind == _DICTIONARY and header is not None:
                header = header.inner(1)
            if kind in (_DICTIONARY, _RECORDS) and header is not None:
                count.add(_stated(header, message.body))
    except (struct.error, IndexError) as error:
        raise DataFormatError(path, None, f"a damaged message: {error}") from error


def _stated(batch: _Table, body: Any) -> int:
    """Return the bytes that a batch states: of its rows and its buffers unpacked."""
    n_rows = sum(length for length, _ in batch.pairs(1))
    if batch.inner(3) is None or body is None:
        return _CELL * n_rows
    n_bytes = 0
    for offset, length in batch.pairs(2):
        if length >= _CELL:
            (stated,) = struct.unpack("<q", body[offset : offset + _CELL].to_pybytes())
            n_bytes += max(stated, length)
    return _CELL * n_rows + n_bytes


class _Table:
    """A table of a flatbuffer, as which Arrow writes the headers of its messages."""

    def __init__(self, data: bytes, place: int | None = None) -> None:
        self._data = data
        self._place = self._read("I", 0) if place is None else place
        self._fields = self._place - self._read("i", self._place)

    def _read(self, kind: str, place: int) -> int:
        if place < 0:
            msg = "a place before the start"
            raise IndexError(msg)
        (value,) = struct.unpack_from(f"<{kind}", self._data, place)
        return int(value)

    def _field(self, number: int) -> int | None:
        """Return the place of a field, None if it has its default."""
        at = 4 + 2 * number
        if at >= self._read("H", self._fields):
            return None
        offset = self._read("H", self._fields + at)
        return self._place + offset if offset else None

    def number(self, number: int, kind: str) -> int:
        """Return a number, by default 0."""
        place = self._field(number)
        return 0 if place is None else self._read(kind, place)

    def inner(self, number: int) -> _Table | None:
        """Return a table in this table."""
        place = self._field(number)
        if place is None:
            return None
        return _Table(self._data, place + self._read("I", place))

    def pairs(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield a list of pairs of 64-bit numbers."""
        place = self._field(number)
        if place is None:
            return
        place += self._read("I", place)
        for i in range(self._read("I", place)):
            at = place + 4 + 16 * i
            yield self._read("q", at), self._read("q", at + 8)
