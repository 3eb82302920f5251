"""Command that explains the prediction of one user: explain."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._model_files import load_model
from sklearn_profiling.cli._printing import show_users, tell, write_frame
from sklearn_profiling.cli._reading import load_users

_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Explanation</title></head><body>
{}
</body></html>
"""


def add_explain_options(explain: argparse.ArgumentParser) -> None:
    """Describe the options beside those that say how users are read."""
    explain.add_argument("--user", required=True, metavar="ID", help="id of the user")
    explain.add_argument(
        "--task", metavar="TASK", help="attribute; needed if the model has several"
    )
    explain.add_argument(
        "--label", metavar="CLASS", help="class to explain (the predicted one)"
    )
    explain.set_defaults(run=run_explain)


def run_explain(options: argparse.Namespace) -> int:
    """Print what contributes to a prediction, and write it as a page if asked."""
    check_options(options)
    saved = load_model(options.model_file)
    for column, name in saved["columns"].items():
        if getattr(options, column) is None:
            setattr(options, column, name)
    users = load_users(options, labelled=False)
    if options.show:
        show_users(users)
        return 0
    found = _explain(options, saved, users)
    if options.format == "table":
        print(found.to_string())
    else:
        write_frame(found.table, options.format, sys.stdout, safe=options.safe_csv)
    if options.html is not None:
        _write_page(options.html, found)
        tell(options, f"explanation: {options.html}")
    return 0


def _explain(options: argparse.Namespace, saved: dict[str, Any], users: Any) -> Any:
    from sklearn_profiling.evaluation import explain
    from sklearn_profiling.exceptions import SourceError, shortened

    rows = users.data["user_id"].astype(str) == options.user
    if not rows.any():
        msg = (
            f"--user: {shortened(options.user)} is not one of the {len(rows)} users of "
            f"{options.path}"
        )
        raise SourceError(msg)
    user = users.data[rows].iloc[:1]
    label = _label(saved["labels"], options.task, options.label)
    return explain(saved["model"], user, task=options.task, label=label)


def _label(codec: Any, task: str | None, written: str | None) -> Any:
    """Return the class that is written so, or what is written if there is none."""
    if written is None:
        return None
    names = [task] if task in codec.task_names else codec.task_names[:1]
    classes = codec.classes[codec.task_names.index(names[0])]
    return next((label for label in classes if str(label) == written), written)


def _write_page(path: Path, found: Any) -> None:
    from sklearn_profiling._writing import write_atomically

    with write_atomically(path) as file:
        file.write(_PAGE.format(found.to_html()).encode("utf-8"))
