"""Checks of paths and device before any work is done."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import get_args

from sklearn_profiling._writing import check_writable

_READ = ("path", "model_file", "links", "labels")
_WRITTEN = ("out", "model", "results", "cache", "html", "card")
_FOLDERS = {"results", "cache"}
_POSITIONAL = {"path": "PATH", "model_file": "MODEL"}


def check_options(options: argparse.Namespace) -> None:
    """Refuse what would fail only after the users are read or the last net trained."""
    for name in _WRITTEN:
        path = getattr(options, name, None)
        if path is not None:
            check_writable(path, f"--{name}", folder=name in _FOLDERS)
    for name in _READ:
        path = getattr(options, name, None)
        if path is not None:
            _check_readable(path, _named(name), folder=name == "path")
    _check_apart(options)
    _check_links_format(options)
    if getattr(options, "chunk_size", None) and options.format == "table":
        msg = "--chunk-size: --format csv or json is needed; got table"
        raise OSError(msg)
    if hasattr(options, "device"):
        from sklearn_profiling.training.net import usable_device

        usable_device(options.device)


def _named(name: str) -> str:
    return _POSITIONAL.get(name, f"--{name}")


def _check_readable(path: Path, option: str, *, folder: bool) -> None:
    """Refuse what is no file, nor a folder where one is read; a FIFO would hang."""
    mode = path.stat().st_mode  # a FileNotFoundError names the path
    if not (stat.S_ISREG(mode) or (folder and stat.S_ISDIR(mode))):
        wanted = "a file or folder" if folder else "a file"
        found = "a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
        msg = f"{option}: {wanted} is needed; {path} is {found}"
        raise OSError(msg)
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        msg = f"{option}: {path} cannot be read"
        raise PermissionError(msg)


def _check_links_format(options: argparse.Namespace) -> None:
    given = getattr(options, "links_format", None)
    if given is None:
        return
    from sklearn_profiling.containers._links_formats import LinksFormat

    known = get_args(LinksFormat)
    if given not in known:
        msg = f"--links-format: one of {', '.join(known)} is needed; got {given:.60}"
        raise OSError(msg)


def _check_apart(options: argparse.Namespace) -> None:
    """Refuse to write two results to one file, or one in place of what is read."""
    given = [
        (name, path)
        for name in (*_READ, *_WRITTEN)
        if (path := getattr(options, name, None)) is not None
    ]
    for place, (name, path) in enumerate(given):
        for other, earlier in reversed(given[:place]):
            if name in _WRITTEN and _is_same(path, earlier):
                msg = (
                    f"--{name}: {path} is given as {_named(other)} too, which it would "
                    "replace"
                )
                raise FileExistsError(msg)
            if name in _WRITTEN and other == "path" and _is_within(path, earlier):
                msg = (
                    f"--{name}: {path} is a file of {_named(other)}, which it would "
                    "replace; write elsewhere, or under a new name"
                )
                raise FileExistsError(msg)


def _is_same(path: Path, other: Path) -> bool:
    """Whether two paths are one file, also by links of either kind."""
    if path.exists() and other.exists():
        return path.samefile(other)
    return path.resolve() == other.resolve()


def _is_within(path: Path, folder: Path) -> bool:
    """Whether a file is one of a folder's, also by links of either kind."""
    if not path.is_file() or not folder.is_dir():
        return False
    if path.resolve().is_relative_to(folder.resolve()):
        return True
    if path.stat().st_nlink < 2:
        return False
    files = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return any(file.exists() and file.samefile(path) for file in files)
