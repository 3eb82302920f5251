"""Finished folds as JSON files, so that a comparison that was stopped goes on."""

from __future__ import annotations

import json
import math
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sklearn_profiling import __version__
from sklearn_profiling.evaluation._fingerprints import fingerprint
from sklearn_profiling.evaluation.splits import Fold
from sklearn_profiling.exceptions import ProfilingWarning

Record = dict[str, Any]

_FORMAT = 1
_PARTS = {
    "parameters": "its parameters",
    "data": "the users or labels",
    "fold": "the folds",
    "version": "the version of this package",
}


@dataclass(frozen=True)
class ResultStore:
    """A folder of finished folds.

    The name of a file holds a hash of all that decides its content: the name of the
    system, its parameters, the data, the rows of the fold and the version of this
    package. So a result that was made otherwise is never found in place of the one
    that is wanted; it stays in the folder.

    Attributes
    ----------
    folder : Path
        Where the files lie; made if absent.
    keys : dict of str to dict of str to str
        For each system what its results depend on.
    """

    folder: Path
    keys: dict[str, dict[str, str]]

    @classmethod
    def open(
        cls, folder: str | os.PathLike[str], systems: Mapping[str, Any], X: Any, y: Any
    ) -> ResultStore:
        """Make the folder and hash what its results depend on.

        Parameters
        ----------
        folder : str or path-like
            Where the files lie; made if absent.
        systems : mapping of str to estimator
            Unfitted systems by name.
        X, y : array-like
            Users and labels.

        Returns
        -------
        ResultStore
            The open folder.

        Raises
        ------
        ValueError
            If a parameter of a system or a cell of the data cannot be hashed.
        """
        try:
            data = fingerprint([X, y])
        except ValueError as error:
            msg = f"results_folder needs data that can be hashed: {error}"
            raise ValueError(msg) from error
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
            }
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        return cls(path, keys)

    def load(self, system: str, fold: Fold) -> list[Record] | None:
        """Read the rows of one finished fold.

        Parameters
        ----------
        system : str
            Name of the system.
        fold : Fold
            The fold.

        Returns
        -------
        list of dict or None
            The rows; None if there is no such result.

        Warns
        -----
        ProfilingWarning
            If the file is damaged; the fold is then computed anew.
        """
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
        """Write the rows of one finished fold; whoever finds the file finds it whole.

        Parameters
        ----------
        fold : Fold
            The fold.
        rows : list of dict
            Its rows, all of one system.
        """
        key = self._key(rows[0]["system"], fold)
        # JSON has no NaN, the value of a task without labels.
        stored = [
            {**row, "value": None if math.isnan(row["value"]) else row["value"]}
            for row in rows
        ]
        text = json.dumps(
            {"format": _FORMAT, "key": key, "rows": stored},
            ensure_ascii=False,
            allow_nan=False,
            indent=1,
        )
        path = self._path(key)
        with NamedTemporaryFile(
            "w", dir=self.folder, suffix=".part", delete=False, encoding="utf-8"
        ) as stream:
            stream.write(text)
        Path(stream.name).replace(path)

    def warn_of_strangers(self, folds: Sequence[Fold]) -> None:
        """Say which stored results of these systems were made otherwise.

        Parameters
        ----------
        folds : sequence of Fold
            The folds of this comparison.

        Warns
        -----
        ProfilingWarning
            If there are results of other parameters, data or folds or another version.
        """
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
        text = json.dumps(key, sort_keys=True)
        name = blake2b(text.encode(), digest_size=16).hexdigest()
        slug = re.sub(r"[^a-z0-9]+", "-", key["system"].lower()).strip("-")[:60]
        return self.folder / f"{slug}-{name}.json"


def _changed(key: dict[str, str], ours: list[dict[str, str]]) -> set[str]:
    """Name the parts in which a key differs from those that are wanted."""
    return {part for part in _PARTS if all(key.get(part) != k[part] for k in ours)}


def _read(path: Path) -> dict[str, Any] | None:
    """Read a file of ours; None if it is none."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    good = isinstance(content, dict) and content.get("format") == _FORMAT
    return content if good and {"key", "rows"} <= content.keys() else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
