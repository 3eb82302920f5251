"""Loader of users from JSON lines or Parquet, with any set of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
from sklearn.utils import Bunch

from sklearn_profiling._packed_files import PACKED_ENDINGS, without_packed_ending
from sklearn_profiling.containers._links_formats import LinksFormat
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._files import (
    BadLine,
    CountedFile,
    LineFile,
    OnBadLines,
    ParquetFile,
    check_choice,
    check_encodings,
    choose_encoding,
)
from sklearn_profiling.datasets._networks import (
    UNKNOWN_LINKS,
    OnUnknownLinks,
    missing_in_network,
    read_network,
)
from sklearn_profiling.datasets.records.format import (
    Record,
    RowParser,
    parse_json_object,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["load_records"]

_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_PARQUET_ENDINGS = (".parquet", ".pq")
_LINK_NAMES = ("links.tsv", "links.txt", "links.csv")


def load_records(
    path: str | PathLike[str],
    *,
    links: str | PathLike[str] | Literal[False] | None = None,
    links_format: LinksFormat = "auto",
    tasks: Sequence[str] | None = None,
    id_column: str = "user_id",
    text_column: str | None = None,
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    on_unknown_links: OnUnknownLinks = "error",
    directed: bool = False,
) -> Bunch:
    r"""Load users from JSON lines or a Parquet table, with any set of tasks.

    One record is one user::

        {"user_id": "7", "messages": ["...", "..."], "labels": {"gender": "f"}}

    Every other column is kept in ``data``. Links are lines of two user ids and
    optionally a weight, separated by tabs, blanks, commas or semicolons, or stand in
    any other format that :meth:`SocialGraph.from_links_file` reads.

    Parameters
    ----------
    path : str or path-like
        A file of JSON lines (``.jsonl``, ``.ndjson``, ``.json``, also packed:
        ``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``), a Parquet table (``.parquet``,
        ``.pq``; needs the extra ``parquet``), or a folder with one of these, named
        ``users`` if there are several.
    links : str, path-like, False or None, default=None
        The file of links. None looks for ``links.tsv``, ``.txt`` or ``.csv``, also
        packed, if `path` is a folder; False loads none.
    links_format : str, default="auto"
        Format of the file of links, one of those of
        :meth:`SocialGraph.from_links_file`. "auto" looks at the content; what it took
        the file for stands in ``report["files"]["links"]["taken_for"]``.
    tasks : sequence of str or None, default=None
        The attributes to load as targets. Each is looked up in the nested column
        ``labels``, then as a column ``labels.<task>``, then as a column of its own.
        None takes all of ``labels`` and ``labels.*``.
    id_column : str, default="user_id"
        Column of the user's id, a string or a whole number.
    text_column : str or None, default=None
        Column of the messages: a list of strings, a string, or null. None takes
        "messages" or "texts", whichever a record has.
    encoding : str or sequence of str, default="utf-8"
        Encodings to try on each whole text file, in order.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line or row that breaks its format: raise an error with
        file, line and fault, or leave it out and count it in ``report``. Empty files
        and damaged archives are errors either way.
    on_unknown_links : {"add", "drop", "error"}, default="error"
        What to do with a link whose ids are not both users in ``data``: let the id
        be a node of the network, leave the link out and count it, or raise an error.
    directed : bool, default=False
        Keep the direction from the first to the second user of a link.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id`` (str), ``messages`` (list of str,
            empty if missing) and the other columns.
        ``target``
            DataFrame of objects with the same index, a column per task; None where
            a label is missing, a frozenset where it is a list.
        ``graph``
            SocialGraph of all linked ids, or None without links.
        ``target_names``
            Class names per task, sorted.
        ``DESCR``
            Description of the format.
        ``report``
            Counts of all that was read, skipped (by reason) and missing. Of the file of
            links, "n_lines" is the sum of "n_records", "n_blank", "n_comments",
            "n_headers" and the counts of "skipped", and "n_links_read" that of
            "n_links", "n_repeated_links", "n_self_links" and "n_unknown_links".

    Raises
    ------
    DataFormatError
        If a file is missing, ambiguous, empty, damaged or in another encoding, or
        holds a bad line under ``on_bad_lines="error"``.
    MissingDependencyError
        If a Parquet table is given and pyarrow is not installed, or links that
        networkx reads without networkx.
    ValueError
        If a parameter has a value that is not allowed.

    Warns
    -----
    DataQualityWarning
        If fewer than a tenth of the users occur in the links, and others do.

    See Also
    --------
    dump_records : Writes JSON lines and links.
    load_smpcup2016 : Loads the files of SMP CUP 2016.

    Notes
    -----
    Weights of repeated links are added; undirected, so are the two directions. Links of
    a user to itself are left out. Whole numbers as ids become strings, as in links, and
    so do those that a missing row has made float (1.0 is "1"). A null among messages is
    left out; ``report`` counts both. NaN and a blank string count as a missing label.
    Further columns named "user_id" or "messages", beside
    `id_column` and `text_column`, are kept as ``user_id_`` and ``messages_``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import load_records
    >>> with TemporaryDirectory() as folder:
    ...     users = Path(folder, "users.jsonl")
    ...     _ = users.write_text(
    ...         '{"user_id": 1, "messages": ["hello"], "labels": {"mood": "good"}}\n'
    ...         '{"user_id": 2, "messages": null, "labels": {"mood": null}}\n'
    ...     )
    ...     bunch = load_records(users)
    >>> bunch.data["messages"].tolist()
    [['hello'], []]
    >>> bunch.target["mood"].tolist()
    ['good', None]
    """
    check_choice("on_bad_lines", on_bad_lines, get_args(OnBadLines))
    check_choice("links_format", links_format, get_args(LinksFormat))
    check_choice("on_unknown_links", on_unknown_links, UNKNOWN_LINKS)
    check_encodings(encoding)
    if isinstance(tasks, str):
        msg = f"tasks must be a sequence of names or None; got the string {tasks!r}"
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    users_path, links_path = _find_files(Path(path), links)
    parser = RowParser(id_column, text_column, tasks)
    file, records = _read_users(users_path, parser, encoding, on_bad_lines)
    report: dict[str, Any] = {"files": {"users": file.finish()}}
    parser.check_columns(users_path)

    user_ids = [record.user_id for record in records]
    graph = None
    if links_path is not None:
        graph, report["files"]["links"] = read_network(
            links_path,
            user_ids,
            on_unknown_links,
            kind=links_format,
            directed=directed,
            encoding=choose_encoding(links_path, check_encodings(encoding)),
            on_bad_lines=on_bad_lines,
            weighted=True,
            stacklevel=2,
        )
    data, target = _make_tables(records, parser.tasks)
    report |= {
        "n_users": len(records),
        "n_labeled_users": int(target.notna().any(axis=1).sum()),
        "missing_labels": {name: int(target[name].isna().sum()) for name in target},
        "missing_messages": sum(not record.messages for record in records),
        "missing_links": missing_in_network(user_ids, graph),
        "n_messages": sum(len(record.messages) for record in records),
        "n_null_messages": parser.n_null_messages,
        "n_float_ids": parser.n_float_ids,
    }
    return Bunch(
        data=data,
        target=target,
        graph=graph,
        target_names={name: _class_names(target[name]) for name in target},
        DESCR=load_description("records"),
        report=report,
    )


def _find_files(
    path: Path, links: str | PathLike[str] | Literal[False] | None
) -> tuple[Path, Path | None]:
    """Return the file of users and the file of links."""
    if not path.exists():
        raise DataFormatError(path, None, "does not exist")
    folder_links = None
    if path.is_dir():
        folder, path = path, _find_users(path)
        found = [
            folder / f"{name}{packed}"
            for name in _LINK_NAMES
            for packed in PACKED_ENDINGS
        ]
        found = [file for file in found if file.is_file()]
        if len(found) > 1 and links is None:
            names = ", ".join(file.name for file in found)
            reason = f"several files of links: {names}; name one by links="
            raise DataFormatError(folder, None, reason)
        folder_links = found[0] if found else None
    if links is None:
        return path, folder_links
    if links is False:
        return path, None
    if not Path(links).is_file():
        raise DataFormatError(links, None, "is not a file (given as links)")
    return path, Path(links)


def _find_users(folder: Path) -> Path:
    endings = (*_JSON_ENDINGS, *_PARQUET_ENDINGS)
    found = [
        file
        for file in sorted(folder.iterdir())
        if without_packed_ending(file.name).endswith(endings)
    ]
    named = [file for file in found if file.name.startswith("users.")]
    found = named or found
    if len(found) != 1:
        names = ", ".join(file.name for file in found or sorted(folder.iterdir()))
        fault = "several files of users" if found else "no file of users"
        reason = (
            f"{fault} ({', '.join(endings)}); the folder holds: {names or 'nothing'}"
        )
        raise DataFormatError(folder, None, reason)
    return found[0]


def _read_users(
    path: Path,
    parser: RowParser,
    encoding: str | Sequence[str],
    on_bad_lines: OnBadLines,
) -> tuple[CountedFile, list[Record]]:
    name = without_packed_ending(path.name)
    file: LineFile | ParquetFile
    if name.endswith(_PARQUET_ENDINGS):
        file = ParquetFile(path, on_bad_lines)
    elif name.endswith(_JSON_ENDINGS):
        file = LineFile(path, encoding=encoding, on_bad_lines=on_bad_lines)
    else:
        endings = ", ".join((*_JSON_ENDINGS, *_PARQUET_ENDINGS))
        reason = f"the kind of file is not known by its ending; known: {endings}"
        raise DataFormatError(path, None, reason)
    records: dict[str, Record] = {}
    for row in file:
        try:
            record = parser.parse(
                parse_json_object(row) if isinstance(row, str) else row
            )
            if record.user_id in records:
                detail = f"{record.user_id!r} has an earlier record"
                raise BadLine(kind="duplicate user", detail=detail)  # noqa: TRY301
        except BadLine as fault:
            file.bad(fault)
            continue
        file.n_records += 1
        records[record.user_id] = record
    return file, list(records.values())


def _make_tables(
    records: list[Record], tasks: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    index = pd.RangeIndex(len(records))
    columns: dict[str, pd.Series[Any]] = {
        "user_id": pd.Series([record.user_id for record in records], index, object),
        "messages": pd.Series([record.messages for record in records], index, object),
    }
    names = dict.fromkeys(name for record in records for name in record.others)
    for name in names:
        columns[name] = _infer([record.others.get(name) for record in records], index)
    labels = {
        task: pd.Series([record.labels.get(task) for record in records], index, object)
        for task in tasks
    }
    return pd.DataFrame(columns, index=index), pd.DataFrame(labels, index=index)


def _infer(values: list[Any], index: pd.RangeIndex) -> pd.Series[Any]:
    # numbers become numbers; strings stay objects whatever pandas' string dtype is
    series = pd.Series(values, index, object)
    is_number = [isinstance(v, int | float) or v is None for v in values]
    return series.infer_objects() if all(is_number) else series


def _class_names(labels: pd.Series[Any]) -> list[Any]:
    classes: set[Any] = set()
    for label in labels.dropna():
        classes |= label if isinstance(label, frozenset) else {label}
    return sorted(classes, key=lambda name: (type(name).__name__, name))
