"""Packed files of word vectors, opened by what they hold, and foreign formats named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from sklearn_profiling.exceptions import DataFormatError

__all__ = ["foreign_format", "is_pickle", "opened"]

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_PACKERS: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_BZIP2_BLOCKS: Final = (b"1AY&SY", b"\x17rE8P\x90")
_UNPACK: Final = "unpack it, or pack it with gzip, bzip2, xz or zip"
_FOREIGN: Final = (
    (
        b"\xba\x16\x4f\x2f",
        "a fastText model (.bin), not its vectors; give the .vec file beside it",
    ),
    (b"\x93NUMPY", "a NumPy array (.npy), which holds no words"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1\x15", "a Parquet file"),
    (b"\x28\xb5\x2f\xfd", f"a zstandard archive; {_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive; {_UNPACK}"),
    (b"Rar!\x1a", f"a RAR archive; {_UNPACK}"),
    (b"\xff\xfe", "text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16; save it as UTF-8"),
    (b"version https://git-lfs", "a Git LFS pointer; download the file it stands for"),
)
_DAMAGED: Final = {
    "gzip": (EOFError, gzip.BadGzipFile, zlib.error),
    "bzip2": (EOFError, OSError),
    "xz": (EOFError, lzma.LZMAError),
    "zip": (EOFError, zipfile.BadZipFile, zlib.error),
    "plain": (),
}


def is_pickle(start: bytes) -> bool:
    """Tell whether a file begins as a pickle of protocol 2 to 5."""
    return start[:1] == b"\x80" and start[1:2] in {b"\2", b"\3", b"\4", b"\5"}


def foreign_format(start: bytes) -> str | None:
    """Name a format without readable word vectors by the first bytes, unpacked."""
    for magic, name in _FOREIGN:
        if start.startswith(magic):
            return name
    if (packer := _packer(start)) != "plain":  # as in a zip archive of .gz files
        return f"a {packer} archive within another; unpack the outer one"
    if start[257:262] == b"ustar":
        return f"a tar archive; {_UNPACK}"
    return None


def _packer(start: bytes) -> str:
    # "BZh" alone may begin a word
    if start[:3] == b"BZh" and start[4:10] in _BZIP2_BLOCKS:
        return "bzip2"
    found = (name for magic, name in _PACKERS if start.startswith(magic))
    return next(found, "plain")


@contextmanager
def opened(path: Path, member: str | None = None) -> Iterator[BinaryIO]:
    """Open a file, unpacked and behind its byte order mark.

    `member` names the file in a zip archive. A broken archive is a DataFormatError.
    """
    with path.open("rb") as raw:
        packer = _packer(raw.read(10))
    if member is not None and packer != "zip":
        raise DataFormatError(path, None, f"no zip archive, so it has no {member!r}")
    with ExitStack() as stack:
        try:
            file = _open(path, packer, member, stack)
            if file.peek(3)[:3] == _UTF8_MARK:
                file.read(3)
            yield cast(BinaryIO, file)
        except _DAMAGED[packer] as error:
            reason = f"the {packer} archive is damaged or cut off: {error}"
            raise DataFormatError(path, None, reason) from error


def _open(
    path: Path, packer: str, member: str | None, stack: ExitStack
) -> io.BufferedReader:
    """Open a file for reading; `stack` closes what is opened on the way."""
    if packer == "zip":
        return _open_member(path, member, stack)
    if packer == "plain":
        return stack.enter_context(path.open("rb"))
    # classes of their own, with the methods of a BufferedReader
    openers = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    file = stack.enter_context(openers[packer](path))  # type: ignore[operator]
    return cast(io.BufferedReader, file)


def _open_member(path: Path, member: str | None, stack: ExitStack) -> io.BufferedReader:
    """Open the one file of a zip archive, or the one that is named."""
    archive = stack.enter_context(zipfile.ZipFile(path))
    names = [
        entry.filename
        for entry in archive.infolist()
        if not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and not entry.filename.rpartition("/")[2].startswith(".")
    ]
    if member is None and len(names) != 1:
        reason = (
            f"the zip archive holds {len(names)} files; name one of them by member: "
            f"{_listed(names)}"
        )
        raise DataFormatError(path, None, reason)
    if member is not None and member not in names:
        reason = f"the zip archive has no {member!r}; it holds {_listed(names)}"
        raise DataFormatError(path, None, reason)
    try:
        file = archive.open(member or names[0])
    except RuntimeError as error:  # a password, or a method that zipfile lacks
        reason = f"the zip archive cannot be unpacked: {error}"
        raise DataFormatError(path, None, reason) from error
    # ZipExtFile reads lines slowly
    return stack.enter_context(io.BufferedReader(cast(io.RawIOBase, file), 1 << 20))


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:10])) or "none"
    return shown + (", ..." if len(names) > 10 else "")
