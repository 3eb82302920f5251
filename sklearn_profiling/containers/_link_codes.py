"""Links between named users, gathered chunk by chunk into codes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers._edges import Block, OnUnknown
from sklearn_profiling.containers._ids import Codes
from sklearn_profiling.containers._plain_links import IdNumbering, PlainChunk
from sklearn_profiling.exceptions import DataFormatError, DataQualityWarning

_N_EXAMPLES = 3
# 32 MiB of codes, which no allocator keeps when they are freed
_LINKS_PER_BLOCK = 1 << 23
_UNKNOWN = -1
#: What Reddit puts in the place of an author.
DELETED_AUTHORS = frozenset({"[deleted]", "[removed]"})
# pandas makes whole numbers float where another row is missing
_FLOAT_ID = re.compile(r"(-?\d+)\.0+")
#: What spreadsheets make of an id of many digits; "1e3" may be an id.
ROUNDED_ID = re.compile(r"[+-]?\d(?:[.,]\d+[eE]\+?|[eE]\+)\d+")


@dataclass(slots=True)
class Chunk:
    """Users and links of some lines, with the line of each; no weights are all 1."""

    users: list[str] = field(default_factory=list)
    user_lines: list[int] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    link_lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Links:
    """Links by codes of users: the known users first, then the others as met.

    `linked` says which of the known users occur, (n_known,); `strangers` are examples
    of others. `n_read` links were read, and `n_unknown` of them left out.
    """

    blocks: list[Block]
    ids: list[str]
    linked: npt.NDArray[np.bool_]
    strangers: list[str]
    n_read: int
    n_unknown: int
    n_float_ids: int

    @property
    def n_known(self) -> int:
        """Number of users known beforehand."""
        return len(self.linked)

    def renumber(self, ranks: Codes) -> None:
        """Put the rank of each user in the place of its code."""
        for sources, targets, _ in self.blocks:
            for codes in (sources, targets):
                codes[:] = ranks[codes]


class _Numbering(dict[str, int]):
    """Codes of ids; a new id gets the next code, or none if closed.

    1.0 is the id 1, unless it is known as it stands.
    """

    def __init__(self, known: Iterable[str], *, closed: bool) -> None:
        self.names = list(known)
        super().__init__((name, code) for code, name in enumerate(self.names))
        self._closed = closed
        self.strangers: list[str] = []
        self.float_ids: set[str] = set()
        self.rounded: str | None = None

    def __missing__(self, key: str) -> int:
        if key.endswith("0") and (whole := _FLOAT_ID.fullmatch(key)):
            self.float_ids.add(key)
            return self[whole[1]]
        if "+" in key and ROUNDED_ID.fullmatch(key):
            self.rounded = self.rounded or key
        if len(self.strangers) < _N_EXAMPLES and key not in self.strangers:
            self.strangers.append(key)
        if self._closed:
            return _UNKNOWN
        code = self[key] = len(self.names)
        self.names.append(key)
        return code

    def encode(self, ids: list[str]) -> Codes:
        return np.fromiter(map(self.__getitem__, ids), dtype=np.int32, count=len(ids))


class _Gathering:
    """Links as they come, in blocks so large that their memory is given back."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._full = 0

    def add(self, sources: Codes, targets: Codes, weights: Any) -> None:
        """Append links; all of them have weights, or none has."""
        start = 0
        while start < len(sources):
            if not self.blocks or self._full == len(self.blocks[-1].sources):
                self._open(len(sources) - start, weighted=weights is not None)
            block = self.blocks[-1]
            stop = min(start + len(block.sources) - self._full, len(sources))
            place = slice(self._full, self._full + stop - start)
            block.sources[place] = sources[start:stop]
            block.targets[place] = targets[start:stop]
            if block.weights is not None:
                block.weights[place] = weights[start:stop]
            self._full, start = place.stop, stop

    def _open(self, n_links: int, *, weighted: bool) -> None:
        before = len(self.blocks[-1].sources) if self.blocks else 0
        size = min(max(n_links, 2 * before), _LINKS_PER_BLOCK)
        weights = np.empty(size, dtype=np.float32) if weighted else None
        sources, targets = (np.empty(size, dtype=np.int32) for _ in range(2))
        self.blocks.append(Block(sources, targets, weights))
        self._full = 0

    def close(self) -> list[Block]:
        """Return the blocks, the last one cut to its links."""
        if self.blocks:
            sources, targets, weights = self.blocks[-1]
            self.blocks[-1] = Block(
                sources[: self._full],
                targets[: self._full],
                None if weights is None else weights[: self._full],
            )
        return self.blocks


