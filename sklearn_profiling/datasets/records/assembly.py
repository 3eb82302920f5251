"""Users, labels and counts from a table and what is wanted of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._files import (
    OnBadLines,
    check_choice,
    check_min_messages,
    enough_messages,
)
from sklearn_profiling.datasets._networks import missing_in_network
from sklearn_profiling.datasets.records.cells import (
    Texts,
    label_columns,
    read_ids,
    read_labels,
    read_texts,
    read_times,
)
from sklearn_profiling.datasets.records.grouping import (
    Grouped,
    OneRow,
    Users,
    check_once,
    group_messages,
    infer_series,
    labels_of_users,
    messages_of_rows,
    number_users,
    other_columns,
)
from sklearn_profiling.datasets.records.names import (
    TextChoice,
    choose_id,
    choose_text,
    is_id,
    missing_column,
    widen_text,
)
from sklearn_profiling.datasets.records.tables import (
    Factor,
    Part,
    RawTable,
    Rows,
    from_pandas,
)
from sklearn_profiling.exceptions import DataFormatError, shortened

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class Wanted:
    """What the caller asks of a table."""

    one_row: OneRow
    id_column: str
    text_column: str | Literal[False] | None
    time_column: str | None
    tasks: Sequence[str] | None
    min_messages: int
    on_bad_lines: OnBadLines

    def check(self) -> None:
        """Raise a ValueError about a parameter that is not allowed."""
        check_choice("one_row", self.one_row, get_args(OneRow))
        check_choice("on_bad_lines", self.on_bad_lines, get_args(OnBadLines))
        if isinstance(self.tasks, str):
            msg = (
                f"tasks must be a sequence of names or None; got the string "
                f"{self.tasks!r}"
            )
            raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
        check_min_messages(self.min_messages)
        if self.tasks is not None:
            self.tasks = list(dict.fromkeys(self.tasks))

    @property
    def skip(self) -> bool:
        """Whether bad rows are left out and counted."""
        return self.on_bad_lines == "skip"


@dataclass
class LabelTable:
    """A second table, of labels by the users' ids."""

    table: RawTable
    where: Path

    @classmethod
    def of_frame(cls, labels: Any, id_column: str) -> LabelTable:
        """Make it of a DataFrame whose ids are a column or the index."""
        frame = as_pandas(labels)
        if isinstance(frame, pd.Series):
            frame = frame.to_frame(frame.name or "label")
        if not isinstance(frame, pd.DataFrame):
            msg = f"labels must be a path or a table; got {type(labels).__name__}"
            raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
        columns = list(map(str, frame.columns))
        has_ids = id_column in columns or any(map(is_id, columns))
        counted = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
        if not has_ids and not counted:
            name = "user_id" if id_column == "auto" else id_column
            frame = frame.rename_axis(index=name).reset_index()
        return cls(frame_table(frame), Path("labels"))


def frame_table(frame: pd.DataFrame, name: str = "labels") -> RawTable:
    """Return a DataFrame as a table."""
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataFormatError(name, None, f"the column {twice[0]!r} is there twice")
    parts = [Part(Path(name), len(frame))]
    return RawTable(from_pandas(frame), parts, "a DataFrame", len(frame))


@dataclass(frozen=True)
class Decided:
    """What the first rows of a table decide about all of them."""

    id_column: str
    choice: TextChoice | None
    #: None while no row has a message.
    as_text: bool | None
    one_row: Literal["user", "message"] | None

    def columns(self) -> list[str]:
        """Return the names of the columns that every row needs."""
        return [self.id_column, *(self.choice.names if self.choice else ())]


@dataclass
class Assembled:
    """Users with their labels, what was counted, and what the rows were taken for."""

    data: pd.DataFrame
    target: pd.DataFrame
    report: dict[str, Any]
    decided: Decided

    def bunch(self, graph: SocialGraph | None) -> UserBunch:
        """Return all of it, with the network."""
        self.report["missing_links"] = missing_in_network(
            self.data["user_id"].tolist(), graph
        )
        names = {task: _class_names(self.target[task]) for task in self.target}
        return UserBunch(
            data=self.data,
            target=self.target,
            graph=graph,
            target_names=names,
            DESCR=load_description("records"),
            report=self.report,
        )


def _class_names(labels: pd.Series[Any]) -> list[Any]:
    classes: set[Any] = set()
    for label in labels.dropna():
        classes |= label if isinstance(label, frozenset) else {label}
    return sorted(classes, key=lambda name: (type(name).__name__, name))


