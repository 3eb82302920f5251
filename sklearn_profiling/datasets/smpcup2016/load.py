"""Loader of the SMP CUP 2016 files (Weibo users)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import pandas as pd

from sklearn_profiling._bounds import bounded_loader
from sklearn_profiling._packed_files import PACKED_ENDINGS, check_encodings
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._description import load_description
from sklearn_profiling.datasets._files import (
    BadLine,
    LineFile,
    OnBadLines,
    check_choice,
    check_min_messages,
    enough_messages,
)
from sklearn_profiling.datasets._networks import (
    UNKNOWN_LINKS,
    OnUnknownLinks,
    missing_in_network,
    read_network,
)
from sklearn_profiling.datasets.smpcup2016.format import (
    AGE_CLASSES,
    GENDERS,
    MISSING,
    REGION_OF_PROVINCE,
    REGIONS,
    STATUS_COLUMNS,
    TASKS,
    LabelRecord,
    check_user_id,
    parse_info_line,
    parse_label_line,
    parse_status_field,
    split_status_line,
)
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["load_smpcup2016"]

Users = Literal["labeled", "content", "all"]
Record = TypeVar("Record")


@bounded_loader
def load_smpcup2016(
    path: str | PathLike[str],
    *,
    tasks: Sequence[str] = ("gender", "age", "region"),
    users: Users = "content",
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    on_unknown_links: OnUnknownLinks = "add",
    directed: bool = False,
    min_messages: int = 0,
    max_messages: int | None = None,
    status_columns: Sequence[str] = (),
    max_bytes: int | None = None,  # noqa: ARG001 - read by bounded_loader
    follow_links: bool = False,  # noqa: ARG001 - read by bounded_loader
) -> UserBunch:
    """Load a folder of SMP CUP 2016 files: Weibo users, their text and followers.

    The folder holds ``labels.txt`` (``uid||m/f||birth year||province city``),
    ``status.txt`` (``uid,retweets,reviews,source,time,content``) and optionally
    ``links.txt`` (``uid fan fan ...``), ``info.txt``
    (``uid||screen_name||avatar_url``) and ``nolabel.txt``, the ids of the users to
    predict for, one a line [1]_. A file may have a prefix
    (``train_labels.txt``) and may be packed (``status.txt.gz``, ``.bz2``, ``.xz``,
    ``.zst``, ``.zip``). ``None`` marks a missing value. Lines are streamed; of
    ``status.txt`` only the text of the chosen users is kept.

    Parameters
    ----------
    path : str or path-like
        The folder.
    tasks : sequence of str, default=("gender", "age", "region")
        Attributes to load as targets, of "gender" ("m", "f"), "age" (three classes
        by birth year), "region" (eight groups of provinces), and beyond the
        competition "birth_year" (int), "province" and "city". With an empty
        sequence ``labels.txt`` is neither needed nor read, to predict for users
        without labels.
    users : {"labeled", "content", "all"}, default="content"
        Whose rows to make: the users of ``labels.txt``; also those of
        ``nolabel.txt``, whatever they wrote, and every user with a message, since the
        paper trains word vectors on them; or also every user of ``info.txt``. They
        come in this order, and in that of their file.
    encoding : str or sequence of str, default="utf-8"
        Encodings to try on each whole file, in order. ``("utf-8", "gb18030")``
        reads the older copies; files are then decoded once more to find out.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line that breaks its format: raise an error with file,
        line and fault, or leave it out and count it in ``report``. Empty files and
        damaged archives are errors either way.
    on_unknown_links : {"add", "drop", "error"}, default="add"
        What to do with a link whose ids are not both users in ``data``: let the id
        be a node of the network (in the competition nearly all fans are), leave
        the link out and count it, or raise an error.
    directed : bool, default=False
        Keep the direction from the fan to the followed user. Otherwise a link has
        weight 1, or 2 if the two users follow each other.
    min_messages : int, default=0
        Fewest messages of a user (our choice: 0 keeps all; the paper of Aux-LSTM leaves
        out users with fewer than 50). Those who have fewer are left out and counted in
        ``report["n_users_below_min_messages"]``, and their messages in
        ``report["n_messages_below_min"]``.
    max_messages : int or None, default=None
        Keep only the first so many messages of each user.
    status_columns : sequence of str, default=()
        Of "retweets", "reviews", "source" and "time": kept as columns of lists
        that run parallel to ``messages``.
    max_bytes : int or None, default=None
        Most bytes of a file, unpacked, and of a line. None takes 100 times the size of
        the file and at least 32 MiB, and 64 MiB for a line (our choice).
    follow_links : bool, default=False
        Read symbolic links that leave the folder; False refuses them.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id``, ``messages`` (list of str, empty
            if missing), the `status_columns`, and with ``info.txt``
            ``screen_name`` and ``avatar_url``.
        ``target``
            DataFrame of objects with the same index, a column per task; None where
            a label is missing.
        ``graph``
            SocialGraph of all linked ids, or None without ``links.txt``.
        ``target_names``
            Class names per task.
        ``DESCR``
            Description of the data set.
        ``report``
            Counts of all that was read, skipped (by reason) and missing.

    Raises
    ------
    DataFormatError
        If a file is missing, ambiguous, empty, damaged or in another encoding, or
        holds a bad line under ``on_bad_lines="error"``.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    dump_smpcup2016 : Writes the format.
    load_records : Loads users from JSON lines or Parquet.

    Notes
    -----
    Blank lines are ignored and counted. A message without text or with the text
    ``None`` is counted and left out. Links of a user to itself are left out, and a
    link that is given twice counts once. A second line for a user in
    ``labels.txt`` or ``info.txt`` is a bad line; in ``links.txt`` it adds fans. The
    time and the source of a message are not checked.

    References
    ----------
    .. [1] SMP CUP 2016, user profiling on Weibo, in: MMLUP: multi-source and
       multi-task learning for user profiles in social network, Tables 1 and 2.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_profiling.datasets import (
    ...     dump_smpcup2016,
    ...     load_smpcup2016,
    ...     make_user_profiles,
    ... )
    >>> users = make_user_profiles(20, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     _ = dump_smpcup2016(users, folder)
    ...     bunch = load_smpcup2016(folder)
    >>> bunch.target.shape
    (20, 3)
    >>> bunch.target_names["age"]
    ['-1979', '1980-1989', '1990+']
    """
    tasks, columns = _check_parameters(
        tasks, users, min_messages, max_messages, status_columns
    )
    check_choice("on_bad_lines", on_bad_lines, get_args(OnBadLines))
    check_choice("on_unknown_links", on_unknown_links, UNKNOWN_LINKS)
    check_encodings(encoding)
    folder = _Folder(Path(path), encoding, on_bad_lines)

    labels = _read_labels(folder) if tasks else {}
    unlabeled = {} if users == "labeled" else _read_unlabeled(folder)
    wanted = labels if users == "labeled" else None
    statuses = _read_statuses(folder, wanted, columns, max_messages)
    sources: list[dict[str, Any]] = [labels, unlabeled, statuses.texts]
    chosen = None if users == "all" else set().union(*sources)
    info = _read_info(folder, chosen)
    if users == "all":
        sources.append(info)
    user_ids = list(dict.fromkeys(uid for source in sources for uid in source))
    texts = [statuses.texts.get(user_id, []) for user_id in user_ids]
    enough, below = enough_messages(folder.path, texts, min_messages)
    user_ids = list(compress(user_ids, enough))
    statuses.counts["n_messages"] -= below["n_messages_below_min"]

    graph = _read_links(folder, user_ids, on_unknown_links, directed=directed)
    data = _make_data(user_ids, statuses, info if "info" in folder.report else None)
    target = _make_target(user_ids, labels, tasks)
    report = {
        "files": folder.report,
        "n_users": len(user_ids),
        "n_labeled_users": int(target.notna().any(axis=1).sum()) if tasks else 0,
        "missing_labels": {task: int(target[task].isna().sum()) for task in tasks},
        "missing_messages": sum(not texts for texts in data["messages"]),
        "missing_links": missing_in_network(user_ids, graph),
        **below,
        **statuses.counts,
    }
    return UserBunch(
        data=data,
        target=target,
        graph=graph,
        target_names={task: _class_names(task, target[task]) for task in tasks},
        DESCR=load_description("smpcup2016"),
        report=report,
    )


def _check_parameters(
    tasks: Sequence[str],
    users: str,
    min_messages: int,
    max_messages: int | None,
    status_columns: Sequence[str],
) -> tuple[list[str], list[str]]:
    check_min_messages(min_messages)
    for name, values, allowed in (
        ("tasks", tasks, TASKS),
        ("status_columns", status_columns, STATUS_COLUMNS),
    ):
        if isinstance(values, str):
            msg = f"{name} must be a sequence of names; got the string {values!r}"
            raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
        for value in values:
            check_choice(f"each of {name}", value, allowed)
    check_choice("users", users, get_args(Users))
    if users == "labeled" and not tasks:
        msg = "users='labeled' needs tasks: without tasks labels.txt is not read"
        raise ValueError(msg)
    if max_messages is not None and max_messages < 1:
        msg = f"max_messages must be at least 1 or None; got {max_messages!r}"
        raise ValueError(msg)
    if max_messages is not None and max_messages < min_messages:
        msg = (
            f"max_messages must be at least min_messages, {min_messages}; got "
            f"{max_messages!r}"
        )
        raise ValueError(msg)
    return list(dict.fromkeys(tasks)), list(dict.fromkeys(status_columns))


class _Folder:
    """The files of a folder, found by name, and what was read from each."""

    def __init__(
        self, path: Path, encoding: str | Sequence[str], on_bad_lines: OnBadLines
    ) -> None:
        self.path = path
        self._encoding = encoding
        self._on_bad_lines = on_bad_lines
        self.report: dict[str, dict[str, Any]] = {}
        if not path.is_dir():
            raise DataFormatError(path, None, "is not a folder")

    def find(self, stem: str) -> LineFile | None:
        """Return the file of a kind, or None if there is none."""
        found = [
            file
            for ending in PACKED_ENDINGS
            for file in sorted(self.path.glob(f"*{stem}.txt{ending}"))
        ]
        exact = [file for file in found if file.name.startswith(f"{stem}.")]
        found = exact or found
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            reason = f"several files could be {stem}.txt: {names}; leave one"
            raise DataFormatError(self.path, None, reason)
        if not found:
            return None
        return LineFile(
            found[0], encoding=self._encoding, on_bad_lines=self._on_bad_lines
        )

    def require(self, stem: str) -> LineFile:
        """Return the file of a kind, or say what the folder holds instead."""
        file = self.find(stem)
        if file is None:
            names = ", ".join(sorted(file.name for file in self.path.iterdir()))
            reason = (
                f"{stem}.txt is missing (also *{stem}.txt, and packed); the "
                f"folder holds: {names or 'nothing'}"
            )
            raise DataFormatError(self.path, None, reason)
        return file

    def records(
        self, file: LineFile, parse: Callable[[str], Record]
    ) -> Iterator[Record]:
        """Yield the record of each good line."""
        for line in file:
            try:
                record = parse(line)
            except BadLine as fault:
                file.bad(fault)
                continue
            file.n_records += 1
            yield record


def _read_labels(folder: _Folder) -> dict[str, LabelRecord]:
    file = folder.require("labels")
    labels: dict[str, LabelRecord] = {}
    for record in folder.records(file, parse_label_line):
        _add_once(file, labels, record.user_id, record)
    folder.report["labels"] = file.finish()
    return labels


def _read_unlabeled(folder: _Folder) -> dict[str, None]:
    users: dict[str, None] = {}
    file = folder.find("nolabel")
    if file is None:
        return users
    for user_id in folder.records(file, lambda line: check_user_id(line.strip())):
        _add_once(file, users, user_id, None)
    folder.report["nolabel"] = file.finish()
    return users


def _add_once(
    file: LineFile, users: dict[str, Record], user_id: str, record: Record
) -> None:
    if user_id in users:
        file.n_records -= 1
        file.bad(BadLine("duplicate user", f"{user_id!r} has an earlier line"))
    else:
        users[user_id] = record


def _read_info(
    folder: _Folder, wanted: Container[str] | None
) -> dict[str, tuple[str | None, str | None]]:
    info: dict[str, tuple[str | None, str | None]] = {}
    file = folder.find("info")
    if file is None:
        return info
    for user_id, name, avatar in folder.records(file, parse_info_line):
        if wanted is None or user_id in wanted:
            _add_once(file, info, user_id, (name, avatar))
    folder.report["info"] = file.finish()
    return info


@dataclass
class _Statuses:
    """The messages by user, and what else was asked for, parallel to them."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: {
            "n_messages": 0,
            "n_messages_without_text": 0,
            "n_messages_of_other_users": 0,
            "n_messages_over_maximum": 0,
        }
    )