def collect_links(
    path: str | PathLike[str],
    chunks: Iterable[Chunk | PlainChunk],
    known: Sequence[str] = (),
    on_unknown: OnUnknown = "add",
    parameter: str = "on_unknown",
) -> Links:
    """Gather the links of a file; `parameter` is what the caller calls `on_unknown`."""
    codes = _Numbering(known, closed=on_unknown != "add")
    numbering = IdNumbering(codes.encode)
    linked = np.zeros(len(known), dtype=np.bool_)
    links = _Gathering()
    n_read = n_unknown = 0
    for chunk in chunks:
        if isinstance(chunk, PlainChunk):
            encoded = chunk.encode(numbering)
            failed = on_unknown == "error" and any((e < 0).any() for e in encoded)
            if failed or codes.rounded is not None:
                chunk = chunk.by_line()  # noqa: PLW2901 - it tells the lines
        if isinstance(chunk, Chunk):
            encoded = _encode_lines(path, chunk, codes, on_unknown, parameter)
        for part in encoded if len(known) else []:
            linked[part[(part >= 0) & (part < len(known))]] = True
        _, sources, targets = encoded
        weights = chunk.weights if len(chunk.weights) else None
        keep = (sources >= 0) & (targets >= 0)
        n_read += len(keep)
        if not keep.all():
            n_unknown += int((~keep).sum())
            sources, targets = sources[keep], targets[keep]
            weights = None if weights is None else np.asarray(weights)[keep]
        links.add(sources, targets, weights)
    return Links(
        links.close(),
        codes.names,
        linked,
        codes.strangers,
        n_read,
        n_unknown,
        len(codes.float_ids),
    )


def _encode_lines(
    path: str | PathLike[str],
    chunk: Chunk,
    codes: _Numbering,
    on_unknown: OnUnknown,
    parameter: str,
) -> list[Codes]:
    """Return the codes of users, sources and targets; refuse bad ids with the line."""
    columns = [
        (chunk.users, chunk.user_lines),
        (chunk.sources, chunk.link_lines),
        (chunk.targets, chunk.link_lines),
    ]
    encoded = [codes.encode(names) for names, _ in columns]
    if codes.rounded is not None:
        _refuse_rounded(path, columns, codes.rounded)
    if on_unknown == "error":
        _refuse_unknown(path, columns, encoded, parameter)
    return encoded


def _refuse_rounded(
    path: str | PathLike[str], columns: list[tuple[list[str], list[int]]], name: str
) -> None:
    """Raise an error about the first line with an id that was rounded."""
    line = min(
        line
        for names, lines in columns
        for each, line in zip(names, lines, strict=True)
        if each == name
    )
    reason = (
        f"{name!r:.60} is a rounded number, so the digits of the id are lost; write "
        "ids as text"
    )
    raise DataFormatError(path, line or None, reason)


def _refuse_unknown(
    path: str | PathLike[str],
    columns: list[tuple[list[str], list[int]]],
    encoded: list[Codes],
    parameter: str,
) -> None:
    """Raise an error about the first line with an unknown id."""
    unknown = [
        (lines[row], names[row])
        for (names, lines), part in zip(columns, encoded, strict=True)
        for row in np.flatnonzero(part == _UNKNOWN)[:1].tolist()
    ]
    if unknown:
        line, name = min(unknown)
        raise DataFormatError(
            path,
            line or None,
            f"unknown id: {name!r:.60} is no user; {parameter}='add' takes such ids "
            "in, 'drop' leaves their links out",
        )


def warn_of_strangers(
    path: str | PathLike[str], links: Links, *, stacklevel: int
) -> None:
    """Warn if links name others, and fewer than a tenth of ten users or more."""
    n_known, n_linked = links.n_known, int(links.linked.sum())
    if links.strangers and n_known >= 10 and 10 * n_linked < n_known:
        first = ", ".join(f"{name!r:.60}" for name in links.ids[:_N_EXAMPLES])
        others = ", ".join(f"{name!r:.60}" for name in links.strangers)
        msg = (
            f"{path}: only {n_linked} of {n_known} users occur in the links. "
            f"Users are for example {first}; ids in the links {others}."
        )
        warnings.warn(msg, DataQualityWarning, stacklevel=stacklevel + 1)
