"""Cells of a table: ids, messages, labels and times, each checked."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sklearn_profiling._label_kinds import mixed_booleans, read_cell
from sklearn_profiling.containers._ids import FLOAT_IDS_END
from sklearn_profiling.containers._link_codes import DELETED_AUTHORS, ROUNDED_ID
from sklearn_profiling.datasets._files import BadLine
from sklearn_profiling.datasets.records.names import LABELS, TextChoice
from sklearn_profiling.datasets.records.tables import (
    Column,
    Factor,
    RawTable,
    Rows,
    factorise,
    from_objects,
    is_text,
    objects,
)

PREFIX: Final = "labels."
_ROWS_OF_A_SAMPLE: Final = 100
#: Characters of a list that Python wrote, which it parses in 100 times the memory.
_LONGEST_LIST: Final = 1 << 22
_FLOAT_ID = re.compile(r"([+-]?\d+)\.0*")
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TIME_FORMS: Final = (
    "ISO8601",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y-%m-%d %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d,%B,%Y",
)
#: The zones of RFC 2822; within one file any meaning sorts alike.
_ZONES: Final = {
    "UTC": "+0000",
    "GMT": "+0000",
    "EST": "-0500",
    "EDT": "-0400",
    "CST": "-0600",
    "CDT": "-0500",
    "MST": "-0700",
    "MDT": "-0600",
    "PST": "-0800",
    "PDT": "-0700",
}
_ZONE: Final = re.compile(rf"(?<=\d )(?:{'|'.join(_ZONES)})\b")
#: What Reddit puts in the place of a text.
_REMOVED_TEXTS: Final = (
    "[deleted]",
    "[removed]",
    "[deleted by user]",
    "[ Removed by Reddit ]",
    "[ Removed by reddit ]",
)
#: What a missing cell is in CSV, as pandas and R write it.
_MISSING_MARKS: Final = frozenset(
    [*pyarrow.csv.ConvertOptions().null_values, "None", "<NA>", "NaT"]
)


class Ids(NamedTuple):
    """The user of each row as a number, and the users' ids; -1 is no user."""

    codes: npt.NDArray[np.int32]
    ids: list[str]
    is_float: npt.NDArray[np.bool_]


def read_ids(rows: Rows, column: Column) -> Ids:
    """Return the users of rows; numbers and strings of one id are one user."""
    try:
        factor = factorise(column)
    except TypeError:
        # lists and objects have no hash, and are no ids
        factor = factorise([_described(cell) for cell in objects(column)])
    numbers: dict[str, int] = {}
    n_values = len(factor.values)
    values = _known_ids(factor.values)
    # the last place is that of missing ids, whose code is -1
    users = np.full(n_values + 1, -1, dtype=np.int32)
    floats = np.zeros(n_values + 1, dtype=bool)
    missing = BadLine(kind="no user id", detail="the id is missing")
    faults = {n_values: missing}
    deleted = np.zeros(n_values + 1, dtype=bool)
    end = _end_of_floats(column)
    for code, value in enumerate(values):
        if value is None:
            faults[code] = missing
            continue
        try:
            user_id, floats[code] = _parse_id(value, rows.table.untyped, end)
        except BadLine as fault:
            faults[code] = fault
            continue
        if user_id in DELETED_AUTHORS:
            deleted[code] = True
        else:
            users[code] = numbers.setdefault(user_id, len(numbers))
    rows.leave_out(np.flatnonzero(deleted[factor.codes]).tolist(), "deleted author")
    codes = users[factor.codes]
    for row in np.flatnonzero((codes == -1) & rows.used).tolist():
        rows.bad(row, faults[factor.codes[row] % (n_values + 1)])
    return Ids(codes, list(numbers), floats[factor.codes])


def _known_ids(values: list[Any]) -> list[Any]:
    """Return ids; "nan" and its like are missing where all others are numbers."""
    marks = [isinstance(value, str) and value in _MISSING_MARKS for value in values]
    others = [value for value, mark in zip(values, marks, strict=True) if not mark]
    if not any(marks) or not others or not all(map(_is_whole, others)):
        return values
    return [None if mark else v for v, mark in zip(values, marks, strict=True)]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and bool(_WHOLE.fullmatch(value.strip()))
    )


def _described(cell: Any) -> Any:
    return _NoId(f"{cell!r:.60}") if isinstance(cell, list | dict) else cell


class _NoId(str):
    """What a cell without a hash looks like."""

    def __repr__(self) -> str:
        return str(self)


