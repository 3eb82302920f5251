"""The one store on disk: results found by their key, checked, written whole.

Every array, row and text has a checksum over its bytes and what it is found by, and is
checked before it is used. What is damaged is computed anew, and a folder that cannot be
used is done without; both are told once and cost no result.
"""

from __future__ import annotations

import json
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import numpy as np
from filelock import FileLock
from joblib import Memory
from numpy.typing import DTypeLike, NDArray

from sklearn_profiling import __version__
from sklearn_profiling._writing import write_atomically
from sklearn_profiling.exceptions import ProfilingWarning

__all__ = [
    "DamagedFileError",
    "Rows",
    "Store",
    "cached_texts",
    "cached_vectors",
    "digest_of",
    "read_checked",
    "turns",
    "versions_of",
    "write_checked",
]

Floats = NDArray[np.float32]
Read = TypeVar("Read")
Key = Mapping[str, Any]
"""All that decides the content of an entry, as JSON can write it."""

_DIGEST_BYTES: Final = 16
_CHECKSUM_BYTES: Final = 4
# what a row was made from, its checksum, and the checksum of these two
_ENTRY_BYTES: Final = _DIGEST_BYTES + 2 * _CHECKSUM_BYTES
# Part of every key: raise it whenever entries are written in another way.
_FORMAT: Final = 3
# Inputs that a process computes before others get a turn, and the most that a crash
# loses.
_IN_A_TURN: Final = 512
_BLOCK_BYTES: Final = 1 << 20


def digest_of(data: bytes) -> bytes:
    """Hash bytes to 16 bytes that identify them."""
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


@cache
def versions_of(*packages: str) -> Mapping[str, str]:
    """Return the versions of this package and of others that are installed."""
    found = {"sklearn_profiling": __version__}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


# -- files with a checksum -----------------------------------------------------


class DamagedFileError(OSError):
    """A file does not end in the checksum of what it holds."""