def assemble(
    table: RawTable,
    where: Path,
    wanted: Wanted,
    labels: LabelTable | None,
    decided: Decided | None = None,
) -> Assembled:
    """Put the rows of a table together to users, with the labels of both tables.

    `decided` is what earlier rows of the same table were taken for.
    """
    rows = Rows(table, wanted.on_bad_lines)
    if not table.n_rows:
        rows.finish(where)
    id_column = (
        decided.id_column if decided else choose_id(table, wanted.id_column, where)
    )
    own, taken = label_columns(rows, wanted.tasks)
    if wanted.time_column is not None and wanted.time_column not in table:
        raise missing_column(table, where, "time_column", wanted.time_column)
    if labels is None:
        _check_tasks(own, table, where, wanted)
    choice = _choice(table, where, wanted, decided, {id_column, *taken})
    ids = read_ids(rows, table.find(id_column))
    table.columns.pop(id_column, None)
    texts = read_texts(rows, choice, as_text=decided.as_text if decided else None)
    factors = {task: read_labels(rows, task, own[task]) for task in own}
    taken |= {id_column, *(choice.names if choice else ())}
    if wanted.time_column is not None:
        taken.add(wanted.time_column)
    n_float_ids = int((ids.is_float & rows.used).sum())

    users = number_users(rows, ids.codes, ids.ids)
    one_row = _resolve(wanted, texts, choice, where, decided)
    users, grouped, times = _group(rows, users, texts, wanted, one_row)
    files = {"users": rows.finish(where)}
    others, left_out = other_columns(rows, users, taken, once=one_row == "user")
    target, conflicts = _targets(rows, factors, users, skip=wanted.skip)
    label_report: dict[str, Any] = {}
    if labels is not None:
        files["labels"], label_report, given = _join(labels, users.ids, wanted)
        for task in target.keys() & given.keys():
            reason = f"{task!r} stands in both tables, of users and of labels"
            raise DataFormatError(where, None, reason)
        target |= given
        _check_tasks(target, labels.table, labels.where, wanted)
    for name in (*others, *target):
        if _SURROGATE.search(name):
            reason = f"the name {name[:60]!r} holds half a character, a surrogate"
            raise DataFormatError(where, None, reason)
    enough, few = enough_messages(where, grouped.messages, wanted.min_messages)
    kept = np.flatnonzero(enough).tolist()
    _check_names(where, [*others, *target])
    data, targets = _make_tables(kept, users.ids, grouped.messages, others, target)
    report = {
        "files": files,
        "one_row": one_row,
        "columns": {
            "id": id_column,
            "text": list(choice.columns) if choice else [],
            "time": wanted.time_column,
            "left_out": left_out,
        },
        "n_users": len(kept),
        **few,
        "n_labeled_users": int(targets.notna().any(axis=1).sum()),
        "missing_labels": {name: int(targets[name].isna().sum()) for name in targets},
        "conflicting_labels": conflicts,
        "missing_messages": int((data["messages"].map(len) == 0).sum()),
        "n_messages": int(data["messages"].map(len).sum()),
        "n_null_messages": grouped.n_null,
        "n_removed_messages": grouped.n_removed,
        "n_float_ids": n_float_ids,
        **times,
        **label_report,
    }
    known = texts.has_lists or not texts.missing.all()
    # A user's second row says what a row is, also without a message.
    several = int((users.of_row >= 0).sum()) > len(users)
    before = decided or Decided(id_column, choice, None, None)
    found = Decided(
        id_column,
        choice,
        texts.as_text if known else before.as_text,
        one_row if known or several else before.one_row,
    )
    return Assembled(data, targets, report, found)


def _choice(
    table: RawTable,
    where: Path,
    wanted: Wanted,
    decided: Decided | None,
    others: set[str],
) -> TextChoice | None:
    """Return the columns of messages, those of earlier rows first of all."""
    if decided is None or decided.choice is None:
        return choose_text(table, wanted.text_column, where, others)
    if wanted.text_column is not None:
        return decided.choice
    return widen_text(decided.choice, table, where, others)


def _examples(ids: list[str]) -> str:
    return ", ".join(map(shortened, ids[:3]))


def _check_tasks(
    found: Collection[str], table: RawTable, where: Path, wanted: Wanted
) -> None:
    for task in wanted.tasks or ():
        if task not in found:
            raise missing_column(table, where, "tasks", task)


