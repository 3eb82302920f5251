"""The pages of results: each paper's tables, with its numbers beside ours.

    python benchmarks/accuracy/result_pages.py docs/results

The build of the documentation calls `write_pages`, which fails if a table has no rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from published import PAPERS, TABLES, Table
from results import FOLDER, code_of, read

from sklearn_profiling.evaluation import paired_test

_HEAD = """\
# {title}: its tables and ours

Of each cell the first number is ours, the mean over the seeds, and the one in brackets
the paper's, of other users: it shows what to expect of the order of rows and not of the
numbers. A star marks p < 0.05 against the row that is named (paired t-test over three
seeds or more). † marks a row that was made by earlier code of the systems: the commands
make it anew, with `--record`. [Reproduction](../reproduction.md) has the commands for
users and models of your own.
"""
_FEWEST_SEEDS = 3


class NoResultsError(Exception):
    """A table without any row, or a number of the paper without ours or a reason."""


def write_pages(target: Path, folder: Path = FOLDER) -> None:
    """Write one page a paper and their index; refuse a table without rows."""
    missing = [table.key for table in TABLES if not read(table, folder)]
    if missing:
        msg = f"{folder.name} has no rows of {', '.join(missing)}; run the commands"
        raise NoResultsError(msg)
    for table in TABLES:
        if left := unexplained(table, read(table, folder)):
            msg = f"{table.key}: no row of ours, nor a reason, beside {left}"
            raise NoResultsError(msg)
    target.mkdir(parents=True, exist_ok=True)
    for paper, title in PAPERS.items():
        parts = [_HEAD.format(title=title)]
        parts += [section(t, read(t, folder)) for t in TABLES if t.paper == paper]
        (target / f"{paper}.md").write_text("\n".join(parts), "utf-8")
    pages = "\n".join(PAPERS)
    index = f"# Results\n\n```{{toctree}}\n:maxdepth: 2\n\n{pages}\n```\n"
    (target / "index.md").write_text(index, "utf-8")


def section(table: Table, rows: list[dict[str, Any]]) -> str:
    """Write a table: its command, and one block for each data set and setting."""
    parts = [f"## {table.number}: {table.title}", f"    {table.command} --record"]
    if table.note:
        parts.append(table.note)
    if said := _reasons(table, rows):
        parts.append(said)
    now = code_of(table.uses)
    blocks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        blocks.setdefault((row["data"], row["setting"]), []).append(row)
    for number, ((data, setting), own) in enumerate(blocks.items()):
        parts.append(_caption(table, data, setting, own))
        # What has no row of ours stands once, with the first users.
        parts.append(_block(table, own, now, with_absent=number == 0))
    return "\n\n".join(parts) + "\n"


def unexplained(table: Table, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Rows and tasks that have a number of the paper, and neither ours nor a reason."""
    alone = table.alone
    return [
        (name, task)
        for name, task in _without_ours(table, rows)
        if name not in alone and task not in alone
    ]


def _without_ours(table: Table, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    ours = {(row["row"].removesuffix(", paper"), row["task"]) for row in rows}
    numbers = [
        (name, task) for name in table.published for task in table.published[name]
    ]
    return [number for number in numbers if number not in ours]


def _reasons(table: Table, rows: list[dict[str, Any]]) -> str:
    """Say why numbers of the paper have none of ours beside them."""
    found: dict[str, list[str]] = {}
    for number in _without_ours(table, rows):
        for key in number:
            names = found.setdefault(table.alone.get(key, ""), [])
            names += [key] * (key not in names)
    found.pop("", None)
    said = [f"{', '.join(names)}: {reason}" for reason, names in found.items()]
    return f"Not beside ours: {'; '.join(said)}." if said else ""


def _caption(table: Table, data: str, setting: str, rows: list[dict[str, Any]]) -> str:
    seeds = len({row["seed"] for row in rows})
    said = [data]
    if setting:
        said += [setting, f"{seeds} seed{'s' * (seeds > 1)}"]
        seconds = {(row["row"], row["seed"]): row["seconds"] for row in rows}
        said.append(f"{sum(seconds.values()) / 60:.1f} minutes of training a fold")
    if table.reference and seeds >= _FEWEST_SEEDS:
        said.append(f"stars against {table.reference}")
    return f"{'; '.join(said)}. By `{rows[-1]['command']}`:"


def _block(
    table: Table, rows: list[dict[str, Any]], now: str, *, with_absent: bool
) -> str:
    """Draw the rows: a column a task, or a line a task if it has several figures."""
    found: dict[str, dict[str, dict[int, dict[str, float]]]] = {}
    old = set()
    for row in rows:
        of_task = found.setdefault(row["row"], {}).setdefault(row["task"], {})
        of_task[row["seed"]] = row["figures"]
        if row["code"] != now:
            old.add(row["row"])
    for name in table.published if with_absent else ():
        found.setdefault(name, {})
    tasks = list(
        dict.fromkeys(
            task
            for name in found
            for task in (
                *found[name],
                *(_published(table, name) if with_absent else ()),
            )
        )
    )
    names = {name: f"{name} †" if name in old else name for name in found}
    if len(table.figures) == 1:
        (figure,) = table.figures
        body = [
            [names[name], *(_cell(table, found, name, t, figure) for t in tasks)]
            for name in found
        ]
        return markdown(["", *tasks], body)
    body = [
        [
            names[name],
            task,
            *(_cell(table, found, name, task, f) for f in table.figures),
        ]
        for name in found
        for task in tasks
    ]
    body = [line for line in body if any(line[2:])]
    return markdown(["", "task", *table.figures], body)


def _published(table: Table, name: str) -> Mapping[str, tuple[float, ...]]:
    """Return the paper's numbers of a row, whatever preset ours has."""
    return table.published.get(name.removesuffix(", paper"), {})


def _cell(
    table: Table, found: Mapping[str, Any], name: str, task: str, figure: str
) -> str:
    """Write our mean, its star, and the paper's number in brackets."""
    digits = {"count": 0, "macro-F1": 2}.get(figure, 4 if task == "score" else 3)
    ours = [figures[figure] for figures in found[name].get(task, {}).values()]
    parts = []
    if ours:
        parts.append(
            _number(np.mean(ours), digits) + _star(table, found, name, task, figure)
        )
    published = _published(table, name).get(task)
    if published is not None:
        parts.append(f"({_number(published[table.figures.index(figure)], digits)})")
    return " ".join(parts)


def _number(value: Any, digits: int) -> str:
    whole = digits == 0 and float(value).is_integer()
    return f"{value:,.0f}" if whole else f"{value:,.{max(digits, 1)}f}"


def _star(
    table: Table, found: Mapping[str, Any], name: str, task: str, figure: str
) -> str:
    """Mark a row that differs from the reference on the seeds that both have."""
    other = found.get(table.reference, {}).get(task, {})
    own = found[name][task]
    seeds = sorted(set(own) & set(other))
    if name == table.reference or len(seeds) < _FEWEST_SEEDS:
        return ""
    first = [own[seed][figure] for seed in seeds]
    second = [other[seed][figure] for seed in seeds]
    if np.ptp(np.subtract(first, second)) == 0:
        return ""
    return "\\*" * bool(paired_test(first, second).p_value < 0.05)


def markdown(head: list[str], body: Iterable[list[str]]) -> str:
    """Draw a table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
