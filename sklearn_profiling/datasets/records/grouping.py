"""Rows of a table put together to users."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from sklearn_profiling.datasets._files import BadLine
from sklearn_profiling.datasets.records.cells import (
    Texts,
    Times,
    infer,
)
from sklearn_profiling.datasets.records.tables import (
    Column,
    Factor,
    Rows,
    factorise,
    field_of,
    fields,
    is_nested,
    objects,
)

OneRow = Literal["auto", "user", "message"]
_FIRST_ROWS = 10_000


@dataclass(frozen=True)
class Users:
    """The user of each row as a number in order of appearance, -1 for no user."""

    ids: list[str]
    of_row: npt.NDArray[np.int32]
    first_rows: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def number_users(rows: Rows, codes: npt.NDArray[np.int32], ids: Sequence[str]) -> Users:
    """Return the users of the rows that are used, numbered by their first rows."""
    used = np.flatnonzero(rows.used)
    first_rows = np.full(len(ids), -1)
    # the last of repeated assignments stays
    first_rows[codes[used[::-1]]] = used[::-1]
    present = np.flatnonzero(first_rows >= 0)
    present = present[np.argsort(first_rows[present])]
    numbers = np.full(len(ids) + 1, -1, dtype=np.int32)
    numbers[present] = np.arange(len(present))
    of_row = numbers[np.where(rows.used, codes, -1)]
    return Users([ids[code] for code in present.tolist()], of_row, first_rows[present])


def check_once(rows: Rows, users: Users) -> Users:
    """Leave out all rows of a user but the first."""
    used = np.flatnonzero(rows.used)
    later = used[users.first_rows[users.of_row[used]] != used]
    for row in later.tolist():
        user_id = users.ids[users.of_row[row]]
        detail = f"{user_id!r:.60} has an earlier record"
        rows.bad(row, BadLine(kind="duplicate user", detail=detail))
    of_row = np.where(rows.used, users.of_row, np.int32(-1))
    return replace(users, of_row=of_row)


class Grouped(NamedTuple):
    """Messages of each user, and the numbers of those that were none."""

    messages: list[list[str]]
    n_null: int
    n_removed: int


def messages_of_rows(texts: Texts, users: Users) -> Grouped:
    """Return the messages of users who have one row each."""
    n_null = 0
    messages: list[list[str]] = []
    for cell in texts.cells[users.first_rows].tolist():
        if isinstance(cell, list):
            known = [text for text in cell if text is not None]
            n_null += len(cell) - len(known)
            messages.append(known)
        else:
            messages.append([] if cell is None else [cell])
    return Grouped(messages, n_null, 0)


def group_messages(texts: Texts, users: Users, times: Times | None) -> Grouped:
    """Return the messages of each user, in order of time or of rows."""
    used = users.of_row >= 0
    rows = np.flatnonzero(used & ~texts.missing & ~texts.removed).astype(np.int32)
    owners = users.of_row[rows]
    ends = np.cumsum(np.bincount(owners, minlength=len(users))).tolist()
    if times is None:
        rows = rows[np.argsort(owners, kind="stable")]
    else:
        rows = rows[np.lexsort((times.keys[rows], times.missing[rows], owners))]
    cells = texts.cells[rows]
    messages = [cells[start:end].tolist() for start, end in pairwise([0, *ends])]
    n_null = int((used & texts.missing).sum())
    if texts.has_lists:
        flat = [list(chain.from_iterable(map(_as_list, cell))) for cell in messages]
        messages = [[text for text in texts if text is not None] for texts in flat]
        n_null += sum(map(len, flat)) - sum(map(len, messages))
    n_removed = int((used & texts.removed & ~texts.missing).sum())
    return Grouped(messages, n_null, n_removed)


def _as_list(cell: Any) -> list[Any]:
    return cell if isinstance(cell, list) else [cell]


class OfUsers(NamedTuple):
    """One value of each user, as the number of a value, and a row with another."""

    codes: npt.NDArray[np.int32]
    conflicts: npt.NDArray[np.int64]


def one_of_each(factor: Factor, users: Users) -> OfUsers:
    """Return the first known value of each user, and the rows that have another."""
    rows = np.flatnonzero((factor.codes >= 0) & (users.of_row >= 0))
    owners, codes = users.of_row[rows], factor.codes[rows]
    first = np.full(len(users), -1, dtype=np.int32)
    first[owners[::-1]] = codes[::-1]
    return OfUsers(first, rows[first[owners] != codes])


def labels_of_users(
    rows: Rows, task: str, factor: Factor, users: Users, *, skip: bool
) -> tuple[list[Any], int]:
    """Return the label of each user, and how many users have more than one.

    Two labels of a user are an error, or no label if `skip`.
    """
    found = one_of_each(factor, users)
    codes = found.codes
    if len(found.conflicts) and not skip:
        row = int(found.conflicts[0])
        owner = users.of_row[row]
        labels = (factor.values[codes[owner]], factor.values[factor.codes[row]])
        reason = (
            f"two labels: the {task!r} of user {users.ids[owner]!r:.60} is "
            f"{labels[0]!r:.60} in an earlier row and {labels[1]!r:.60} here"
        )
        raise rows.table.error(row, reason)
    owners = np.unique(users.of_row[found.conflicts])
    codes[owners] = -1
    return _values(factor, codes), len(owners)


def _values(factor: Factor, codes: npt.NDArray[np.int32]) -> list[Any]:
    values = [*factor.values, None]
    return [values[code] for code in codes.tolist()]


def other_columns(
    rows: Rows, users: Users, taken: Collection[str], *, once: bool
) -> tuple[dict[str, list[Any]], list[str]]:
    """Return what else is known of users, and the columns that are left out.

    With one row a user (`once`), all columns are kept. Otherwise those are that hold
    at most one value a user, of objects each field; lists never are.
    """
    kept: dict[str, list[Any]] = {}
    left_out: list[str] = []
    if once:
        firsts = users.first_rows.tolist()
        for name, column in rows.table.columns.items():
            if name not in taken:
                cells = _cells_at(column, users.first_rows, firsts)
                kept[name] = infer(cells) if rows.table.untyped else cells
        return kept, left_out
    for name, column in _leaves(rows.table.columns, taken):
        values = _constant(column, users)
        if values is None:
            left_out.append(name)
        else:
            kept[name] = infer(values) if rows.table.untyped else values
    return kept, left_out


def _cells_at(
    column: Column, rows: npt.NDArray[np.int64], numbers: list[int]
) -> list[Any]:
    if isinstance(column, pa.ChunkedArray):
        return objects(column.take(rows))
    return [column[row] for row in numbers]


def _leaves(
    columns: dict[str, Column], taken: Collection[str], prefix: str = ""
) -> Iterator[tuple[str, Column]]:
    for key, column in columns.items():
        name = f"{prefix}{key}"
        if name in taken:
            continue
        if is_nested(column):
            inner = {inner: field_of(column, inner) for inner in fields(column)}
            yield from _leaves(inner, taken, f"{name}.")
        else:
            yield name, column


def _constant(column: Column, users: Users) -> list[Any] | None:
    """Return the one value that each user has; None if somebody has two, or none."""
    head = replace(users, of_row=users.of_row[:_FIRST_ROWS])
    for part, owners in ((column[:_FIRST_ROWS], head), (column, users)):
        try:
            factor = factorise(part)
        except TypeError:
            return None
        found = one_of_each(factor, owners)
        if len(found.conflicts):
            return None
    return _values(factor, found.codes) if (found.codes >= 0).any() else None


def infer_series(values: list[Any], index: pd.RangeIndex) -> pd.Series[Any]:
    """Return numbers as numbers, and all else as objects."""
    # strings stay objects whatever pandas' string dtype is
    series = pd.Series(values, index, object)
    is_number = [isinstance(v, int | float) or v is None for v in values]
    return series.infer_objects() if all(is_number) else series
