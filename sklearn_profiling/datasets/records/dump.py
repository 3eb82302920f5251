"""Writer of users as JSON lines and links."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import Bunch

from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._dumping import (
    is_missing,
    messages_of,
    prepare_folder,
    unpack,
    write_lines,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["dump_records"]


def dump_records(
    data: Bunch | pd.DataFrame,
    path: str | PathLike[str],
    *,
    target: pd.DataFrame | None = None,
    graph: SocialGraph | None = None,
    compress: bool = False,
) -> dict[str, Any]:
    """Write users as JSON lines and their network as tab-separated links.

    :func:`load_records` reads the folder back.

    Parameters
    ----------
    data : Bunch or DataFrame
        A bunch with ``data``, ``target`` and ``graph``, or the users' table alone:
        ``user_id``, ``messages`` (list of str; None, NaN or empty if missing) and
        any other columns that JSON can hold.
    path : str or path-like
        The folder for ``users.jsonl`` and ``links.tsv``; made if it does not exist.
    target : DataFrame or None, default=None
        The labels if `data` is a table: any tasks; sets are written as sorted lists.
    graph : SocialGraph or None, default=None
        The network if `data` is a table, one line for each link with its weight.
    compress : bool, default=False
        Write ``users.jsonl.gz`` and ``links.tsv.gz``.

    Returns
    -------
    dict
        Numbers of users and links written.

    Raises
    ------
    DataFormatError
        If JSON cannot hold a value, or the links file an id.
    FileExistsError
        If the folder holds such files already.

    See Also
    --------
    load_records : Reads the format and documents it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import (
    ...     dump_records,
    ...     load_records,
    ...     make_user_profiles,
    ... )
    >>> users = make_user_profiles(20, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     _ = dump_records(users, folder)
    ...     bunch = load_records(folder)
    >>> bunch.target.equals(users.target)
    True
    """
    data, target, graph = unpack(data, target, graph)
    folder = Path(path)
    prepare_folder(folder, ("users.jsonl", "links.tsv"))
    ending = ".gz" if compress else ""
    lines = _user_lines(data, target, folder / f"users.jsonl{ending}")
    n_users = _write(folder / f"users.jsonl{ending}", lines, compress=compress)
    n_links = 0
    if graph is not None and graph.adjacency.nnz:
        lines = _link_lines(graph, folder / f"links.tsv{ending}")
        n_links = _write(folder / f"links.tsv{ending}", lines, compress=compress)
    return {"n_users": n_users, "n_links": n_links}


def _write(path: Path, lines: Iterator[str], *, compress: bool) -> int:
    n_lines = 0
    with write_lines(path, compress=compress) as file:
        for line in lines:
            try:
                file.write(line.encode("utf-8") + b"\n")
            except UnicodeEncodeError as error:
                reason = f"{line!r:.60} cannot be written as UTF-8: {error.reason}"
                raise DataFormatError(path, None, reason) from error
            n_lines += 1
    return n_lines


def _user_lines(data: pd.DataFrame, target: pd.DataFrame, path: Path) -> Iterator[str]:
    others = [name for name in data.columns if name not in ("user_id", "messages")]
    columns = {name: data[name].tolist() for name in others}
    labels = {str(name): target[name].tolist() for name in target.columns}
    texts = data["messages"].tolist()
    for row, user_id in enumerate(data["user_id"].tolist()):
        record = {
            "user_id": user_id,
            "messages": messages_of(texts[row], path, user_id),
            "labels": {task: values[row] for task, values in labels.items()},
            **{str(name): values[row] for name, values in columns.items()},
        }
        try:
            yield json.dumps(_plain(record), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            reason = f"the record of user {user_id!r} is not JSON: {error}"
            raise DataFormatError(path, None, reason) from error


def _plain(value: Any) -> Any:
    """Convert values that JSON cannot represent."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, set | frozenset):
        return [_plain(entry) for entry in sorted(value)]
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(entry) for entry in value]
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        msg = "infinity has no form in JSON"
        raise ValueError(msg)
    return value


def _link_lines(graph: SocialGraph, path: Path) -> Iterator[str]:
    ids = [str(node) for node in graph.ids]
    for node in ids:
        if node != node.strip() or not node or any(c in node for c in "\t\r\n"):
            reason = f"the id {node!r} cannot stand in a line of tab-separated ids"
            raise DataFormatError(path, None, reason)
    # comments and quotes are told by their first character
    ids = [
        '"{}"'.format(node.replace('"', '""')) if node[0] in '#%"' else node
        for node in ids
    ]
    adjacency = sparse.csr_array(graph.adjacency)
    arcs = (adjacency if graph.directed else sparse.triu(adjacency)).tocoo()
    for source, target, weight in zip(arcs.row, arcs.col, arcs.data, strict=True):
        yield f"{ids[source]}\t{ids[target]}\t{weight:.9g}"
