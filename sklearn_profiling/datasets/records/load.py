"""Loader of users from tables of any kind, with any set of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from os.path import lexists
from pathlib import Path
from typing import Any, Literal, get_args

from sklearn_profiling._bounds import bounded_loader
from sklearn_profiling._packed_files import PACKED_ENDINGS, check_encodings
from sklearn_profiling.containers._links_formats import LinksFormat
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._files import (
    OnBadLines,
    check_choice,
    choose_encoding,
)
from sklearn_profiling.datasets._networks import (
    UNKNOWN_LINKS,
    OnUnknownLinks,
    read_network,
)
from sklearn_profiling.datasets.records.assembly import LabelTable, Wanted, assemble
from sklearn_profiling.datasets.records.grouping import OneRow
from sklearn_profiling.datasets.records.reading import LINK_NAMES, read_table
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["load_records"]


@bounded_loader
def load_records(
    path: str | PathLike[str],
    *,
    one_row: OneRow = "auto",
    id_column: str = "auto",
    text_column: str | Literal[False] | None = None,
    time_column: str | None = None,
    tasks: Sequence[str] | None = None,
    labels: Any = None,
    min_messages: int = 0,
    links: str | PathLike[str] | Literal[False] | None = None,
    links_format: LinksFormat = "auto",
    encoding: str | Sequence[str] = "utf-8",
    on_bad_lines: OnBadLines = "error",
    on_unknown_links: OnUnknownLinks = "add",
    directed: bool = False,
    max_bytes: int | None = None,  # noqa: ARG001 - read by bounded_loader
    follow_links: bool = False,  # noqa: ARG001 - read by bounded_loader
) -> UserBunch:
    r"""Load users from a table of any kind, one row a user or one row a message.

    In JSON lines, one record may be one user::

        {"user_id": "7", "messages": ["...", "..."], "labels": {"gender": "f"}}

    or one message, here of a CSV file::

        user_id, text, gender
        7, "hello, world", f

    The format is recognised by the content: CSV, tabs, semicolons or bars, JSON lines,
    a JSON array or object, what ``DataFrame.to_json`` writes, pages of Twitter's API,
    Parquet and Arrow, packed or not; or a folder of such files.

    Parameters
    ----------
    path : str or path-like
        A file of any of these kinds, also packed (``.gz``, ``.bz2``, ``.xz``, ``.zst``,
        ``.zip``), or a folder: with one of them, with one named ``users``, with the
        shards of one table (``part-0.parquet``, names that differ in a number, or the
        same columns), or with folders like ``lang=en``, which become a column.
    one_row : {"auto", "user", "message"}, default="auto"
        What one row is. Rows of messages are grouped by the id; users come in order of
        their first rows. "auto" takes a message if the column of text holds strings,
        and a user if some cell is a list. ``report["one_row"]`` says what was taken.
    id_column : str, default="auto"
        Column of the user's id, a string or a whole number. A field of a nested object
        is named with a dot, as in "user.id_str". "auto" takes the column that has a
        known name ("user_id", "author_id", "user.id_str", "uid", "author",
        "username", "id" ...), and ``report["columns"]`` says which.
    text_column : str, False or None, default=None
        Column of the messages: a list of strings, a string, or null. None takes the
        column that has a known name: "messages" or "texts", whichever a record has;
        otherwise "full_text" or "text", "body" or "title" and "selftext", "content",
        "tweet", "comment" ... It is an error if none or several are known; False says
        that there is none.
    time_column : str or None, default=None
        Column by which the rows of a user's messages are sorted: numbers, dates in ISO
        8601, as Twitter writes them, or with dots, days first; "1/2/2020" may be two
        days and is an error. Rows without a time come last. None keeps the order of the
        file.
    tasks : sequence of str or None, default=None
        The attributes to load as targets. Each is looked up in the nested column
        ``labels``, then as a column ``labels.<task>``, then as a column of its own.
        None takes all of ``labels`` and ``labels.*``.
    labels : str, path-like, table or None, default=None
        A second table of labels: a file of any of these kinds or a DataFrame, with an
        id in the column named by `id_column`, in one of a known name or, in a
        DataFrame, in the index. All its other columns are targets if `tasks` is None.
    min_messages : int, default=0
        Users with fewer messages are left out and counted.
    links : str, path-like, False or None, default=None
        The file of links. None looks for ``links.tsv``, ``.txt`` or ``.csv``, also
        packed, if `path` is a folder; False loads none.
    links_format : str, default="auto"
        Format of the file of links, one of those of
        :meth:`SocialGraph.from_links_file`. "auto" looks at the content; what it took
        the file for stands in ``report["files"]["links"]["taken_for"]``.
    encoding : str or sequence of str, default="utf-8"
        Encodings to try on each whole text file, in order.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a line or row that breaks its format: raise an error with
        file, line and fault, or leave it out and count it in ``report``. Rows of CSV
        are numbered as in a spreadsheet, whose header is row 1. Of two labels of a user
        "skip" takes none, and a row whose time is unknown comes last. Empty files and
        damaged archives are errors either way.
    on_unknown_links : {"add", "drop", "error"}, default="add"
        What to do with a link whose ids are not both users in ``data``: let the id
        be a node of the network, leave the link out and count it, or raise an error.
    directed : bool, default=False
        Keep the direction from the first to the second user of a link.
    max_bytes : int or None, default=None
        Most bytes of a file, unpacked, and of a line. None takes 100 times the size of
        the file and at least 32 MiB, and 64 MiB for a line (our choice).
    follow_links : bool, default=False
        Read symbolic links that leave the folder; False refuses them.

    Returns
    -------
    Bunch
        ``data``
            DataFrame, one row a user: ``user_id`` (str), ``messages`` (list of str,
            empty if missing) and the other columns; of rows of messages those, and
            those fields of objects, that hold one value a user.
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
            Counts of all that was read, skipped (by reason) and missing. In
            ``report["files"]["users"]``, ``n_lines``, of lines or rows, is the sum of
            ``n_blank``, ``n_records`` and all of ``skipped``. Of rows of messages with
            one string each, ``n_records`` is the sum of ``n_messages``,
            ``n_null_messages``, ``n_removed_messages`` and ``n_messages_below_min``. Of
            the file of links, ``n_lines`` is the sum of ``n_records``, ``n_blank``,
            ``n_comments``, ``n_headers`` and the counts of ``skipped``, and
            ``n_links_read`` that of ``n_links``, ``n_repeated_links``, ``n_self_links``
            and ``n_unknown_links``.

    Raises
    ------
    DataFormatError
        If a file is missing, ambiguous, empty, damaged or in another encoding, or
        holds a bad line under ``on_bad_lines="error"``.
    MissingDependencyError
        If links that networkx reads are given without networkx, or zstandard without
        the package of that name.
    ValueError
        If a parameter has a value that is not allowed.

    Warns
    -----
    DataQualityWarning
        If fewer than a tenth of the users occur in the links, and others do.

    See Also
    --------
    users_from_messages : Groups a table in memory.
    dump_records : Writes JSON lines and links.
    load_smpcup2016 : Loads the files of SMP CUP 2016.

    Notes
    -----
    Weights of repeated links are added; undirected, so are the two directions. Links of
    a user to itself are left out. Whole numbers as ids become strings, as in links, and
    so do those that a missing row has made float (1.0 is "1"), which ``report`` counts;
    numbers so large that their digits are rounded are refused. NaN and a blank string
    count as a missing label.

    CSV has no types: ids and messages are read as text, other columns as numbers or
    truth values where all of their values are; numbers with leading zeros or decimal
    commas stay text. What pandas takes for missing is missing there ("NA", "None" ...),
    a lone ``\N`` in every column, and "nan" among ids that are numbers. Quotes within
    quotes are doubled; a ``\"`` is an error. Messages may be lists that pandas or JSON
    wrote as text, ``['a', 'b']``, if all are.

    A null among messages is left out and counted, and so is what Reddit puts in the
    place of a text that was taken away ("[removed]"). Rows of deleted authors
    ("[deleted]") are left out and counted as skipped. Tweets are read as they are,
    retweets too; each tweet of a page of Twitter's API gets its user from ``includes``
    as ``author``.

    If one row is one message, columns that hold several values a user are left out, and
    so are lists and columns without any value; ``report["columns"]["left_out"]`` names
    them. Further columns named "user_id" or "messages", beside `id_column` and
    `text_column`, are kept as ``user_id_`` and ``messages_``.

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

    One row a message, grouped to users:

    >>> with TemporaryDirectory() as folder:
    ...     tweets = Path(folder, "tweets.csv")
    ...     _ = tweets.write_text("author_id,text,sex\n7,hello,f\n8,hi,m\n7,again,f\n")
    ...     bunch = load_records(tweets, tasks=["sex"])
    >>> bunch.data["messages"].tolist()
    [['hello', 'again'], ['hi']]
    >>> bunch.target["sex"].tolist()
    ['f', 'm']
    """
    check_choice("links_format", links_format, get_args(LinksFormat))
    check_choice("on_unknown_links", on_unknown_links, UNKNOWN_LINKS)
    check_encodings(encoding)
    wanted = Wanted(
        one_row, id_column, text_column, time_column, tasks, min_messages, on_bad_lines
    )
    wanted.check()
    users_path = Path(path)
    links_path = find_links(users_path, links)
    table = read_table(users_path, encoding, on_bad_lines)
    label_table = None
    if isinstance(labels, str | PathLike):
        label_path = Path(labels)
        label_table = LabelTable(
            read_table(label_path, encoding, on_bad_lines), label_path
        )
    elif labels is not None:
        label_table = LabelTable.of_frame(labels, id_column)
    users = assemble(table, users_path, wanted, label_table)

    user_ids = users.data["user_id"].tolist()
    graph = None
    if links_path is not None:
        graph, users.report["files"]["links"] = read_network(
            links_path,
            user_ids,
            on_unknown_links,
            kind=links_format,
            directed=directed,
            encoding=choose_encoding(links_path, check_encodings(encoding)),
            on_bad_lines=on_bad_lines,
            weighted=True,
            stacklevel=3,
        )
    return users.bunch(graph)


def find_links(
    path: Path, links: str | PathLike[str] | Literal[False] | None
) -> Path | None:
    """Return the file of links, the named one or that of the folder."""
    if links is False:
        return None
    if links is not None:
        if not lexists(links):
            raise DataFormatError(links, None, "is not a file (given as links)")
        return Path(links)
    found = [
        file
        for name in LINK_NAMES
        for packed in PACKED_ENDINGS
        if lexists(file := path / f"{name}{packed}")
    ]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        reason = f"several files of links: {names}; name one by links="
        raise DataFormatError(path, None, reason)
    return found[0] if found else None
