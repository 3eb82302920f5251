"""The one store on disk: results found by their key, written whole, computed once."""

from __future__ import annotations

import json
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from filelock import FileLock
from joblib import Memory
from numpy.typing import DTypeLike, NDArray

from sklearn_profiling._writing import write_atomically
from sklearn_profiling.exceptions import ProfilingWarning

__all__ = [
    "Rows",
    "Store",
    "cached_texts",
    "cached_vectors",
    "digest_of",
    "turns",
]

Floats = NDArray[np.float32]
Key = Mapping[str, Any]
"""All that decides the content of an entry, as JSON can write it."""

_DIGEST_BYTES: Final = 16
_CHECKSUM_BYTES: Final = 4
_ENTRY_BYTES: Final = _DIGEST_BYTES + _CHECKSUM_BYTES
# Part of every key: raise it whenever entries are written in another way.
_FORMAT: Final = 2
# Inputs that a process computes before others get a turn, and the most that a crash
# loses.
_IN_A_TURN: Final = 512
_BLOCK_BYTES: Final = 1 << 20


def digest_of(data: bytes) -> bytes:
    """Hash bytes to 16 bytes that identify them."""
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


class Store:
    """A folder of entries, each found by a key and guarded by a lock.

    The folder is made when the first entry is locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(
        cls, memory: str | os.PathLike[str] | Memory | None, name: str
    ) -> Store | None:
        """Open the folder of a scikit-learn ``memory`` parameter, if it has one."""
        location = memory.location if isinstance(memory, Memory) else memory
        if location is None:
            return None
        return cls(Path(location) / "sklearn_profiling" / name)

    def path(self, key: Key, suffix: str = "") -> Path:
        """Return where the entry of a key lies."""
        text = json.dumps({**key, "format": _FORMAT}, sort_keys=True)
        return self.folder / f"{digest_of(text.encode()).hex()}{suffix}"

    def lock(self, key: Key) -> FileLock:
        """Return the lock that all processes hold while they change an entry."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path(key, ".lock"))

    def array(self, key: Key, compute: Callable[[], Floats]) -> Floats:
        """Load an array; compute and store it if it is absent or damaged.

        Other processes that ask for the same key wait meanwhile.
        """
        path = self.path(key, ".npy")
        with self.lock(key):
            if path.exists():
                if _is_whole(path):
                    loaded: Floats = np.load(path, allow_pickle=False)
                    return loaded
                warnings.warn(
                    f"The stored array {path} is damaged; it is computed anew.",
                    ProfilingWarning,
                    stacklevel=2,
                )
            array = compute()
            with write_atomically(path) as stream:
                np.save(stream, array)
                stream.write(_checksum(stream, stream.tell()))
        return array

    def rows(
        self, key: Key, shape: tuple[int, ...], dtype: DTypeLike = np.uint8
    ) -> Rows:
        """Open the rows of a key, which have this shape each."""
        return Rows(self.path(key), self.lock(key), shape, dtype)


