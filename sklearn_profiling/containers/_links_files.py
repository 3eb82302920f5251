"""Links files, read line by line into codes of users."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import numpy as np

from sklearn_profiling.containers._edges import Codes, OnUnknown, Weights
from sklearn_profiling.exceptions import DataFormatError

LinksFormat = Literal["fans", "edges"]
OnBadLines = Literal["error", "skip"]

_CHUNK_BYTES = 1 << 24


class _BadLineError(Exception):
    """A line breaks its format."""


class Links(NamedTuple):
    """The content of a links file; weights are None if the file has none."""

    sources: Codes
    targets: Codes
    weights: Weights | None
    ids: list[str]


class _Chunk(NamedTuple):
    """Users and links of some lines, with the line of each."""

    users: list[str]
    user_lines: list[int]
    sources: list[str]
    targets: list[str]
    weights: list[float]
    link_lines: list[int]


class _Codes(dict[str, int]):
    """Codes of ids; a new id gets the next code."""

    def __missing__(self, key: str) -> int:
        code = self[key] = len(self)
        return code

    def encode(self, ids: list[str]) -> Codes:
        return np.fromiter(map(self.__getitem__, ids), dtype=np.int32, count=len(ids))


@dataclass
class _Reader:
    """A links file with its settings and counts."""

    path: str | PathLike[str]
    encoding: str
    separator: str
    header: bool
    on_bad_lines: OnBadLines
    bad_lines: Counter[str] = field(default_factory=Counter)
    blank_lines: int = 0
    n_lines: int = 0
    n_fields: int = 0

    def fail(self, line: int, kind: str, detail: str) -> None:
        if self.on_bad_lines == "error":
            raise DataFormatError(self.path, line, detail)
        self.bad_lines[kind] += 1

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the first line of a chunk, and its lines."""
        start = 1
        for raw in self._raw_chunks():
            yield start, self._decode(raw, start)
            start += len(raw)
            self.n_lines += len(raw)
        if start == 1:
            raise DataFormatError(self.path, None, "the file is empty.")

    def _raw_chunks(self) -> Iterator[list[bytes]]:
        zipped = Path(self.path).suffix == ".gz"
        opener = cast("Callable[..., IO[bytes]]", gzip.open if zipped else open)
        with opener(self.path, "rb") as stream:
            while True:
                try:
                    raw = stream.readlines(_CHUNK_BYTES)
                except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                    raise DataFormatError(
                        self.path, None, f"the gzip file is broken or cut off: {error}."
                    ) from error
                if not raw:
                    return
                yield raw

    def _decode(self, raw: list[bytes], start: int) -> list[str]:
        try:
            text = b"".join(raw).decode(self.encoding)
        except UnicodeDecodeError:
            return [self._decode_line(line, start + n) for n, line in enumerate(raw)]
        lines = text.split("\n")
        # The last line of a chunk ends in a newline, except at the file's end.
        return lines[: len(raw)]

    def _decode_line(self, line: bytes, number: int) -> str:
        try:
            return line.decode(self.encoding).rstrip("\n")
        except UnicodeDecodeError as error:
            self.fail(
                number,
                "encoding",
                f"not {self.encoding}: {error.reason} at byte {error.start}. Another "
                "encoding is set by encoding=.",
            )
            self.blank_lines -= 1  # counted as bad, and passed on as blank
            return ""

    def chunks(self, kind: LinksFormat) -> Iterator[_Chunk]:
        parse = self._parse_fans if kind == "fans" else self._parse_edges
        for start, lines in self.lines():
            chunk = _Chunk([], [], [], [], [], [])
            for number, line in enumerate(lines, start):
                if number == 1 and self.header:
                    continue
                text = line.rstrip("\r").removeprefix("\ufeff" if number == 1 else "")
                if not text or text.isspace():
                    self.blank_lines += 1
                    continue
                try:
                    _refuse_nul(text)
                    parse(text, number, chunk)
                except _BadLineError as error:
                    reason = str(error)
                    self.fail(
                        number,
                        reason.partition(":")[0],
                        f"{reason}; got {line[:80]!r}.",
                    )
            yield chunk

    def _parse_fans(self, text: str, number: int, chunk: _Chunk) -> None:
        user, *fans = text.split()
        if user == "None":
            msg = "the first id of a line must not be None"
            raise _BadLineError(msg)
        fans = [fan for fan in fans if fan != "None"]
        chunk.users.append(user)
        chunk.user_lines.append(number)
        chunk.sources.extend(fans)
        chunk.targets.extend([user] * len(fans))
        chunk.link_lines.extend([number] * len(fans))

    def _parse_edges(self, text: str, number: int, chunk: _Chunk) -> None:
        fields = text.split(self.separator)
        self.n_fields = self.n_fields or min(max(len(fields), 2), 3)
        if len(fields) != self.n_fields:
            raise _BadLineError(
                f"number of fields: {self.n_fields} separated by {self.separator!r} "
                "are needed, as in the lines before"
                if self.n_fields == 3 or len(fields) > 1
                else f"number of fields: 2 or 3 separated by {self.separator!r} are "
                "needed"
            )
        source, target = fields[0].strip(), fields[1].strip()
        if not source or not target:
            msg = "an id is empty"
            raise _BadLineError(msg)
        if self.n_fields == 3:
            chunk.weights.append(_weight(fields[2]))
        chunk.sources.append(source)
        chunk.targets.append(target)
        chunk.link_lines.append(number)


