"""Columns of any table, where each of its rows stands, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sklearn_profiling.datasets._files import BadLine, OnBadLines
from sklearn_profiling.exceptions import DataFormatError

#: An Arrow column, or a list of Python objects where Arrow has no type for them.
Column = Any
_ROWS_OF_A_SAMPLE = 1000
_DEPTH = 3
_N_SHOWN = 30
_MOST_COLUMNS = 1 << 14


@dataclass
class Part:
    """The rows of one file, and their numbers if they do not count from 1."""

    path: Path
    n_rows: int
    numbers: Sequence[int] | None = None
    unit: Literal["line", "row"] = "row"


@dataclass
class RawTable:
    """A table as it was read; `untyped` ones hold text alone, as CSV does.

    `n_lines` counts lines or rows read, with those skipped, by reason, and the blank
    ones.
    """

    columns: dict[str, Column]
    parts: list[Part]
    taken_for: str
    n_lines: int
    n_blank: int = 0
    encoding: str | None = None
    untyped: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    #: There are more rows elsewhere, so that these may all be left out.
    is_part: bool = False

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return sum(part.n_rows for part in self.parts)

    def cut(self, row: int) -> tuple[RawTable, RawTable]:
        """Return the rows before one, with all that was skipped, and the others."""
        tail = RawTable(
            {name: column[row:] for name, column in self.columns.items()},
            list(_cut_parts(self.parts, row)),
            self.taken_for,
            self.n_rows - row,
            0,
            self.encoding,
            self.untyped,
            is_part=self.is_part,
        )
        head = replace(
            self,
            columns={name: column[:row] for name, column in self.columns.items()},
            parts=list(_cut_parts(self.parts, 0, row)),
            n_lines=self.n_lines - tail.n_lines,
        )
        return head, tail

    def error(self, row: int, reason: str) -> DataFormatError:
        """Return an error that points at a row."""
        for part in self.parts:
            if row < part.n_rows:
                break
            row -= part.n_rows
        number = row + 1 if part.numbers is None else part.numbers[row]
        if part.unit == "line":
            return DataFormatError(part.path, number, reason)
        return DataFormatError(part.path, None, f"row {number}: {reason}")

    def names(self) -> list[str]:
        """Return the names of columns, and dotted names of nested ones."""
        return [
            name
            for column in self.columns
            for name in (column, *_nested(column, self.columns[column], _DEPTH))
        ]

    def listed(self) -> str:
        """Return the names of columns as a part of an error message."""
        names = self.names()
        shown = ", ".join(f"{name!r:.60}" for name in names[:_N_SHOWN])
        more = len(names) - _N_SHOWN
        return f"the columns {shown}" + (f" and {more} more" if more > 0 else "")

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> Column | None:
        """Return a column by its exact name, or by a dotted one; None without it."""
        if name in self.columns:
            return self.columns[name]
        head, _, rest = name.partition(".")
        while rest:
            if head in self.columns:
                return field_of(self.columns[head], rest)
            step, _, rest = rest.partition(".")
            head = f"{head}.{step}"
        return None


class Rows:
    """Tells rows that are used from those left out, counted by reason."""

    def __init__(self, table: RawTable, on_bad_lines: OnBadLines) -> None:
        self.table = table
        self._skip = on_bad_lines == "skip"
        self.used = np.ones(table.n_rows, dtype=bool)
        self.skipped: Counter[str] = Counter(table.skipped)

    def bad(self, row: int, fault: BadLine) -> None:
        """Raise an error about a row, or leave it out and count it."""
        if not self._skip:
            raise self.table.error(row, str(fault)) from fault
        self.leave_out([row], fault.kind)

    def leave_out(self, rows: Iterable[int], kind: str) -> None:
        """Leave out rows under either policy."""
        for row in rows:
            self.skipped[kind] += int(self.used[row])
            self.used[row] = False

    def finish(self, path: Path) -> dict[str, Any]:
        """Return the counts, or raise an error if no row is left."""
        table = self.table
        if len(table.parts) == 1:
            path = table.parts[0].path
        n_records = int(self.used.sum())
        if not (n_records or table.is_part):
            _no_rows(path, table, self.skipped)
        return {
            "path": str(path),
            "encoding": table.encoding,
            "n_files": len(table.parts),
            "n_lines": table.n_lines,
            "n_blank": table.n_blank,
            "n_records": n_records,
            "skipped": dict(self.skipped),
            "taken_for": table.taken_for,
        }


def _no_rows(path: Path, table: RawTable, skipped: Counter[str]) -> NoReturn:
    if not table.n_lines:
        shown = f"has no rows, only {table.listed()}"
        reason = shown if table.columns else "the file is empty"
        raise DataFormatError(path, None, reason)
    reasons = dict(skipped) or "all lines are blank"
    reason = f"no usable line among {table.n_lines}: {reasons}"
    raise DataFormatError(path, None, reason)


def _cut_parts(
    parts: Sequence[Part], start: int, stop: int | None = None
) -> Iterator[Part]:
    """Yield the parts of the rows from `start` to `stop`, with their numbers."""
    before = 0
    for part in parts:
        first = min(max(start - before, 0), part.n_rows)
        last = part.n_rows if stop is None else min(stop - before, part.n_rows)
        before += part.n_rows
        if first < last:
            numbers = part.numbers or range(1, part.n_rows + 1)
            yield Part(part.path, last - first, numbers[first:last], part.unit)


def check_width(path: Path, n_columns: int) -> None:
    """Refuse a table of more columns than anyone names."""
    if n_columns > _MOST_COLUMNS:
        reason = f"has {n_columns:,} columns; a table may have {_MOST_COLUMNS:,}"
        raise DataFormatError(path, None, reason)


def is_text(column: Column) -> bool:
    """Tell if an Arrow column holds strings."""
    return isinstance(column, pa.ChunkedArray) and (
        pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    )


def is_null(column: Column) -> bool:
    """Tell if no cell of a column has a value."""
    if isinstance(column, pa.ChunkedArray):
        return bool(column.null_count == len(column))
    return all(cell is None for cell in column)


def from_arrow(table: pa.Table) -> dict[str, Column]:
    """Return the columns, with dictionaries and views as plain values."""
    return {
        name: _plain(column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        # text of writers that do not say so
        try:
            return column.cast(pa.large_string())
        except pa.ArrowInvalid:
            return column
    return column


def from_objects(values: list[Any]) -> Column:
    """Return strings or whole numbers as an Arrow column, other values as they are."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds == {str}:
            return pa.chunked_array([pa.array(values, pa.string())])
        if kinds == {int}:
            return pa.chunked_array([pa.array(values, pa.int64())])
    except (pa.ArrowException, OverflowError, UnicodeError):
        # lone surrogates, whole numbers beyond 64 bits
        return values
    return values