def _end_of_floats(column: Column) -> int:
    """Return from where on the floats of a column stand for several whole numbers."""
    kind = column.type if isinstance(column, pa.ChunkedArray) else None
    ends = {pa.float16(): 2**11, pa.float32(): 2**24}
    return ends.get(kind, FLOAT_IDS_END)


def _parse_id(value: Any, untyped: bool, end: int) -> tuple[str, bool]:
    """Return an id as text, and whether it was a float, which must be below `end`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), False
    # pandas makes whole numbers float where another row is missing
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= end:
            raise _rounded(value)
        return str(int(value)), True
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return str(int(value)), False
    if not isinstance(value, str) or isinstance(value, _NoId) or not value.strip():
        detail = f"must be a string or a whole number; got {value!r:.60}"
        raise BadLine(kind="bad user id", detail=detail)
    if ROUNDED_ID.fullmatch(value.strip()):
        raise _rounded(value)
    return _parse_untyped_id(value.strip()) if untyped else (value, False)


def _parse_untyped_id(text: str) -> tuple[str, bool]:
    if match := _FLOAT_ID.fullmatch(text):
        if abs(int(match[1])) >= FLOAT_IDS_END:
            raise _rounded(text)
        return str(int(match[1])), True
    return text, False


def _rounded(value: Any) -> BadLine:
    detail = (
        f"{value!r:.60} is a rounded number, so the digits of the id are lost; write "
        f"ids as text"
    )
    return BadLine(kind="bad user id", detail=detail)


class Texts(NamedTuple):
    """The messages of each row: a string, a list, or None where missing."""

    cells: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]
    #: What stands in the place of a message that was taken away.
    removed: npt.NDArray[np.bool_]
    #: Some cell is a list: one row may hold several messages.
    has_lists: bool = False
    #: The lists were written as text.
    as_text: bool = False


def read_texts(
    rows: Rows, choice: TextChoice | None, *, as_text: bool | None = None
) -> Texts:
    """Return the messages of rows, and leave out rows whose messages are none.

    `as_text` says whether lists are written as text; None looks at the first rows.
    """
    n_rows = rows.table.n_rows
    if choice is None:
        missing = np.ones(n_rows, dtype=bool)
        return Texts(np.full(n_rows, None, dtype=object), missing, ~missing)
    columns = [_text_column(rows.table, name) for name in choice.columns]
    if len(columns) > 1 and choice.strict:
        _check_one(rows, columns, choice.columns)
    column = columns[0]
    for other in columns[1:]:
        column = _coalesce(column, other)
    if as_text is not False and not is_text(column):
        column = from_objects(objects(column))  # strings beside rows without any
    if as_text is None:
        as_text = is_text(column) and _are_lists(column[:_ROWS_OF_A_SAMPLE])
    if as_text and is_text(column):
        column = list(map(_parse_list, objects(column)))
    if is_text(column):
        missing = column.is_null().to_numpy()
        marks = pa.array(_REMOVED_TEXTS, column.type)
        removed = pc.is_in(column, value_set=marks).to_numpy()
        for name in choice.names:
            # the strings take its place, chunk by chunk
            rows.table.columns.pop(name, None)
        columns.clear()
        chunks = column.chunks[::-1]
        del column
        return Texts(_strings(chunks, n_rows), missing, removed)
    return _checked(rows, objects(column))._replace(as_text=as_text)


def _strings(chunks: list[pa.Array], n_rows: int) -> npt.NDArray[Any]:
    """Return the strings of chunks, the last first, and let go of each."""
    cells = np.empty(n_rows, dtype=object)
    start = 0
    while chunks:
        chunk = chunks.pop().to_numpy(zero_copy_only=False)
        cells[start : start + len(chunk)] = chunk
        start += len(chunk)
        del chunk
        pa.default_memory_pool().release_unused()
    return cells


def _text_column(table: RawTable, name: str) -> Column:
    column = table.find(name)
    if column is not None:
        return column
    title, _, below = name.partition("+")
    return [
        "\n\n".join(part for part in pair if part and part not in _REMOVED_TEXTS)
        or next((part for part in pair if part is not None), None)
        for pair in zip(
            objects(table.find(title)), objects(table.find(below)), strict=True
        )
    ]


def _are_lists(column: Column) -> bool:
    cells = [cell for cell in objects(column) if cell is not None]
    return bool(cells) and all(isinstance(_parse_list(cell), list) for cell in cells)


def _parse_list(cell: Any) -> Any:
    """Return the list that pandas or JSON wrote as text; an object if there is none."""
    if cell is None:
        return None
    if not cell.startswith("["):
        return _NoList(cell)
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass
    if len(cell) > _LONGEST_LIST:
        return _NoList(cell)
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NoList(cell)
    # numpy writes no commas, which Python reads as one string
    return found if repr(found) == cell else _NoList(cell)


class _NoList(NamedTuple):
    """Text where other rows have lists."""

    text: str

    def __repr__(self) -> str:
        return repr(self.text)


def _coalesce(first: Column, second: Column) -> Column:
    if is_text(first) and is_text(second) and first.type == second.type:
        return pc.coalesce(first, second)
    return [
        other if cell is None else cell
        for cell, other in zip(objects(first), objects(second), strict=True)
    ]


def _check_one(rows: Rows, columns: list[Column], names: Sequence[str]) -> None:
    cells = [objects(column) for column in columns]
    for row, given in enumerate(zip(*cells, strict=True)):
        if rows.used[row] and sum(cell is not None for cell in given) > 1:
            detail = f"the record has {' and '.join(names)}; name one by text_column"
            rows.bad(row, BadLine(kind="two columns of messages", detail=detail))


def _checked(rows: Rows, cells: list[Any]) -> Texts:
    has_lists = False
    cells = list(map(_nan_to_none, cells))
    for row in np.flatnonzero(rows.used).tolist():
        cell = cells[row]
        if isinstance(cell, list):
            has_lists = True
            cell = cells[row] = list(map(_nan_to_none, cell))
            if all(text is None or isinstance(text, str) for text in cell):
                continue
        elif cell is None or isinstance(cell, str):
            continue
        detail = f"must be a list of strings, a string or null; got {cell!r:.60}"
        rows.bad(row, BadLine(kind="bad messages", detail=detail))
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    missing = np.fromiter((cell is None for cell in cells), bool, len(cells))
    removed = np.fromiter(
        (isinstance(cell, str) and cell in _REMOVED_TEXTS for cell in cells),
        bool,
        len(cells),
    )
    return Texts(values, missing, removed, has_lists)


def label_columns(
    rows: Rows, tasks: Sequence[str] | None
) -> tuple[dict[str, Column], set[str]]:
    """Return the column of labels of each task, and the columns they come from.

    A task stands in the objects of ``labels``, in ``labels.<task>``, or in a column
    of its own name; of two labels the first of these is taken. `tasks` None takes all
    of ``labels`` and ``labels.*``.
    """
    table = rows.table
    used: set[str] = set()
    found: dict[str, Column] = {}
    objects_of_labels = LABELS in table.columns and not table.untyped
    if objects_of_labels and LABELS not in (tasks or ()):
        used.add(LABELS)
        found = _nested_labels(rows, objects(table.columns[LABELS]))
    dotted = [name for name in table.columns if name.startswith(PREFIX)]
    used.update(dotted)
    for name in dotted:
        _add(found, name.removeprefix(PREFIX), table.columns[name])
    if tasks is None:
        return found, used
    for task in tasks:
        own = table.find(task)
        if own is not None:
            used.add(task)
            _add(found, task, own)
    return {task: found[task] for task in tasks if task in found}, used


def _add(found: dict[str, Column], task: str, column: Column) -> None:
    found[task] = _coalesce(found[task], column) if task in found else column


def _nested_labels(rows: Rows, cells: list[Any]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for row in np.flatnonzero(rows.used).tolist():
        cell = cells[row]
        if cell is None:
            continue
        if not isinstance(cell, dict):
            detail = f"must be an object of task: label; got {cell!r:.60}"
            rows.bad(row, BadLine(kind="bad labels", detail=detail))
            continue
        for task, label in cell.items():
            if task not in found:
                found[task] = [None] * len(cells)
            found[task][row] = label
    return found


def read_labels(rows: Rows, task: str, column: Column) -> Factor:
    """Return the labels of rows; blank ones are missing, lists become frozensets."""
    if isinstance(column, pa.ChunkedArray) and not pa.types.is_nested(column.type):
        factor = factorise(column)
        values = list(map(read_cell, factor.values))
        if rows.table.untyped:
            values = infer(values)
        return _one_kind(rows, task, factor.codes, values)
    codes = np.full(rows.table.n_rows, -1, dtype=np.int32)
    numbers: dict[Any, int] = {}
    cells = objects(column)
    for row in np.flatnonzero(rows.used).tolist():
        try:
            label = read_cell(cells[row])
        except TypeError:
            detail = (
                f"the label of {task!r} must be a plain value or a list of them; got "
                f"{cells[row]!r:.60}"
            )
            rows.bad(row, BadLine(kind="bad labels", detail=detail))
            continue
        if label is not None:
            codes[row] = numbers.setdefault((type(label), label), len(numbers))
    return _one_kind(rows, task, codes, [label for _, label in numbers])


def _one_kind(
    rows: Rows, task: str, codes: npt.NDArray[np.int32], values: list[Any]
) -> Factor:
    """Give equal labels one number, and missing ones none; refuse True beside 1."""
    mixed = mixed_booleans(values)
    if mixed is not None:
        code, reason = mixed
        row = int(np.flatnonzero(codes == code)[0])
        raise rows.table.error(row, f"the column of labels {task!r} {reason}")
    numbers: dict[Any, int] = {}
    of_code = np.full(len(values) + 1, -1, dtype=np.int32)
    for code, value in enumerate(values):
        if value is not None:
            of_code[code] = numbers.setdefault(value, len(numbers))
    return Factor(of_code[codes], list(numbers))


def _nan_to_none(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def infer(values: Sequence[str | None]) -> list[Any]:
    """Return the values of an untyped column as numbers or bools where all are.

    Blanks around are no part of them. Numbers with leading zeros stay text, and so does
    a column of mixed kinds.
    """
    stripped = [None if value is None else value.strip() for value in values]
    known = [None if value in _MISSING_MARKS else value for value in stripped]
    texts = {value for value in known if value is not None}
    if texts <= {"True", "False"}:
        return [None if value is None else value == "True" for value in known]
    for kind, pattern in (("int", _INTEGER), ("float", _NUMBER)):
        if all(pattern.fullmatch(text) for text in texts):
            convert: Any = int if kind == "int" else float
            return [None if value is None else convert(value) for value in known]
    return known


class Times(NamedTuple):
    """Sort keys of rows, and where there is no time."""

    keys: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]
    n_bad: int


def read_times(rows: Rows, name: str, *, skip: bool) -> Times:
    """Return the times of rows: numbers, dates, ISO 8601, or as Twitter writes them.

    One that is none of these is an error, or counted and missing if `skip`.
    """
    column = rows.table.find(name)
    if isinstance(column, pa.ChunkedArray) and not is_text(column):
        missing = column.is_null().to_numpy()
        if pa.types.is_temporal(column.type):
            short = column.type.bit_width == 32
            column = column.cast(pa.int32() if short else pa.int64())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            keys = pc.fill_null(column, 0).to_numpy()
            return Times(np.nan_to_num(keys), missing | np.isnan(keys), 0)
    given = objects(column)
    cells = pd.Series(list(map(_time_cell, given)), dtype=object)
    keys, known = _parse_times(cells)
    missing = cells.isna().to_numpy()
    bad = np.flatnonzero(~known & ~missing & rows.used)
    if len(bad) and not skip:
        row = int(bad[0])
        reason = (
            f"bad time: {name!r} must hold numbers, ISO 8601 dates (2018-10-10 "
            f"20:19:24), days first with dots or Twitter's dates (Wed Oct 10 20:19:24 "
            f"+0000 2018); got {given[row]!r:.60}"
        )
        raise rows.table.error(row, reason)
    return Times(keys, ~known, len(bad))


def _time_cell(cell: Any) -> Any:
    """Return a time with its zone as a number; None for what pandas writes for none."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text in _MISSING_MARKS:
        return None
    return _ZONE.sub(lambda zone: _ZONES[zone[0]], text)


def _parse_times(
    cells: pd.Series[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the sort keys of times as text, and which are known."""
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.notna().any() and numbers.notna().sum() * 2 > cells.notna().sum():
        return numbers.fillna(0).to_numpy(), numbers.notna().to_numpy()
    texts = cells.where(cells.map(lambda cell: isinstance(cell, str | date)), None)
    # microseconds reach from year 1 to 9999
    times = pd.Series(pd.NaT, cells.index, "datetime64[us, UTC]")
    for form in _TIME_FORMS:
        left = texts[times.isna() & texts.notna()]
        if not len(left):
            break
        found = pd.to_datetime(left, format=form, utc=True, errors="coerce")
        times[left.index] = found.dt.as_unit("us")
    return times.astype("int64").to_numpy(), times.notna().to_numpy()
