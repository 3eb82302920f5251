"""A joblib.Memory that believes no damaged file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import IO, Any, Final

import joblib
from joblib._store_backends import FileSystemStoreBackend

from sklearn_profiling._store import (
    Store,
    digest_of,
    read_checked,
    versions_of,
    write_checked,
)

__all__ = ["checked_memory"]

_BACKEND: Final = "sklearn_profiling"
_DECISIVE: Final = (
    "gensim",
    "jieba",
    "numba",
    "numpy",
    "pandas",
    "pillow",
    "rjieba",
    "scikit-learn",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)
"""Packages whose versions decide what a step gives."""


class _CheckedBackend(FileSystemStoreBackend):
    """Joblib's folder of pickles, each with a checksum."""

    def configure(self, location: str, *arguments: Any, **options: Any) -> None:
        super().configure(location, *arguments, **options)
        self._store = Store(Path(location))

    def _path(self, call_id: Any, name: str = "output.pkl") -> Path:
        return Path(self.location, *call_id, name)

    def contains_item(self, call_id: Any) -> bool:
        path = self._path(call_id)
        if not path.exists():
            return False
        try:
            read_checked(path, _nothing)
        except OSError:
            self._store.tell_damage()
            return False
        return True

    def load_item(self, call_id: Any, *_: Any, **__: Any) -> Any:
        return read_checked(self._path(call_id), joblib.load)

    def dump_item(self, call_id: Any, item: Any, *_: Any, **__: Any) -> None:
        try:
            with write_checked(self._path(call_id)) as stream:
                joblib.dump(item, stream)
        except (OSError, pickle.PicklingError) as error:
            self._store.tell_unusable(error)

    def get_cached_func_code(self, call_id: Any) -> str:
        return read_checked(self._path(call_id, "func_code.py"), _text)

    def store_cached_func_code(
        self, call_id: Any, func_code: str | None = None
    ) -> None:
        try:
            if func_code is not None:
                with write_checked(self._path(call_id, "func_code.py")) as stream:
                    stream.write(func_code.encode())
        except OSError as error:
            self._store.tell_unusable(error)


joblib.register_store_backend(_BACKEND, _CheckedBackend)


def checked_memory(folder: str | os.PathLike[str]) -> joblib.Memory:
    """Open a folder of prepared sources, apart from those of other versions."""
    versions = repr(sorted(versions_of(*_DECISIVE).items()))
    location = Path(folder) / digest_of(versions.encode()).hex()[:16]
    return joblib.Memory(os.fspath(location), backend=_BACKEND, verbose=0)


def _nothing(stream: IO[bytes]) -> None:
    """Read no more than the checksum."""


def _text(stream: IO[bytes]) -> str:
    # the checksum ends the file, and is no text
    return stream.read()[:-16].decode()