def objects(column: Column) -> list[Any]:
    """Return a column's cells as Python objects, None where missing."""
    if not isinstance(column, pa.ChunkedArray):
        return list(column)
    if is_text(column):
        return list(column.to_numpy().tolist())
    return list(column.to_pylist())


def join(pieces: Sequence[tuple[Column | None, int]]) -> Column:
    """Join a column's pieces; None stands for missing cells of a number of rows."""
    kinds = {
        piece.type if isinstance(piece, pa.ChunkedArray) else None
        for piece, _ in pieces
        if piece is not None
    }
    if None not in kinds:
        try:
            return pa.concat_tables(
                [
                    pa.table({"x": pa.nulls(n_rows) if piece is None else piece})
                    for piece, n_rows in pieces
                ],
                promote_options="default" if len(kinds) == 1 else "permissive",
            ).column("x")
        except (pa.ArrowException, pa.ArrowTypeError):
            # types without a common one
            pass
    return [
        cell
        for piece, n_rows in pieces
        for cell in ([None] * n_rows if piece is None else objects(piece))
    ]


def stack(tables: Sequence[RawTable]) -> RawTable:
    """Return the rows of several tables as one."""
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    names = dict.fromkeys(name for table in tables for name in table.columns)
    columns = {
        name: join([(table.columns.get(name), table.n_rows) for table in tables])
        for name in names
    }
    return RawTable(
        columns,
        [part for table in tables for part in table.parts],
        f"{len(tables)} files: {first.taken_for}",
        sum(table.n_lines for table in tables),
        sum(table.n_blank for table in tables),
        first.encoding,
        all(table.untyped for table in tables),
        sum((table.skipped for table in tables), Counter()),
        first.is_part,
    )