def _read_statuses(
    folder: _Folder,
    wanted: Container[str] | None,
    columns: Sequence[str],
    max_messages: int | None,
) -> _Statuses:
    statuses = _Statuses(columns={name: {} for name in columns})
    file = folder.require("status")
    texts, counts = statuses.texts, statuses.counts
    places = {name: STATUS_COLUMNS.index(name) + 1 for name in columns}

    def split(line: str) -> list[str]:
        return split_status_line(line, texts)

    for fields in folder.records(file, split):
        user_id, content = fields[0], fields[5]
        if wanted is not None and user_id not in wanted:
            counts["n_messages_of_other_users"] += 1
        elif not content or content == MISSING:
            counts["n_messages_without_text"] += 1
        elif max_messages is not None and len(texts.get(user_id, ())) >= max_messages:
            counts["n_messages_over_maximum"] += 1
        else:
            counts["n_messages"] += 1
            texts.setdefault(user_id, []).append(content)
            for name, place in places.items():
                value = parse_status_field(name, fields[place])
                statuses.columns[name].setdefault(user_id, []).append(value)
    folder.report["status"] = file.finish()
    return statuses


def _read_links(
    folder: _Folder,
    user_ids: list[str],
    on_unknown_links: OnUnknownLinks,
    *,
    directed: bool,
) -> SocialGraph | None:
    file = folder.find("links")
    if file is None:
        return None
    graph, folder.report["links"] = read_network(
        file.path,
        user_ids,
        on_unknown_links,
        kind="fans",
        directed=directed,
        encoding=file.encoding,
        on_bad_lines=file.on_bad_lines,
        weighted=False,
        stacklevel=4,
    )
    return graph


