"""Checks of paths and device before any work is done."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

_READ = ("path", "model_file", "links", "labels")
_WRITTEN = ("out", "model", "results")


def check_options(options: argparse.Namespace) -> None:
    """Refuse what would fail only after the users are read or the last net trained."""
    for name in _READ:
        path = getattr(options, name, None)
        if path is not None:
            path.stat()  # a FileNotFoundError names the path
    for name in _WRITTEN:
        path = getattr(options, name, None)
        if path is not None:
            _check_writable(path, f"--{name}", folder=name == "results")
    if hasattr(options, "device"):
        from sklearn_profiling.training.net import usable_device

        usable_device(options.device)


def _check_writable(path: Path, option: str, *, folder: bool) -> None:
    """Refuse a path at which no file, or no folder, can be written."""
    if path.exists() and path.is_dir() != folder:
        wanted, found = ("folder", "file") if folder else ("file", "folder")
        msg = f"{option}: a {wanted} is needed; {path} is a {found}"
        raise NotADirectoryError(msg) if folder else IsADirectoryError(msg)
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    if nearest != path and not nearest.is_dir():
        msg = f"{option}: {nearest} is no folder, so {path} cannot be in it"
        raise NotADirectoryError(msg)
    if not os.access(nearest, os.W_OK):
        msg = f"{option}: {nearest} cannot be written to"
        raise PermissionError(msg)
