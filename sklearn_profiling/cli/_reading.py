"""Users, segmenter and net parameters from the options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def load_users(options: argparse.Namespace, *, labelled: bool = True) -> Any:
    """Read users in any of the formats and print a summary."""
    from sklearn_profiling.datasets import (
        load_mex_a3t,
        load_pan,
        load_records,
        load_smpcup2016,
    )
    from sklearn_profiling.datasets.pan.load import holds_authors
    from sklearn_profiling.exceptions import TargetError

    path: Path = options.path
    tasks = tuple(options.tasks) if getattr(options, "tasks", None) else None
    choices = {
        "encoding": options.encoding,
        "on_bad_lines": options.on_bad_lines,
        "on_unknown_links": options.on_unknown_links,
    }
    if path.is_dir() and any(path.glob("*status.txt*")):
        wanted = (tasks or ("gender", "age", "region")) if labelled else ()
        users = load_smpcup2016(path, tasks=wanted, **choices)
    elif (pan := holds_authors(path)) or (path / "truth.txt").is_file():
        del choices["on_unknown_links"]
        named: dict[str, Any] = {}
        if tasks is not None or not labelled:
            named["tasks"] = tasks or ()
        users = (load_pan if pan else load_mex_a3t)(path, **named, **choices)
    else:
        links = {} if options.links is None else {"links": options.links}
        choices["links_format"] = options.links_format
        users = load_records(path, tasks=tasks, **links, **choices)
    if labelled and users.target.shape[1] == 0:
        msg = f"{path}: no task found; name the columns of labels with --tasks"
        raise TargetError(msg)
    print_read(users, labelled=labelled)
    return users


def print_read(users: Any, *, labelled: bool) -> None:
    """Print a summary of the users."""
    network = "no network"
    if users.graph is not None:
        linked = int((users.graph.index_of(users.data["user_id"]) >= 0).sum())
        network = f"{linked} of them in a network of {users.graph.n_edges} links"
    without_text = int((users.data["messages"].str.len() == 0).sum())
    print(f"{len(users.data)} users, {without_text} of them without text, {network}")
    if "images" in users.data:
        counts = users.data["images"].str.len()
        print(f"  {counts.sum()} images; {(counts == 0).sum()} users without any")
    if labelled:
        for task in users.target:
            labels = users.target[task].dropna()
            print(
                f"  {task}: {len(labels)} labelled, {labels.nunique()} classes, "
                f"{len(users.target) - len(labels)} missing"
            )
    for name, read in users.report.get("files", {}).items():
        if "taken_for" in read:
            print(f"  {name}: read as {read['taken_for']}")
        for reason, count in read.get("skipped", {}).items():
            print(f"  {name}: {count} lines skipped: {reason}")
    for reason, count in users.report.get("skipped_authors", {}).items():
        print(f"  {count} files of authors skipped: {reason}")


def segmenter_of(options: argparse.Namespace, users: Any) -> Any:
    """Make the named segmenter, or the one that suits the text."""
    from sklearn_profiling.sources import (
        CharacterSegmenter,
        choose_segmenter,
    )
    from sklearn_profiling.sources.text.segmentation import default_segmenter

    if options.segmenter == "auto":
        chosen = choose_segmenter(users.data["messages"])
        print(f"segmenter: {type(chosen).__name__} (--segmenter to change)")
        return chosen
    return (
        CharacterSegmenter()
        if options.segmenter == "character"
        else default_segmenter()
    )


def net_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the parameters that all nets share."""
    return {
        "max_epochs": options.max_epochs,
        "batch_size": options.batch_size,
        "n_filters": options.filters,
        "kernel_sizes": tuple(options.kernel_sizes),
        "dtype": options.dtype,
        "device": options.device,
    }


def jobs_of(options: argparse.Namespace) -> int:
    """Return the number of parallel fits, one per core by default."""
    import joblib

    return joblib.cpu_count() if options.jobs is None else int(options.jobs)
