"""Links files, read line by line into codes of users."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from sklearn_profiling._packed_files import open_text, text_encoding
from sklearn_profiling.containers._edges import (
    Codes,
    Duplicates,
    Ids,
    OnUnknown,
    Weights,
    build_adjacency,
    check_option,
    id_array,
    object_array,
    ranked,
    require_same_kind,
    require_unique,
)
from sklearn_profiling.containers._links_formats import (
    WHOLE_FORMATS,
    Layout,
    LinksFormat,
    detect,
    is_comment,
    split_attributes,
    split_fields,
)
from sklearn_profiling.containers._links_graphs import read_graph
from sklearn_profiling.exceptions import DataFormatError, DataQualityWarning

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
    linked: set[int]
    strangers: list[str]


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
    layout: Layout
    skip_first: bool
    on_bad_lines: OnBadLines
    bad_lines: Counter[str] = field(default_factory=Counter)
    blank_lines: int = 0
    comments: int = 0
    headers: int = 0
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
        with open_text(self.path) as stream:
            while raw := stream.readlines(_CHUNK_BYTES):
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

    def chunks(self) -> Iterator[_Chunk]:
        if self.layout.kind in WHOLE_FORMATS:
            yield self._whole()
            return
        self.n_fields = 3 if self.layout.attributes else self.layout.n_fields
        parse = self._parser()
        for start, lines in self.lines():
            chunk = _Chunk([], [], [], [], [], [])
            for number, line in enumerate(lines, start):
                text = line.rstrip("\r")
                if self._holds_no_link(text, number):
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

    def _parser(self) -> Callable[[str, int, _Chunk], None]:
        if self.layout.attributes:
            return self._parse_attributes
        if self.layout.columns is not None:
            return self._parse_columns
        kinds = {"fans": self._parse_fans, "konect": self._parse_konect}
        return kinds.get(self.layout.kind, self._parse_edges)

    def _holds_no_link(self, text: str, number: int) -> bool:
        """Whether a line is a header, blank or a comment, which are counted."""
        if (number == 1 and self.skip_first) or text == self.layout.header:
            self.headers += 1
        elif not text or text.isspace():
            self.blank_lines += 1
        elif text[0] in "#% \t" and is_comment(text):
            self.comments += 1
        else:
            return False
        return True

    @property
    def weighted(self) -> bool:
        """Whether links have weights."""
        columns = self.layout.columns
        return self.n_fields == 3 if columns is None else columns[2] is not None

    def _whole(self) -> _Chunk:
        """Read a file that scipy or networkx reads at once; a line is a link."""
        graph = read_graph(self.path, self.layout.kind, self.encoding)
        self.layout = self.layout._replace(symmetric=graph.symmetric)
        self.n_lines, self.n_fields = len(graph.sources), 3
        chunk = _Chunk(graph.users, [0] * len(graph.users), [], [], [], [])
        for source, target, value in zip(*graph[1:4], strict=True):
            try:
                chunk.weights.append(_weight(str(value)))
            except _BadLineError as error:
                if self.on_bad_lines == "error":
                    place = f"link from {source!r} to {target!r}: {error}."
                    raise DataFormatError(self.path, None, place) from error
                self.bad_lines["weight"] += 1
                continue
            chunk.sources.append(source)
            chunk.targets.append(target)
            chunk.link_lines.append(0)
        return chunk

    def _parse_fans(self, text: str, number: int, chunk: _Chunk) -> None:
        user, *fans = text.split()
        if user == "None":
            msg = "the first id of a line must not be None"
            raise _BadLineError(msg)
        if not fans and ("," in user or ";" in user):
            msg = "no fans: ids are separated by blanks in format 'fans'"
            raise _BadLineError(msg)
        fans = [fan for fan in fans if fan != "None"]
        chunk.users.append(user)
        chunk.user_lines.append(number)
        chunk.sources.extend(fans)
        chunk.targets.extend([user] * len(fans))
        chunk.link_lines.extend([number] * len(fans))

    def _split(self, text: str) -> list[str]:
        separator = self.layout.separator
        if '"' not in text:
            return text.split(separator)
        try:
            return split_fields(text, separator)
        except csv.Error as error:
            msg = f"quotes: {error}"
            raise _BadLineError(msg) from error

    def _parse_edges(self, text: str, number: int, chunk: _Chunk) -> None:
        fields = self._split(text)
        self.n_fields = self.n_fields or min(max(len(fields), 2), 3)
        if len(fields) != self.n_fields:
            separator = self.layout.separator
            raise _BadLineError(
                f"number of fields: {self.n_fields} separated by {separator!r} "
                "are needed, as in the lines before"
                if self.n_fields == 3 or len(fields) > 1
                else f"number of fields: 2 or 3 separated by {separator!r} are needed"
            )
        weight = fields[2] if self.n_fields == 3 else None
        _add(chunk, number, fields[0], fields[1], weight)

    def _parse_columns(self, text: str, number: int, chunk: _Chunk) -> None:
        fields = self._split(text)
        if len(fields) != self.n_fields:
            msg = (
                f"number of fields: {self.n_fields} are needed "
                f"({self.layout.describe()}), not {len(fields)}"
            )
            raise _BadLineError(msg)
        source, target, column = self.layout.columns or (0, 1, None)
        weight = None if column is None else fields[column]
        if weight is not None and self.layout.separator == ";":
            weight = weight.replace(",", ".")
        _add(chunk, number, fields[source], fields[target], weight)

    def _parse_konect(self, text: str, number: int, chunk: _Chunk) -> None:
        fields = text.split()
        if not 2 <= len(fields) <= 4:
            msg = "number of fields: two ids, and at most a weight and a time"
            raise _BadLineError(msg)
        self.n_fields = 3
        _add(chunk, number, fields[0], fields[1], (*fields[2:3], "1")[0])

    def _parse_attributes(self, text: str, number: int, chunk: _Chunk) -> None:
        try:
            source, target, weight = split_attributes(text)
        except ValueError as error:
            raise _BadLineError(str(error)) from error
        _add(chunk, number, source, target, weight)


def _add(
    chunk: _Chunk, number: int, source: str, target: str, weight: str | None
) -> None:
    source, target = source.strip(), target.strip()
    if not source or not target:
        msg = "an id is empty"
        raise _BadLineError(msg)
    if weight is not None:
        chunk.weights.append(_weight(weight))
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


def read_links_file(
    path: str | PathLike[str],
    *,
    kind: LinksFormat,
    directed: bool,
    ids: Sequence[str] | Ids | None,
    duplicates: Duplicates,
    on_unknown: OnUnknown,
    on_bad_lines: OnBadLines,
    encoding: str,
    separator: str | None,
    header: bool | Literal["auto"],
) -> tuple[Any, Ids, dict[str, Any]]:
    """Return the adjacency, the ids and the report of a links file."""
    check_option("format", kind, get_args(LinksFormat))
    check_option("duplicates", duplicates, ("sum", "max", "error"))
    check_option("on_unknown", on_unknown, ("error", "drop", "add"))
    check_option("on_bad_lines", on_bad_lines, ("error", "skip"))
    known: list[str] | None = None
    if ids is not None:
        given = id_array(ids, "ids")
        require_same_kind(given, object_array([""]), "ids and those of a text file")
        require_unique(given, "ids")
        known = given.tolist()
    encoding = text_encoding(path, encoding)
    layout = detect(
        path,
        kind=kind,
        encoding=encoding,
        separator=separator,
        header=header,
        directed=directed,
    )
    reader = _Reader(path, encoding, layout, header is True, on_bad_lines)
    report: dict[str, Any] = {}
    links = _read_links(reader, known, on_unknown, report)
    sources, targets, names = links.sources, links.targets, object_array(links.ids)
    if known is None:
        ranks, names = ranked(names)
        sources, targets = ranks[sources], ranks[targets]
    else:
        warn_of_strangers(path, known, links.linked, links.strangers, stacklevel=4)
    weights = links.weights
    if directed and reader.layout.symmetric:
        # a link without direction goes both ways
        sources, targets = np.r_[sources, targets], np.r_[targets, sources]
        weights = None if weights is None else np.r_[weights, weights]
        report["edges"] += len(sources) // 2
    report["edges"] -= report["unknown_dropped"]
    matrix = build_adjacency(
        sources,
        targets,
        weights,
        len(names),
        directed=directed,
        duplicates=duplicates,
        report=report,
    )
    report["edges"] += report["unknown_dropped"]
    return matrix, names, report


def _read_links(
    reader: _Reader,
    ids: list[str] | None,
    on_unknown: OnUnknown,
    report: dict[str, Any],
) -> Links:
    """Read a links file chunk by chunk.

    `ids` are the known users; what was read and left out is counted in `report`.
    """
    path = reader.path
    codes = _Codes((name, code) for code, name in enumerate(ids or []))
    n_known = len(codes)
    closed = ids is not None and on_unknown != "add"
    parts: list[tuple[Codes, Codes, Weights]] = []
    linked: set[int] = set()
    report.update(edges=0, unknown_dropped=0)
    for chunk in reader.chunks():
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
        if ids is not None:
            linked.update(*(np.unique(part[part < n_known]) for part in encoded))
        weights = np.asarray(chunk.weights, dtype=np.float32)
        report["edges"] += len(sources)
        if closed:
            keep = (sources < n_known) & (targets < n_known)
            report["unknown_dropped"] += int((~keep).sum())
            sources, targets = sources[keep], targets[keep]
            weights = weights[keep] if len(weights) else weights
        parts.append((sources, targets, weights))
    report.update(
        format=reader.layout.kind,
        taken_for=reader.layout.describe(),
        lines=reader.n_lines,
        blank_lines=reader.blank_lines,
        comments=reader.comments,
        headers=reader.headers,
        bad_lines=dict(reader.bad_lines),
        users_added=0 if ids is None or closed else len(codes) - n_known,
    )
    names = list(codes)
    return Links(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]) if reader.weighted else None,
        names[:n_known] if closed else names,
        linked,
        names[n_known : n_known + 3],
    )


def warn_of_strangers(
    path: str | PathLike[str],
    users: Sequence[str],
    linked: Collection[Any],
    strangers: Sequence[str],
    *,
    stacklevel: int,
) -> None:
    """Warn if links name others, and fewer than a tenth of ten users or more."""
    if strangers and len(users) >= 10 and 10 * len(linked) < len(users):
        first = ", ".join(map(repr, users[:3]))
        others = ", ".join(map(repr, strangers[:3]))
        msg = (
            f"{path}: only {len(linked)} of {len(users)} users occur in the links. "
            f"Users are for example {first}; ids in the links {others}."
        )
        warnings.warn(msg, DataQualityWarning, stacklevel=stacklevel)


def _refuse_unknown(
    path: str | PathLike[str], names: list[str], lines: list[int], unknown: Any
) -> None:
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataFormatError(
            path,
            lines[row] or None,
            f"user {names[row]!r} is not among the given ids; on_unknown='drop' would "
            "leave such links out, on_unknown='add' take such users in.",
        )
