"""Files, plain or packed, opened by their first bytes and read as a stream."""

from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final, cast

from sklearn_profiling._bounds import (
    FLOOR,
    MOST_TIMES,
    check_file,
    max_bytes_given,
    too_large,
)
from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import DataFormatError, SourceError, shortened

__all__ = [
    "PACKED_ENDINGS",
    "check_encodings",
    "check_zip",
    "marked_encoding",
    "open_packed",
    "open_text",
    "packing",
    "text_encoding",
    "without_packed_ending",
]

#: Endings of a plain file and of packed ones, to find files by their names.
PACKED_ENDINGS: Final = ("", ".gz", ".bz2", ".xz", ".zst", ".zip")

_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_BZIP2_BLOCKS: Final = (b"1AY&SY", b"\x17rE8P\x90")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Pushshift packs with windows of 2 GiB; 128 MiB are zstandard's own limit.
_ZSTD_WINDOW: Final = 1 << 31
# So little unpacks to 64 MiB at the most.
_ZSTD_STEP: Final = 1 << 11
_GZIP_AHEAD: Final[int] = getattr(gzip, "READ_BUFFER_SIZE", 0)
"""Bytes that gzip may have read of a file and not yet unpacked, from Python 3.12 on."""
_BUFFER: Final = 1 << 20
#: The directory of a zip archive, of about 80,000 files, which zipfile reads whole.
_ZIP_DIRECTORY: Final = 1 << 22
_ZIP_END: Final = 22
_ZIP_COMMENT: Final = 1 << 16
_DAMAGED: Final = (
    EOFError,
    OSError,
    RuntimeError,  # a password, or a method that zipfile lacks
    lzma.LZMAError,
    UnicodeError,  # names of files
    zipfile.BadZipFile,
    zlib.error,
)


def packing(start: bytes) -> str:
    """Name the packer by the first ten bytes: "gzip", "zip" ... or "plain"."""
    # "BZh" alone may begin a word
    if start[:3] == b"BZh" and start[4:10] in _BZIP2_BLOCKS:
        return "bzip2"
    # a frame to be skipped, as pzstd writes it first
    if start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5:
        return "zstandard"
    found = (name for magic, name in _MAGIC if start.startswith(magic))
    return next(found, "plain")


