"""Predictions of a trained system, of all users at once or of some at a time."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn_profiling._writing import write_atomically
from sklearn_profiling.cli._model_files import known_tasks
from sklearn_profiling.cli._printing import read_as, show_users, tell, write_frame
from sklearn_profiling.cli._reading import read_graph, stream_users


def predict_in_chunks(options: argparse.Namespace, saved: dict[str, Any]) -> int:
    """Write the predictions of users who are read some at a time."""
    from sklearn_profiling._chunks import FEWEST, rechunked, whole_batches
    from sklearn_profiling.datasets._bunches import LabeledUsers

    size = whole_batches(saved["model"], options.chunk_size)
    stream = stream_users(options, size)
    if options.show:
        show_users(next(iter(stream)))
        return 0
    graph, links = read_graph(options, stream)
    n_users = 0
    tables = ((users.data, users.target) for users in stream)
    with _opened(options) as target:
        for data, labels in rechunked(tables, size, FEWEST):
            users = LabeledUsers(
                data=data.reset_index(drop=True), target=labels.reset_index(drop=True)
            )
            table = predicted(saved, users, graph, options.format)
            header = not n_users
            write_frame(
                table, options.format, target, safe=options.safe_csv, header=header
            )
            n_users += len(table)
            if not options.quiet:
                print(f"{n_users} users predicted", file=sys.stderr, flush=True)
    stream.report["files"] |= links
    tell(options, *read_as(stream.report))
    if options.out is not None:
        tell(options, f"predictions of {n_users} users: {options.out}")
    return 0


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[Any]:
    """Open the file of predictions, whole or not at all, or standard output."""
    if options.out is None:
        yield sys.stdout
        return
    with write_atomically(options.out) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        yield text
        text.detach()


def predicted(saved: dict[str, Any], users: Any, graph: Any, kind: str) -> Any:
    """Return a row a user: labels, which of them were known, and probabilities.

    A table to look at has each label's own probability, other kinds those of all.
    """
    import pandas as pd

    from sklearn_profiling.pipelines import predict_proba_with_links

    codec = saved["labels"]
    probabilities = predict_proba_with_links(saved["model"], users.data, graph)
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
