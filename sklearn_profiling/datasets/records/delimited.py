"""Tables of separated fields: CSV, TSV and what spreadsheets write."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.csv

from sklearn_profiling._packed_files import marked_encoding, open_text, packing
from sklearn_profiling.datasets._files import BadLine, OnBadLines, undecodable
from sklearn_profiling.datasets.records.names import is_known
from sklearn_profiling.datasets.records.tables import (
    Part,
    RawTable,
    check_width,
    from_arrow,
)
from sklearn_profiling.exceptions import DataFormatError

SEPARATORS: Final = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
_BLOCK: Final = 1 << 20
#: A row must fit into a block.
_LARGEST_BLOCK: Final = 1 << 28
#: What Excel reads as the separator, in a line before the header.
_SEPARATOR_LINE: Final = re.compile(r'"?sep=([\t -~])"?\r?\n')
_QUOTE: Final = b'"'
_ESCAPED: Final = b'\\"'
#: An empty cell, and what MySQL and Hive write for one.
_NO_CELL: Final = ("", r"\N")
#: Rows of a sample that must have as many fields as the header.
_ALIKE: Final = 0.5


class _Utf8:
    """A text in any encoding, read as UTF-8; counts quotes, plain and escaped."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self.is_utf8 = codecs.lookup(encoding).name == "utf-8"
        self._decoder = (
            None if self.is_utf8 else codecs.getincrementaldecoder(encoding)()
        )
        self._rest = self._last = b""
        self._end = b"\n"
        self.n_quotes = self.n_escaped = 0

    def read(self, size: int = _BLOCK) -> bytes:
        """Return at most `size` bytes."""
        # pyarrow takes a header without a line end in its block for a row that is cut
        while len(self._rest) < size and self._end:
            block = self._file.read(size)
            if not block:
                self._end, block = b"", self._end
            if self._decoder is not None:
                block = self._decoder.decode(block, final=not self._end).encode()
            self._rest += block
        done, self._rest = self._rest[:size], self._rest[size:]
        self.n_quotes += done.count(_QUOTE)
        self.n_escaped += (self._last + done).count(_ESCAPED)
        self._last = done[-1:]
        return done


