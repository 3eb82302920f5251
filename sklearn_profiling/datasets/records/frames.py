"""Users from a table in memory that has one row a message."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.datasets._bunches import UserBunch
from sklearn_profiling.datasets._files import OnBadLines
from sklearn_profiling.datasets.records.assembly import (
    LabelTable,
    Wanted,
    assemble,
    frame_table,
)

__all__ = ["users_from_messages"]


def users_from_messages(
    frame: Any,
    *,
    user: str,
    text: str,
    time: str | None = None,
    labels: Any = None,
    min_messages: int = 0,
    graph: SocialGraph | None = None,
    on_bad_lines: OnBadLines = "error",
) -> UserBunch:
    """Group a table with one row a message to users.

    Parameters
    ----------
    frame : DataFrame of pandas, polars or another library, or Arrow table
        One row a message, of shape (n_messages, n_columns).
    user : str
        Column of the user's id: strings or whole numbers. Users come in order of their
        first rows. A struct's field is named with a dot, as in "user.id_str".
    text : str
        Column of the message: a string, a list of strings, or missing.
    time : str or None, default=None
        Column by which a user's messages are sorted: numbers, dates, or strings in ISO
        8601 or as Twitter writes them. Rows without a time come last. None keeps the
        order of rows.
    labels : sequence of str, table or None, default=None
        The targets: columns of `frame`, or a second table with the id in a column named
        as `user`, or in one of a known name, or in its index; all its other columns are
        targets. None takes the columns ``labels`` and ``labels.*`` of `frame`, as
        :func:`load_records` does.
    min_messages : int, default=0
        Users with fewer messages are left out and counted. The literature asks for 50,
        for instance, to profile a user.
    graph : SocialGraph or None, default=None
        The network, passed on.
    on_bad_lines : {"error", "skip"}, default="error"
        What to do with a row without an id or with a message that is no string, and
        with two labels of one user: raise an error, or leave it out and count it in
        ``report``; of two labels none is taken.

    Returns
    -------
    Bunch
        ``data``, ``target``, ``graph``, ``target_names``, ``DESCR`` and ``report``, as
        :func:`load_records` returns them.

    Raises
    ------
    DataFormatError
        If a column is missing, a row is bad, or a user has two labels of a task.
    SourceError
        If `frame` is a table that is not in memory.
    ValueError
        If a parameter has a value that is not allowed.

    See Also
    --------
    load_records : Reads such a table from a file.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.datasets import users_from_messages
    >>> tweets = pd.DataFrame(
    ...     {
    ...         "author": ["ann", "bob", "ann"],
    ...         "tweet": ["hello", "hi", "again"],
    ...         "gender": ["f", "m", "f"],
    ...     }
    ... )
    >>> users = users_from_messages(
    ...     tweets, user="author", text="tweet", labels=["gender"]
    ... )
    >>> users.data["messages"].tolist()
    [['hello', 'again'], ['hi']]
    >>> users.target["gender"].tolist()
    ['f', 'm']
    """
    table = as_pandas(frame)
    if not isinstance(table, pd.DataFrame):
        msg = f"frame must be a table of messages; got {type(frame).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    tasks: Sequence[str] | None = None
    label_table = None
    if isinstance(labels, str):
        msg = f"labels must be a sequence of names or a table; got {labels!r:.60}"
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    if isinstance(labels, list | tuple):
        tasks = [str(name) for name in labels]
    elif labels is not None:
        label_table = LabelTable.of_frame(labels, user)
    wanted = Wanted("message", user, text, time, tasks, min_messages, on_bad_lines)
    wanted.check()
    users = assemble(frame_table(table, "frame"), Path("frame"), wanted, label_table)
    return users.bunch(graph)
