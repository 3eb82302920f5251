"""Files read record by record, with counts and a policy for bad lines."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from sklearn_profiling._bounds import check_link, read_blocks
from sklearn_profiling._packed_files import check_encodings, open_text, text_encoding
from sklearn_profiling.exceptions import DataFormatError

OnBadLines = Literal["error", "skip"]

_BLOCK = 1 << 20


class BadLine(Exception):  # noqa: N818 - it is a verdict on a line, not yet an error
    """A line breaks its format; the file's policy decides what becomes of it.

    Skipped lines are counted by `kind`; `detail` says what was found and is allowed.
    """

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}")


def children(folder: Path) -> list[Path]:
    """Return what a folder holds, by name; links may not leave the data folder."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.is_symlink()) for entry in entries)
    for name, is_link in found:
        if is_link:
            check_link(folder / name)
    return [folder / name for name, _ in found]


def check_no_loop(folder: Path) -> None:
    """Refuse a folder that is a link to one above it."""
    if folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve()):
        raise DataFormatError(folder, None, "is a link to a folder above it")


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise a ValueError that lists the allowed values of a parameter."""
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(map(repr, allowed))
        msg = f"{name} must be one of {choices}; got {value!r}"
        raise ValueError(msg)


def check_min_messages(value: object) -> None:
    """Raise a ValueError if the smallest number of messages is no whole number."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    # whole numbers alone reach int, which the type does not say
    if not whole or int(value) < 0:  # type: ignore[call-overload]
        msg = f"min_messages must be a whole number of 0 or more; got {value!r}"
        raise ValueError(msg)


def enough_messages(
    path: Path, messages: Sequence[Sequence[str]], min_messages: int
) -> tuple[list[bool], dict[str, int]]:
    """Tell which users stay, and count the others and their messages.

    `messages` are those of each user; an error tells that nobody stays.
    """
    enough = [len(texts) >= min_messages for texts in messages]
    if min_messages and not any(enough):
        most = max(map(len, messages), default=0)
        reason = (
            f"no user has {min_messages} messages (min_messages); the most are {most}"
        )
        raise DataFormatError(path, None, reason)
    short = [texts for texts, stays in zip(messages, enough, strict=True) if not stays]
    return enough, {
        "n_users_below_min_messages": len(short),
        "n_messages_below_min": sum(map(len, short)),
    }


class CountedFile:
    """A file that is read once, with counts and a policy for bad lines.

    Bad lines raise an error, or are counted by kind in `skipped`. `encoding` is None
    for binary files.
    """

    encoding: str | None = None

    def __init__(
        self, path: str | PathLike[str], on_bad_lines: OnBadLines = "error"
    ) -> None:
        self.path = Path(path)
        self.on_bad_lines = on_bad_lines
        self._skip = on_bad_lines == "skip"
        self.n_lines = 0
        self.n_blank = 0
        self.n_records = 0
        self.skipped: Counter[str] = Counter()

    def bad(self, fault: BadLine) -> None:
        """Raise an error about the current line, or count the line as skipped."""
        if not self._skip:
            raise self.error(str(fault)) from fault
        self.skipped[fault.kind] += 1

    def error(self, reason: str) -> DataFormatError:
        """Return an error that points at the current line."""
        return DataFormatError(self.path, self.n_lines or None, reason)

    def finish(self) -> dict[str, Any]:
        """Return the counts, or raise an error if the file held no record."""
        if not self.n_lines:
            raise DataFormatError(self.path, None, "the file is empty")
        if not self.n_records:
            reasons = dict(self.skipped) or "all lines are blank"
            reason = f"no usable line among {self.n_lines}: {reasons}"
            raise DataFormatError(self.path, None, reason)
        return {
            "path": str(self.path),
            "encoding": self.encoding,
            "n_lines": self.n_lines,
            "n_blank": self.n_blank,
            "n_records": self.n_records,
            "skipped": dict(self.skipped),
        }


class LineFile(CountedFile):
    """A text file, plain or packed, read line by line.

    A byte order mark tells the encoding; without one, the first of the encodings that
    decodes the whole file is used.
    """

    encoding: str

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        encoding: str | Sequence[str] = "utf-8",
        on_bad_lines: OnBadLines = "error",
    ) -> None:
        super().__init__(path, on_bad_lines)
        self.encoding = choose_encoding(self.path, check_encodings(encoding))

    def __iter__(self) -> Iterator[str]:
        """Yield each line's text without its end; ``n_lines`` is its number."""
        for line in self._decoded_lines():
            text = line.removesuffix("\r")
            if text and not text.isspace():
                yield text
            else:
                self.n_blank += 1

    def _decoded_lines(self) -> Iterator[str]:
        """Yield what stands between line feeds; decode many lines at once."""
        with open_text(self.path) as file:
            for block in read_blocks(self.path, file, _BLOCK):
                block = block.removesuffix(b"\n")  # noqa: PLW2901 - the same without its end
                try:
                    text = block.decode(self.encoding)
                except UnicodeDecodeError:
                    # no byte of a longer character looks like a line feed
                    yield from self._decode_each(block.split(b"\n"))
                    continue
                for line in text.split("\n"):
                    self.n_lines += 1
                    yield line

    def _decode_each(self, lines: list[bytes]) -> Iterator[str]:
        for raw in lines:
            self.n_lines += 1
            try:
                line = raw.decode(self.encoding)
            except UnicodeDecodeError as error:
                self.bad(undecodable(error))
                continue
            yield line


def undecodable(error: UnicodeDecodeError) -> BadLine:
    """Return the fault of a line that is in another encoding."""
    byte = error.object[error.start]
    return BadLine(
        "wrong encoding",
        f"byte 0x{byte:02x} at byte {error.start} of the line is not {error.encoding}; "
        f"if the file is in another encoding, name it, for example "
        f"encoding=('utf-8', 'gb18030') to fall back to GB18030",
    )


def choose_encoding(path: Path, encodings: Sequence[str]) -> str:
    """Return the encoding of a byte order mark, or the first that decodes the file.

    A file has one encoding. Deciding line by line would misread those GB18030
    lines that happen to be valid UTF-8. If none decodes the whole file, the one
    that gets furthest is taken, and the lines that it cannot decode are bad lines.
    """
    marked = text_encoding(path, "")
    if marked or len(encodings) == 1:
        return marked or encodings[0]
    reached: dict[str, int] = {}
    for name in encodings:
        failed_at = _decodable_bytes(path, name)
        if failed_at is None:
            return name
        reached[name] = failed_at
    # max keeps the first of equals, and so the caller's order of preference
    return max(reached, key=lambda name: reached[name])


def _decodable_bytes(path: Path, encoding: str) -> int | None:
    """Return where decoding fails, in bytes, or None if it does not."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with open_text(path) as file:
        while True:
            block = file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done + error.start
            if not block:
                return None
            done += len(block)