def _refuse_nul(text: str) -> None:
    if "\x00" in text:
        msg = "a NUL character: the file may be damaged"
        raise _BadLineError(msg)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0.0 < weight < float("inf"):
        msg = f"weight: a finite number above 0 is needed, not {text!r}"
        raise _BadLineError(msg)
    return weight


def read_links(
    path: str | PathLike[str],
    *,
    kind: LinksFormat,
    ids: list[str] | None,
    on_unknown: OnUnknown,
    on_bad_lines: OnBadLines,
    encoding: str,
    separator: str,
    header: bool,
    report: dict[str, Any],
) -> Links:
    """Read a links file (``.gz`` is decompressed) chunk by chunk.

    `ids` are the known users; what was read and left out is counted in `report`.
    """
    reader = _Reader(path, encoding, separator, header, on_bad_lines)
    codes = _Codes((name, code) for code, name in enumerate(ids or []))
    n_known = len(codes)
    closed = ids is not None and on_unknown != "add"
    parts: list[tuple[Codes, Codes, Weights]] = []
    report.update(edges=0, unknown_dropped=0)
    for chunk in reader.chunks(kind):
        columns = [
            (chunk.users, chunk.user_lines),
            (chunk.sources, chunk.link_lines),
            (chunk.targets, chunk.link_lines),
        ]
        encoded = [codes.encode(names) for names, _ in columns]
        if closed and on_unknown == "error":
            for (names, lines), numbers in zip(columns, encoded, strict=True):
                _refuse_unknown(path, names, lines, numbers >= n_known)
        _, sources, targets = encoded
        weights = np.asarray(chunk.weights, dtype=np.float32)
        report["edges"] += len(sources)
        if closed:
            keep = (sources < n_known) & (targets < n_known)
            report["unknown_dropped"] += int((~keep).sum())
            sources, targets = sources[keep], targets[keep]
            weights = weights[keep] if len(weights) else weights
        parts.append((sources, targets, weights))
    report.update(
        lines=reader.n_lines,
        blank_lines=reader.blank_lines,
        bad_lines=dict(reader.bad_lines),
        users_added=0 if ids is None or closed else len(codes) - n_known,
    )
    names = list(codes)
    return Links(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]) if reader.n_fields == 3 else None,
        names[:n_known] if closed else names,
    )


def _refuse_unknown(
    path: str | PathLike[str], names: list[str], lines: list[int], unknown: Any
) -> None:
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataFormatError(
            path,
            lines[row],
            f"user {names[row]!r} is not among the given ids; on_unknown='drop' would "
            "leave such links out, on_unknown='add' take such users in.",
        )