def is_nested(column: Column) -> bool:
    """Tell if a column's cells are objects with fields."""
    if isinstance(column, pa.ChunkedArray):
        return bool(pa.types.is_struct(column.type))
    return any(isinstance(cell, dict) for cell in column[:_ROWS_OF_A_SAMPLE])


def field_of(column: Column, name: str) -> Column | None:
    """Return a field of a column of objects by its name, where dots lead inwards."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        found = _field(column, ".".join(parts[:n]))
        if found is not None and n < len(parts):
            found = field_of(found, ".".join(parts[n:]))
        if found is not None:
            return found
    return None


def _field(column: Column, name: str) -> Column | None:
    if isinstance(column, pa.ChunkedArray):
        if not is_nested(column) or column.type.get_field_index(name) < 0:
            return None
        inner: Column = pc.struct_field(column, [name])
        return inner
    if not any(isinstance(cell, dict) and name in cell for cell in column):
        return None
    cells = [cell.get(name) if isinstance(cell, dict) else None for cell in column]
    return from_objects(cells)


def fields(column: Column) -> list[str]:
    """Return the names of the fields of a column of objects."""
    if isinstance(column, pa.ChunkedArray):
        return [column.type.field(i).name for i in range(column.type.num_fields)]
    return list(
        dict.fromkeys(k for cell in column if isinstance(cell, dict) for k in cell)
    )


def _nested(name: str, column: Column, depth: int) -> Iterator[str]:
    sample = column[:_ROWS_OF_A_SAMPLE]
    if not depth or not is_nested(sample):
        return
    for inner in fields(sample):
        yield f"{name}.{inner}"
        below = _field(sample, inner)  # None where two fields have one name
        if below is not None:
            yield from _nested(f"{name}.{inner}", below, depth - 1)


@dataclass
class Factor:
    """A column as numbers of its different values, -1 where missing."""

    codes: npt.NDArray[np.int32]
    values: list[Any]


def factorise(column: Column) -> Factor:
    """Return the values of a column, numbered in order of appearance.

    1, 1.0, True and "1" are different; a TypeError says that a value has no hash.
    """
    kind = column.type if isinstance(column, pa.ChunkedArray) else None
    if kind is not None and not (pa.types.is_nested(kind) or pa.types.is_float16(kind)):
        encoded = column.dictionary_encode().combine_chunks()
        values = encoded.dictionary.to_pylist()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).copy()
        del encoded
        pa.default_memory_pool().release_unused()
        return Factor(codes, values)
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (
            -1 if cell is None else numbers.setdefault((type(cell), cell), len(numbers))
            for cell in objects(column)
        ),
        dtype=np.int32,
    )
    return Factor(codes, [value for _, value in numbers])


def from_pandas(frame: pd.DataFrame) -> dict[str, Column]:
    """Return the columns of a DataFrame, missing cells as None."""
    return {
        str(name): _of_series(frame.iloc[:, place])
        for place, name in enumerate(frame.columns)
    }


def _of_series(series: pd.Series[Any]) -> Column:
    if isinstance(series.dtype, pd.CategoricalDtype):
        kind = series.cat.categories.dtype
        if series.hasnans and kind.kind in "biu":  # not floats beside missing cells
            entries = [*series.cat.categories.tolist(), None]
            return from_objects([entries[code] for code in series.cat.codes])
        series = series.astype(kind)
    if series.dtype != object:
        column = pa.array(series, from_pandas=True)
        chunks = column if isinstance(column, pa.ChunkedArray) else [column]
        return _plain(pa.chunked_array(chunks))
    cells = [_cell(cell) for cell in series.tolist()]
    return from_objects(cells)


def _cell(cell: Any) -> Any:
    if isinstance(cell, np.ndarray | tuple):
        return [_cell(entry) for entry in cell]
    if isinstance(cell, np.generic):
        cell = cell.item()
    missing = pd.api.types.is_scalar(cell) and pd.isna(cell)
    return None if missing else cell
