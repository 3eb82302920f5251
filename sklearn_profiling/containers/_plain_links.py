"""Blocks of links in which every line is plain, read by compiled loops.

A block is plain if each of its lines holds links of ASCII ids, without quotes,
comments, headers, blank lines or faults. Whatever else a file holds is read line by
line, to the same links.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers._edges import weight_of
from sklearn_profiling.containers._ids import Codes
from sklearn_profiling.containers._links_formats import Columns, Layout, LinksFormat

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]

#: Blocks below are read line by line before numba would be loaded.
PLAIN_FROM: Final = 1 << 16
# places in a block are int32
_LARGEST_BLOCK: Final = (1 << 31) - 1
#: Of the table of ids, and numbers whose entries are kept beside it.
_FEWEST_SLOTS: Final = 1 << 12
# those in which bytes below 128 mean ASCII and nothing else
_ENCODINGS: Final = frozenset({"ascii", "cp1252", "gb18030", "iso8859-1", "utf-8"})


def _ends_of_runs() -> npt.NDArray[np.bool_]:
    """Tell the bytes that end a line, or make it one that is not plain."""
    ends = np.ones(256, dtype=np.bool_)
    ends[[ord("\t"), *range(32, 127)]] = False
    ends[[*b'"#%[{']] = True
    return ends


_ENDS: Final = _ends_of_runs()


@dataclass(frozen=True, slots=True)
class PlainChunk:
    """Places of ids in a block, (2, n) each: of users, sources and targets.

    Where targets are not given, `lines` are the numbers of the users that they are.
    `weights` are float64 (n,), none if each is 1. `n_missing` ids were None; `by_line`
    reads the block line by line.
    """

    by_line: Callable[[], Any]
    block: Bytes
    n_fields: int
    users: Places
    sources: Places
    targets: Places | None
    lines: Places
    weights: npt.NDArray[np.float64]
    n_lines: int
    n_missing: int

    def encode(self, numbering: IdNumbering) -> list[Codes]:
        """Return the codes of users, sources and targets, met in this order."""
        users = numbering.encode(self.block, self.users)
        sources = numbering.encode(self.block, self.sources)
        if self.targets is None:
            return [users, sources, users[self.lines]]
        return [users, sources, numbering.encode(self.block, self.targets)]


@dataclass(frozen=True, slots=True)
class PlainReader:
    """How links stand in plain lines of `n_fields`, of at least `n_least`."""

    kind: LinksFormat
    separator: str | None
    header: str | None
    n_fields: int
    n_least: int
    columns: Columns

    def read(self, block: bytes, by_line: Callable[[], Any]) -> PlainChunk | None:
        """Return the links of a block, None if it is not plain."""
        if self.header is not None and self.header.encode() in block:
            return None
        if len(block) > _LARGEST_BLOCK:
            return None
        n_fields = self.n_fields or self._count_fields(block.split(b"\n", 1)[0])
        data = np.frombuffer(block, dtype=np.uint8)
        n_lines = int((data == ord("\n")).sum()) + (not block.endswith(b"\n"))
        if self.kind == "fans":
            parts = _fans(data, n_lines)
        else:
            parts = self._links(data, n_lines, n_fields)
        if parts is None:
            return None
        return PlainChunk(by_line, data, n_fields, *parts)

    def _count_fields(self, line: bytes) -> int:
        """Return the number of fields, 2 or 3, that the first line tells."""
        separator = None if self.separator is None else self.separator.encode()
        return min(max(len(line.split(separator)), 2), 3)

    def _links(self, data: Bytes, n_lines: int, n_fields: int) -> Any:
        begins, ends = np.empty((2, 3, n_lines), dtype=np.int32)
        source, target, weight = self.columns
        weighted = weight is not None and weight < n_fields
        columns = np.array([source, target, weight if weighted else -1])
        found = _kernels().split_links(
            *(data, _ENDS, ord(self.separator or "\0"), self.n_least or n_fields),
            *(n_fields, columns, begins, ends),
        )
        if found < 0:
            return None
        weights = _weights(data, begins[2], ends[2]) if weighted else np.empty(0)
        if weights is None:
            return None
        sources, targets = np.stack([begins[:2], ends[:2]], axis=1)
        none = np.empty((2, 0), dtype=np.int32)
        return none, sources, targets, none[0], weights, n_lines, 0


def _fans(data: Bytes, n_lines: int) -> Any:
    users = np.empty((2, n_lines), dtype=np.int32)
    # two ids have a blank between them
    fans = np.empty((2, len(data) // 2 + 1), dtype=np.int32)
    lines = np.empty(fans.shape[1], dtype=np.int32)
    n_users, n_fans, n_missing = _kernels().split_fans(data, _ENDS, users, fans, lines)
    if n_users < 0:
        return None
    # copies, so that the room for the most fans is not kept
    sources, targets = fans[:, :n_fans].copy(), lines[:n_fans].copy()
    return users, sources, None, targets, np.empty(0), n_lines, n_missing


def _weights(
    data: Bytes, begins: Places, ends: Places
) -> npt.NDArray[np.float64] | None:
    """Return weights, None if one of them is none."""
    weights = np.empty(len(begins), dtype=np.float64)
    hard = np.empty(len(begins), dtype=np.int32)
    n_hard = _kernels().read_weights(data, begins, ends, weights, hard)
    for link in hard[:n_hard].tolist():
        value = weight_of(data[begins[link] : ends[link]].tobytes().decode())
        if value is None:
            return None
        weights[link] = value
    return weights


def plain_reader(layout: Layout, encoding: str, n_fields: int) -> PlainReader | None:
    """Return how plain lines of a layout are read, None if no line is plain.

    `n_fields` of 0 is told by the first line.
    """
    separator = layout.separator
    if (
        layout.attributes
        or layout.type_column is not None
        or codecs.lookup(encoding).name not in _ENCODINGS
        or not (layout.header or "").isascii()
        or not (len(separator or " ") == 1 and (separator or " ").isascii())
    ):
        return None
    columns: Columns = layout.columns or (0, 1, 2)
    n_least = 0
    if layout.kind == "fans":
        separator, n_fields = None, n_fields or 1
    elif layout.kind == "konect":
        separator, n_least, n_fields = None, 2, 4
    elif layout.optional_weight:
        columns, n_least, n_fields = (0, 1, 2), 2, 3
    elif layout.columns is not None and columns[2] is not None and separator == ";":
        return None  # decimals may have commas
    return PlainReader(
        layout.kind, separator, layout.header, n_fields, n_least, columns
    )


class IdNumbering:
    """Codes of ids that stand in blocks of bytes, each distinct one named once.

    `name` gives the codes of new ids, in the order in which they are met.
    """

    def __init__(self, name: Callable[[list[str]], Codes]) -> None:
        self._name = name
        self._n_entries = 0
        self._keys = np.empty(_FEWEST_SLOTS, dtype=np.uint64)
        self._entries = np.full(_FEWEST_SLOTS, -1, dtype=np.int32)
        self._names = np.empty(0, dtype=np.uint8)
        self._name_ends = np.zeros(1, dtype=np.int64)
        self._small = np.full(_FEWEST_SLOTS, -1, dtype=np.int32)
        self._codes = np.empty(0, dtype=np.int32)

    def encode(self, block: Bytes, places: Places) -> Codes:
        """Return the codes of ids, which begin and end at the places."""
        if not places.shape[1]:
            return np.empty(0, dtype=np.int32)
        begins, ends = places
        self._make_room(len(begins), int((ends - begins).sum()))
        numbers, firsts = np.empty((2, len(begins)), dtype=np.int32)
        n_before = self._n_entries
        self._n_entries = _kernels().number_ids(
            *(block, begins, ends, self._keys, self._entries, self._names),
            *(self._name_ends, self._small, n_before, numbers, firsts),
        )
        if self._n_entries > n_before:
            firsts = firsts[: self._n_entries - n_before]
            text = block.tobytes()
            new = [
                text[begin:end].decode() for begin, end in places[:, firsts].T.tolist()
            ]
            self._codes[n_before : self._n_entries] = self._name(new)
        codes: Codes = self._codes[numbers]
        return codes

    def _make_room(self, n_ids: int, n_bytes: int) -> None:
        """Make room for new ids of so many bytes in all."""
        most = self._n_entries + n_ids
        if 2 * most > len(self._keys):
            n_slots = 1 << (4 * most - 1).bit_length()
            keys = np.empty(n_slots, dtype=np.uint64)
            entries = np.full(n_slots, -1, dtype=np.int32)
            _kernels().move_entries(self._keys, self._entries, keys, entries)
            self._keys, self._entries = keys, entries
            known, n_known = self._small, len(self._small)
            self._small = np.full(n_slots, -1, dtype=np.int32)
            self._small[:n_known] = known
        self._codes = _grown(self._codes, most)
        self._name_ends = _grown(self._name_ends, most + 1)
        used = int(self._name_ends[self._n_entries])
        self._names = _grown(self._names, used + n_bytes)


def _grown(array: Any, size: int) -> Any:
    """Return an array of at least the size that begins as the given one."""
    if len(array) >= size:
        return array
    longer = np.empty(max(size, 2 * len(array)), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


def _kernels() -> Any:
    """Import what numba compiles as soon as it is needed."""
    from sklearn_profiling.containers import _plain_links_kernels

    return _plain_links_kernels
