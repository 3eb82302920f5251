"""Tables of JSON: lines, arrays, and the objects in which APIs and pandas put rows."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sklearn_profiling._bounds import check_bytes
from sklearn_profiling._packed_files import open_text
from sklearn_profiling.datasets._files import BadLine, LineFile, OnBadLines
from sklearn_profiling.datasets.records.format import parse_json_object
from sklearn_profiling.datasets.records.names import (
    LABELS,
    is_id,
    is_known,
    is_text_name,
)
from sklearn_profiling.datasets.records.tables import (
    Column,
    Part,
    RawTable,
    check_width,
    from_objects,
    join,
)
from sklearn_profiling.exceptions import DataFormatError

Row = dict[str, Any]
_ROWS_AT_ONCE = 8192
#: Bytes of a cell, at the least.
_CELL = 8
#: Objects of objects of tweets that stand in tweets.
_DEPTH = 4


def read_json(
    path: Path, encodings: Sequence[str], on_bad_lines: OnBadLines
) -> RawTable:
    """Read JSON lines, or one array or object that holds rows."""
    start = list(islice(LineFile(path, encoding=encodings, on_bad_lines="skip"), 2))
    file = LineFile(path, encoding=encodings, on_bad_lines=on_bad_lines)
    lines = bool(start) and _is_json(start[0])
    if start and not (lines and len(start) == 2):
        document = _read_document(
            path,
            file.encoding,
            whole=start[0].strip() == "{" or start[0].startswith("["),
        )
        if document is not None:
            taken_for, rows = _rows_of(document)
            if not (lines and rows == [document]):
                return _of_document(path, file.encoding, taken_for, rows)
    return _read_lines(path, file)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _read_document(path: Path, encoding: str, *, whole: bool) -> Any:
    """Return the one value of a file; None if it may hold lines, and not `whole`."""
    with open_text(path) as file:
        raw = file.read()
    try:
        return json.loads(raw.decode(encoding))
    except RecursionError as error:
        raise DataFormatError(path, None, "JSON nested too deeply") from error
    except ValueError as error:
        if not whole:
            return None
        reason = f"no readable JSON array or object, and no JSON lines: {error}"
        raise DataFormatError(path, None, reason) from error


def _of_document(
    path: Path, encoding: str, taken_for: str, rows: list[Any]
) -> RawTable:
    bad = [row for row in rows if not isinstance(row, dict)]
    if bad:
        number = rows.index(bad[0]) + 1
        reason = f"row {number}: not an object: {bad[0]!r:.60}"
        raise DataFormatError(path, None, reason)
    columns = _Columns(path)
    for row in rows:
        columns.add(row)
    return RawTable(
        columns.finish(),
        [Part(path, len(rows))],
        taken_for,
        len(rows),
        encoding=encoding,
    )


def _rows_of(document: Any) -> tuple[str, list[Any]]:
    """Return the rows of a document, and what it was taken for."""
    if isinstance(document, list):
        rows = [row for entry in document for row in _expanded(entry)]
        return "a JSON array", rows
    found = _of_pandas(document)
    if found is not None:
        return found
    rows = _expanded(document)
    if rows != [document]:
        return "a JSON object with rows", rows
    lists = _lists(document)
    if len(lists) == 1 and not any(is_known(k) for k in document if k != lists[0]):
        return f"a JSON object with rows in {lists[0]!r:.60}", document[lists[0]]
    if _is_texts_by_user(document):
        rows = [{"user_id": k, "messages": texts} for k, texts in document.items()]
        return "a JSON object of users with their messages", rows
    return "one JSON object", [document]


def _of_pandas(document: Row) -> tuple[str, list[Any]] | None:
    """Return the rows of what pandas' to_json writes with another orient."""
    keys = set(document)
    if keys == {"schema", "data"} and _is_rows(document["data"]):
        return "pandas' JSON (orient='table')", document["data"]
    if keys in ({"columns", "index", "data"}, {"columns", "data"}):
        columns, cells = document["columns"], document["data"]
        if not (isinstance(columns, list) and _are_lists(cells, len(columns))):
            return None
        names = list(map(str, columns))
        rows = [dict(zip(names, row, strict=True)) for row in cells]
        return "pandas' JSON (orient='split')", rows
    inner = list(document.values())
    if not inner or not all(isinstance(value, dict) and value for value in inner):
        return None
    if any(value.keys() != inner[0].keys() for value in inner):
        return None
    if any(map(is_known, inner[0])) and not any(map(is_known, document)):
        if not any(map(is_id, inner[0])):
            inner = [{"user_id": key, **row} for key, row in document.items()]
        return "pandas' JSON (orient='index')", inner
    if len(inner) == 1:
        return None
    rows = [{name: document[name][key] for name in document} for key in inner[0]]
    return "pandas' JSON (orient='columns')", rows


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _are_lists(value: Any, length: int) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, list) and len(row) == length for row in value
    )


