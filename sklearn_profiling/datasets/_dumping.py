"""Input, files and rules that the writers of data sets share."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

import pandas as pd
from sklearn.utils import Bunch

from sklearn_profiling._frames import as_pandas
from sklearn_profiling._writing import write_atomically
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.exceptions import DataFormatError

OnUnwritable = Literal["error", "replace"]

_NEWLINES = re.compile(r"[\r\n]+")


def unpack(
    data: Bunch | pd.DataFrame,
    target: pd.DataFrame | None,
    graph: SocialGraph | None,
    *,
    columns: Sequence[str] = ("user_id", "messages"),
) -> tuple[pd.DataFrame, pd.DataFrame, SocialGraph | None]:
    """Return the users, their labels and the network of a bunch or of its parts."""
    if isinstance(data, Bunch):
        if target is not None or graph is not None:
            msg = "target and graph must be None if data is a Bunch, which holds them"
            raise ValueError(msg)
        data, target, graph = data.data, data.target, data.graph
    data, target = as_pandas(data), as_pandas(target)
    if target is None:
        target = pd.DataFrame(index=data.index)
    if len(target) != len(data):
        msg = f"target has {len(target)} rows, data has {len(data)}; one per user"
        raise ValueError(msg)
    for name in columns:
        if name not in data.columns:
            msg = f"data needs the column {name!r}; it has {list(data.columns)}"
            raise ValueError(msg)
    return data, target, graph


def prepare_folder(path: Path, names: Sequence[str]) -> None:
    """Make the folder; refuse if one of the files is there in any form."""
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        for old in sorted(path.glob(f"*{name}")) + sorted(path.glob(f"*{name}.gz")):
            msg = f"{old} exists; it would be mixed up with the new files"
            raise FileExistsError(msg)


@contextmanager
def write_lines(path: Path, *, compress: bool) -> Iterator[IO[bytes]]:
    """Open a file to write bytes, gzip-compressed with reproducible bytes."""
    with write_atomically(path) as raw:
        if not compress:
            yield raw
            return
        # a time stamp and a file name in the header would change equal contents
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as zipped:
            yield cast(IO[bytes], zipped)


def is_missing(value: Any) -> bool:
    """Tell if a cell is None, NaN or pd.NA; a list never is."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def messages_of(cell: Any, path: Path, user_id: object) -> list[str]:
    """Return the messages of a cell as a list; empty if missing."""
    if is_missing(cell):
        return []
    if not isinstance(cell, list | tuple) or not all(
        isinstance(message, str) for message in cell
    ):
        reason = f"the messages of user {user_id!r} are no list of str: {cell!r:.60}"
        raise DataFormatError(path, None, reason)
    return list(cell)


def without_newlines(text: str) -> str:
    """Return the text with each run of line ends replaced by a blank."""
    return _NEWLINES.sub(" ", text)
