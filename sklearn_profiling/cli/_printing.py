"""Summaries of users, tables that fit the terminal, and results as CSV or JSON."""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn_profiling._writing import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_N_SHOWN = 3
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TEXT_SHOWN = 60


def tell(options: argparse.Namespace, *lines: str) -> None:
    """Print what is no result: nothing if quiet, and apart from CSV and JSON."""
    if options.quiet:
        return
    stream = sys.stdout if options.format == "table" else sys.stderr
    for line in lines:
        print(line, file=stream, flush=True)


def describe(users: Any, *, labelled: bool) -> Iterator[str]:
    """Yield lines on what was read: users, sources, labels, columns, skipped rows."""
    network = "no network"
    if users.graph is not None:
        linked = int((users.graph.index_of(users.data["user_id"]) >= 0).sum())
        network = f"{linked} of them in a network of {users.graph.n_edges} links"
    n_messages = users.data["messages"].str.len()
    yield (
        f"{len(users.data)} users with {int(n_messages.sum())} messages, "
        f"{int((n_messages == 0).sum())} of them without text, {network}"
    )
    if "images" in users.data:
        counts = users.data["images"].str.len()
        yield f"  {counts.sum()} images; {(counts == 0).sum()} users without any"
    for task in users.target if labelled else ():
        labels = users.target[task].dropna()
        yield (
            f"  {task}: {len(labels)} labelled, {labels.nunique()} classes, "
            f"{len(users.target) - len(labels)} missing"
        )
    yield from read_as(users.report)


def read_as(report: dict[str, Any]) -> Iterator[str]:
    """Yield what files and columns were taken for, and what was left out."""
    columns = report.get("columns", {})
    if isinstance(columns, dict) and columns:
        named = {use: [c] if isinstance(c, str) else c for use, c in columns.items()}
        taken = [f"{use}: {', '.join(names)}" for use, names in named.items() if names]
        yield f"  columns: {'; '.join(taken)}"
    if "one_row" in report:
        yield f"  one row is one {report['one_row']}"
    for name, read in report.get("files", {}).items():
        if "taken_for" in read:
            yield f"  {name}: read as {read['taken_for']}"
        for reason, count in read.get("skipped", {}).items():
            yield f"  {name}: {count} lines skipped: {reason}"
    for reason, count in report.get("skipped_authors", {}).items():
        yield f"  {count} files of authors skipped: {reason}"
    few = report.get("n_users_below_min_messages", 0)
    if few:
        yield f"  {few} users left out, who have too few messages"


def show_users(users: Any) -> None:
    """Print the first users with their labels and the beginning of each message."""
    import pandas as pd

    for row in range(min(_N_SHOWN, len(users.data))):
        record = users.data.iloc[row].to_dict()
        messages = record.pop("messages")
        labels = ", ".join(
            f"{task}={label}"
            for task, label in users.target.iloc[row].items()
            if not pd.api.types.is_scalar(label) or not pd.isna(label)
        )
        print(f"{record.pop('user_id')}: {labels or 'no label'}")
        for name, value in record.items():
            print(f"  {name}: {shortened(str(value))}")
        print(f"  {len(messages)} messages")
        for message in messages[:_N_SHOWN]:
            print(f"    {shortened(message)}")


def shortened(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_SHOWN else line[: _TEXT_SHOWN - 1] + "…"


def terminal_width() -> int:
    """Return the columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def write_file(table: pd.DataFrame, kind: str, path: Path, *, safe: bool) -> None:
    """Write a table to a file, whole or not at all."""
    with write_atomically(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        write_frame(table, kind, text, safe=safe)
        text.detach()


def write_frame(
    table: pd.DataFrame, kind: str, target: Any, *, safe: bool, header: bool = True
) -> None:
    """Write a table to a stream as CSV, JSON lines or text.

    With `safe`, no cell of CSV is a formula for a spreadsheet; without `header`, rows
    of CSV follow others.
    """
    if kind == "csv":
        if safe:
            table = table.rename(columns=_as_text).map(_as_text)
        table.to_csv(target, index=False, header=header)
    elif kind == "json":
        table.to_json(target, orient="records", lines=True, force_ascii=False)
    else:
        target.write(table.to_string(index=False) + "\n")


def _as_text(cell: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would calculate, as OWASP says.

    Numbers, also those written as text, stay.
    """
    if not (isinstance(cell, str) and cell.startswith(_FORMULA)):
        return cell
    return cell if _NUMBER.fullmatch(cell) else f"'{cell}"