def _is_texts_by_user(document: Row) -> bool:
    return not any(map(is_known, document)) and all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        for texts in document.values()
    )


def _expanded(row: Any) -> list[Any]:
    """Return the rows of a page or of a user with a list of messages; or the row."""
    if not isinstance(row, dict):
        return [row]
    data: Any = row.get("data")
    if isinstance(data, dict):
        # a page of one
        data = [data]
    if _is_rows(data) and _is_page(row):
        return _with_authors(data, row.get("includes"))
    if data is None and isinstance(row.get("meta"), dict) and _is_page(row):
        return []
    return _of_user(row) or [row]


def _lists(row: Row) -> list[str]:
    """Return the names of lists of objects."""
    return [name for name, value in row.items() if value and _is_rows(value)]


def _of_user(row: Row) -> list[Row]:
    """Return the messages, as objects, of a row that is one user; or nothing."""
    lists = _lists(row)
    if len(lists) != 1 or any(map(is_text_name, row.keys() - {lists[0]})):
        return []
    entries = row[lists[0]]
    if not any(map(is_text_name, entries[0])):
        return []
    if isinstance(row.get("user"), dict):
        return [{**entry, "user": row["user"]} for entry in entries]
    own = [name for name in row if is_id(name)]
    # messages of a page, a thread or a chat have authors of their own
    if any(is_id(name) and name != "id" for entry in entries for name in entry):
        return [] if {*own} - {"id"} else list(map(_in_one_piece, entries))
    if len(own) != 1:
        return []
    outer = {name: row[name] for name in row if name not in (lists[0], own[0])}
    return [{**outer, **entry, "user_id": row[own[0]]} for entry in entries]


def _in_one_piece(message: Row) -> Row:
    """Return a message of Telegram, where links and names stand apart, as one text."""
    pieces = message.get("text")
    if not isinstance(pieces, list) or not any(isinstance(p, dict) for p in pieces):
        return message
    texts = (p.get("text") if isinstance(p, dict) else p for p in pieces)
    return {**message, "text": "".join(map(str, texts))}


def _is_page(row: Row) -> bool:
    """Tell a response of an API, which has nothing beside data."""
    return row.keys() <= {"data", "includes", "meta", "errors", "__twarc"} and (
        len(row) > 1 or "meta" in row
    )


def _with_authors(tweets: list[Row], includes: Any) -> list[Row]:
    """Return tweets with their authors, as twarc2 flatten gives them."""
    users: Any = includes.get("users") if isinstance(includes, dict) else None
    authors = {
        user["id"]: user
        for user in (users if _is_rows(users) else ())
        if isinstance(user.get("id"), str | int)
    }
    ids = [tweet.get("author_id") for tweet in tweets]
    return [
        {**tweet, "author": authors[each]}
        if isinstance(each, str | int) and each in authors and "author" not in tweet
        else tweet
        for tweet, each in zip(tweets, ids, strict=True)
    ]


def _holds_messages(rows: list[Row]) -> bool:
    """Tell if rows are messages: none has a list of them."""
    texts = [row[name] for row in rows for name in row if is_text_name(name)]
    return any(isinstance(text, str) for text in texts) and not any(
        isinstance(text, list) for text in texts
    )


