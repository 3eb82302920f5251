"""Commands that train one system or predict with it: fit, predict."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sklearn_profiling.cli._caching import fit_through_cache
from sklearn_profiling.cli._checks import check_options
from sklearn_profiling.cli._model_files import known_tasks, load_model, save_model
from sklearn_profiling.cli._printing import show_users, tell, write_file, write_frame
from sklearn_profiling.cli._reading import load_users
from sklearn_profiling.cli._systems import check_systems, choose_system


def run_fit(options: argparse.Namespace) -> int:
    """Train a system on all users and write it to a file."""
    check_options(options)
    check_systems(options)
    users = load_users(options)
    if options.show:
        show_users(users)
        return 0
    name, model = choose_system(options, users)
    fit_through_cache(model, options.cache)
    save_model(options, users, name, model)
    return 0


def run_predict(options: argparse.Namespace) -> int:
    """Write the predictions of a trained system."""
    check_options(options)
    saved = load_model(options.model_file)
    for column, name in saved["columns"].items():
        if getattr(options, column) is None:
            setattr(options, column, name)
    users = load_users(options, labelled=False)
    if options.show:
        show_users(users)
        return 0
    table = _predict(saved, users, options.format)
    if options.out is None:
        write_frame(table, options.format, sys.stdout, safe=options.safe_csv)
        return 0
    write_file(table, options.format, options.out, safe=options.safe_csv)
    tell(options, f"predictions of {len(table)} users: {options.out}")
    return 0


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
    columns["known"] = known_tasks(saved["known"], users)
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
