"""Decoded images on disk, found by the content of their files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from joblib import Memory

__all__ = ["PixelStore", "digest_of", "store_folder"]

Pixels = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

_DIGEST_BYTES: Final = 16
# Raised whenever the same file gives other pixels than before.
_ALGORITHM: Final = 1


def digest_of(data: bytes) -> bytes:
    """Return what a file is found by: a hash of its content."""
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


def store_folder(memory: str | os.PathLike[str] | Memory | None) -> Path | None:
    """Find the folder of a scikit-learn ``memory`` parameter.

    Parameters
    ----------
    memory : str, path-like, joblib.Memory or None
        As given by the user.

    Returns
    -------
    Path or None
        The folder for images; None if nothing is to be stored.
    """
    location = memory.location if isinstance(memory, Memory) else memory
    if location is None:
        return None
    return Path(location) / "sklearn_profiling" / "images"


class PixelStore:
    """Pixels of one size, a row an image, appended and never changed.

    Two files grow together: the rows, and 16 bytes a row that say which file each was
    made from. The second is written last, so a reader finds no row that is not whole,
    even beside a writer or after a crash.

    Parameters
    ----------
    folder : Path
        Folder of all stores; made if absent.
    parameters : mapping
        All but the file that decides the pixels, as JSON can write it.
    row_shape : tuple of (int, int, int)
        Channels, height, width.
    """

    def __init__(
        self,
        folder: Path,
        parameters: Mapping[str, Any],
        row_shape: tuple[int, int, int],
    ) -> None:
        key = json.dumps({**parameters, "version": _ALGORITHM}, sort_keys=True)
        self.folder = folder / digest_of(key.encode()).hex()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.row_shape = row_shape
        self.lock = FileLock(self.folder / "lock")
        self._row_bytes = int(np.prod(row_shape))
        self._index: dict[bytes, int] = {}

    @property
    def _rows_path(self) -> Path:
        return self.folder / "pixels.bin"

    @property
    def _digests_path(self) -> Path:
        return self.folder / "digests.bin"

    def refresh(self) -> None:
        """Read which rows there are now."""
        n_rows = min(
            _size(self._digests_path) // _DIGEST_BYTES,
            _size(self._rows_path) // self._row_bytes,
        )
        if n_rows > len(self._index):
            first = len(self._index)
            with self._digests_path.open("rb") as file:
                file.seek(first * _DIGEST_BYTES)
                new = file.read((n_rows - first) * _DIGEST_BYTES)
            for row in range(first, n_rows):
                start = (row - first) * _DIGEST_BYTES
                self._index[new[start : start + _DIGEST_BYTES]] = row

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._index

    def append(self, digests: Sequence[bytes], pixels: Pixels) -> None:
        """Add rows; the caller holds the lock and has refreshed since.

        Parameters
        ----------
        digests : sequence of bytes
            Hash of each file, none of them in the store.
        pixels : ndarray of uint8, shape (n_new, channels, height, width)
            Their rows.
        """
        n_rows = len(self._index)
        for path, width, block in (
            (self._rows_path, self._row_bytes, np.ascontiguousarray(pixels).data),
            (self._digests_path, _DIGEST_BYTES, b"".join(digests)),
        ):
            with path.open("r+b" if path.exists() else "w+b") as file:
                # what a writer that did not finish left behind is overwritten
                file.truncate(n_rows * width)
                file.seek(n_rows * width)
                file.write(block)
        for row, digest in enumerate(digests, n_rows):
            self._index[digest] = row

    def rows(self, digests: Sequence[bytes]) -> Pixels:
        """Return the rows of some files.

        Parameters
        ----------
        digests : sequence of bytes
            Hashes of files, all in the store.

        Returns
        -------
        ndarray of uint8, shape (n_digests, channels, height, width)
            A read-only map of the file if the rows lie end to end in it, a copy
            otherwise.
        """
        if not digests:
            return np.empty((0, *self.row_shape), np.uint8)
        rows = np.fromiter(
            map(self._index.__getitem__, digests), np.int64, len(digests)
        )
        first, last = int(rows[0]), int(rows[-1])
        shape = (int(rows.max()) + 1, *self.row_shape)
        mapped: Pixels = np.memmap(self._rows_path, np.uint8, "r", shape=shape)
        if last - first + 1 == len(rows) and bool((np.diff(rows) == 1).all()):
            return mapped[first : last + 1]
        return np.asarray(mapped[rows])


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
