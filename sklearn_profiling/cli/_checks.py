"""Checks of paths and device before any work is done."""

from __future__ import annotations

import argparse
from pathlib import Path

from sklearn_profiling._writing import check_writable

_READ = ("path", "model_file", "links", "labels")
_WRITTEN = ("out", "model", "results", "cache")
_FOLDERS = {"results", "cache"}
_POSITIONAL = {"path": "PATH", "model_file": "MODEL"}


def check_options(options: argparse.Namespace) -> None:
    """Refuse what would fail only after the users are read or the last net trained."""
    for name in _READ:
        path = getattr(options, name, None)
        if path is not None:
            path.stat()  # a FileNotFoundError names the path
    for name in _WRITTEN:
        path = getattr(options, name, None)
        if path is not None:
            check_writable(path, f"--{name}", folder=name in _FOLDERS)
    _check_apart(options)
    if hasattr(options, "device"):
        from sklearn_profiling.training.net import usable_device

        usable_device(options.device)


def _check_apart(options: argparse.Namespace) -> None:
    """Refuse to write two results to one file, or one in place of what is read."""
    seen: dict[Path, str] = {}
    for name in (*_READ, *_WRITTEN):
        path = getattr(options, name, None)
        if path is None:
            continue
        option = _POSITIONAL.get(name, f"--{name}")
        other = seen.setdefault(path.resolve(), option)
        if name in _WRITTEN and other != option:
            msg = f"{option}: {path} is given as {other} too, which it would replace"
            raise FileExistsError(msg)
