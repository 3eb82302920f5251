"""The one writer: files that are replaced whole or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

__all__ = ["check_writable", "write_atomically"]

# not on Windows, where an open file can be neither renamed nor removed
fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None


# the process and a random part; the name in front is cut, as long ones leave no room
_UNFINISHED: Final = re.compile(r"\.[0-9]+\.[0-9a-f]{8}\.part\Z")
_NAME_KEPT: Final = 50
_KINDS: Final = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "FIFO"),
    (stat.S_ISSOCK, "socket"),
)
_ERRORS: Final = {"folder": IsADirectoryError}


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` on success: whole, even after a crash.

    It is written beside the target, whose folder is made, whose permissions are kept
    and which is found through links. After any error the old file stays.
    """
    check_writable(path)
    target = Path(os.path.realpath(path))
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(target.parent)
    try:
        with _unfinished(target, mode) as unfinished:
            with unfinished.open("r+b") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(target)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)  # a full disk does not name the file
        raise
    _sync(target.parent)


def check_writable(path: Path, name: str = "", *, folder: bool = False) -> None:
    """Refuse a path at which no file, or no folder of files, can be written.

    `name` is the parameter or option that the message begins with.
    """
    prefix = f"{name}: " if name else ""
    wanted, found = "folder" if folder else "file", _kind(path)
    if found not in (None, wanted):
        msg = f"{prefix}a {wanted} is needed; {path} is a {found}"
        raise _ERRORS.get(found, NotADirectoryError if folder else OSError)(msg)
    target = Path(os.path.realpath(path))
    # not the target again, which another process may have written since
    nearest = target if found else next(p for p in target.parents if p.exists())
    if found is None and not nearest.is_dir():
        msg = f"{prefix}{nearest} is no folder, so {path} cannot be in it"
        raise NotADirectoryError(msg)
    # a file is replaced by one beside it, so both must be free to be changed
    for place in (nearest, nearest.parent) if found == "file" else (nearest,):
        needed = os.W_OK | (os.X_OK if place.is_dir() else 0)
        if not os.access(place, needed):
            msg = f"{prefix}{place} cannot be written to"
            raise PermissionError(msg)


def _kind(path: Path) -> str | None:
    """Tell what lies at a path or at the end of its links; None if nothing does."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "device")


@contextmanager
def _unfinished(target: Path, mode: int | None) -> Iterator[Path]:
    """Make an empty file beside the target, locked until it has taken its place."""
    with ExitStack() as lock:
        path = _create_locked(target, 0o666 if mode is None else mode, lock)
        try:
            if mode is not None:
                with suppress(OSError):  # some file systems have no permissions
                    path.chmod(mode)  # with those that the umask took
            yield path
        finally:
            path.unlink(missing_ok=True)


def _create_locked(target: Path, mode: int, lock: ExitStack) -> Path:
    """Create a file beside the target that others know as one in use."""
    while True:
        ending = f".{os.getpid()}.{uuid4().hex[:8]}.part"
        path = target.with_name(target.name[:_NAME_KEPT] + ending)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        stream = lock.enter_context(os.fdopen(descriptor, "r+b"))
        if fcntl is None:
            lock.close()
        else:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(stream, fcntl.LOCK_EX)
        # another process may have removed it before it was locked
        if path.exists():
            return path
        lock.close()


@cache
def _remove_unfinished(folder: Path) -> None:
    """Remove the files that dead processes left in a folder: their locks are free.

    Once a process, which may write each of many files in the folder.
    """
    if fcntl is None:
        return
    with suppress(OSError):  # a folder may be written to and not listed
        for path in folder.iterdir():
            if _UNFINISHED.search(path.name) and stat.S_ISREG(path.lstat().st_mode):
                with suppress(OSError), path.open("r+b") as stream:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()


def _sync(folder: Path) -> None:
    """Make a file's new name outlast a loss of power, where the system knows how."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
