"""Users of tables that are larger than memory, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from sklearn_profiling._bounds import bounded
from sklearn_profiling._chunks import (
    ROWS_AT_ONCE,
    SeenUsers,
    check_chunk_size,
    rechunked,
)
from sklearn_profiling._packed_files import check_encodings
from sklearn_profiling.datasets._bunches import LabeledUsers
from sklearn_profiling.datasets._files import OnBadLines
from sklearn_profiling.datasets.records.assembly import Decided, Wanted, assemble
from sklearn_profiling.datasets.records.cells import read_ids
from sklearn_profiling.datasets.records.grouping import OneRow
from sklearn_profiling.datasets.records.names import TextChoice, choose_id
from sklearn_profiling.datasets.records.parts import file_parts, frame_parts
from sklearn_profiling.datasets.records.tables import RawTable, Rows, is_null, stack
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["RecordStream", "stream_records"]


def stream_records(
    source: str | PathLike[str] | Iterable[Any],
    *,
    chunk_size: int = 10_000,
    one_row: OneRow = "auto",
    id_column: str = "auto",
    text_column: str | Literal[False] | None = None,
    time_column: str | None = None,
    min_messages: int = 0,
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    max_bytes: int | None = None,
    follow_links: bool = False,
) -> RecordStream:
    r"""Read users some at a time, from tables that are larger than memory.

    As :func:`load_records`, one row a user or one row a message. The rows of a user
    must stand together: sort a table of messages by user. Users themselves may come in
    any order. A user who comes back after others is an error; within the rows that are
    read at once, about 10,000, they are joined.

    Parameters
    ----------
    source : str, path-like or iterable of tables
        Parquet or JSON lines, packed too (``.jsonl.gz``), one file or a folder of
        shards as for :func:`load_records`; or tables of pandas, polars or Arrow, all
        with the same columns, in which a user may begin in one and go on in the next.
    chunk_size : int, default=10_000
        Number of users to return at a time; the last are fewer (our choice).
    one_row : {"auto", "user", "message"}, default="auto"
        What one row is; "auto" looks at the first 10,000 rows.
    id_column : str, default="auto"
        Column of ids; "auto" takes the known one.
    text_column : str, False or None, default=None
        Column of messages; None takes the known one, False reads none.
    time_column : str or None, default=None
        Column by which a user's messages are sorted.
    min_messages : int, default=0
        Users with fewer messages are left out and counted.
    encoding : str or sequence of str, default="utf-8"
        Encoding of JSON lines, as for :func:`load_records`.
    on_bad_lines : {"error", "skip"}, default="error"
        Raise an error at a bad line or row, or leave it out and count it.
    max_bytes : int or None, default=None
        As for :func:`load_records`.
    follow_links : bool, default=False
        Read symbolic links that leave the folder; False refuses them.

    Returns
    -------
    RecordStream
        Iterating yields Bunches with ``data`` and ``target`` of `chunk_size` users, as
        those of :func:`load_records`, with an index that counts on.

    Raises
    ------
    DataFormatError
        While iterating: as :func:`load_records`; also if a user comes back in later
        rows, or if the file is neither Parquet nor JSON lines.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    load_records : Reads a whole table, also CSV.
    sklearn_profiling.evaluation.predict_stream : Predicts such a stream.

    Notes
    -----
    Memory: 10,000 rows, `chunk_size` users, and 16 bytes for each user so far. A field
    that is missing in the first 10,000 rows of JSON lines, and comes later, is only in
    the later chunks, without a value for the users before. Of rows of messages, a
    column that holds several values a user is left out of the chunks in which it does,
    and one without any value is kept. Columns of messages may begin later; if their
    names do not belong together, as ``text`` and ``full_text`` do, that is an error.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.datasets import stream_records
    >>> tweets = pd.DataFrame(
    ...     {"author": ["ann", "ann", "bob"], "tweet": ["hello", "again", "hi"]}
    ... )
    >>> stream = stream_records(
    ...     [tweets[:1], tweets[1:]], chunk_size=1, id_column="author"
    ... )
    >>> for users in stream:
    ...     print(users.data["user_id"].tolist(), users.data["messages"].tolist())
    ['ann'] [['hello', 'again']]
    ['bob'] [['hi']]
    >>> stream.report["n_users"], stream.report["n_messages"]
    (2, 3)
    """
    wanted = Wanted(
        one_row, id_column, text_column, time_column, None, min_messages, on_bad_lines
    )
    wanted.check()
    check_encodings(encoding)
    if isinstance(source, Mapping | pd.DataFrame) or not isinstance(
        source, str | PathLike | Iterable
    ):
        msg = (
            "source must be a path or an iterable of tables; got "
            f"{type(source).__name__}"
        )
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    if isinstance(source, str | PathLike):
        source = Path(source)
    with bounded(max_bytes):  # checked here, not at the first chunk
        limits = {"max_bytes": max_bytes, "follow_links": bool(follow_links)}
    return RecordStream(
        source, wanted, check_chunk_size(chunk_size), encoding, on_bad_lines, limits
    )


class RecordStream:
    """Users of a table, some at a time, as :func:`stream_records` returns them.

    Iterating yields Bunches with ``data`` and ``target``. A path is read anew by each
    iteration.

    Attributes
    ----------
    report : dict
        Counts of what the last iteration has read so far, as :func:`load_records`
        reports them; they add up in the same way.
    """

    def __init__(
        self,
        source: Path | Iterable[Any],
        wanted: Wanted,
        chunk_size: int,
        encoding: str | Sequence[str],
        on_bad_lines: OnBadLines,
        limits: dict[str, Any],
    ) -> None:
        self.report: dict[str, Any] = {}
        self.chunk_size = chunk_size
        self._decided: Decided | None = None
        self._source = source
        self._wanted = wanted
        self._encoding = encoding
        self._on_bad_lines = on_bad_lines
        self._limits = limits

    def __iter__(self) -> Iterator[LabeledUsers]:
        """Yield `chunk_size` users at a time."""
        chunks = rechunked(self._users(), self.chunk_size, join="outer")
        for data, target, left_out in chunks:
            lacking = left_out.columns[left_out.notna().any()]
            kept = data.drop(columns=lacking, errors="ignore")
            yield LabeledUsers(data=kept, target=target)

    def _users(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
        """Yield the users of each part, their labels, and what is left out of them."""
        where = self._source if isinstance(self._source, Path) else Path("tables")
        # Whoever has too few messages is left out here, and counted over all parts.
        wanted = replace(self._wanted, min_messages=0)
        seen = SeenUsers()
        self._decided = None
        self.report = {}
        n_users = 0
        files: dict[str, None] = {}
        for table in self._whole_users(where):
            empty = _without_values(table)
            files |= dict.fromkeys(str(part.path) for part in table.parts)
            users = assemble(table, where, wanted, None, self._decided)
            self._decided = users.decided
            again = seen.add(users.data["user_id"].tolist())
            if again is not None:
                reason = (
                    f"user {again!r:.60} comes back after other users; in a stream the "
                    "rows of a user stand together: sort the table by user"
                )
                raise DataFormatError(where, None, reason)
            columns = users.report["columns"]
            # Others may have a value: the column stays.
            for name in empty.intersection(columns["left_out"]):
                users.data[_free(name)] = None
                columns["left_out"].remove(name)
            data, target = self._enough(users.data, users.target, users.report)
            self.report = _added(self.report, users.report)
            # Later rows know more of these.
            self.report["one_row"] = users.report["one_row"]
            self.report["columns"]["text"] = columns["text"]
            self.report["files"]["users"] |= _named(where, list(files), table.taken_for)
            data.index = target.index = pd.RangeIndex(n_users, n_users + len(data))
            n_users += len(data)
            if len(data):
                lacking = list(map(_free, columns["left_out"]))
                yield data, target, pd.DataFrame(1, data.index, lacking)
        if not n_users:
            raise self._nobody(where)

    def _nobody(self, where: Path) -> DataFormatError:
        """Return the error that no row is that of a user."""
        if not self.report:
            return DataFormatError(where, None, "has no rows")
        skipped = self.report["files"]["users"]["skipped"]
        few = self.report["n_users_below_min_messages"]
        reason = f"no user is left: {few} have too few messages, skipped: {skipped}"
        return DataFormatError(where, None, reason)

    def _enough(
        self, data: pd.DataFrame, target: pd.DataFrame, report: dict[str, Any]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Leave out users with too few messages, and count them."""
        counts = data["messages"].map(len).to_numpy(np.int64)
        enough = counts >= self._wanted.min_messages
        n_short = int(counts[~enough].sum())
        report["n_users"] = int(enough.sum())
        report["n_messages"] -= n_short
        report["n_users_below_min_messages"] = int((~enough).sum())
        report["n_messages_below_min"] = n_short
        report["missing_messages"] = int((counts[enough] == 0).sum())
        kept = target[enough]
        report["n_labeled_users"] = int(kept.notna().any(axis=1).sum())
        del report["missing_labels"]  # a task may be in some parts only
        return data[enough], kept

    def _whole_users(self, where: Path) -> Iterator[RawTable]:
        """Yield parts of the table that end where a user does."""
        held: RawTable | None = None
        for part in self._parts(where):
            part.is_part = True
            table = part if held is None else stack([held, part])
            table.taken_for = part.taken_for
            held = table
            if not table.n_rows:
                continue
            if self._decided is None:
                id_column = choose_id(table, self._wanted.id_column, where)
            else:
                id_column = self._decided.id_column
                _add_needed(table, self._decided.choice)
            end = _end_of_users(table, id_column)
            if end:
                done, held = table.cut(end)
                yield done
        if held is not None and (held.n_rows or self._decided):
            yield held

    def _parts(self, where: Path) -> Iterator[RawTable]:
        """Yield parts of the table, read within their bounds."""
        n_rows = ROWS_AT_ONCE
        parts = (
            file_parts(where, self._encoding, self._on_bad_lines, n_rows)
            if isinstance(self._source, Path)
            else frame_parts(self._source, n_rows)
        )
        while True:
            with bounded(folders=[where], **self._limits):
                part = next(parts, None)
            if part is None:
                return
            if part.n_lines:
                yield part


