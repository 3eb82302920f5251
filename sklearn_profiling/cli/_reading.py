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
    choices = _bounds_of(options)
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
    choices |= {name: getattr(options, name) for name in _given(options)}
    return load_records(path, on_unknown_links=options.on_unknown_links, **choices)


def stream_users(options: argparse.Namespace, chunk_size: int) -> Any:
    """Open a table of users that is read some users at a time."""
    from sklearn_profiling.datasets import stream_records

    _refuse_folders(options)
    choices = _bounds_of(options)
    for name in _given(options):
        if not name.startswith("links"):
            choices[name] = getattr(options, name)
    return stream_records(options.path, chunk_size=chunk_size, **choices)


def _refuse_folders(options: argparse.Namespace) -> None:
    """Refuse folders of a competition, whose files are read whole."""
    from sklearn_profiling.datasets.pan.load import holds_authors
    from sklearn_profiling.exceptions import SourceError

    path: Path = options.path
    if path.is_dir() and (
        any(path.glob("*status.txt*"))
        or (path / "truth.txt").is_file()
        or holds_authors(path)
    ):
        msg = (
            f"--chunk-size reads Parquet or JSON lines; {path} is a folder of a "
            "competition, which is read whole: leave --chunk-size out"
        )
        raise SourceError(msg)


def read_graph(options: argparse.Namespace, stream: Any) -> Any:
    """Read the links of users who are read some at a time, and what was counted.

    As for all users at once, their ids say who is known, and so are read before.
    """
    from sklearn_profiling._bounds import bounded
    from sklearn_profiling._packed_files import check_encodings
    from sklearn_profiling.datasets._files import choose_encoding
    from sklearn_profiling.datasets._networks import read_network
    from sklearn_profiling.datasets.records.load import find_links

    links = find_links(options.path, options.links)
    if links is None:
        return None, {}
    ids = [user_id for users in stream for user_id in users.data["user_id"]]
    folders, follow = [options.path], options.follow_links
    with bounded(options.max_bytes, folders=folders, follow_links=follow):
        graph, counts = read_network(
            links,
            ids,
            options.on_unknown_links,
            kind=options.links_format or "auto",
            directed=False,
            encoding=choose_encoding(links, check_encodings(options.encoding)),
            on_bad_lines=options.on_bad_lines,
            weighted=True,
            stacklevel=3,
        )
    return graph, {"links": counts}


def _bounds_of(options: argparse.Namespace) -> dict[str, Any]:
    """Collect what holds for every reader."""
    choices: dict[str, Any] = {
        "encoding": options.encoding,
        "on_bad_lines": options.on_bad_lines,
        "max_bytes": options.max_bytes,
        "follow_links": options.follow_links,
    }
    if options.min_messages is not None:
        choices["min_messages"] = options.min_messages
    return choices


def _given(options: argparse.Namespace) -> list[str]:
    """Name the options of tables that were given."""
    return [name for name in _OF_TABLES if getattr(options, name, None) is not None]


def _refuse_table_options(options: argparse.Namespace, kind: str) -> None:
    from sklearn_profiling.exceptions import SourceError

    given = _given(options)
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
