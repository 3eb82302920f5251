"""Files of word vectors, read one entry at a time."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from itertools import chain, islice
from os.path import lexists
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling._bounds import check_file, longest_line, read_blocks
from sklearn_profiling._packed_files import open_text, packing
from sklearn_profiling.exceptions import DataFormatError, DataQualityWarning, shortened

__all__ = ["FORMATS", "VectorFile", "existing_file"]

FORMATS = ("word2vec-text", "word2vec-binary", "glove", "gensim")
_CHUNK = 1 << 20
# No word is longer; a binary file whose entries have slipped shows here.
_LONGEST_WORD = 1 << 12
_LONGEST_LINE = 1 << 20
_LONGEST_REASON = 120  # characters of NumPy's reason, which repeats what was found
# So many lines say how many numbers a line has, where most words are one column.
_SAMPLE = 100
_DECIMAL = re.compile(rb"[+-]?\d*\.\d+(e[+-]?\d+)?|[+-]?\d+e[+-]?\d+", re.IGNORECASE)
#: 64 bits hold it.
_COUNT = re.compile(rb"\d{1,18}")
_INTEGER = re.compile(rb"[+-]?\d+")
_UNPACK = "unpack it, or pack it with gzip, bzip2, xz, zstandard or zip"
_FOREIGN = (
    (
        b"\xba\x16\x4f\x2f",
        "a fastText model (.bin), not its vectors; give the .vec file beside it",
    ),
    (b"\x93NUMPY", "a NumPy array (.npy), which holds no words"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1\x15", "a Parquet file"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive; {_UNPACK}"),
    (b"Rar!\x1a", f"a RAR archive; {_UNPACK}"),
    (b"version https://git-lfs", "a Git LFS pointer; download the file it stands for"),
)


@dataclass
class VectorFile:
    """A file of word vectors in one of :data:`FORMATS`; archives show by content.

    With `skip_bad`, entries that break the format are counted in ``skipped`` by reason
    instead of raising. ``n_declared`` is the number of words in the first line, if any.
    gensim's own files are pickles and are loaded only if `trusted`. `hint` says what
    to do about a first line that is off.
    """

    path: Path
    format: str
    encoding: str = "utf-8"
    skip_bad: bool = False
    member: str | None = None
    trusted: bool = False
    hint: str = "on_bad_lines='skip' reads the file all the same"
    n_declared: int | None = field(default=None, init=False)
    n_dimensions: int = field(default=0, init=False)
    n_read: int = field(default=0, init=False)
    skipped: dict[str, int] = field(default_factory=dict, init=False)
    _keyed: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        with self._opened() as file:
            start = file.peek(512)[:512]
            if _is_pickle(start) or self.format == "gensim":
                self._load_keyed(start)
                return
            if (name := _foreign_format(start)) is not None:
                self._fail(None, f"the file is {name}")
            head = _header(first := file.readline(_LONGEST_LINE))
            if not first.strip():
                self._fail(1, "the file is empty")
            if head is None and b"\0" in start:
                self._fail(1, "the file is binary, and of no format that is known")
            if self.format == "glove" or (self.format == "auto" and head is None):
                self.format = "glove"
                self._find_dimensions(first, file)
            else:
                self._take_header(head, first, file)

    def _take_header(
        self, head: tuple[int, int] | None, first: bytes, file: BinaryIO
    ) -> None:
        """Believe the first line, unless the lines that follow have other numbers."""
        if head is None:
            reason = (
                "expected the number of words and of dimensions, as every "
                f"{self.format} file has in its first line; found {first[:60]!r}"
            )
            self._fail(1, reason)
        self.n_declared, self.n_dimensions = head
        if self.format == "word2vec-binary":
            return
        longest = min(_LONGEST_WORD + 40 * head[1], longest_line())
        found = _numbers_a_line(file, longest)
        likely, n_lines = _most(found)
        # one line may be broken; two that agree, and none as stated, are no accident
        off = likely > 1 and n_lines > max(1, len(found) // 2) and head[1] not in found
        if self.format == "auto":
            is_text = found[:1] == [head[1]] or 2 * found.count(head[1]) > len(found)
            self.format = "word2vec-text" if is_text or off else "word2vec-binary"
        if off and self.format == "word2vec-text":
            self._doubt(
                f"the first line states {head[1]} dimensions and most lines after it "
                f"hold {likely} numbers"
            )
            self.n_dimensions = likely

    def _find_dimensions(self, first: bytes, file: BinaryIO) -> None:
        """Take the number of numbers that most of the first lines end in."""
        found = [_n_numbers(first), *_numbers_a_line(file, _LONGEST_LINE, _SAMPLE - 1)]
        self.n_dimensions, _ = _most(found)
        n_columns = len(_columns(first))
        if not self.n_dimensions or (self.n_dimensions == 1 and n_columns > 2):
            reason = (
                "expected a word and its numbers, separated by blanks or tabs; "
                f"found {first[:60]!r}"
            )
            self._fail(1, reason)

    def _opened(self) -> AbstractContextManager[BufferedReader]:
        return open_text(self.path, self.member)

    def _load_keyed(self, start: bytes) -> None:
        """Load gensim's own file, which is a pickle, through gensim."""
        if not _is_pickle(start):
            self._fail(None, "expected a file that gensim's save() wrote, a pickle")
        if not self.trusted:
            reason = (
                "the file is a pickle, as gensim's save() writes (.kv, .model), and a "
                "pickle can run any code when it is loaded. Pass trusted=True if you "
                "trust its origin, or save it with save_word2vec_format()"
            )
            self._fail(None, reason)
        from gensim.models import KeyedVectors

        try:
            model = KeyedVectors.load(os.fspath(self.path))
        except Exception as error:  # a pickle may raise anything
            reason = f"gensim cannot load it: {type(error).__name__}: {error}"
            raise DataFormatError(self.path, None, reason) from error
        keyed = getattr(model, "wv", model)
        if not isinstance(keyed, KeyedVectors):
            kind = type(keyed).__name__
            self._fail(None, f"expected gensim's KeyedVectors or a model; found {kind}")
        self.format, self._keyed = "gensim", keyed
        self.n_dimensions = int(keyed.vector_size)

    def _doubt(self, reason: str) -> None:
        """Raise about the first line, or warn where faults are skipped."""
        if not self.skip_bad:
            self._fail(None, f"{reason}; {self.hint}")
        self._warn(reason)

    def _warn(self, reason: str) -> None:
        warnings.warn(f"{self.path}: {reason}", DataQualityWarning, stacklevel=2)

    def _fail(self, line: int | None, reason: str) -> NoReturn:
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
        readers = {"word2vec-binary": self._binary, "gensim": self._gensim}
        read = readers.get(self.format, self._text)
        with self._opened() as file:
            for line, word, vector in read(file, wanted, max_words):
                if word in seen:
                    reason = (
                        f"{shortened(word)} stands twice, first in entry {seen[word]}"
                    )
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
        blocks = read_blocks(self.path, file, _CHUNK, offset)
        lines = chain.from_iterable(map(BytesIO, blocks))
        for line, raw in enumerate(lines, 1 + offset):
            if self.n_read == max_words:
                return
            entry = raw.rstrip(b" \r\n\t")
            if not entry:
                continue
            self.n_read += 1
            word, _, numbers = entry.partition(b" ")
            columns = numbers.count(b" ") + 1 if numbers else 0
            if columns != self.n_dimensions or b"\t" in entry:
                word, numbers = self._parted(entry)
            if not numbers:
                reason = (
                    f"expected a word and {self.n_dimensions} numbers; found "
                    f"{len(_columns(entry)) - 1} columns after {word[:40]!r}"
                )
                self._bad(line, "wrong number of columns", reason)
                continue
            text = self._decoded(word, line)
            if text is None or not wanted(text):
                continue
            vector = self._parsed(numbers, line, text)
            if vector is not None:
                yield line, text, vector
        if self.n_read != max_words:
            self._check_number()

    def _parted(self, entry: bytes) -> tuple[bytes, bytes]:
        """Part a word, maybe with blanks, from its numbers; without them if in doubt.

        A word with blanks holds no number that could be one of the vector: ". . ." and
        "windows 95" before decimals are words, "a 0.5" is not.
        """
        parts = entry.rsplit(None, self.n_dimensions)
        if len(parts) != 1 + self.n_dimensions:  # none where a line holds a form feed
            return _columns(entry)[0], b""
        word, *numbers = parts
        more = _columns(word)[1:]
        if more:
            integers = all(map(_INTEGER.fullmatch, numbers))
            number = _INTEGER if integers else _DECIMAL
            if any(map(number.fullmatch, more)) or _n_numbers(entry) < len(numbers):
                return _columns(entry)[0], b""
        return word.lstrip(b" \t"), b" ".join(numbers)

    def _parsed(
        self, numbers: bytes, line: int, word: str
    ) -> NDArray[np.float32] | None:
        try:
            vector = np.array(numbers.split(b" "), dtype=np.float64)
        except ValueError as error:
            reason = (
                f"the vector of {shortened(word)} holds something else than numbers: "
                f"{str(error)[:_LONGEST_REASON]}"
            )
            self._bad(line, "not a number", reason)
            return None
        return self._finite(vector, line, word)

    def _finite(
        self, vector: NDArray[np.floating], line: int | None, word: str
    ) -> NDArray[np.float32] | None:
        # compared, not cast: what float32 cannot hold must not become infinite
        if not (np.abs(vector) <= np.finfo(np.float32).max).all():
            reason = (
                f"the vector of {shortened(word)} holds a number that is not finite"
            )
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
            self._doubt(
                f"the first line states {self.n_declared} words and the file holds "
                f"{self.n_read}: it is cut off or the line is wrong"
            )

    def _gensim(
        self,
        file: BinaryIO,  # noqa: ARG002 - gensim opened it
        wanted: Callable[[str], bool],
        max_words: int | None,
    ) -> Iterator[tuple[None, str, NDArray[np.float32]]]:
        # gensim may have allocated more rows than it filled
        pairs = zip(self._keyed.index_to_key, self._keyed.vectors, strict=False)
        for key, numbers in islice(pairs, max_words):
            self.n_read += 1
            if not wanted(word := str(key)):
                continue
            vector = self._finite(numbers, None, word)
            if vector is not None:
                yield None, word, vector

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
            if at == len(buffer):
                break
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
        if self.n_read != max_words:
            self._check_number()
            if (buffer[at:] + file.read(_LONGEST_WORD)).strip():
                self._warn(
                    f"the file goes on after the {self.n_declared} words of its first "
                    "line; what follows was not read"
                )

    def _slipped(self, n_left: int) -> None:
        place = f"entry {self.n_read + 1} of {self.n_declared}"
        if n_left <= _LONGEST_WORD + 4 * self.n_dimensions:
            self._fail(None, f"the file is cut off in {place}")
        self._fail(None, f"{place} does not begin with a word: no word2vec-binary file")