def split_rows(text: str, separator: str) -> list[list[str]]:
    """Return the fields of each row that is not blank."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [row for row in rows if row]


def find_separator(text: str) -> str | None:
    """Return the separator that splits the first rows alike; None without one."""
    best: tuple[float, int, str] | None = None
    for separator in SEPARATORS:
        rows = split_rows(text, separator)
        width = len(rows[0]) if rows else 0
        # the last row of a sample may be cut
        body = rows[1:-1] or rows[1:]
        alike = sum(len(row) == width for row in body) / len(body) if body else 1.0
        if width < 2 or (alike < _ALIKE and not any(map(is_known, rows[0]))):
            continue
        if best is None or (alike, width) > best[:2]:
            best = (alike, width, separator)
    return None if best is None else best[2]


def read_delimited(
    path: Path, sample: str, encoding: str, on_bad_lines: OnBadLines
) -> RawTable:
    """Read every field of the table as text; an empty one is missing.

    Rows are numbered as in a spreadsheet, where the header is row 1.
    """
    line = _SEPARATOR_LINE.match(sample)
    sample = sample[line.end() :] if line else sample
    separator = line[1] if line else find_separator(sample)
    if separator is None or sample.lstrip().startswith("<"):
        known = ", ".join(SEPARATORS.values())
        start = sample.strip().partition("\n")[0].strip()
        reason = (
            f"unknown format: looked for Parquet, Arrow, JSON lines, a JSON array or "
            f"object, and a table separated by {known}; the file begins {start!r:.60}"
        )
        raise DataFormatError(path, None, reason)
    rows = split_rows(sample, separator)
    if not rows:
        raise DataFormatError(path, None, "nothing follows the line of the separator")
    names = check_header(path, rows[0])
    reader = _Reader(path, encoding, separator, names, n_before=bool(line))
    table, kept = reader.read(on_bad_lines)
    return RawTable(
        from_arrow(table),
        [Part(path, len(table), kept, unit="row")],
        f"a table separated by {SEPARATORS.get(separator, repr(separator))}",
        len(table) + sum(reader.skipped.values()),
        encoding=encoding,
        untyped=True,
        skipped=reader.skipped,
    )


def check_header(path: Path, header: list[str]) -> list[str]:
    """Return the names of the columns; pandas writes its index without one."""
    check_width(path, len(header))
    names = [name.strip() or f"Unnamed: {place}" for place, name in enumerate(header)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    numbers = [name for name in names if _is_number(name)]
    if twice or 2 * len(numbers) >= len(names):
        fault = f"{twice[0]!r:.60} is there twice" if twice else "it holds numbers"
        reason = f"no header: the first row must hold the names of the columns; {fault}"
        raise DataFormatError(path, 1, reason)
    return names


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


class _Reader:
    """Reads one file with pyarrow, again where it needs to know more about faults."""

    def __init__(
        self,
        path: Path,
        encoding: str,
        separator: str,
        names: list[str],
        n_before: int,
    ) -> None:
        self._path = path
        self._encoding = encoding
        self._separator = separator
        self._n_before = n_before
        self._names = names
        self._n_quotes = self._n_escaped = 0
        self._faults: list[Any] = []
        self.skipped: Counter[str] = Counter()

    def read(self, on_bad_lines: OnBadLines) -> tuple[pa.Table, Sequence[int]]:
        """Return the table, and the numbers of its rows."""
        table = self._parse(pa.string())
        if table is None:
            # one thread knows the numbers of rows, and bytes need no encoding
            table = self._parse(pa.binary(), use_threads=False)
        if table is None:
            reason = f"a row is not {self._encoding} and of another length"
            raise DataFormatError(self._path, None, reason)
        if self._n_quotes % 2 or self._n_escaped:
            self._check_quotes()
        bad = {row.number: _wrong_length(row) for row in self._faults}
        start = 2 + self._n_before
        numbers: Sequence[int] = range(start, start + len(table) + len(bad))
        if pa.binary() in table.schema.types:
            numbers = [number for number in numbers if number not in bad]
            undecodable = _undecodable(table)
            bad |= {numbers[row]: fault for row, fault in undecodable.items()}
            good = [row for row in range(len(table)) if row not in undecodable]
            numbers = [numbers[row] for row in good]
            table = table.take(pa.array(good, pa.int64())).cast(
                _schema(self._names, pa.string())
            )
        if bad and on_bad_lines == "error":
            number = min(bad)
            reason = f"row {number}: {bad[number]}"
            raise DataFormatError(self._path, None, reason) from bad[number]
        self.skipped.update(fault.kind for fault in bad.values())
        return table, numbers

    def _parse(self, kind: pa.DataType, *, use_threads: bool = True) -> pa.Table | None:
        """Return the table; None if a byte is not UTF-8 or a row has a wrong length.

        Without threads, such rows are left out and collected.
        """
        # pyarrow hands faulty rows over as text, which any bytes are in Latin-1
        as_bytes = not use_threads and codecs.lookup(self._encoding).name == "utf-8"
        encoding = "latin-1" if as_bytes else self._encoding
        size = _BLOCK
        while size <= _LARGEST_BLOCK:
            self._faults.clear()
            with open_text(self._path) as raw:
                text = _Utf8(raw, encoding)
                try:
                    source = self._source(text)
                    table = self._parse_blocks(source, kind, size, use_threads)
                    return _from_latin(table) if as_bytes else table
                except pa.ArrowInvalid as error:
                    if "invalid UTF8" in str(error) or "Expected" in str(error):
                        return None
                    if "straddling" not in str(error):
                        reason = f"no readable table: {error}"
                        raise DataFormatError(self._path, None, reason) from error
                except UnicodeDecodeError as error:
                    reason = f"wrong encoding: not {self._encoding}: {error.reason}"
                    raise DataFormatError(self._path, None, reason) from error
                finally:
                    self._n_quotes, self._n_escaped = text.n_quotes, text.n_escaped
            size *= 16
        reason = "a row is longer than 256 MB; a quote may be open"
        raise DataFormatError(self._path, None, reason)

    def _source(self, text: _Utf8) -> Any:
        """Return what pyarrow reads without Python, after counting its quotes.

        Its threads may outlive the interpreter, which they would abort when they let go
        of an object of Python's.
        """
        with self._path.open("rb") as file:
            start = file.read(16)
        is_utf8 = text.is_utf8 and marked_encoding(start) != "utf-16"
        if (
            packing(start) != "plain"
            or not is_utf8
            or self._path.stat().st_size < _BLOCK
        ):
            stream = pa.BufferOutputStream()
            for block in iter(text.read, b""):
                stream.write(block)
            return pa.BufferReader(stream.getvalue())
        for _ in iter(text.read, b""):
            pass
        return str(self._path)

    def _parse_blocks(
        self, source: Any, kind: pa.DataType, size: int, use_threads: bool
    ) -> pa.Table:
        def collect(row: Any) -> str:
            self._faults.append(row)
            return "skip"

        return pyarrow.csv.read_csv(
            source,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=use_threads,
                block_size=size,
                column_names=self._names,
                skip_rows=self._n_before,
                skip_rows_after_names=1,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._separator,
                newlines_in_values=True,
                # an object of Python's, as in _source, so not at the first attempt
                invalid_row_handler=None if use_threads else collect,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=_schema(self._names, kind),
                strings_can_be_null=True,
                null_values=list(_NO_CELL),
            ),
        )

    def _check_quotes(self) -> None:
        """Raise an error about quotes against the rules, open or escaped."""
        with open_text(self._path) as raw:
            lines = io.TextIOWrapper(raw, self._encoding, "replace", newline="")
            rows = csv.reader(lines, delimiter=self._separator, strict=True)
            number = 0
            try:
                for row in rows:
                    number += bool(row)
            except csv.Error as error:
                if "field limit" in str(error):
                    return
                reason = f"row {number + 1}: bad quotes: {error}"
                if self._n_escaped:
                    reason += r'; a quote within quotes must be doubled, "" and not \"'
                raise DataFormatError(self._path, None, reason) from error


def _schema(names: list[str], kind: pa.DataType) -> pa.Schema:
    return pa.schema([(name, kind) for name in names])


def _from_latin(table: pa.Table) -> pa.Table:
    """Return the bytes of a table that was read as Latin-1."""
    columns = {
        name: pa.array([_bytes_of(cell) for cell in column.to_pylist()], pa.binary())
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return pa.table(columns)


def _bytes_of(cell: bytes | None) -> bytes | None:
    return None if cell is None else cell.decode().encode("latin-1")


def _wrong_length(row: Any) -> BadLine:
    text = row.text
    with suppress(UnicodeError):  # of a row that was read as Latin-1
        text = text.encode("latin-1").decode()
    detail = (
        f"the header has {row.expected_columns}, the row {row.actual_columns}: "
        f"{text!r:.60}"
    )
    return BadLine(kind="wrong number of fields", detail=detail)


def _undecodable(table: pa.Table) -> dict[int, BadLine]:
    """Return the rows that are not UTF-8."""
    bad: dict[int, BadLine] = {}
    for column in table.columns:
        for row, cell in enumerate(column.to_pylist()):
            try:
                str(cell or b"", "utf-8")
            except UnicodeDecodeError as error:
                bad[row] = undecodable(error)
    return bad