@contextmanager
def write_checked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that is replaced whole and ends in a checksum of name and bytes."""
    with write_atomically(path) as stream:
        yield stream
        n_bytes = stream.seek(0, os.SEEK_END)
        stream.write(_checksum(stream, n_bytes, path.name))


def read_checked(path: Path, read: Callable[[IO[bytes]], Read]) -> Read:
    """Read a file of :func:`write_checked`; an error if its checksum is wrong."""
    with path.open("rb") as stream:
        n_bytes = max(stream.seek(0, os.SEEK_END) - _DIGEST_BYTES, 0)
        if _checksum(stream, n_bytes, path.name) != stream.read():
            msg = f"{path} is damaged: its checksum is wrong"
            raise DamagedFileError(msg)
        stream.seek(0)
        return read(stream)


def _checksum(stream: IO[bytes], n_bytes: int, name: str) -> bytes:
    """Hash a name and the first bytes of a file, and leave the file there."""
    digest = blake2b(name.encode(), digest_size=_DIGEST_BYTES)
    stream.seek(0)
    for start in range(0, n_bytes, _BLOCK_BYTES):
        digest.update(stream.read(min(_BLOCK_BYTES, n_bytes - start)))
    return digest.digest()


# -- the store -----------------------------------------------------------------


class Store:
    """A folder of entries, each found by a key and guarded by a lock.

    The folder is made when the first entry is locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told: set[str] = set()

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
        """Return where the entry of a key lies, for this version of the package."""
        text = json.dumps(
            {**key, "format": _FORMAT, "package": __version__}, sort_keys=True
        )
        return self.folder / f"{digest_of(text.encode()).hex()}{suffix}"

    @contextmanager
    def lock(self, key: Key) -> Iterator[bool]:
        """Hold the lock of an entry; False, and a warning, if that is impossible."""
        with ExitStack() as stack:
            held = True
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(self.path(key, ".lock")))
            except (OSError, NotImplementedError) as error:
                self.tell_unusable(error)
                held = False
            yield held

    def tell_damage(self) -> None:
        """Warn, the first time, that something stored is damaged."""
        self._tell("damaged", "holds damaged entries, which are computed anew")

    def tell_unusable(self, error: Exception) -> None:
        """Warn, the first time, that entries can be neither read nor written."""
        reason = getattr(error, "strerror", None) or error
        self._tell("unusable", f"cannot be used, and is done without: {reason}")

    def _tell(self, kind: str, what: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            msg = f"The cache {self.folder} {what}"
            warnings.warn(msg, ProfilingWarning, stacklevel=4)

    def array(self, key: Key, compute: Callable[[], Floats]) -> Floats:
        """Load an array; compute and store it if it is absent or damaged.

        Other processes that ask for the same key wait meanwhile.
        """
        path = self.path(key, ".npy")
        with self.lock(key) as held:
            try:
                return read_checked(path, _read_array)
            except FileNotFoundError:
                pass
            except DamagedFileError:
                self.tell_damage()
            except OSError as error:
                self.tell_unusable(error)
            array = compute()
            if held:
                try:
                    with write_checked(path) as stream:
                        np.save(stream, array)
                except OSError as error:
                    self.tell_unusable(error)
        return array

    def rows(
        self, key: Key, shape: tuple[int, ...], dtype: DTypeLike = np.uint8
    ) -> Rows:
        """Open the rows of a key, which have this shape each."""
        return Rows(self, key, shape, dtype)


def _read_array(stream: IO[bytes]) -> Floats:
    array: Floats = np.load(stream, allow_pickle=False)
    return array


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write_at(path: Path, start: int, data: Any) -> None:
    """Write the last bytes of a file that grows, and wait until they are on disk."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        # Drop a partial entry of an interrupted writer.
        file.truncate(start)
        file.seek(start)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


class Rows:
    """Rows of one shape and type, each found by a digest; appended, never changed.

    Two files grow together: the rows, and an index with 16 bytes that say what a row
    was made from, 4 bytes of checksum of both, and 4 of the entry itself. The index is
    written last, and a row that does not match its checksum counts as absent: a reader
    beside a writer or after a crash finds whole rows only. Rows that cannot be written
    are kept as long as this object.
    """

    def __init__(
        self, store: Store, key: Key, shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        folder = store.path(key)
        self._store = store
        self._key = key
        self._rows_path = folder / "rows.bin"
        self._index_path = folder / "index.bin"
        self._salt = zlib.crc32(folder.name.encode())
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._row_bytes = int(np.prod(shape)) * self._dtype.itemsize
        self._locked = False
        self._n_rows = 0
        self._found: dict[bytes, tuple[int, int]] = {}
        self._kept: dict[bytes, NDArray[Any]] = {}

    @property
    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of these rows, if that is possible."""
        with self._store.lock(self._key) as held:
            self._locked = held
            try:
                yield
            finally:
                self._locked = False

    def refresh(self) -> None:
        """Read which rows there are now."""
        try:
            n_rows = min(
                _size(self._index_path) // _ENTRY_BYTES,
                _size(self._rows_path) // self._row_bytes,
            )
            if n_rows > self._n_rows:
                with self._index_path.open("rb") as file:
                    file.seek(self._n_rows * _ENTRY_BYTES)
                    new = file.read((n_rows - self._n_rows) * _ENTRY_BYTES)
                self._note(new)
        except OSError as error:
            self._store.tell_unusable(error)

    def absent(self, digests: Sequence[bytes]) -> list[int]:
        """Positions of digests without a row, or whose row is damaged."""
        rows = self._map() if self._n_rows else None
        absent = []
        for position, digest in enumerate(digests):
            if digest in self._kept:
                continue
            row, checksum = self._found.get(digest, (-1, 0))
            if rows is None or row < 0:
                absent.append(position)
            elif self._checksum(digest, rows[row]) != checksum:
                self._store.tell_damage()
                absent.append(position)
        return absent

    def append(self, digests: Sequence[bytes], rows: NDArray[Any]) -> None:
        """Add a row for each digest; the caller holds the lock and has refreshed."""
        rows = np.ascontiguousarray(rows, self._dtype)
        if self._locked:
            try:
                self._write(digests, rows)
            except OSError as error:
                self._store.tell_unusable(error)
            else:
                return
        self._kept.update(zip(digests, rows, strict=True))

    def _write(self, digests: Sequence[bytes], rows: NDArray[Any]) -> None:
        index = bytearray()
        for digest, row in zip(digests, rows, strict=True):
            entry = digest + _as_bytes(self._checksum(digest, row))
            index += entry + _as_bytes(zlib.crc32(entry, self._salt))
        self._rows_path.parent.mkdir(exist_ok=True)
        _write_at(self._rows_path, self._n_rows * self._row_bytes, rows.data)
        _write_at(self._index_path, self._n_rows * _ENTRY_BYTES, index)
        self._note(bytes(index))

    def rows(self, digests: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows of digests that are all here, shape (n_digests, *shape).

        A read-only map of the file if they lie end to end in it, else a copy.
        """
        stored, places = self.places(digests)
        if len(places) and (np.diff(places) == 1).all():
            return stored[places[0] : places[-1] + 1]
        return np.asarray(stored[places])

    def places(
        self, digests: Sequence[bytes]
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return an array with the rows of digests that are all here, and where in it.

        The array is a read-only map of the file if the file holds them all.
        """
        if not digests:
            return np.empty((0, *self._shape), self._dtype), np.zeros(0, np.int64)
        if self._kept.keys() & set(digests):
            return self._with_kept(digests), np.arange(len(digests))
        rows = [self._found[digest][0] for digest in digests]
        return self._open_map(), np.array(rows, np.int64)

    def _with_kept(self, digests: Sequence[bytes]) -> NDArray[Any]:
        rows = np.empty((len(digests), *self._shape), self._dtype)
        stored = self._open_map() if self._n_rows else rows
        for position, digest in enumerate(digests):
            kept = self._kept.get(digest)
            rows[position] = stored[self._found[digest][0]] if kept is None else kept
        return rows

    def _map(self) -> NDArray[Any] | None:
        """Map the rows; None, and a warning, if that is impossible."""
        try:
            return np.asarray(self._open_map())
        except (OSError, ValueError) as error:  # numpy's for a file that has shrunk
            self._store.tell_unusable(error)
            return None

    def _open_map(self) -> NDArray[Any]:
        shape = (self._n_rows, *self._shape)
        return np.memmap(self._rows_path, self._dtype, "r", shape=shape)

    def _note(self, index: bytes) -> None:
        for start in range(0, len(index), _ENTRY_BYTES):
            entry = index[start : start + _ENTRY_BYTES - _CHECKSUM_BYTES]
            checksum = index[start + len(entry) : start + _ENTRY_BYTES]
            if checksum == _as_bytes(zlib.crc32(entry, self._salt)):
                of_row = int.from_bytes(entry[_DIGEST_BYTES:], "little")
                self._found[entry[:_DIGEST_BYTES]] = self._n_rows, of_row
            else:
                self._store.tell_damage()
            self._n_rows += 1

    def _checksum(self, digest: bytes, row: NDArray[Any]) -> int:
        return zlib.crc32(row.data, zlib.crc32(digest, self._salt))


def _as_bytes(checksum: int) -> bytes:
    return checksum.to_bytes(_CHECKSUM_BYTES, "little")


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
    vectors = np.empty((len(digests), n_features), np.float32)
    for part in turns(len(digests)):
        wanted = [digests[i] for i in part]
        with rows.lock:
            rows.refresh()
            new = [part[i] for i in rows.absent(wanted)]
            if new:
                rows.append([digests[i] for i in new], compute(new))
            vectors[part.start : part.stop] = rows.rows(wanted)
    return vectors


def cached_texts(
    store: Store | None,
    key: Key,
    digests: Sequence[bytes],
    compute: Callable[[list[int]], list[str]],
) -> list[str]:
    """Look up texts as :func:`cached_vectors` does vectors; one JSON line a text."""
    if store is None or not digests:
        return compute(list(range(len(digests))))
    lines = _Lines(store, store.path(key, ".jsonl"))
    for part in turns(len(digests)):
        with store.lock(key) as held:
            lines.refresh()
            new = [i for i in part if digests[i].hex() not in lines.texts]
            if new:
                names = [digests[i].hex() for i in new]
                found = dict(zip(names, compute(new), strict=True))
                lines.append(found, write=held)
    return [lines.texts[digest.hex()] for digest in digests]


def turns(n_inputs: int) -> Iterator[range]:
    """Split inputs into those that one process computes under one lock."""
    for start in range(0, n_inputs, _IN_A_TURN):
        yield range(start, min(start + _IN_A_TURN, n_inputs))


class _Lines:
    """Texts of a file by their digests: a line is a checksum and a pair in JSON."""

    def __init__(self, store: Store, path: Path) -> None:
        self.texts: dict[str, str] = {}
        self._store = store
        self._path = path
        self._salt = zlib.crc32(path.name.encode())
        self._n_bytes = 0

    def refresh(self) -> None:
        """Read the whole lines that are new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._n_bytes)
                lines, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            self._store.tell_unusable(error)
            return
        self._n_bytes += len(lines) + len(end)
        for line in lines.split(b"\n") if end else ():
            checksum, _, content = line.partition(b" ")
            if checksum == self._checksum(content):
                digest, text = json.loads(content)
                self.texts[digest] = text
            else:
                self._store.tell_damage()

    def append(self, texts: Mapping[str, str], *, write: bool) -> None:
        """Add texts, to the file as well if it can be written."""
        self.texts |= texts
        if not write:
            return
        contents = [json.dumps(pair).encode() for pair in texts.items()]
        lines = b"".join(self._checksum(c) + b" " + c + b"\n" for c in contents)
        try:
            # An interrupted writer leaves a line without its end; drop it.
            _write_at(self._path, self._n_bytes, lines)
        except OSError as error:
            self._store.tell_unusable(error)
        else:
            self._n_bytes += len(lines)

    def _checksum(self, content: bytes) -> bytes:
        return f"{zlib.crc32(content, self._salt):08x}".encode()