def without_packed_ending(name: str) -> str:
    """Return the name of the file that is packed."""
    for ending in PACKED_ENDINGS[1:]:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def marked_encoding(start: bytes) -> str | None:
    """Name the encoding that a byte order mark tells, if there is one."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


@contextmanager
def open_packed(
    path: str | PathLike[str], member: str | None = None
) -> Iterator[io.BufferedReader]:
    """Open the unpacked bytes of a file.

    `member` names the file in a zip archive of several. What is damaged, cut off, no
    regular file, unpacks to more than its bounds, or is named .gz and plain raises
    DataFormatError.
    """
    path = Path(path)
    check_file(path)
    with path.open("rb") as raw:
        packer = packing(start := raw.read(10))
    if member is not None and packer != "zip":
        raise DataFormatError(path, None, f"no zip archive, so it has no {member!r}")
    with ExitStack() as stack:
        if packer == "plain":
            if start and path.suffix == ".gz":
                reason = "is named .gz but is not gzip-compressed"
                raise DataFormatError(path, None, reason)
            yield stack.enter_context(path.open("rb"))
            return
        unpacked = _Unpacked(path, packer, member, stack)
        yield stack.enter_context(io.BufferedReader(unpacked, _BUFFER))


@contextmanager
def open_text(
    path: str | PathLike[str], member: str | None = None
) -> Iterator[io.BufferedReader]:
    """Open a text behind its byte order mark; UTF-16 becomes UTF-8 on the way."""
    with open_packed(path, member) as file:
        encoding = marked_encoding(file.peek(3))
        if encoding == "utf-16":
            recoded = _Recoded(Path(path), file)
            with io.BufferedReader(recoded, _BUFFER) as text:
                yield cast(io.BufferedReader, text)
            return
        if encoding == "utf-8":
            file.read(len(codecs.BOM_UTF8))
        yield file


def text_encoding(path: str | PathLike[str], encoding: str) -> str:
    """Return the encoding of what `open_text` gives; a byte order mark tells it."""
    with open_packed(path) as file:
        return "utf-8" if marked_encoding(file.peek(3)) else encoding


def check_encodings(encoding: str | Sequence[str]) -> tuple[str, ...]:
    """Return the encodings to try, in order, after checking each."""
    encodings = (encoding,) if isinstance(encoding, str) else tuple(encoding)
    if not encodings:
        msg = "encoding must name at least one encoding; got an empty sequence"
        raise SourceError(msg)
    for name in encodings:
        try:
            kept = "a,|\n".encode(name, "strict") == b"a,|\n"
            b"\xff".decode(name, "replace")  # as text is looked at that may be none
        except (LookupError, TypeError, ValueError) as error:
            msg = f"encoding {shortened(name)} is not known to Python as one of text"
            raise SourceError(msg) from error
        if not kept:
            msg = (
                f"encoding {name!r} does not keep ASCII as single bytes, so lines "
                f"cannot be found in it; use for example 'utf-8' or 'gb18030'"
            )
            raise SourceError(msg)
    return encodings


class _Unpacked(io.RawIOBase):
    """The content of a packed file; a damaged one is a DataFormatError."""

    def __init__(
        self, path: Path, packer: str, member: str | None, stack: ExitStack
    ) -> None:
        self._path = path
        self._packer = packer
        self._damaged: tuple[type[Exception], ...] = _DAMAGED
        self._raw = stack.enter_context(path.open("rb"))
        self._begin = self._n_unpacked = 0
        self._ahead: list[bytes] = []
        try:
            self._file = self._open(member, stack)
        except _DAMAGED as error:
            raise self._error(error) from error
        self._look_ahead()

    def _open(self, member: str | None, stack: ExitStack) -> Any:
        path, raw = self._path, self._raw
        if self._packer == "zip":
            check_zip(path)
            archive = stack.enter_context(zipfile.ZipFile(raw))
            entry = archive.getinfo(_member(path, archive, member))
            self._begin = entry.header_offset
            return stack.enter_context(archive.open(entry))
        if self._packer == "zstandard":
            zstandard: Any = import_optional(
                "zstandard", extra="zstd", purpose=f"Reading {path.name} (zstandard)"
            )
            self._damaged = (*_DAMAGED, zstandard.ZstdError)
            return _Frames(raw, zstandard)
        openers: dict[str, Any] = {
            "gzip": gzip.open,
            "bzip2": bz2.open,
            "xz": lzma.open,
        }
        return stack.enter_context(openers[self._packer](raw))

    def _look_ahead(self) -> None:
        """Unpack what looks like a bomb before anyone takes its lines apart."""
        waiting = _GZIP_AHEAD if self._packer == "gzip" else 0
        while max_bytes_given() is None and (data := self._unpack(_BUFFER)):
            self._ahead.append(data)
            if self._n_unpacked <= MOST_TIMES * (self._n_packed - waiting):
                break

    @property
    def _n_packed(self) -> int:
        """Bytes of the file that were read so far."""
        return max(self._raw.tell() - self._begin, 0)

    def _unpack(self, size: int) -> bytes:
        try:
            data: bytes = self._file.read(size)
        except self._damaged as error:
            raise self._error(error) from error
        self._n_unpacked += len(data)
        most = max_bytes_given() or max(FLOOR, MOST_TIMES * self._n_packed)
        if self._n_unpacked > most:
            raise too_large(self._path, most, "unpacks to")
        return data

    def _error(self, error: Exception) -> Exception:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            return error  # of the disk, not of the content, which states places
        fault = "is damaged or cut off"
        if isinstance(error, RuntimeError):
            fault = "cannot be unpacked"
        reason = f"the {self._packer} archive {fault}: {error}"
        return DataFormatError(self._path, None, reason)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        data = self._ahead.pop(0) if self._ahead else self._unpack(size)
        if len(data) > size:
            self._ahead.insert(0, data[size:])
            data = data[:size]
        buffer[: len(data)] = data
        return len(data)


class _Frames:
    """The frames of a zstandard file, one after the other."""

    def __init__(self, file: IO[bytes], zstandard: Any) -> None:
        self._file = file
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame: Any = None
        self._packed = self._unpacked = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        while not self._unpacked:
            self._packed = self._packed or self._file.read(_ZSTD_STEP)
            if not self._packed:
                if self._frame is not None:
                    msg = "the compressed data end before their end mark"
                    raise EOFError(msg)
                return b""
            self._frame = self._frame or self._unpacker.decompressobj()
            self._unpacked = self._frame.decompress(self._packed)
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        data, self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return data


class _Recoded(io.RawIOBase):
    """UTF-16 with a byte order mark, read as UTF-8."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._text = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._text:
            raw = self._file.read(_BUFFER)
            try:
                text = self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                reason = f"begins as UTF-16, which it is not: {error.reason}"
                raise DataFormatError(self._path, None, reason) from error
            if not raw:
                return 0
            self._text = text.encode()
        data, self._text = self._text[: len(buffer)], self._text[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def check_zip(path: Path) -> None:
    """Refuse a zip archive of more files than anyone packs, before they are listed."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - _ZIP_END - _ZIP_COMMENT, 0))
        end = file.read()
    place = end.rfind(b"PK\x05\x06")
    n_bytes = int.from_bytes(end[place + 12 : place + 16], "little")
    if n_bytes == (1 << 32) - 1 and (place := end.rfind(b"PK\x06\x06")) >= 0:
        n_bytes = int.from_bytes(end[place + 40 : place + 48], "little")
    if place >= 0 and _ZIP_DIRECTORY < n_bytes <= size:
        reason = (
            f"the zip archive lists its files in more than {_ZIP_DIRECTORY:,} bytes"
        )
        raise DataFormatError(path, None, f"{reason}; pack those to be read alone")


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    """Return the one file of a zip archive, or the one that is named."""
    names = [
        entry.filename
        for entry in archive.infolist()
        if entry.filename
        and not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and not entry.filename.rpartition("/")[2].startswith(".")
    ]
    if member is None and len(names) != 1:
        reason = (
            f"the zip archive holds {len(names)} files, and one is read, or the one "
            f"that is named by member: {_listed(names)}"
        )
        raise DataFormatError(path, None, reason)
    if member is not None and member not in names:
        reason = f"the zip archive has no {member!r}; it holds {_listed(names)}"
        raise DataFormatError(path, None, reason)
    return member or names[0]


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:10])) or "none"
    return shown + (", ..." if len(names) > 10 else "")
