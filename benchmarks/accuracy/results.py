"""Rows of the papers' tables in ``benchmarks/results``, one JSON line each.

A row is one system on one data set, task and seed: the table, what was measured, and
the commit, command, versions and time that made it. A row that is made again takes the
place of the earlier one.

A row is older than its code if the syntax trees, without docstrings, of the files that
its table uses are no longer those of the row. The commit is kept for the reader; it may
be gone after a rebase, and says nothing about files that were not committed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sklearn_profiling
from sklearn_profiling._writing import write_atomically

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks" / "results"
_PACKAGES = ("numpy", "scikit-learn", "torch", "skorch", "transformers")
_IDENTITY = ("data", "setting", "row", "task", "seed")


def code_of(uses: Sequence[str]) -> str:
    """Hash what the named files and folders of the package do."""
    package = Path(sklearn_profiling.__file__).parent
    digest = hashlib.sha256()
    for use in sorted(uses):
        path = package / use
        files = [path] if path.suffix else sorted(path.rglob("*.py"))
        if not all(file.is_file() for file in files) or not files:
            msg = f"the package has no {use}; correct the list of tables"
            raise FileNotFoundError(msg)
        for file in files:
            digest.update(_syntax(file).encode())
    return digest.hexdigest()[:16]


@cache
def _syntax(file: Path) -> str:
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        documented = isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        )
        if documented and ast.get_docstring(node) is not None:
            node.body = body[1:]
    return ast.dump(tree)


def command_of(arguments: Sequence[str]) -> str:
    """Return the command of this process; of a path outside it only the name counts."""
    script = Path(arguments[0]).resolve()
    if not script.is_relative_to(ROOT / "benchmarks"):
        script = ROOT / "benchmarks" / "accuracy" / script.name
    shown = ["python", script.relative_to(ROOT).as_posix()]
    for argument in arguments[1:]:
        path = Path(argument)
        outside = path.is_absolute() and path.exists()
        shown.append(f"{path.name}{'/' * path.is_dir()}" if outside else argument)
    return shlex.join(shown)


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "sklearn_profiling")
    return git("rev-parse", "--short=12", "HEAD") + "+" * bool(changed)


def record(
    table: Any,
    rows: Iterable[Mapping[str, Any]],
    *,
    data: str,
    setting: str,
    folder: Path | None = None,
) -> None:
    """Write rows of a table: "row", "task", "seed", "figures" and "seconds".

    `data` names the users and `setting` the sizes, such as epochs and folds.
    """
    made = {
        "commit": _commit(),
        "code": code_of(table.uses),
        "command": command_of(sys.argv),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in _PACKAGES},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    found = {_identity(row): row for row in read(table, folder)}
    for row in rows:
        whole = {"table": table.key, "data": data, "setting": setting, **row, **made}
        found[_identity(whole)] = whole
    lines = [json.dumps(row, ensure_ascii=False) for row in found.values()]
    with write_atomically((folder or FOLDER) / f"{table.key}.jsonl") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _IDENTITY)


def read(table: Any, folder: Path | None = None) -> list[dict[str, Any]]:
    """Read the rows of a table, none if it has no file."""
    path = (folder or FOLDER) / f"{table.key}.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def record_scores(
    table: Any,
    scores: Any,
    figures: Mapping[str, str],
    *,
    data: str,
    setting: str,
    seed: int | None = None,
    scale: float = 1.0,
    average: str = "",
    folder: Path | None = None,
) -> None:
    """Write the scores of a Comparison; `figures` maps metrics to the paper's words.

    With a seed the folds are averaged; without one each fold is a seed. Under the name
    `average` stands the mean of the tasks.
    """
    scores = scores[scores["error"].isna() & scores["metric"].isin(figures)]
    seeds = scores["fold"] if seed is None else seed
    scores = scores.assign(seed=seeds)
    rows = []
    for (system, seed_), own in scores.groupby(["system", "seed"], sort=False):
        means = own.pivot_table(
            index="task", columns="metric", values="value", sort=False
        )
        means = (means * scale).rename(columns=figures)[list(figures.values())]
        if average:
            means.loc[average] = means.mean()
        seconds = own.drop_duplicates("fold")["fit_seconds"].mean()
        rows += [
            {
                "row": system,
                "task": task,
                "seed": int(seed_),
                "figures": {k: round(float(v), 4) for k, v in values.items()},
                "seconds": round(float(seconds), 1),
            }
            for task, values in means.iterrows()
        ]
    record(table, rows, data=data, setting=setting, folder=folder)


def record_counts(
    table: Any,
    counts: Mapping[str, Mapping[str, float]],
    *,
    data: str,
    folder: Path | None = None,
) -> None:
    """Write counts of users, by row and task."""
    rows = [
        {
            "row": row,
            "task": task,
            "seed": 0,
            "figures": {"count": round(float(count), 1)},
            "seconds": 0.0,
        }
        for row, of_tasks in counts.items()
        for task, count in of_tasks.items()
    ]
    record(table, rows, data=data, setting="", folder=folder)