def _make_data(
    user_ids: list[str],
    statuses: _Statuses,
    info: dict[str, tuple[str | None, str | None]] | None,
) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {"user_id": user_ids}
    if info is not None:
        nobody = (None, None)
        columns["screen_name"] = [info.get(uid, nobody)[0] for uid in user_ids]
        columns["avatar_url"] = [info.get(uid, nobody)[1] for uid in user_ids]
    for name, values in {"messages": statuses.texts, **statuses.columns}.items():
        columns[name] = [values.get(uid, []) for uid in user_ids]
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=object, index=range(len(user_ids)))
            for name, values in columns.items()
        }
    )


def _make_target(
    user_ids: list[str], labels: dict[str, LabelRecord], tasks: list[str]
) -> pd.DataFrame:
    unlabelled = LabelRecord("", None, None, None, None)
    records = [labels.get(user_id, unlabelled) for user_id in user_ids]
    index = pd.RangeIndex(len(user_ids))
    columns = {
        task: pd.Series([getattr(record, task) for record in records], index, object)
        for task in tasks
    }
    return pd.DataFrame(columns, index=index)


def _class_names(task: str, labels: pd.Series[Any]) -> list[Any]:
    fixed: dict[str, Sequence[str]] = {
        "gender": GENDERS,
        "age": AGE_CLASSES,
        "region": tuple(REGIONS),
        "province": tuple(REGION_OF_PROVINCE),
    }
    return list(fixed.get(task) or sorted(labels.dropna().unique()))