def _is_pickle(start: bytes) -> bool:
    """Tell whether a file begins as a pickle of protocol 2 to 5."""
    return start[:1] == b"\x80" and start[1:2] in {b"\2", b"\3", b"\4", b"\5"}


def _foreign_format(start: bytes) -> str | None:
    """Name a format without readable word vectors by the first bytes, unpacked."""
    for magic, name in _FOREIGN:
        if start.startswith(magic):
            return name
    if (packer := packing(start)) != "plain":  # as in a zip archive of .gz files
        return f"a {packer} archive within another; unpack the outer one"
    if start[257:262] == b"ustar":
        return f"a tar archive; {_UNPACK}"
    return None


def _header(line: bytes) -> tuple[int, int] | None:
    """Read the number of words and of dimensions, if the line has just these."""
    fields = line.split()
    if len(fields) != 2 or not all(map(_COUNT.fullmatch, fields)):
        return None
    n_words, n_dimensions = map(int, fields)
    return (n_words, n_dimensions) if n_dimensions else None


def _columns(line: bytes) -> list[bytes]:
    return line.split() or [b""]


def _n_numbers(line: bytes) -> int:
    """Count the numbers that end a line, behind one column at the least."""
    numbers = 0
    for column in reversed(line.split()[1:]):
        try:
            float(column)
        except ValueError:
            break
        numbers += 1
    return numbers


def _numbers_a_line(file: BinaryIO, longest: int, n_lines: int = _SAMPLE) -> list[int]:
    """Count the numbers that end each of the next lines, blank ones left out."""
    found: list[int] = []
    while len(found) < n_lines and (line := file.readline(longest)):
        if line.strip():
            found.append(_n_numbers(line))
    return found


def _most(found: list[int]) -> tuple[int, int]:
    """Return the commonest number but 0, the first of equals, and how often it is."""
    counts = Counter(number for number in found if number)
    return counts.most_common(1)[0] if counts else (0, 0)


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file, or raise DataFormatError if there is none."""
    found = Path(path)
    if not lexists(found):
        raise DataFormatError(found, None, "there is no such file of word vectors")
    check_file(found)
    return found
