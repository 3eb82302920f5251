"""Links files, read line by line into codes of users."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from os import PathLike
from typing import Any, Literal, get_args

from sklearn_profiling._bounds import bounded, read_blocks
from sklearn_profiling._packed_files import check_encodings, open_text, text_encoding
from sklearn_profiling.containers._edges import (
    Block,
    Duplicates,
    OnUnknown,
    build_adjacency,
    check_option,
    weight_of,
)
from sklearn_profiling.containers._ids import (
    Ids,
    id_array,
    object_array,
    ranked,
    require_same_kind,
    require_unique,
)
from sklearn_profiling.containers._link_codes import (
    DELETED_AUTHORS,
    Chunk,
    Links,
    collect_links,
    warn_of_strangers,
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
from sklearn_profiling.containers._plain_links import (
    PLAIN_FROM,
    PlainChunk,
    plain_reader,
)
from sklearn_profiling.exceptions import DataFormatError, shortened

OnBadLines = Literal["error", "skip"]

_CHUNK_BYTES = 1 << 20


class _BadLineError(Exception):
    """A line breaks its format."""


class _DeletedError(Exception):
    """A link of an author who was deleted."""


@dataclass
class LinksFile:
    """A links file with its settings and counts."""

    path: str | PathLike[str]
    encoding: str
    layout: Layout
    directed: bool
    skip_first: bool
    on_bad_lines: OnBadLines
    bad_lines: Counter[str] = field(default_factory=Counter)
    blank_lines: int = 0
    comments: int = 0
    headers: int = 0
    n_lines: int = 0
    n_used: int = 0
    missing_ids: int = 0
    n_fields: int = 0

    def fail(self, line: int, kind: str, detail: str) -> None:
        if self.on_bad_lines == "error":
            raise DataFormatError(self.path, line, detail)
        self.bad_lines[kind] += 1

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

    def chunks(self) -> Iterator[Chunk | PlainChunk]:
        """Yield the users and links of some lines at a time."""
        if self.layout.kind in WHOLE_FORMATS:
            yield self._whole()
            return
        self.n_fields = 3 if self.layout.attributes else self.layout.n_fields
        with open_text(self.path) as stream:
            for block in read_blocks(self.path, stream, _CHUNK_BYTES):
                chunk = self._plain(block) if len(block) >= PLAIN_FROM else None
                yield chunk or self._by_line(block, self.n_lines + 1)
        if not self.n_lines:
            raise DataFormatError(self.path, None, "the file is empty.")
        if self.bad_lines:
            self.require_links()

    def _plain(self, block: bytes) -> PlainChunk | None:
        """Read a block if all of its lines are plain."""
        if self.skip_first and not self.n_lines:
            return None
        reader = plain_reader(self.layout, self.encoding, self.n_fields)
        by_line = partial(self._by_line, block, self.n_lines + 1)
        if reader is None or (chunk := reader.read(block, by_line)) is None:
            return None
        self.n_lines += chunk.n_lines
        self.n_used += chunk.n_lines
        self.missing_ids += chunk.n_missing
        self.n_fields = chunk.n_fields
        return chunk

    def _by_line(self, block: bytes, start: int) -> Chunk:
        """Read a block line by line; `start` is the number of the first one."""
        raw = BytesIO(block).readlines()
        parse = self._parser()
        chunk = Chunk()
        for number, line in enumerate(self._decode(raw, start), start):
            text = line.rstrip("\r")
            if self._holds_no_link(text, number):
                continue
            try:
                self._refuse(text)
                parse(text, number, chunk)
                self.n_used += 1
            except _DeletedError:
                self.bad_lines["deleted author"] += 1
            except _BadLineError as error:
                reason = str(error)
                self.fail(
                    number,
                    reason.partition(":")[0],
                    f"{reason}; got {line[:60]!r}.",
                )
        self.n_lines += len(raw)
        return chunk

    def _refuse(self, text: str) -> None:
        """Refuse what is in no line of any format."""
        if "\x00" in text:
            msg = "a NUL character: the file may be damaged"
        elif "\r" in text:
            msg = "a carriage return: lines must end in a line feed"
        elif "#" in text and self.layout.separator is None and "#" in text.split():
            msg = "a comment behind a link: comments have lines of their own"
        else:
            return
        raise _BadLineError(msg)

    def require_links(self) -> None:
        """Refuse a file without any line of links."""
        if not self.n_used and self.layout.kind not in WHOLE_FORMATS:
            skipped = dict(self.bad_lines) or "nothing but headers, comments and blanks"
            reason = f"no usable line among {self.n_lines}: {skipped}."
            raise DataFormatError(self.path, None, reason)

    def both_ways(self, links: Links) -> list[Block]:
        """Return links, to and fro where they have no direction and one is asked."""
        if self.directed and self.layout.symmetric:
            turned = [Block(b.targets, b.sources, b.weights) for b in links.blocks]
            links.blocks.extend(turned)
        return links.blocks

    def report(self) -> dict[str, Any]:
        """Return what the file was taken for, and the counts of its lines."""
        return {
            "format": self.layout.kind,
            "taken_for": self.layout.describe(),
            "lines": self.n_lines,
            "lines_used": self.n_used,
            "blank_lines": self.blank_lines,
            "comments": self.comments,
            "headers": self.headers,
            "bad_lines": dict(self.bad_lines),
            "missing_ids": self.missing_ids,
        }

    def _parser(self) -> Callable[[str, int, Chunk], None]:
        if self.layout.attributes:
            return self._parse_attributes
        if self.layout.optional_weight:
            return self._parse_optional
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

    def _whole(self) -> Chunk:
        """Read a file that scipy or networkx reads at once; a line is a link."""
        graph = read_graph(
            self.path, self.layout.kind, self.encoding, directed=self.directed
        )
        self.layout = self.layout._replace(symmetric=graph.symmetric)
        self.n_lines, self.n_fields = len(graph.sources), 3
        chunk = Chunk(graph.users, [0] * len(graph.users))
        for source, target, value in zip(*graph[1:4], strict=True):
            try:
                chunk.weights.append(_weight(str(value)))
            except _BadLineError as error:
                if self.on_bad_lines == "error":
                    ends = f"{source!r:.60} to {target!r:.60}"
                    place = f"link from {ends}: {error}."
                    raise DataFormatError(self.path, None, place) from error
                self.bad_lines["weight"] += 1
                continue
            chunk.sources.append(source)
            chunk.targets.append(target)
            chunk.link_lines.append(0)
        self.n_used = len(chunk.sources)
        return chunk

    def _parse_fans(self, text: str, number: int, chunk: Chunk) -> None:
        user, *fans = text.split()
        if user == "None":
            msg = "the first id of a line must not be None"
            raise _BadLineError(msg)
        if not fans and ("," in user or ";" in user):
            msg = "no fans: ids are separated by blanks in format 'fans'"
            raise _BadLineError(msg)
        if "None" in fans:
            self.missing_ids += fans.count("None")
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

    def _parse_edges(self, text: str, number: int, chunk: Chunk) -> None:
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

    def _parse_columns(self, text: str, number: int, chunk: Chunk) -> None:
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
        both = self.directed and self.layout.type_column is not None
        if both and fields[self.layout.type_column or 0].lower() == "undirected":
            _add(chunk, number, fields[target], fields[source], weight)

    def _parse_optional(self, text: str, number: int, chunk: Chunk) -> None:
        fields = self._split(text)
        if not 2 <= len(fields) <= 3:
            msg = "number of fields: two ids and at most a weight are needed"
            raise _BadLineError(msg)
        _add(chunk, number, fields[0], fields[1], (*fields[2:], "1")[0])

    def _parse_konect(self, text: str, number: int, chunk: Chunk) -> None:
        fields = text.split()
        if not 2 <= len(fields) <= 4:
            msg = "number of fields: two ids, and at most a weight and a time"
            raise _BadLineError(msg)
        self.n_fields = 3
        _add(chunk, number, fields[0], fields[1], (*fields[2:3], "1")[0])

    def _parse_attributes(self, text: str, number: int, chunk: Chunk) -> None:
        try:
            source, target, weight = split_attributes(text)
        except ValueError as error:
            raise _BadLineError(str(error)) from error
        _add(chunk, number, source, target, weight)


def _add(
    chunk: Chunk, number: int, source: str, target: str, weight: str | None
) -> None:
    source, target = source.strip(), target.strip()
    if not source or not target:
        msg = "an id is empty"
        raise _BadLineError(msg)
    if source[0] in "[{" or target[0] in "[{":
        _check_brackets(source, target)
    if weight is not None:
        chunk.weights.append(_weight(weight))
    chunk.sources.append(source)
    chunk.targets.append(target)
    chunk.link_lines.append(number)


def _check_brackets(*ids: str) -> None:
    if not DELETED_AUTHORS.isdisjoint(ids):
        raise _DeletedError
    if any(re.search(r"""^[\[{].*["',:]""", name) for name in ids):
        msg = "an id is a list: one link a line is needed, and all ids as text"
        raise _BadLineError(msg)


def _weight(text: str) -> float:
    weight = weight_of(text)
    if weight is None:
        needed = "a finite number above 0 is needed, within float32"
        msg = f"weight: {needed}, not {shortened(text)}"
        raise _BadLineError(msg)
    return weight


def open_links_file(
    path: str | PathLike[str],
    *,
    kind: LinksFormat = "auto",
    directed: bool = False,
    encoding: str = "utf-8",
    on_bad_lines: OnBadLines = "error",
    separator: str | None = None,
    header: bool | Literal["auto"] = "auto",
    guess: bool = False,
) -> LinksFile:
    """Find out how the links stand in a file; with `guess`, edges if in doubt."""
    (encoding,) = check_encodings(encoding)
    encoding = text_encoding(path, encoding)
    layout = detect(
        path,
        kind=kind,
        encoding=encoding,
        separator=separator,
        header=header,
        directed=directed,
        guess=guess,
    )
    return LinksFile(path, encoding, layout, directed, header is True, on_bad_lines)


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
    max_bytes: int | None,
) -> tuple[Any, Ids, dict[str, Any]]:
    """Return the adjacency, the ids and the report of a links file."""
    check_option("format", kind, get_args(LinksFormat))
    check_option("duplicates", duplicates, ("sum", "max", "error"))
    check_option("on_unknown", on_unknown, ("error", "drop", "add"))
    check_option("on_bad_lines", on_bad_lines, ("error", "skip"))
    known: list[str] = []
    if ids is not None:
        given = id_array(ids, "ids")
        require_same_kind(given, object_array([""]), "ids and those of a text file")
        require_unique(given, "ids")
        known = given.tolist()
    with bounded(max_bytes):
        file = open_links_file(
            path,
            kind=kind,
            directed=directed,
            encoding=encoding,
            on_bad_lines=on_bad_lines,
            separator=separator,
            header=header,
        )
        links = collect_links(
            path, file.chunks(), known, "add" if ids is None else on_unknown
        )
    names = object_array(links.ids)
    if ids is None:
        ranks, names = ranked(names)
        links.renumber(ranks)
    else:
        warn_of_strangers(path, links, stacklevel=3)
    blocks = file.both_ways(links)
    report: dict[str, Any] = {"edges": sum(len(sources) for sources, *_ in blocks)}
    matrix = build_adjacency(
        blocks,
        len(names),
        directed=directed,
        duplicates=duplicates,
        report=report,
    )
    report["edges"] += links.n_unknown
    report |= {
        "unknown_dropped": links.n_unknown,
        "users_added": 0 if ids is None else len(names) - len(known),
        "float_ids": links.n_float_ids,
        **file.report(),
    }
    return matrix, names, report
