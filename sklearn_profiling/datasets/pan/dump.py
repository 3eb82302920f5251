"""Writer of predictions in the output format of PAN's author profiling tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_profiling._frames import as_pandas
from sklearn_profiling.datasets._dumping import is_missing, write_lines
from sklearn_profiling.datasets._files import BadLine
from sklearn_profiling.datasets.mex_a3t.format import check_user_id
from sklearn_profiling.datasets.pan.format import ATTRIBUTES
from sklearn_profiling.exceptions import DataFormatError

__all__ = ["dump_pan_predictions"]

_ATTRIBUTE = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def dump_pan_predictions(
    path: str | PathLike[str],
    users: Bunch | pd.DataFrame | Sequence[str],
    predictions: pd.DataFrame | np.ndarray[Any, Any],
    *,
    tasks: Sequence[str] | None = None,
    language: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write predictions as PAN's author profiling tasks ask for them.

    Each user becomes a file ``USER_ID.xml`` with one element, for example
    ``<author id="USER_ID" lang="en" gender="female" age_group="25-34" />``. With more
    than one language, each has a folder: ``LANG/USER_ID.xml``.

    Parameters
    ----------
    path : str or path-like
        The folder; it is made if it does not exist.
    users : Bunch, DataFrame or sequence of str
        What :func:`load_pan` returned, its table of users (``user_id`` and optionally
        ``language``), or the ids.
    predictions : DataFrame or array of shape (n_users, n_tasks) or (n_users,)
        The predicted labels, one row a user in the order of `users`. A missing one
        (None, NaN) is left out.
    tasks : sequence of str or None, default=None
        Names of the columns of an array; None takes them from the ``target`` of a
        Bunch. A DataFrame has its own names.
    language : str or None, default=None
        Language of all users, such as "en". None takes the users' own: the column
        ``language``, or the only language of a Bunch; without either, ``lang`` is
        left out.
    attributes : mapping of str to str or None, default=None
        Names of XML attributes by task. None writes the tasks "bot", "spreader" and
        "irony" as ``type``, as PAN does, and others under their own names.

    Returns
    -------
    dict
        Numbers of users and labels written, of missing labels, and of users per
        language.

    Raises
    ------
    DataFormatError
        If an id is not the name of a file or occurs twice, or XML cannot hold a label
        or a task.
    FileExistsError
        If one of the files exists; then none is written.
    ValueError
        If the users and the predictions do not go together.

    See Also
    --------
    load_pan : Loads the corpora.

    Notes
    -----
    A user whose predicted "bot" is "bot" has ``gender="bot"``, as in the task of 2019,
    whatever gender was predicted. ``FOLDER/`` in front of an id, which
    :func:`load_pan` adds to ids that occur in several folders, is taken off.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from sklearn_profiling.datasets import dump_pan_predictions
    >>> predicted = pd.DataFrame({"bot": ["human"], "gender": ["male"]})
    >>> with TemporaryDirectory() as folder:
    ...     report = dump_pan_predictions(folder, ["ann"], predicted, language="en")
    ...     print(Path(folder, "ann.xml").read_text("utf-8").strip())
    <author id="ann" lang="en" type="human" gender="male" />
    """
    folder = Path(path)
    ids, languages = _users_of(users, language)
    table = _table_of(users, predictions, tasks)
    if len(table) != len(ids):
        msg = f"predictions has {len(table)} rows, users has {len(ids)}; one per user"
        raise ValueError(msg)
    names = _attribute_names(table, ATTRIBUTES if attributes is None else attributes)
    files = _file_names(folder, ids, languages)
    rows = table.to_numpy(dtype=object)
    lines: dict[Path, bytes] = {}
    n_missing = 0
    for place, file in enumerate(files):
        labels = dict(zip(table.columns, rows[place], strict=True))
        if "gender" in labels and labels.get("bot") == "bot":
            labels["gender"] = "bot"
        given = {
            names[task]: label
            for task, label in labels.items()
            if not is_missing(label)
        }
        n_missing += len(labels) - len(given)
        head = {"id": file.stem, "lang": languages[place]}
        if languages[place] is None:
            del head["lang"]
        lines[file] = _element({**head, **given}, file)
    for file, line in lines.items():
        with write_lines(file, compress=False) as stream:
            stream.write(line)
    counts = pd.Series([name or "unknown" for name in languages]).value_counts()
    return {
        "n_users": len(ids),
        "n_labels": rows.size - n_missing,
        "missing_labels": n_missing,
        "n_users_per_language": {str(name): int(n) for name, n in counts.items()},
    }