def _add_needed(table: RawTable, choice: TextChoice | None) -> None:
    """Add the columns of messages that no row of a part has."""
    for name in choice.columns if choice else ():
        for part in [name] if name in table else name.split("+"):
            if part not in table:
                table.columns[part] = [None] * table.n_rows


def _end_of_users(table: RawTable, id_column: str) -> int:
    """Return the first row of the last user, who may go on in the next part."""
    codes = read_ids(Rows(table, "skip"), table.find(id_column)).codes
    known = np.flatnonzero(codes >= 0)
    others = np.flatnonzero(codes[known] != codes[known[-1:]])
    if not len(others):
        return 0 if len(known) else table.n_rows
    return int(known[others[-1] + 1])


def _named(where: Path, files: list[str], taken_for: str) -> dict[str, Any]:
    """Return what a report says of the files that were read, as of one table."""
    if len(files) == 1:
        return {"path": files[0], "n_files": 1, "taken_for": taken_for}
    several = f"{len(files)} files: {taken_for}"
    return {"path": str(where), "n_files": len(files), "taken_for": several}


def _free(name: str) -> str:
    """Return the name of a column beside those that all users have."""
    return f"{name}_" if name in ("user_id", "messages") else name


def _without_values(table: RawTable) -> set[str]:
    """Return the columns in which no row has a value."""
    return {name for name, column in table.columns.items() if is_null(column)}


def _added(before: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """Add the counts of a report to those before; what is no count stays."""
    total = dict(before)
    for name, value in report.items():
        old = before.get(name)
        if isinstance(value, dict):
            total[name] = _added(old or {}, value)
        elif isinstance(value, int):
            total[name] = value + (old or 0)
        elif name == "left_out":
            total[name] = list(dict.fromkeys([*(old or []), *value]))
        elif old is None:
            total[name] = value
    return total
