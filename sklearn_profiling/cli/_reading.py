"""Users, segmenter and net parameters from the options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sklearn_profiling.cli._printing import describe, tell

_OF_TABLES = (
    "labels",
    "id_column",
    "text_column",
    "time_column",
    "one_row",
    "links",
    "links_format",
)
"""Options of tables, which folders of a fixed format have no use for."""


def load_users(options: argparse.Namespace, *, labelled: bool = True) -> Any:
    """Read users in any of the formats and print a summary."""
    from sklearn_profiling.exceptions import TargetError

    _choose_tasks(options)
    users = _load(options, labelled=labelled)
    if labelled and users.target.shape[1] == 0:
        msg = (
            f"{options.path}: no task found; name the columns of labels with --tasks, "
            f"or a table of labels with --labels"
        )
        raise TargetError(msg)
    tell(options, *describe(users, labelled=labelled))
    _check_main_task(options, users)
    return users


def _choose_tasks(options: argparse.Namespace) -> None:
    """Set the tasks to read from the main and auxiliary tasks."""
    from sklearn_profiling.exceptions import TargetError

    for name in ("tasks", "aux_task"):
        given = getattr(options, name, None) or []
        if len(set(given)) < len(given):
            twice = next(task for task in given if given.count(task) > 1)
            msg = f"--{name.replace('_', '-')}: {twice[:60]!r} stands twice"
            raise TargetError(msg)
    if getattr(options, "aux_task", None) is None:
        return
    if options.main_task is None or options.tasks is not None:
        msg = (
            "--aux-task goes with --main-task and without --tasks: the main task and "
            "its auxiliary tasks are all that is read"
        )
        raise TargetError(msg)
    if options.main_task in options.aux_task:
        msg = f"--aux-task: {options.main_task!r} is the main task itself"
        raise TargetError(msg)
    options.tasks = [options.main_task, *options.aux_task]


def _check_main_task(options: argparse.Namespace, users: Any) -> None:
    """Refuse a main task that the users do not have."""
    from sklearn_profiling.exceptions import TargetError

    main = getattr(options, "main_task", None)
    if main is not None and main not in users.target:
        msg = f"--main-task: {main!r} is not one of {list(users.target)}"
        raise TargetError(msg)


def _load(options: argparse.Namespace, *, labelled: bool) -> Any:
    from sklearn_profiling.datasets import (
        load_mex_a3t,
        load_pan,
        load_records,
        load_smpcup2016,
    )
    from sklearn_profiling.datasets.pan.load import holds_authors

    path: Path = options.path
    choices: dict[str, Any] = {
        "encoding": options.encoding,
        "on_bad_lines": options.on_bad_lines,
        "max_bytes": options.max_bytes,
        "follow_links": options.follow_links,
    }
    if options.min_messages is not None:
        choices["min_messages"] = options.min_messages
    tasks = getattr(options, "tasks", None)
    if tasks is not None or not labelled:
        choices["tasks"] = tuple(tasks or ())
    if path.is_dir() and any(path.glob("*status.txt*")):
        _refuse_table_options(options, "SMP CUP 2016")
        choices["on_unknown_links"] = options.on_unknown_links
        return load_smpcup2016(path, **choices)
    if path.is_dir() and holds_authors(path):
        _refuse_table_options(options, "PAN")
        del choices["encoding"]  # XML states its own
        return load_pan(path, **choices)
    if (path / "truth.txt").is_file():
        _refuse_table_options(options, "MEX-A3T")
        return load_mex_a3t(path, **choices)
    if not labelled:
        del choices["tasks"]  # a table holds its labels and needs no other file
    for name in _OF_TABLES:
        if getattr(options, name, None) is not None:
            choices[name] = getattr(options, name)
    return load_records(path, on_unknown_links=options.on_unknown_links, **choices)


def _refuse_table_options(options: argparse.Namespace, kind: str) -> None:
    from sklearn_profiling.exceptions import SourceError

    given = [n for n in _OF_TABLES if getattr(options, n, None) is not None]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        msg = f"{names}: for tables only; {options.path} is a folder of {kind}"
        raise SourceError(msg)


def segmenter_of(options: argparse.Namespace, users: Any) -> Any:
    """Make the named segmenter, or the one that suits the text."""
    from sklearn_profiling.sources import (
        CharacterSegmenter,
        JiebaSegmenter,
        WordSegmenter,
        choose_segmenter,
    )

    if options.segmenter == "auto":
        chosen = choose_segmenter(users.data["messages"])
        name = type(chosen).__name__
        tell(options, f"segmenter: {name} (--segmenter to change)")
        return chosen
    named = {
        "words": WordSegmenter,
        "jieba": JiebaSegmenter,
        "character": CharacterSegmenter,
    }
    return named[options.segmenter]()


def size_of(options: argparse.Namespace, name: str) -> Any:
    """Return a size of the nets: as given, or as usual; None leaves it to the paper."""
    given = getattr(options, name)
    if given is not None or options.preset == "paper":
        return given
    return options.usual[name]


def sizes_of(options: argparse.Namespace, **names: str) -> dict[str, Any]:
    """Collect parameters from options of sizes, without those left to the paper."""
    sizes = {parameter: size_of(options, name) for parameter, name in names.items()}
    return {parameter: size for parameter, size in sizes.items() if size is not None}


def net_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the parameters that all nets share."""
    shared = sizes_of(
        options,
        max_epochs="max_epochs",
        batch_size="batch_size",
        n_filters="filters",
        kernel_sizes="kernel_sizes",
    )
    if "kernel_sizes" in shared:
        shared["kernel_sizes"] = tuple(shared["kernel_sizes"])
    return {**shared, "dtype": options.dtype, "device": options.device}


def jobs_of(options: argparse.Namespace) -> int:
    """Return the number of parallel fits, one per core by default."""
    import joblib

    return joblib.cpu_count() if options.jobs is None else int(options.jobs)
