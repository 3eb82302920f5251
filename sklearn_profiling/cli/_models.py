"""Commands that train one system or predict with it: fit, predict."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._comparing import check_main_task, choose_tasks
from sklearn_profiling.cli._printing import show_users, tell, write_frame
from sklearn_profiling.cli._reading import load_users
from sklearn_profiling.cli._systems import choose_system

_COLUMNS = ("id_column", "text_column", "time_column", "one_row")
"""Options that a model file keeps, so that predict reads tables as fit did."""


def run_fit(options: argparse.Namespace) -> int:
    """Train a system on all users and write it to a file."""
    import joblib

    from sklearn_profiling import __version__
    from sklearn_profiling._store import write_atomically
    from sklearn_profiling.targets import LabelCodec

    check_options(options)
    choose_tasks(options)
    users = load_users(options)
    if options.show:
        show_users(users)
        return 0
    check_main_task(options, users)
    name, model = choose_system(options, users)
    model.fit(users.data, users.target)
    saved = {
        "version": __version__,
        "system": name,
        "model": model,
        "labels": LabelCodec.learn(users.target),
        "columns": {column: getattr(options, column) for column in _COLUMNS},
        "known": {
            task: _digests(users.data["user_id"][users.target[task].notna()])
            for task in users.target
        },
    }
    options.model.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(options.model) as file:
        joblib.dump(saved, file, compress=3)
    size = options.model.stat().st_size / 1e6
    tell(options, f"model: {options.model}, {size:.1f} MB")
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Write the predictions of a trained system."""
    from sklearn_profiling._store import write_atomically

    check_options(options)
    saved = _load_model(options.model_file)
    for column, name in saved["columns"].items():
        if getattr(options, column) is None:
            setattr(options, column, name)
    users = load_users(options, labelled=False)
    if options.show:
        show_users(users)
        return 0
    table = _predict(saved, users, options.format)
    if options.out is None:
        write_frame(table, options.format, sys.stdout)
        return 0
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(options.out) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        write_frame(table, options.format, text)
        text.detach()
    tell(options, f"predictions of {len(table)} users: {options.out}")
    return 0


def _load_model(path: Path) -> dict[str, Any]:
    """Read a file that fit wrote."""
    import joblib

    from sklearn_profiling import __version__
    from sklearn_profiling.exceptions import DataFormatError

    try:
        saved = joblib.load(path)
        version = saved["version"]
        missing = {"model", "labels", "columns", "known"} - set(saved)
    except Exception as error:
        reason = (
            f"not a model written by 'sklearn-profiling fit' of this version "
            f"({type(error).__name__}: {error})"
        )
        raise DataFormatError(path, None, reason) from error
    if missing:
        reason = f"a model of version {version}, which lacks {sorted(missing)}; fit it"
        raise DataFormatError(path, None, f"{reason} again")
    if version != __version__:
        print(f"model of version {version}, read by {__version__}", file=sys.stderr)
    return dict(saved)


def _predict(saved: dict[str, Any], users: Any, kind: str) -> Any:
    """Return a row a user: labels, which of them were known, and probabilities.

    A table to look at has each label's own probability, other kinds those of all.
    """
    import pandas as pd

    from sklearn_profiling.pipelines import predict_proba_with_links

    codec = saved["labels"]
    probabilities = predict_proba_with_links(saved["model"], users.data, users.graph)
    labels = pd.DataFrame(codec.decode(probabilities), columns=codec.task_names)
    columns = {"user_id": users.data["user_id"].reset_index(drop=True)}
    columns |= {task: labels[task].map(_written) for task in codec.task_names}
    columns["known"] = _known_tasks(saved["known"], users)
    for task, classes, likely in zip(
        codec.task_names, codec.classes, probabilities, strict=True
    ):
        if kind == "table":
            best = pd.Series(likely.max(axis=1)).map(" {:.2f}".format)
            columns[task] = columns[task].astype(str) + best
            continue
        for position, label in enumerate(classes):
            columns[f"{task}={label}"] = pd.Series(likely[:, position]).round(6)
    return pd.DataFrame(columns)


def _written(label: Any) -> Any:
    """Return a label as a table can hold it: the classes of a set side by side."""
    if isinstance(label, frozenset):
        return "|".join(sorted(map(str, label)))
    return label


def _known_tasks(known: dict[str, set[bytes]], users: Any) -> Any:
    """Name, for each user, the tasks whose label was in training or stands here."""
    import pandas as pd

    ids = users.data["user_id"]
    digests = [_digest(user_id) for user_id in ids]
    tasks: list[list[str]] = [[] for _ in ids]
    for task, trained in known.items():
        here = (
            users.target[task].notna() if task in users.target else [False] * len(ids)
        )
        for found, digest, labelled in zip(tasks, digests, here, strict=True):
            if labelled or digest in trained:
                found.append(task)
    return pd.Series(map(" ".join, tasks), dtype=object)


def _digests(ids: Iterable[Any]) -> set[bytes]:
    return {_digest(user_id) for user_id in ids}


def _digest(user_id: Any) -> bytes:
    """Hash an id, so that a model file does not list who was in training."""
    from sklearn_profiling._store import digest_of

    return digest_of(str(user_id).encode("utf-8", "surrogatepass"))
