"""Files and folders of any kind as one table, recognised by their content."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from os.path import lexists
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote

import pyarrow as pa

from sklearn_profiling._arrow_files import read_feather, read_parquet, read_stream
from sklearn_profiling._bounds import check_file
from sklearn_profiling._packed_files import (
    check_encodings,
    open_packed,
    open_text,
    without_packed_ending,
)
from sklearn_profiling.datasets._files import (
    OnBadLines,
    check_no_loop,
    children,
    choose_encoding,
)
from sklearn_profiling.datasets.records.cells import infer
from sklearn_profiling.datasets.records.delimited import read_delimited
from sklearn_profiling.datasets.records.json_tables import read_json
from sklearn_profiling.datasets.records.tables import (
    Part,
    RawTable,
    from_arrow,
    from_objects,
    stack,
)
from sklearn_profiling.exceptions import DataFormatError

#: Endings by which a folder's tables are found; a file that is named is looked into.
ENDINGS: Final = (
    *(".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".psv"),
    *(".parquet", ".pq", ".arrow", ".feather"),
)
LINK_NAMES: Final = ("links.tsv", "links.txt", "links.csv")
#: At most what the csv module takes as one field.
_SAMPLE_BYTES: Final = 1 << 17
_MANY_NULLS: Final = 0.1
#: How Hugging Face's datasets save tables.
_ARROW_STREAM: Final = b"\xff\xff\xff\xff"
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
#: What is no table of text, and what to do about it.
_OTHER_KINDS: Final = (
    (b"PK\x03\x04", "an Excel workbook: save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
    (b"\x89HDF", "an HDF5 file: save the table as Parquet"),
    (b"\x80\x04\x95", "a pickle, which may run any code: save the table as Parquet"),
    (b"\x80\x05\x95", "a pickle, which may run any code: save the table as Parquet"),
    (b"%PDF", "a PDF file"),
)


def read_table(
    path: Path, encoding: str | Sequence[str], on_bad_lines: OnBadLines
) -> RawTable:
    """Read a file or a folder of shards as one table."""
    if not lexists(path):
        raise DataFormatError(path, None, "does not exist")
    files = find_files(path) if path.is_dir() else [path]
    tables = [_read_file(file, encoding, on_bad_lines) for file in files]
    for file, table in zip(files, tables, strict=True):
        add_partitions(
            table, file.relative_to(path).parent if files != [path] else Path()
        )
    check_one_table(path, files, [table.columns.keys() for table in tables])
    pa.default_memory_pool().release_unused()
    return stack([table for table in tables if table.n_lines] or tables[:1])


def _read_file(
    path: Path, encoding: str | Sequence[str], on_bad_lines: OnBadLines
) -> RawTable:
    check_file(path)
    with path.open("rb") as raw:
        start = raw.read(1 << 12)
    if start.startswith(b"PK") and b"[Content_Types].xml" in start:
        raise DataFormatError(path, None, f"is {_OTHER_KINDS[0][1]}")
    with open_packed(path) as file:
        start = file.peek(8)
        if start.startswith(b"PAR1"):
            return _read_arrow(path, file, "Parquet", read_parquet)
        if start.startswith((b"ARROW1", b"FEA1")):
            return _read_arrow(path, file, "Arrow", read_feather)
        if start.startswith(_ARROW_STREAM):
            return _read_arrow(path, file, "Arrow", read_stream)
        for magic, kind in _OTHER_KINDS:
            if start.startswith(magic):
                raise DataFormatError(path, None, f"is {kind}")
    encodings = check_encodings(encoding)
    with open_text(path) as file:
        raw_sample = file.read(_SAMPLE_BYTES)
    if raw_sample.count(b"\0") > _MANY_NULLS * len(raw_sample):
        reason = "holds null bytes: it is no text, or UTF-16 without a byte order mark"
        raise DataFormatError(path, None, reason)
    if raw_sample.lstrip()[:1] in (b"{", b"["):
        return read_json(path, encodings, on_bad_lines)
    if not raw_sample.strip():
        return RawTable({}, [Part(path, 0)], "nothing", raw_sample.count(b"\n"))
    chosen = choose_encoding(path, encodings)
    sample = raw_sample.decode(chosen, errors="replace")
    return read_delimited(path, sample, chosen, on_bad_lines)


def _read_arrow(
    path: Path, file: IO[bytes], kind: str, read: Callable[[Path, Any], pa.Table]
) -> RawTable:
    # not a file of Python's, which pyarrow's threads would abort an interpreter over
    # that ends while they let go of it
    is_plain = isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)
    source = pa.OSFile(str(path)) if is_plain else pa.BufferReader(file.read())
    with readable_arrow(path, kind):
        table = read(path, source)
    columns = from_arrow(table)
    return RawTable(columns, [Part(path, len(table))], kind, len(table))


@contextmanager
def readable_arrow(path: Path, kind: str) -> Iterator[None]:
    """Turn what Arrow raises about a file into an error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = f"no readable {kind} table: {error}"
        raise DataFormatError(path, None, reason) from error


def add_partitions(table: RawTable, folder: Path) -> None:
    """Add the columns that the names of folders hold, as in ``lang=en``."""
    for name in folder.parts:
        key, mark, text = name.partition("=")
        if mark:
            value = None if text == _NO_VALUE else infer([unquote(text)])[0]
            cells = [value] * table.n_rows
            table.columns.setdefault(key, from_objects(cells))


def find_files(folder: Path) -> list[Path]:
    """Return the table of a folder, one file or its shards."""
    entries = sorted(
        entry for entry in children(folder) if not entry.name.startswith((".", "_"))
    )
    partitions = [entry for entry in entries if entry.is_dir() and "=" in entry.name]
    for entry in entries:
        check_no_loop(entry)
    if partitions:
        return [file for entry in partitions for file in find_files(entry)]
    found = [entry for entry in entries if _may_be_table(entry)]
    found = [entry for entry in found if entry.name.startswith("users.")] or found
    kinds = {_ending(entry) for entry in found}
    if not found:
        names = ", ".join(entry.name for entry in entries) or "nothing"
        reason = f"no file of users ({', '.join(ENDINGS)}); the folder holds: {names}"
        raise DataFormatError(folder, None, reason)
    if len(found) > 1 and (len(kinds) > 1 or any(entry.is_dir() for entry in found)):
        raise _several(folder, found)
    return find_files(found[0]) if found[0].is_dir() else found


def check_one_table(
    path: Path, files: Sequence[Path], columns: Sequence[Collection[str] | None]
) -> None:
    """Refuse files that neither names nor columns, where known, show as one table."""
    if len({_pattern(file) for file in files}) > 1:
        first = columns[0]
        if first is None or any(e is None or set(e) != set(first) for e in columns):
            raise _several(path, files)


def _several(folder: Path, found: Sequence[Path]) -> DataFormatError:
    names = ", ".join(entry.name for entry in found)
    reason = f"several files of users: {names}; give the path of one"
    return DataFormatError(folder, None, reason)


def _may_be_table(entry: Path) -> bool:
    name = without_packed_ending(entry.name)
    if entry.is_dir():
        return name.endswith(ENDINGS)
    is_link = name in LINK_NAMES
    is_packed = name != entry.name and "." not in name
    is_part = name.startswith("part-")
    return not is_link and (name.endswith(ENDINGS) or is_part or is_packed)


def _ending(entry: Path) -> str:
    return Path(without_packed_ending(entry.name)).suffix


def _pattern(file: Path) -> str:
    """Return what shards of one table have in common."""
    if file.name.startswith("part-"):
        return "part-"
    return re.sub(r"\d+", "0", file.name)
