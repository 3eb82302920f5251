"""Records of users: their fields and allowed values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sklearn_profiling.datasets._files import BadLine
from sklearn_profiling.exceptions import DataFormatError

TEXT_COLUMNS: Final = ("messages", "texts")
LABELS: Final = "labels"
PREFIX: Final = "labels."
#: Up to here each whole number has a float of its own.
_MAX_FLOAT_ID: Final = 2.0**53


class Record(NamedTuple):
    """One user."""

    user_id: str
    messages: list[str]
    labels: dict[str, Any]
    others: dict[str, Any]


class RowParser:
    """Turns rows into records, and remembers which columns and tasks it has met.

    `text_column` None is one of ``TEXT_COLUMNS``; `tasks` None takes all labels, in the
    order they are met.
    """

    def __init__(
        self, id_column: str, text_column: str | None, tasks: Sequence[str] | None
    ) -> None:
        self._id_column = id_column
        self._text_columns = TEXT_COLUMNS if text_column is None else (text_column,)
        self._given = tasks is not None
        self._named_text = text_column is not None
        self.tasks = list(dict.fromkeys(tasks or ()))
        self._met: set[str] = set()
        #: Float ids read as whole numbers, and nulls left out among messages.
        self.n_float_ids = self.n_null_messages = 0

    def parse(self, row: dict[str, Any]) -> Record:
        """Return the record of a row."""
        row = dict(row)
        if self._id_column not in row:
            detail = f"no {self._id_column!r} among {list(row)}"
            raise BadLine(kind="no user id", detail=detail)
        given_id = row.pop(self._id_column)
        user_id = _parse_id(given_id)
        found = [name for name in self._text_columns if name in row]
        if len(found) > 1:
            detail = f"the record has {' and '.join(found)}; name one by text_column"
            raise BadLine(kind="two columns of messages", detail=detail)
        given = _parse_messages(row.pop(found[0])) if found else []
        messages = [message for message in given if message is not None]
        labels = self._take_labels(row)
        # only a good row may add columns, tasks and counts
        self.n_float_ids += isinstance(given_id, float)
        self.n_null_messages += len(given) - len(messages)
        self._met.update(found, labels)
        if not self._given:
            self.tasks.extend(name for name in labels if name not in self.tasks)
        # data has its own columns of these names
        for name in ("user_id", "messages"):
            if name in row:
                row[f"{name}_"] = row.pop(name)
        return Record(user_id, messages, labels, row)

    def _take_labels(self, row: dict[str, Any]) -> dict[str, Any]:
        nested = row.pop(LABELS, None)
        if nested is None:
            nested = {}
        if not isinstance(nested, dict):
            detail = f"must be an object of task: label; got {nested!r:.80}"
            raise BadLine(kind="bad labels", detail=detail)
        dotted = [name for name in row if name.startswith(PREFIX)]
        labels = {name.removeprefix(PREFIX): row.pop(name) for name in dotted} | nested
        if self._given:
            own = {task: row.pop(task) for task in self.tasks if task in row}
            labels = {k: v for k, v in (own | labels).items() if k in self.tasks}
        return {task: _parse_label(task, label) for task, label in labels.items()}

    def check_columns(self, path: Path) -> None:
        """Raise an error if a column that was asked for is in no record."""
        wanted = list(self.tasks) if self._given else []
        if self._named_text:
            wanted.extend(self._text_columns)
        unmet = [name for name in wanted if name not in self._met]
        if unmet:
            reason = f"no record has {', '.join(map(repr, unmet))}"
            raise DataFormatError(path, None, reason)


def parse_json_object(line: str) -> dict[str, Any]:
    """Return the object of a JSON line."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadLine(kind="invalid JSON", detail=str(error)) from error
    except RecursionError as error:
        raise BadLine(kind="invalid JSON", detail="nested too deeply") from error
    if not isinstance(row, dict):
        kind = "array" if isinstance(row, list) else type(row).__name__
        detail = f"one object per line is needed; got {kind} {row!r:.60}"
        raise BadLine(kind="not an object", detail=detail)
    return row


def _parse_id(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # pandas makes whole numbers float where another row is missing
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_FLOAT_ID:
        return str(int(value))
    if not isinstance(value, str) or not value.strip():
        detail = f"must be a string or a whole number; got {value!r:.80}"
        raise BadLine(kind="bad user id", detail=detail)
    return value


def _parse_messages(value: Any) -> list[str | None]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(
        text is None or isinstance(text, str) for text in value
    ):
        return value
    detail = f"must be a list of strings, a string or null; got {value!r:.60}"
    raise BadLine(kind="bad messages", detail=detail)


def _parse_label(task: str, value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str) and not value.strip():
        return None
    try:
        label = frozenset(value) if isinstance(value, list) else value
        hash(label)
    except TypeError as error:
        detail = f"the label of {task!r} must be a plain value or a list of them; got"
        raise BadLine(kind="bad labels", detail=f"{detail} {value!r:.80}") from error
    return label