def _resolve(
    wanted: Wanted,
    texts: Texts,
    choice: TextChoice | None,
    where: Path,
    decided: Decided | None,
) -> Literal["user", "message"]:
    """Return what a row is; "auto": a message if the column of text has no list."""
    one_row = wanted.one_row
    if one_row == "auto":
        one_row = "user" if choice is None or texts.has_lists else "message"
        if decided and decided.one_row not in (None, one_row):
            if decided.one_row == "message":
                reason = (
                    "a cell holds a list of messages, and those of earlier rows one "
                    "message each; say by one_row what a row is"
                )
                raise DataFormatError(where, None, reason)
            one_row = "user"
    if one_row == "user" and wanted.time_column is not None:
        reason = (
            f"time_column={wanted.time_column!r} orders rows of messages, but here one "
            f"row is one user; one_row='message' groups rows"
        )
        raise DataFormatError(where, None, reason)
    return one_row


def _group(
    rows: Rows,
    users: Users,
    texts: Texts,
    wanted: Wanted,
    one_row: Literal["user", "message"],
) -> tuple[Users, Grouped, dict[str, int]]:
    """Return the users, their messages, and the counts of times."""
    if one_row == "user":
        users = check_once(rows, users)
        return users, messages_of_rows(texts, users), {}
    if wanted.time_column is None:
        return users, group_messages(texts, users, None), {}
    times = read_times(rows, wanted.time_column, skip=wanted.skip)
    counts = {
        "n_missing_times": int((times.missing & rows.used).sum()) - times.n_bad,
        "n_bad_times": times.n_bad,
    }
    return users, group_messages(texts, users, times), counts


def _targets(
    rows: Rows, factors: dict[str, Factor], users: Users, *, skip: bool
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """Return the labels of users by task, and the users who have several."""
    target: dict[str, list[Any]] = {}
    conflicts: dict[str, int] = {}
    for task, factor in factors.items():
        target[task], conflicts[task] = labels_of_users(
            rows, task, factor, users, skip=skip
        )
    return target, conflicts


def _join(
    labels: LabelTable, ids: list[str], wanted: Wanted
) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Any]]]:
    """Return the counts of a table of labels, and the labels of users by task."""
    table, where = labels.table, labels.where
    rows = Rows(table, wanted.on_bad_lines)
    if not table.n_rows:
        rows.finish(where)
    named = wanted.id_column if wanted.id_column in table else "auto"
    id_column = choose_id(table, named, where)
    own, _ = label_columns(rows, wanted.tasks)
    if not own and wanted.tasks is None:
        own = {
            name: column
            for name, column in table.columns.items()
            if name != id_column and not name.startswith("Unnamed: ")
        }
    labelled = read_ids(rows, table.find(id_column))
    factors = {task: read_labels(rows, task, own[task]) for task in own}
    owners = number_users(rows, labelled.codes, labelled.ids)
    found, conflicts = _targets(rows, factors, owners, skip=wanted.skip)
    places = {user_id: place for place, user_id in enumerate(owners.ids)}
    at = [places.get(user_id, -1) for user_id in ids]
    counts = rows.finish(where)
    if max(at) < 0:
        reason = (
            f"none of its ids is a user: it has {_examples(owners.ids)}, the users are "
            f"{_examples(ids)}"
        )
        raise DataFormatError(where, None, reason)
    report = {
        "n_label_ids_outside_data": len(owners) - sum(place >= 0 for place in at),
        "n_users_outside_labels": sum(place < 0 for place in at),
        "conflicting_labels_of_table": conflicts,
    }
    target = {
        task: [None if place < 0 else values[place] for place in at]
        for task, values in found.items()
    }
    return counts, report, target


def _check_names(where: Path, names: Sequence[str]) -> None:
    """Refuse names that no table can hold, as careless writers of JSON leave them."""
    for name in names:
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            reason = f"the name {shortened(name)} holds half of a character"
            raise DataFormatError(where, None, reason)


def _make_tables(
    kept: list[int],
    ids: list[str],
    messages: list[list[str]],
    others: dict[str, list[Any]],
    target: dict[str, list[Any]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = pd.RangeIndex(len(kept))

    def column(values: list[Any]) -> pd.Series[Any]:
        return pd.Series([values[place] for place in kept], index, object)

    columns = {"user_id": column(ids), "messages": column(messages)}
    for name, values in others.items():
        # data has its own columns of these names
        free = f"{name}_" if name in columns else name
        columns[free] = infer_series([values[place] for place in kept], index)
    labels = {task: column(values) for task, values in target.items()}
    return pd.DataFrame(columns, index=index), pd.DataFrame(labels, index=index)
