"""A joblib.Memory that believes no damaged file, and maps text and images."""

from __future__ import annotations

import copyreg
import os
import pickle
from pathlib import Path
from typing import IO, Any, Final

import joblib
import numpy as np
from joblib._store_backends import FileSystemStoreBackend
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyPickler
from numpy.typing import NDArray

from sklearn_profiling._store import (
    Store,
    digest_of,
    read_checked,
    versions_of,
    write_checked,
)
from sklearn_profiling.containers._ragged import Ragged

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


_FORMAT: Final = 2
"""Raise it whenever results are written in another way."""

_LEAST_MAPPED: Final = 1 << 20
"""Bytes of the smallest array to map: each map costs a file handle."""


class _Pickler(NumpyPickler):
    """Joblib's pickler, in whose file the large arrays of containers can be mapped.

    Other arrays are read into memory, since fitted steps may write into their own.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        # kept, so that each array has an id of its own
        self._states: list[dict[str, Any]] = []
        self._mapped: set[int] = set()

    def reducer_override(self, obj: Any) -> Any:
        """Reduce a container as usual, and note its large arrays."""
        if not isinstance(obj, Ragged):
            return NotImplemented
        state: dict[str, Any] = obj.__getstate__()
        self._states.append(state)
        self._mapped |= {id(each) for each in state.values() if _is_large(each)}
        # the types of copyreg lack what pickle itself calls
        return copyreg.__newobj__, (type(obj),), state  # type: ignore[attr-defined]

    def _create_array_wrapper(self, array: NDArray[Any]) -> NumpyArrayWrapper:
        wrapper = super()._create_array_wrapper(array)
        wrapper.allow_mmap = id(array) in self._mapped
        return wrapper


def _is_large(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.nbytes >= _LEAST_MAPPED


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
        path = self._path(call_id)
        while True:
            before = path.stat()
            read_checked(path, _nothing)
            item = joblib.load(path, mmap_mode="r")
            # each map opens the file anew, which another process may have replaced
            if os.path.samestat(before, path.stat()):
                return item

    def dump_item(self, call_id: Any, item: Any, *_: Any, **__: Any) -> None:
        try:
            with write_checked(self._path(call_id)) as stream:
                _Pickler(stream).dump(item)
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
    versions = repr([_FORMAT, *sorted(versions_of(*_DECISIVE).items())])
    location = Path(folder) / digest_of(versions.encode()).hex()[:16]
    return joblib.Memory(os.fspath(location), backend=_BACKEND, verbose=0)


def _nothing(stream: IO[bytes]) -> None:
    """Read no more than the checksum."""


def _text(stream: IO[bytes]) -> str:
    # the checksum ends the file, and is no text
    return stream.read()[:-16].decode()