def _users_of(
    users: Bunch | pd.DataFrame | Sequence[str], language: str | None
) -> tuple[list[str], list[str | None]]:
    """Return the ids and the languages of the users."""
    only: str | None = language
    if isinstance(users, Bunch):
        known = users.get("report", {}).get("n_users_per_language", {})
        if only is None and len(known) == 1 and "unknown" not in known:
            only = next(iter(known))
        users = users.data
    users = as_pandas(users)
    if isinstance(users, str):
        msg = f"users must be a Bunch, a DataFrame or ids; got the string {users!r}"
        raise ValueError(msg)  # noqa: TRY004 - a value of scikit-learn's kind
    if not isinstance(users, pd.DataFrame):
        users = pd.DataFrame({"user_id": pd.Series(users, dtype=object)})
    if "user_id" not in users.columns:
        msg = f"users needs the column 'user_id'; it has {list(users.columns)}"
        raise ValueError(msg)
    ids = [str(user_id) for user_id in users["user_id"]]
    if language is not None or "language" not in users.columns:
        return ids, [only] * len(ids)
    cells = users["language"].tolist()
    return ids, [None if is_missing(cell) else str(cell) for cell in cells]


def _table_of(
    users: Any, predictions: Any, tasks: Sequence[str] | None
) -> pd.DataFrame:
    """Return the predictions with the names of their tasks."""
    has_index = isinstance(predictions, pd.DataFrame)
    predictions = as_pandas(predictions)
    if isinstance(predictions, pd.DataFrame):
        data = users.data if isinstance(users, Bunch) else users
        both = has_index and isinstance(data, pd.DataFrame)
        if both and not data.index.equals(predictions.index):
            msg = "predictions and users are DataFrames whose indexes differ"
            raise ValueError(msg)
        return predictions
    values = np.asarray(predictions, dtype=object)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if tasks is None and isinstance(users, Bunch):
        tasks = list(users.target.columns)
    if tasks is None or isinstance(tasks, str) or values.shape[1:] != (len(tasks),):
        msg = (
            f"tasks must name each column of an array of predictions; got {tasks!r} "
            f"for the shape {values.shape}"
        )
        raise ValueError(msg)
    return pd.DataFrame(values, columns=list(tasks))


def _attribute_names(table: pd.DataFrame, names: Mapping[str, str]) -> dict[Any, str]:
    """Return the attribute of each task."""
    chosen = {task: str(names.get(task, task)) for task in table.columns}
    for task, name in chosen.items():
        if _ATTRIBUTE.fullmatch(name) is None or name in ("id", "lang"):
            msg = (
                f"task {task!r} cannot be written as the attribute {name!r}; give "
                f"another name in attributes, not 'id' or 'lang'"
            )
            raise ValueError(msg)
    if len(set(chosen.values())) < len(table.columns):
        msg = f"each task needs an attribute of its own; got {chosen}"
        raise ValueError(msg)
    return chosen


def _file_names(
    folder: Path, ids: Sequence[str], languages: Sequence[str | None]
) -> list[Path]:
    """Return a new file for each user."""
    several = len(set(languages)) > 1
    files: dict[Path, None] = {}
    for user_id, language in zip(ids, languages, strict=True):
        name = user_id.rpartition("/")[2]
        place = [language] if several and language is not None else []
        try:
            for part in (name, *place):
                check_user_id(part)
        except BadLine as fault:
            raise DataFormatError(folder, None, f"user {user_id!r}: {fault}") from fault
        file = folder.joinpath(*place, f"{name}.xml")
        if file in files:
            raise DataFormatError(file, None, f"duplicate user {name!r} in users")
        if file.exists():
            msg = f"{file} exists; predictions are written to new files only"
            raise FileExistsError(msg)
        files[file] = None
    return list(files)


def _element(attributes: Mapping[str, Any], file: Path) -> bytes:
    """Return the author's element as a line of UTF-8."""
    fields = {name: str(value) for name, value in attributes.items()}
    for name, text in fields.items():
        if _NOT_XML.search(text):
            reason = f"{name} has a character that XML cannot hold: {text!r:.60}"
            raise DataFormatError(file, None, reason)
    written = " ".join(f"{name}={quoteattr(text)}" for name, text in fields.items())
    return f"<author {written} />\n".encode()
