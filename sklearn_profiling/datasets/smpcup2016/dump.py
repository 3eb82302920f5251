"""Writer of the SMP CUP 2016 files."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import Bunch

from sklearn_profiling._packed_files import check_encodings
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._dumping import (
    OnUnwritable,
    is_missing,
    messages_of,
    prepare_folder,
    unpack,
    without_newlines,
    write_lines,
)
from sklearn_profiling.datasets._files import (
    BadLine,
    check_choice,
)
from sklearn_profiling.datasets.smpcup2016.format import (
    AGE_CLASSES,
    MISSING,
    REGIONS,
    STATUS_COLUMNS,
    TASKS,
    LabelRecord,
    check_user_id,
    parse_info_line,
    parse_label_line,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["dump_smpcup2016"]

# a class is written as one of its members, which the loader maps back to the class
_YEAR_OF_AGE = dict(zip(AGE_CLASSES, (1975, 1985, 1995), strict=True))
_PROVINCE_OF_REGION = {name: provinces[0] for name, provinces in REGIONS.items()}
_NO_STATUS = {"retweets": 0, "reviews": 0, "source": MISSING, "time": MISSING}


def dump_smpcup2016(
    data: Bunch | pd.DataFrame,
    path: str | PathLike[str],
    *,
    target: pd.DataFrame | None = None,
    graph: SocialGraph | None = None,
    encoding: str = "utf-8",
    compress: bool = False,
    on_unwritable: OnUnwritable = "error",
) -> dict[str, Any]:
    """Write users as a folder of SMP CUP 2016 files.

    :func:`load_smpcup2016` reads back the same users in the same order with the same
    messages, labels and links.

    Parameters
    ----------
    data : Bunch or DataFrame
        A bunch with ``data``, ``target`` and ``graph``, as the loaders and generators
        return, or the users' table alone: ``user_id``, ``messages`` (list of str;
        None, NaN or empty if missing), and optionally ``screen_name``,
        ``avatar_url`` and lists of ``retweets``, ``reviews``, ``source``, ``time``
        that run parallel to ``messages``.
    path : str or path-like
        The folder; it is made if it does not exist.
    target : DataFrame or None, default=None
        The labels if `data` is a table: any of "gender", "age" or "birth_year",
        "region" or "province", "city". Other columns are left out and named in the
        report, since the format has no place for them.
    graph : SocialGraph or None, default=None
        The network if `data` is a table. Directed arcs run from the fan.
    encoding : str, default="utf-8"
        Encoding of all files.
    compress : bool, default=False
        Write gzip-compressed files, ``labels.txt.gz`` and so on.
    on_unwritable : {"error", "replace"}, default="error"
        What to do with what the format cannot hold: raise an error, or write the
        nearest that it can hold and count it. Line ends in a text become blanks,
        a comma in ``source`` becomes a full-width one, characters outside
        `encoding` become "?", links of other weights weigh 1, and messages that are
        empty or just ``None`` are left out.

    Returns
    -------
    dict
        Counts of what was written, replaced and left out.

    Raises
    ------
    DataFormatError
        If the format cannot hold a value.
    FileExistsError
        If the folder holds such files already.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    load_smpcup2016 : Reads the format and documents it.

    Notes
    -----
    Every user gets a line in ``labels.txt``, with ``None`` for each missing label,
    so that the order of users and users without messages survive. An age class
    without a birth year is written as 1975, 1985 or 1995, and a region without a
    province as its first province. Nodes without a link are not written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from sklearn_profiling.datasets import dump_smpcup2016
    >>> data = pd.DataFrame({"user_id": ["1"], "messages": [["过节了!"]]})
    >>> target = pd.DataFrame({"gender": ["f"], "region": [None]})
    >>> with TemporaryDirectory() as folder:
    ...     report = dump_smpcup2016(data, folder, target=target)
    ...     print(Path(folder, "status.txt").read_text("utf-8").strip())
    ...     print(Path(folder, "labels.txt").read_text("utf-8").strip())
    1,0,0,None,None,过节了!
    1||f||None||None
    """
    check_choice("on_unwritable", on_unwritable, get_args(OnUnwritable))
    check_encodings(encoding)
    data, target, graph = unpack(data, target, graph)
    folder = Path(path)
    prepare_folder(folder, [f"{stem}.txt" for stem in _STEMS])
    writer = _Writer(folder, encoding, on_unwritable, compress=compress)
    writer.write("labels", _label_lines(data, target, writer))
    writer.write("status", _status_lines(data, writer))
    if {"screen_name", "avatar_url"} & set(data.columns):
        writer.write("info", _info_lines(data, writer))
    if graph is not None and graph.adjacency.nnz:
        writer.write("links", _link_lines(graph, writer))
    return {
        "n_lines": writer.n_lines,
        "replaced": writer.replaced,
        "tasks_left_out": [str(name) for name in target.columns if name not in TASKS],
    }


_STEMS = ("labels", "status", "info", "links")


class _Writer:
    """Writes the files and decides about what the format cannot hold."""

    def __init__(
        self,
        folder: Path,
        encoding: str,
        on_unwritable: OnUnwritable,
        *,
        compress: bool,
    ) -> None:
        self._folder = folder
        self._encoding = encoding
        self._replace = on_unwritable == "replace"
        self._compress = compress
        self._path = folder
        self.n_lines: dict[str, int] = {}
        self.replaced: dict[str, int] = {}

    def write(self, stem: str, lines: Iterator[str]) -> None:
        name = f"{stem}.txt.gz" if self._compress else f"{stem}.txt"
        self._path = self._folder / name
        self.n_lines[stem] = 0
        with write_lines(self._path, compress=self._compress) as file:
            for line in lines:
                self.n_lines[stem] += 1
                file.write(self._encode(line) + b"\n")

    def unwritable(self, kind: str, detail: str) -> None:
        """Raise an error, or count what the caller then replaces."""
        if not self._replace:
            reason = f"{kind}: {detail}; on_unwritable='replace' writes the nearest"
            raise self.error(reason)
        self.replaced[kind] = self.replaced.get(kind, 0) + 1

    def error(self, reason: str) -> DataFormatError:
        return DataFormatError(self._path, None, reason)

    def messages_of(self, cell: Any, user_id: str) -> list[str]:
        return messages_of(cell, self._path, user_id)

    def clean(self, text: str, user_id: str) -> str:
        """Return the text without line ends."""
        cleaned = without_newlines(text)
        if cleaned != text:
            self.unwritable("line end in a text", f"user {user_id!r}, {text!r:.60}")
        return cleaned

    def _encode(self, line: str) -> bytes:
        try:
            return line.encode(self._encoding)
        except UnicodeEncodeError as error:
            detail = f"{line!r:.60} in {self._encoding} ({error.reason})"
            self.unwritable("character outside the encoding", detail)
            return line.encode(self._encoding, errors="replace")


def _user_ids(data: pd.DataFrame, writer: _Writer) -> list[str]:
    user_ids = [str(user_id) for user_id in data["user_id"]]
    for row, user_id in enumerate(user_ids):
        try:
            check_user_id(user_id)
        except BadLine as fault:
            raise writer.error(reason=f"row {row} of data: {fault}") from fault
    if len(set(user_ids)) != len(user_ids):
        twice = data.loc[pd.Series(user_ids).duplicated().to_numpy(), "user_id"]
        raise writer.error(reason=f"duplicate user {twice.iloc[0]!r} in data")
    return user_ids


def _label_lines(
    data: pd.DataFrame, target: pd.DataFrame, writer: _Writer
) -> Iterator[str]:
    tasks = [task for task in TASKS if task in target.columns]
    columns = [target[task].tolist() for task in tasks]
    for row, user_id in enumerate(_user_ids(data, writer)):
        labels = {
            task: None if is_missing(values[row]) else values[row]
            for task, values in zip(tasks, columns, strict=True)
        }
        yield _label_line(user_id, labels, writer)


def _label_line(user_id: str, labels: dict[str, Any], writer: _Writer) -> str:
    year = labels.get("birth_year") or _member(_YEAR_OF_AGE, labels.get("age"))
    province = labels.get("province") or _member(
        _PROVINCE_OF_REGION, labels.get("region")
    )
    fields = [user_id, labels.get("gender"), year, province]
    texts = [MISSING if value is None else _plain(value) for value in fields]
    if labels.get("city") is not None:
        texts[3] = f"{texts[3]} {labels['city']}"
    line = "||".join(texts)
    try:
        if without_newlines(line) != line:
            raise BadLine(kind="line end", detail="a label holds a line end")  # noqa: TRY301 - handled below, as the parser's faults are
        _check_kept(parse_label_line(line), labels)
    except BadLine as fault:
        reason = f"the labels {labels} of user {user_id!r} cannot be written: {fault}"
        raise writer.error(reason) from fault
    return line


def _member(members: dict[str, Any], name: Any) -> Any:
    # an unknown class is written as it is and refused by the parser
    return members.get(name, name)


def _plain(value: Any) -> str:
    # a birth year in a column with missing labels may have become a float
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _check_kept(record: LabelRecord, labels: dict[str, Any]) -> None:
    for task, value in labels.items():
        read = getattr(record, task)
        if read != value:
            detail = f"{task} {value!r} would be read back as {read!r}"
            raise BadLine(kind="contradicting labels", detail=detail)


def _info_lines(data: pd.DataFrame, writer: _Writer) -> Iterator[str]:
    nothing = [None] * len(data)
    names = data["screen_name"].tolist() if "screen_name" in data else nothing
    urls = data["avatar_url"].tolist() if "avatar_url" in data else nothing
    for user_id, *values in zip(_user_ids(data, writer), names, urls, strict=True):
        texts = [None if is_missing(value) else str(value) for value in values]
        fields = [MISSING if text is None else text for text in texts]
        fields = [writer.clean(field, user_id).strip() for field in fields]
        line = "||".join((user_id, *fields))
        try:
            parse_info_line(line)
        except BadLine as fault:
            raise writer.error(reason=f"user {user_id!r}: {fault}") from fault
        yield line


def _status_lines(data: pd.DataFrame, writer: _Writer) -> Iterator[str]:
    user_ids = _user_ids(data, writer)
    columns = {
        name: data[name].tolist() if name in data else None for name in STATUS_COLUMNS
    }
    n_lines = 0
    for row, cell in enumerate(data["messages"].tolist()):
        user_id = user_ids[row]
        texts = writer.messages_of(cell, user_id)
        fields = [
            [_NO_STATUS[name]] * len(texts) if column is None else column[row]
            for name, column in columns.items()
        ]
        if any(len(values) != len(texts) for values in fields):
            names = ", ".join(STATUS_COLUMNS)
            reason = f"user {user_id!r}: {names} must be as long as messages"
            raise writer.error(reason)
        for text, *values in zip(texts, *fields, strict=True):
            content = writer.clean(text, user_id)
            if content in ("", MISSING):
                writer.unwritable("empty message", f"user {user_id!r}, {content!r:.60}")
                continue
            n_lines += 1
            meta = [_meta(value, user_id, writer) for value in values]
            yield ",".join((user_id, *meta, content))
    if not n_lines:
        raise writer.error(
            reason="no user has a message; the format needs one at least"
        )


def _meta(value: Any, user_id: str, writer: _Writer) -> str:
    text = writer.clean(MISSING if is_missing(value) else str(value), user_id)
    if "," in text:
        writer.unwritable("comma before the content", f"user {user_id!r}, {text!r:.60}")
    return text.replace(",", "，")


def _link_lines(graph: SocialGraph, writer: _Writer) -> Iterator[str]:
    ids = [str(node) for node in graph.ids]
    for node in ids:
        try:
            check_user_id(node)
        except BadLine as fault:
            raise writer.error(reason=f"node of the network: {fault}") from fault
    fans = _fans(graph, writer)
    for head, name in enumerate(ids):
        followers = fans.indices[fans.indptr[head] : fans.indptr[head + 1]]
        if len(followers):
            yield " ".join((name, *(ids[fan] for fan in followers)))


def _fans(graph: SocialGraph, writer: _Writer) -> sparse.csr_matrix:
    """Return the matrix whose row holds the fans of a node."""
    adjacency = sparse.csr_matrix(graph.adjacency)
    allowed = (1.0,) if graph.directed else (1.0, 2.0)
    n_other = int((~np.isin(adjacency.data, allowed)).sum())
    if n_other:
        weights = " or ".join(f"{weight:g}" for weight in allowed)
        writer.unwritable("weight of a link", f"{n_other} of them are not {weights}")
    arcs = adjacency.tocoo()
    rows, columns = arcs.row, arcs.col
    if graph.directed:
        kept = np.ones(arcs.nnz, dtype=np.bool_)
        rows, columns = columns, rows
    else:
        # weight 2 stands for both directions, weight 1 is written once
        kept = (rows < columns) | ((rows > columns) & (arcs.data == 2.0))
    ones = np.ones(int(kept.sum()), dtype=np.int8)
    return sparse.csr_matrix((ones, (rows[kept], columns[kept])), shape=arcs.shape)
