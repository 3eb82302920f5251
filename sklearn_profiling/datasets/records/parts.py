"""Tables of files that are larger than memory, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os.path import lexists
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from sklearn_profiling._arrow_files import parquet_batches
from sklearn_profiling._bounds import check_file
from sklearn_profiling._frames import as_pandas
from sklearn_profiling._packed_files import check_encodings, open_packed, open_text
from sklearn_profiling.datasets._files import OnBadLines
from sklearn_profiling.datasets.records.assembly import frame_table
from sklearn_profiling.datasets.records.json_tables import read_json_lines
from sklearn_profiling.datasets.records.reading import (
    add_partitions,
    check_one_table,
    find_files,
    readable_arrow,
)
from sklearn_profiling.datasets.records.tables import Part, RawTable, from_arrow
from sklearn_profiling.exceptions import DataFormatError

_PARQUET: Final = b"PAR1"
#: Bytes of a column of Parquet that are read at a time.
_BUFFER: Final = 1 << 20
_SAMPLE: Final = 1 << 12


def file_parts(
    path: Path, encoding: str | Sequence[str], on_bad_lines: OnBadLines, n_rows: int
) -> Iterator[RawTable]:
    """Yield the rows of a file, or of a folder of shards, about `n_rows` at a time.

    Each part has the columns of all Parquet files and of the parts before.
    """
    if not lexists(path):
        raise DataFormatError(path, None, "does not exist")
    files = find_files(path) if path.is_dir() else [path]
    kinds = {file: _kind(file) for file in files}
    columns = [_names_of(file) if kinds[file] == "Parquet" else None for file in files]
    check_one_table(path, files, columns)
    names = dict.fromkeys(name for each in columns for name in each or ())
    for file, kind in kinds.items():
        parts = (
            _parquet_parts(file, n_rows)
            if kind == "Parquet"
            else read_json_lines(file, check_encodings(encoding), on_bad_lines, n_rows)
        )
        for part in parts:
            if files != [path]:
                add_partitions(part, file.relative_to(path).parent)
            _add_missing(part, names)
            yield part


def _add_missing(part: RawTable, names: dict[str, None]) -> None:
    """Add the columns that other parts have, without a value; learn their names."""
    for name in names:
        part.columns.setdefault(name, [None] * part.n_rows)
    names |= dict.fromkeys(part.columns)


def _kind(path: Path) -> str:
    check_file(path)
    with path.open("rb") as raw:
        if raw.read(len(_PARQUET)) == _PARQUET:
            return "Parquet"
    with open_packed(path) as file:
        if file.peek(len(_PARQUET)).startswith(_PARQUET):
            reason = "is packed Parquet, which is unpacked as a whole: unpack it first"
            raise DataFormatError(path, None, reason)
    with open_text(path) as file:
        start = file.read(_SAMPLE).lstrip()
    if not start or start.startswith(b"{"):
        return "JSON lines"
    reason = (
        "is neither Parquet nor JSON lines, which can be read in parts. Cells of CSV "
        "have no type of their own: convert it to Parquet, or give tables, as "
        "pandas.read_csv(path, chunksize=10_000) yields them"
    )
    raise DataFormatError(path, None, reason)


def _open_parquet(path: Path, n_rows: int) -> tuple[pa.Schema, Iterator[Any]]:
    return parquet_batches(path, pa.OSFile(str(path)), n_rows, _BUFFER)


def _names_of(path: Path) -> list[str]:
    with readable_arrow(path, "Parquet"):
        return list(_open_parquet(path, 1)[0].names)


def _parquet_parts(path: Path, n_rows: int) -> Iterator[RawTable]:
    with readable_arrow(path, "Parquet"):
        schema, batches = _open_parquet(path, n_rows)
    start = 1
    while True:
        with readable_arrow(path, "Parquet"):
            batch = next(batches, None)
        if batch is None:
            return
        table = pa.Table.from_batches([batch], schema)
        numbers = range(start, start + len(table))
        start += len(table)
        yield RawTable(
            from_arrow(table),
            [Part(path, len(table), numbers)],
            "Parquet",
            len(table),
        )


def frame_parts(frames: Iterable[Any], n_rows: int) -> Iterator[RawTable]:
    """Yield the rows of tables in memory, at most `n_rows` at a time."""
    names: list[str] = []
    for number, frame in enumerate(frames, 1):
        table = as_pandas(frame)
        if not isinstance(table, pd.DataFrame):
            msg = f"table {number} of the stream is a {type(frame).__name__}, no table"
            raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
        name = f"table {number}"
        whole = frame_table(table, name)
        names = names or list(whole.columns)
        if set(names) != set(whole.columns):
            other = sorted(set(names) ^ set(whole.columns))
            reason = (
                f"has other columns than the table before: {other[0]!r:.60} is in one "
                "of them only"
            )
            raise DataFormatError(name, None, reason)
        while whole.n_rows > n_rows:
            head, whole = whole.cut(n_rows)
            yield head
        yield whole
