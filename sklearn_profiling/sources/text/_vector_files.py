"""Files of word vectors, read one entry at a time."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.exceptions import DataFormatError

__all__ = ["FORMATS", "VectorFile", "existing_file"]

FORMATS = ("word2vec-text", "word2vec-binary", "glove")
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
# No word is longer; a binary file whose entries have slipped shows here.
_LONGEST_WORD = 1 << 12


@dataclass
class VectorFile:
    """A file of word vectors in one of :data:`FORMATS`; gzip is recognised by content.

    With `skip_bad`, entries that break the format are counted in ``skipped`` by reason
    instead of raising. ``n_declared`` is the number of words in the first line, if any.
    """

    path: Path
    format: str
    encoding: str = "utf-8"
    skip_bad: bool = False
    n_declared: int | None = field(default=None, init=False)
    n_dimensions: int = field(default=0, init=False)
    n_read: int = field(default=0, init=False)
    skipped: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        with self._opened() as file:
            head = _header(first := file.readline())
            if not first.strip():
                self._fail(1, "the file is empty")
            if self.format == "auto":
                self.format = _guess_format(head, file)
        if self.format == "glove":
            self.n_dimensions = len(first.rstrip().split(b" ")) - 1
            if self.n_dimensions < 1:
                reason = (
                    "expected a word and its numbers, separated by single spaces; "
                    f"found {first[:60]!r}"
                )
                self._fail(1, reason)
        elif head is None:
            reason = (
                "expected the number of words and of dimensions, as every "
                f"{self.format} file has in its first line; found {first[:60]!r}"
            )
            self._fail(1, reason)
        else:
            self.n_declared, self.n_dimensions = head

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the file, unpacked; a broken archive is an error of the format."""
        with self.path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
        # gzip.open and open return different classes with the same methods
        file = gzip.open(self.path) if packed else self.path.open("rb")  # noqa: SIM115
        with file:
            try:
                yield file  # type: ignore[misc]
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                self._fail(None, f"the gzip archive is damaged or cut off: {error}")

    def _fail(self, line: int | None, reason: str) -> None:
        raise DataFormatError(self.path, line, reason)

    def _bad(self, line: int | None, kind: str, reason: str) -> None:
        """Raise, or count the entry as skipped."""
        if not self.skip_bad:
            self._fail(line, reason)
        self.skipped[kind] = self.skipped.get(kind, 0) + 1

    def entries(
        self, wanted: Callable[[str], bool], max_words: int | None = None
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield (word, float32 vector) of the `wanted` words among `max_words` entries.

        An entry that breaks the format raises DataFormatError with its line or number.
        """
        self.n_read = 0
        self.skipped.clear()
        seen: dict[str, int] = {}
        read = self._binary if self.format == "word2vec-binary" else self._text
        with self._opened() as file:
            for line, word, vector in read(file, wanted, max_words):
                if word in seen:
                    reason = f"{word!r} stands twice, first in entry {seen[word]}"
                    self._bad(line, "duplicate word", reason)
                    continue
                seen[word] = self.n_read
                yield word, vector

    def _text(
        self, file: BinaryIO, wanted: Callable[[str], bool], max_words: int | None
    ) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        offset = 0 if self.n_declared is None else 1
        if offset:
            file.readline()
        for line, raw in enumerate(file, 1 + offset):
            if self.n_read == max_words:
                return
            entry = raw.rstrip(b" \r\n\t")
            if not entry:
                continue
            self.n_read += 1
            word, _, numbers = entry.partition(b" ")
            columns = numbers.count(b" ") + 1 if numbers else 0
            if columns != self.n_dimensions:
                reason = (
                    f"expected a word and {self.n_dimensions} numbers; found "
                    f"{columns} columns after {word[:40]!r}"
                )
                self._bad(line, "wrong number of columns", reason)
                continue
            text = self._decoded(word, line)
            if text is None or not wanted(text):
                continue
            vector = self._parsed(numbers, line, text)
            if vector is not None:
                yield line, text, vector
        self._check_number()

    def _parsed(
        self, numbers: bytes, line: int, word: str
    ) -> NDArray[np.float32] | None:
        try:
            vector = np.array(numbers.split(b" "), dtype=np.float64)
        except ValueError as error:
            reason = f"the vector of {word!r} holds something else than numbers: "
            self._bad(line, "not a number", reason + str(error))
            return None
        return self._finite(vector, line, word)

    def _finite(
        self, vector: NDArray[np.floating], line: int | None, word: str
    ) -> NDArray[np.float32] | None:
        # compared, not cast: what float32 cannot hold must not become infinite
        if not (np.abs(vector) <= np.finfo(np.float32).max).all():
            reason = f"the vector of {word!r} holds a number that is not finite"
            self._bad(line, "not finite", reason)
            return None
        return vector.astype(np.float32)

    def _decoded(self, word: bytes, line: int | None) -> str | None:
        try:
            return word.decode(self.encoding)
        except UnicodeDecodeError as error:
            reason = f"the word {word[:40]!r} is not {self.encoding}: {error}"
            self._bad(line, "wrong encoding", reason)
            return None

    def _check_number(self) -> None:
        if self.n_declared is not None and self.n_read != self.n_declared:
            reason = (
                f"the first line states {self.n_declared} words and the file holds "
                f"{self.n_read}: it is cut off or the line is wrong"
            )
            self._fail(None, reason)

    def _binary(
        self, file: BinaryIO, wanted: Callable[[str], bool], max_words: int | None
    ) -> Iterator[tuple[int | None, str, NDArray[np.float32]]]:
        file.readline()
        n_bytes = 4 * self.n_dimensions
        buffer, at = b"", 0
        while self.n_read != self.n_declared and self.n_read != max_words:
            if len(buffer) - at < n_bytes + _LONGEST_WORD:
                buffer, at = buffer[at:] + file.read(_CHUNK), 0
            # some writers end each vector with a line feed
            while buffer[at : at + 1] == b"\n":
                at += 1
            space = buffer.find(b" ", at, at + _LONGEST_WORD)
            if space < 0 or len(buffer) < space + 1 + n_bytes:
                self._slipped(len(buffer) - at)
            word, begin = buffer[at:space], space + 1
            at = begin + n_bytes
            self.n_read += 1
            text = self._decoded(word, None)
            if text is None or not wanted(text):
                continue
            numbers = np.frombuffer(buffer, "<f4", self.n_dimensions, begin)
            vector = self._finite(numbers, None, text)
            if vector is not None:
                yield None, text, vector

    def _slipped(self, n_left: int) -> None:
        place = f"entry {self.n_read + 1} of {self.n_declared}"
        if n_left <= _LONGEST_WORD + 4 * self.n_dimensions:
            self._fail(None, f"the file is cut off in {place}")
        self._fail(None, f"{place} does not begin with a word: no word2vec-binary file")


def _header(line: bytes) -> tuple[int, int] | None:
    """Read the number of words and of dimensions, if the line has just these."""
    fields = line.split()
    if len(fields) != 2 or not all(entry.isdigit() for entry in fields):
        return None
    n_words, n_dimensions = map(int, fields)
    return (n_words, n_dimensions) if n_dimensions else None


def _guess_format(head: tuple[int, int] | None, file: BinaryIO) -> str:
    if head is None:
        return "glove"
    # The first entry as text would be one line of one word and so many numbers.
    numbers = file.readline(_LONGEST_WORD + 40 * head[1]).rstrip().split(b" ")[1:]
    try:
        np.array(numbers, dtype=np.float64)
    except ValueError:
        return "word2vec-binary"
    return "word2vec-text" if len(numbers) == head[1] else "word2vec-binary"


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file, or raise DataFormatError if there is none."""
    found = Path(path)
    if not found.is_file():
        raise DataFormatError(found, None, "there is no such file of word vectors")
    return found