def _flat(row: Row, depth: int = _DEPTH) -> Row:
    """Return a row with the fields of its objects, by dotted names, but for labels."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and name != LABELS and depth:
            inner = _flat(value, depth - 1)
            flat |= {f"{name}.{key}": cell for key, cell in inner.items()}
        else:
            flat[name] = value
    return flat


class _Columns:
    """Gathers rows as columns, in batches that Arrow packs.

    Objects in rows of messages are taken apart, since Python's take much memory; `flat`
    says whether rows are messages, None leaves it to the first ones.
    """

    def __init__(self, path: Path, flat: bool | None = None) -> None:
        self._path = path
        self._n_rows = 0
        self.flat = flat
        self._rows: list[Row] = []
        self._names: dict[str, None] = {}
        self._batches: list[tuple[dict[str, Column], int]] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE:
            self._pack()

    def _pack(self) -> None:
        rows, self._rows = self._rows, []
        if self.flat is None:
            self.flat = _holds_messages(rows)
        if self.flat:
            rows = list(map(_flat, rows))
        names = dict.fromkeys(name for row in rows for name in row)
        self._names |= names
        self._n_rows += len(rows)
        check_width(self._path, len(self._names))
        check_bytes(
            self._path, _CELL * self._n_rows * len(self._names), "its cells take"
        )
        batch = {name: from_objects([row.get(name) for row in rows]) for name in names}
        self._batches.append((batch, len(rows)))

    def finish(self) -> dict[str, Column]:
        if self._rows:
            self._pack()
        return {
            name: join([(batch.get(name), n_rows) for batch, n_rows in self._batches])
            for name in self._names
        }


def read_json_lines(
    path: Path, encodings: Sequence[str], on_bad_lines: OnBadLines, n_rows: int
) -> Iterator[RawTable]:
    """Yield parts of `n_rows` or more rows of a file of JSON lines."""
    lines = map(_is_json, LineFile(path, encoding=encodings, on_bad_lines="skip"))
    found = next(lines, True)
    if not found and not (on_bad_lines == "skip" and any(lines)):
        what = (
            "no line is JSON" if on_bad_lines == "skip" else "its first line is no JSON"
        )
        reason = f"{what}; a stream reads JSON lines and Parquet"
        raise DataFormatError(path, None, reason)
    file = LineFile(path, encoding=encodings, on_bad_lines=on_bad_lines)
    yield from _parts_of(path, file, n_rows)


def _read_lines(path: Path, file: LineFile) -> RawTable:
    (table,) = _parts_of(path, file)
    return table


def _parts_of(
    path: Path, file: LineFile, n_rows: int | None = None
) -> Iterator[RawTable]:
    """Yield the rows of lines, at least `n_rows` at a time; None for all at once."""
    columns = _Columns(path)
    numbers = array("q")
    pages = False

    def part() -> RawTable:
        skipped, n_blank = Counter(file.skipped), file.n_blank
        file.skipped.clear()
        file.n_blank = 0
        return RawTable(
            columns.finish(),
            [Part(path, len(numbers), numbers, unit="line")],
            "JSON lines of pages" if pages else "JSON lines",
            len(numbers) + sum(skipped.values()) + n_blank,
            n_blank,
            file.encoding,
            skipped=skipped,
        )

    for line, row in _parsed(file):
        rows = _expanded(row)
        pages = pages or rows != [row]
        for each in rows:
            columns.add(each)
            numbers.append(line)
        if n_rows is not None and len(numbers) >= n_rows:
            yield part()
            columns, numbers = _Columns(path, columns.flat), array("q")
    yield part()


def _parsed(file: LineFile) -> Iterator[tuple[int, Row]]:
    """Yield the number and the object of each line."""
    # json's own scanner, in C, which its stubs leave out
    scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
    for line in file:
        try:
            row, end = scan(line, 0)
        except (ValueError, StopIteration, RecursionError):
            row, end = None, -1
        if end != len(line) or not isinstance(row, dict):
            # blanks around, or a fault that has a name
            try:
                row = parse_json_object(line)
            except BadLine as fault:
                file.bad(fault)
                continue
        yield file.n_lines, row
