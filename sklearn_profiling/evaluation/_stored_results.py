"""Finished folds as JSON files, so that a comparison that was stopped goes on."""

from __future__ import annotations

import json
import math
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import cpu_count

from sklearn_profiling import __version__
from sklearn_profiling._config import get_config
from sklearn_profiling._store import Store, digest_of, versions_of
from sklearn_profiling._writing import check_writable, write_atomically
from sklearn_profiling.evaluation._fingerprints import fingerprint
from sklearn_profiling.evaluation.splits import Fold
from sklearn_profiling.exceptions import ProfilingWarning

Record = dict[str, Any]

_FORMAT = 2
_PARTS = {
    "parameters": "its parameters",
    "data": "the users or labels",
    "fold": "the folds",
    "metrics": "the metrics",
    "version": "the version of this package",
    "threads": "the number of threads",
    "packages": "the versions of other packages",
}
_DECISIVE = (
    "gensim",
    "jieba",
    "numba",
    "numpy",
    "pandas",
    "pillow",
    "rjieba",
    "scikit-learn",
    "scipy",
    "skorch",
    "tokenizers",
    "torch",
    "transformers",
)
"""Packages whose versions decide what systems predict."""


@dataclass(frozen=True)
class ResultStore:
    """A folder of finished folds, and for each system what its results depend on.

    The name of a file holds a hash of all that decides its content: the name of the
    system, its parameters, the data, the rows of the fold and the version of this
    package. So a result that was made otherwise is never found in place of the one
    that is wanted; it stays in the folder.
    """

    store: Store
    keys: dict[str, dict[str, str]]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.store.folder

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        systems: Mapping[str, Any],
        X: Any,
        y: Any,
        further: Mapping[str, Any],
    ) -> ResultStore:
        """Make the folder and hash what results depend on; ValueError if impossible.

        `further` are metrics beside those that every result has.
        """
        path = Path(folder)
        check_writable(path, "results_folder", folder=True)
        try:
            data = fingerprint([X, y])
        except ValueError as error:
            msg = f"results_folder needs data that can be hashed: {error}"
            raise ValueError(msg) from error
        measured = _measured(further)
        keys = {}
        for name, system in systems.items():
            try:
                parameters = fingerprint(system)
            except ValueError as error:
                msg = (
                    "results_folder needs systems whose parameters can be hashed; "
                    f"{name!r}: {error}"
                )
                raise ValueError(msg) from error
            keys[name] = {
                "system": name,
                "parameters": parameters,
                "data": data,
                "version": __version__,
                "packages": json.dumps(versions_of(*_DECISIVE)),
                **measured,
                **_threads(),
            }
        path.mkdir(parents=True, exist_ok=True)
        return cls(Store(path), keys)

    def load(self, system: str, fold: Fold) -> list[Record] | None:
        """Read the rows of a finished fold; None if absent or damaged, which warns."""
        key = self._key(system, fold)
        path = self._path(key)
        if not path.exists():
            return None
        content = _read(path)
        if content is None or content["key"] != key:
            warnings.warn(
                f"The stored result {path} is damaged; it is computed anew.",
                ProfilingWarning,
                stacklevel=3,
            )
            return None
        # The number of a fold is its place in this comparison.
        return [
            {**row, "fold": fold.number, "value": _number(row["value"])}
            for row in content["rows"]
        ]

    def save(self, fold: Fold, rows: list[Record]) -> None:
        """Write the rows of a finished fold, all of one system."""
        key = self._key(rows[0]["system"], fold)
        # JSON has no NaN, the value of a task without labels.
        stored = [
            {**row, "value": None if math.isnan(row["value"]) else row["value"]}
            for row in rows
        ]
        content = {"format": _FORMAT, "key": key, "rows": stored}
        content["checksum"] = _checksum(content)
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
        try:
            with write_atomically(self._path(key)) as stream:
                stream.write(text.encode())
        except OSError as error:
            self.store.tell_unusable(error)

    def warn_of_strangers(self, folds: Sequence[Fold]) -> None:
        """Warn of stored results of these systems with any other key."""
        wanted = {name: [self._key(name, fold) for fold in folds] for name in self.keys}
        strangers: list[str] = []
        parts: set[str] = set()
        for path in sorted(self.folder.glob("*.json")):
            key = (_read(path) or {}).get("key", {})
            ours = wanted.get(key.get("system"))
            if ours is not None and key not in ours:
                strangers.append(key["system"])
                parts |= _changed(key, ours)
        if strangers:
            reasons = ", ".join(_PARTS[part] for part in _PARTS if part in parts)
            warnings.warn(
                f"{self.folder} holds {len(strangers)} results of the systems "
                f"{list(dict.fromkeys(strangers))} that are not used, since {reasons} "
                "changed; they are left there.",
                ProfilingWarning,
                stacklevel=3,
            )

    def _key(self, system: str, fold: Fold) -> dict[str, str]:
        return {**self.keys[system], "fold": fingerprint([fold.train, fold.test])}

    def _path(self, key: dict[str, str]) -> Path:
        slug = re.sub(r"[^a-z0-9]+", "-", key["system"].lower()).strip("-")[:60]
        path = self.store.path(key, ".json")
        return path.with_name(f"{slug}-{path.name}")


def _measured(further: Mapping[str, Any]) -> dict[str, str]:
    """Hash the metrics beside those that every result has, if there are any."""
    if not further:
        return {}
    try:
        return {"metrics": fingerprint(dict(further))}
    except ValueError as error:
        msg = f"results_folder needs metrics that can be hashed: {error}"
        raise ValueError(msg) from error


def _threads() -> dict[str, str]:
    """Count the threads, where results depend on them."""
    return {} if get_config()["deterministic"] else {"threads": str(cpu_count())}


def _changed(key: dict[str, str], ours: list[dict[str, str]]) -> set[str]:
    """Name the parts in which a key differs from those that are wanted."""
    return {part for part in _PARTS if all(key.get(part) != k.get(part) for k in ours)}


def _read(path: Path) -> dict[str, Any] | None:
    """Read a whole file of ours; None if it is none or damaged."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        return None
    return content if content.pop("checksum", None) == _checksum(content) else None


def _checksum(content: dict[str, Any]) -> str:
    return digest_of(json.dumps(content, sort_keys=True).encode()).hex()


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
