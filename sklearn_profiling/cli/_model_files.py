"""Files of trained systems, and whose labels they were trained on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sklearn_profiling.cli._printing import tell

_COLUMNS = ("id_column", "text_column", "time_column", "one_row")
"""Options that a model file keeps, so that predict reads tables as fit did."""


def train(name: str, model: Any, users: Any) -> None:
    """Train a system on all of `users`."""
    from sklearn_profiling.exceptions import ProfilingError, SourceError

    try:
        model.fit(users.data, users.target)
    except ProfilingError:
        raise
    except ValueError as error:  # of scikit-learn, for example users without a word
        msg = f"{name} cannot be trained on these users: {error!s:.200}"
        raise SourceError(msg) from error


def save_model(options: argparse.Namespace, users: Any, name: str, model: Any) -> None:
    """Train a system on all of `users` and write it to the file ``--model``."""
    from sklearn_profiling import __version__
    from sklearn_profiling.persistence import save
    from sklearn_profiling.targets import LabelCodec

    train(name, model, users)
    saved = {
        "version": __version__,
        "system": name,
        "model": model,
        "labels": LabelCodec.learn(users.target),
        "columns": {column: getattr(options, column) for column in _COLUMNS},
        "known": {
            task: _digests(users.data["user_id"][users.target[task].notna()])
            for task in users.target
        },
    }
    save(saved, options.model, data=(users.data, users.target))
    size = options.model.stat().st_size / 1e3
    tell(options, f"model: {options.model}, {size:,.0f} kB")


def load_model(path: Path) -> dict[str, Any]:
    """Read a file that fit wrote."""
    from sklearn_profiling import __version__
    from sklearn_profiling.exceptions import DataFormatError
    from sklearn_profiling.persistence import load

    saved = load(path)
    needed = {"version", "system", "model", "labels", "columns", "known"}
    if not isinstance(saved, dict) or "version" not in saved:
        reason = "a model, but not one written by 'sklearn-profiling fit'"
        raise DataFormatError(path, None, reason)
    version, missing = saved["version"], needed - set(saved)
    if missing:
        reason = f"a model of version {version}, which lacks {sorted(missing)}; fit it"
        raise DataFormatError(path, None, f"{reason} again")
    if version != __version__:
        print(f"model of version {version}, read by {__version__}", file=sys.stderr)
    return saved


def known_tasks(known: dict[str, set[bytes]], users: Any) -> Any:
    """Name, for each user, the tasks whose label was in training or stands here."""
    import pandas as pd

    ids = users.data["user_id"]
    digests = [_digest(user_id) for user_id in ids]
    tasks: list[list[str]] = [[] for _ in ids]
    for task, trained in known.items():
        here = (
            users.target[task].notna() if task in users.target else [False] * len(ids)
        )
        for found, digest, labelled in zip(tasks, digests, here, strict=True):
            if labelled or digest in trained:
                found.append(task)
    return pd.Series(map(" ".join, tasks), dtype=object)


def _digests(ids: Iterable[Any]) -> set[bytes]:
    return {_digest(user_id) for user_id in ids}


def _digest(user_id: Any) -> bytes:
    """Hash an id, so that a model file does not list who was in training."""
    from sklearn_profiling._store import digest_of

    return digest_of(str(user_id).encode("utf-8", "surrogatepass"))