def _checksum(stream: IO[bytes], n_bytes: int) -> bytes:
    """Hash the first bytes of a file and leave it there."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    stream.seek(0)
    for start in range(0, n_bytes, _BLOCK_BYTES):
        digest.update(stream.read(min(_BLOCK_BYTES, n_bytes - start)))
    return digest.digest()


def _is_whole(path: Path) -> bool:
    """Tell whether a file ends in the checksum of all before."""
    with path.open("rb") as stream:
        n_bytes = max(_size(path) - _DIGEST_BYTES, 0)
        return _checksum(stream, n_bytes) == stream.read()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class Rows:
    """Rows of one shape and type, each found by a digest; appended, never changed.

    Two files grow together: the rows, and an index with 16 bytes that say what a row
    was made from and 4 bytes of checksum. The index is written last, and a row that
    does not match its checksum counts as absent: a reader beside a writer or after a
    crash finds whole rows only.
    """

    def __init__(
        self, folder: Path, lock: FileLock, shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.lock = lock
        self._rows_path = folder / "rows.bin"
        self._index_path = folder / "index.bin"
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._row_bytes = int(np.prod(shape)) * self._dtype.itemsize
        self._n_rows = 0
        self._found: dict[bytes, tuple[int, bytes]] = {}

    def refresh(self) -> None:
        """Read which rows there are now."""
        n_rows = min(
            _size(self._index_path) // _ENTRY_BYTES,
            _size(self._rows_path) // self._row_bytes,
        )
        if n_rows > self._n_rows:
            with self._index_path.open("rb") as file:
                file.seek(self._n_rows * _ENTRY_BYTES)
                new = file.read((n_rows - self._n_rows) * _ENTRY_BYTES)
            self._note(new)

    def absent(self, digests: Sequence[bytes]) -> list[int]:
        """Positions of digests without a row, or whose row is damaged."""
        if not self._n_rows:
            return list(range(len(digests)))
        rows = np.asarray(self._map())
        absent = []
        for position, digest in enumerate(digests):
            row, checksum = self._found.get(digest, (-1, b""))
            if row < 0 or _row_checksum(rows[row]) != checksum:
                absent.append(position)
        return absent

    def append(self, digests: Sequence[bytes], rows: NDArray[Any]) -> None:
        """Add a row for each digest; the caller holds the lock and has refreshed."""
        rows = np.ascontiguousarray(rows, self._dtype)
        index = b"".join(
            digest + _row_checksum(row)
            for digest, row in zip(digests, rows, strict=True)
        )
        for path, width, block in (
            (self._rows_path, self._row_bytes, rows.data),
            (self._index_path, _ENTRY_BYTES, index),
        ):
            with path.open("r+b" if path.exists() else "w+b") as file:
                # Drop a partial entry of an interrupted writer.
                file.truncate(self._n_rows * width)
                file.seek(self._n_rows * width)
                file.write(block)
        self._note(index)

    def rows(self, digests: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows of digests that are all here, shape (n_digests, *shape).

        A read-only map of the file if they lie end to end in it, else a copy.
        """
        if not digests:
            return np.empty((0, *self._shape), self._dtype)
        rows = np.array([self._found[digest][0] for digest in digests])
        if (np.diff(rows) == 1).all():
            return self._map()[rows[0] : rows[-1] + 1]
        return np.asarray(self._map()[rows])

    def _map(self) -> NDArray[Any]:
        shape = (self._n_rows, *self._shape)
        return np.memmap(self._rows_path, self._dtype, "r", shape=shape)

    def _note(self, index: bytes) -> None:
        for start in range(0, len(index), _ENTRY_BYTES):
            entry = index[start : start + _ENTRY_BYTES]
            found = self._n_rows, entry[_DIGEST_BYTES:]
            self._found[entry[:_DIGEST_BYTES]] = found
            self._n_rows += 1


def _row_checksum(row: NDArray[Any]) -> bytes:
    return zlib.crc32(row.data).to_bytes(_CHECKSUM_BYTES, "little")


def cached_vectors(
    store: Store | None,
    key: Key,
    digests: Sequence[bytes],
    n_features: int,
    compute: Callable[[list[int]], Floats],
) -> Floats:
    """Look up vectors by the digests of their inputs; compute and store the others.

    `compute` takes positions of inputs; the digests are distinct. Returns float32 of
    shape (n_inputs, n_features). Without a store all are computed and none is written.
    """
    if store is None or not digests:
        return compute(list(range(len(digests))))
    rows = store.rows(key, (n_features,), np.float32)
    for part in turns(len(digests)):
        with rows.lock:
            rows.refresh()
            new = [part[i] for i in rows.absent([digests[i] for i in part])]
            if new:
                rows.append([digests[i] for i in new], compute(new))
    return np.asarray(rows.rows(digests))


def cached_texts(
    store: Store | None,
    key: Key,
    digests: Sequence[bytes],
    compute: Callable[[list[int]], list[str]],
) -> list[str]:
    """Look up texts as :func:`cached_vectors` does vectors; one JSON line a text."""
    if store is None or not digests:
        return compute(list(range(len(digests))))
    path = store.path(key, ".jsonl")
    known: dict[str, str] = {}
    for part in turns(len(digests)):
        with store.lock(key):
            known |= _read_lines(path)
            new = [i for i in part if digests[i].hex() not in known]
            if new:
                texts = compute(new)
                lines = {digests[i].hex(): t for i, t in zip(new, texts, strict=True)}
                _append_lines(path, lines)
                known |= lines
    return [known[digest.hex()] for digest in digests]


def turns(n_inputs: int) -> Iterator[range]:
    """Split inputs into those that one process computes under one lock."""
    for start in range(0, n_inputs, _IN_A_TURN):
        yield range(start, min(start + _IN_A_TURN, n_inputs))


def _read_lines(path: Path) -> dict[str, str]:
    """Read the texts of all whole lines whose checksum is right."""
    known: dict[str, str] = {}
    if not path.exists():
        return known
    for line in path.read_bytes().rpartition(b"\n")[0].splitlines():
        checksum, _, content = line.partition(b" ")
        if checksum == _line_checksum(content):
            digest, text = json.loads(content)
            known[digest] = text
    return known


def _append_lines(path: Path, lines: Mapping[str, str]) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        # An interrupted writer leaves a line without its end; drop it.
        file.seek(file.read().rfind(b"\n") + 1)
        file.truncate()
        for entry in lines.items():
            content = json.dumps(entry).encode()
            file.write(_line_checksum(content) + b" " + content + b"\n")


def _line_checksum(content: bytes) -> bytes:
    return f"{zlib.crc32(content):08x}".encode()
