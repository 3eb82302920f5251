"""Bounds of every reader: which files are opened, and how much they may unpack to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from io import BufferedReader
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Final, ParamSpec, TypeVar

from sklearn_profiling.exceptions import DataFormatError

__all__ = [
    "allowed_bytes",
    "bounded",
    "bounded_loader",
    "check_bytes",
    "check_file",
    "check_link",
    "longest_line",
    "max_bytes_given",
    "read_blocks",
]

#: A file may unpack to so many times its size; texts reach 10, repetitive ones 50.
MOST_TIMES: Final = 100
#: So many bytes are always allowed.
FLOOR: Final = 1 << 25
#: Bytes of a line, which is held in memory whole.
LONGEST_LINE: Final = 1 << 26

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class _Bounds:
    """What holds while a loader reads."""

    max_bytes: int | None = None
    folders: tuple[str, ...] = ()
    follow_links: bool = False


_NONE: Final = _Bounds()
_NOW: ContextVar[_Bounds] = ContextVar("bounds", default=_NONE)


@contextmanager
def bounded(
    max_bytes: Any,
    *,
    folders: Iterable[str | PathLike[str]] = (),
    follow_links: bool = False,
) -> Iterator[None]:
    """Set the bounds of all that is read within; links may not leave the `folders`."""
    whole = isinstance(max_bytes, Integral) and not isinstance(max_bytes, bool)
    if max_bytes is not None and not (whole and max_bytes >= 1):
        msg = (
            f"max_bytes must be a whole number of 1 or more or None; got {max_bytes!r}"
        )
        raise ValueError(msg)
    # not resolved: links stay as they are
    paths = tuple(os.path.abspath(folder) for folder in folders)  # noqa: PTH100 - links stay as they are
    token = _NOW.set(_Bounds(max_bytes, paths, follow_links))
    try:
        yield
    finally:
        _NOW.reset(token)


def bounded_loader(load: Callable[P, R]) -> Callable[P, R]:
    """Read the `max_bytes` and `follow_links` of a loader, whose first is its path."""

    @wraps(load)
    def load_bounded(*args: P.args, **kwargs: P.kwargs) -> R:
        path: Any = args[0] if args else kwargs.get("path")
        found: Any = (path, kwargs.get("photos_path"))
        folders = [each for each in found if isinstance(each, str | PathLike)]
        max_bytes: Any = kwargs.get("max_bytes")
        follow = bool(kwargs.get("follow_links", False))
        with bounded(max_bytes, folders=folders, follow_links=follow):
            try:
                return load(*args, **kwargs)
            except RecursionError as error:
                raise DataFormatError(path, None, "nested too deeply") from error

    return load_bounded


def max_bytes_given() -> int | None:
    """Return the bound that the user gave, if any."""
    return _NOW.get().max_bytes


def allowed_bytes(n_packed: int) -> int:
    """Return how much a file of so many bytes may unpack to."""
    return _NOW.get().max_bytes or max(FLOOR, MOST_TIMES * n_packed)


def check_bytes(path: str | PathLike[str], n_bytes: int, what: str) -> None:
    """Refuse a file that takes too many bytes for its size; `what` says where."""
    most = allowed_bytes(os.stat(path).st_size)  # noqa: PTH116 - a path of any kind
    if n_bytes > most:
        raise too_large(path, most, what)


def too_large(path: str | PathLike[str], most: int, what: str) -> DataFormatError:
    """Return the error about a file that takes more than `most` bytes."""
    given = max_bytes_given() is not None
    told = "max_bytes" if given else f"{MOST_TIMES} times its size"
    reason = (
        f"{what} more than {most:,} bytes ({told}); if you trust the file, "
        f"raise max_bytes ({'now' if given else 'by default None'}"
    )
    reason += f" {most:,})" if given else ")"
    return DataFormatError(path, None, reason)


def longest_line() -> int:
    """Return how many bytes a line may have."""
    return _NOW.get().max_bytes or LONGEST_LINE


def read_blocks(
    path: str | PathLike[str],
    file: BinaryIO | BufferedReader,
    size: int,
    n_lines: int = 0,
) -> Iterator[bytes]:
    """Yield blocks of whole lines of about `size` bytes; no line is over its bound.

    `n_lines` were read before.
    """
    most = longest_line()
    while block := file.read(size):
        rest = file.readline(most + 1)
        if len(rest) > most:
            reason = (
                f"the line has more than {most:,} bytes; if it is no damage, raise "
                "max_bytes"
            )
            number = n_lines + block.count(b"\n") + 1
            raise DataFormatError(path, number, reason)
        block += rest
        yield block
        n_lines += block.count(b"\n")


def check_file(path: str | PathLike[str]) -> int:
    """Refuse what is no regular file, naming its kind; return the number of bytes."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path of any kind
    except FileNotFoundError:
        if not os.path.islink(path):  # noqa: PTH114 - a path of any kind
            raise
        reason = "is a link to a file that does not exist"
        raise DataFormatError(path, None, reason) from None
    except ValueError as error:
        raise DataFormatError(path, None, f"is no path: {error}") from None
    for is_kind, name in _KINDS:
        if is_kind(status.st_mode):
            reason = f"is {name}; a regular file is needed"
            raise DataFormatError(path, None, reason)
    check_link(path)
    most = max_bytes_given()
    if most is not None and status.st_size > most:
        raise too_large(path, most, "the file has")
    return status.st_size


def check_link(path: str | PathLike[str]) -> None:
    """Refuse a path in the data folder that leads out of it by a link."""
    bounds = _NOW.get()
    if bounds.follow_links:
        return
    place = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
    for folder in bounds.folders:
        if not place.startswith(folder + os.sep):
            continue
        real, top = Path(os.path.realpath(place)), os.path.realpath(folder)
        if not real.is_relative_to(top):
            reason = (
                f"is a link that leaves the folder {folder}; follow_links=True "
                "reads it all the same"
            )
            raise DataFormatError(path, None, reason)
