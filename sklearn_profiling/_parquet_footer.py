"""Sizes that the footer of a Parquet file states, read without Arrow.

Arrow ends the process where a footer contradicts itself. The footer is a struct in the
compact protocol of Thrift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pyarrow as pa

__all__ = ["chunk_sizes"]

_MAGIC: Final = b"PAR1"
_MOST_NESTED: Final = 32
# Fields of the structs, as parquet.thrift numbers them.
_ROW_GROUPS, _COLUMNS, _META_DATA, _NUM_VALUES, _UNCOMPRESSED = 4, 1, 3, 5, 6
# Kinds of Thrift.
_STOP: Final = 0
_BOOLEANS: Final = (1, 2)
_BYTE: Final = 3
_INTEGERS: Final = (4, 5, 6)
_DOUBLE: Final = 7
_BINARY: Final = 8
_LISTS: Final = (9, 10)
_MAP: Final = 11
_STRUCT: Final = 12
_UUID: Final = 13


def chunk_sizes(source: Any) -> Iterator[tuple[int, int]]:
    """Yield the number of values and the unpacked bytes of each chunk of a column.

    Raises pyarrow.ArrowInvalid if the footer is damaged.
    """
    source.seek(max(source.size() - 8, 0))
    end = source.read(8)
    length = int.from_bytes(end[:4], "little") if end[4:] == _MAGIC else 0
    source.seek(max(source.size() - 8 - length, 0))
    try:
        footer = _Reader(source.read(length)).struct()
        for group in footer[_ROW_GROUPS]:
            for column in group[_COLUMNS]:
                chunk = column[_META_DATA]
                yield int(chunk[_NUM_VALUES]), int(chunk[_UNCOMPRESSED])
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        msg = f"the footer is damaged ({type(error).__name__})"
        raise pa.ArrowInvalid(msg) from error
    finally:
        source.seek(0)


class _Reader:
    """Reads values of Thrift's compact protocol; IndexError at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0
        self._kinds: dict[int, Callable[[], Any]] = {
            **dict.fromkeys(_INTEGERS, self._integer),
            **dict.fromkeys(_LISTS, self._list),
            _BYTE: self._byte,
            _DOUBLE: lambda: self._skip(8),
            _BINARY: lambda: self._skip(self._varint()),
            _MAP: self._map,
            _STRUCT: self.struct,
            _UUID: lambda: self._skip(16),
        }

    def struct(self) -> dict[int, Any]:
        """Read a struct: its fields by number, those of other kinds as None."""
        self._depth += 1
        if self._depth > _MOST_NESTED:
            msg = "nested too deeply"
            raise ValueError(msg)
        found: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != _STOP:
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            found[number] = None if kind in _BOOLEANS else self._kinds[kind]()
        self._depth -= 1
        return found

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _skip(self, n_bytes: int) -> None:
        self._at += n_bytes

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                msg = "a number has more than 64 bits"
                raise ValueError(msg)

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int) -> Any:
        """Read a value within a list or map, where booleans take a byte."""
        return self._byte() if kind in _BOOLEANS else self._kinds[kind]()

    def _list(self) -> list[Any]:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint()
        return [self._value(head & 15) for _ in range(self._possible(size))]

    def _map(self) -> None:
        size = self._possible(self._varint())
        kinds = self._byte() if size else 0
        for _ in range(size):
            self._value(kinds >> 4)
            self._value(kinds & 15)

    def _possible(self, size: int) -> int:
        """Refuse more values than bytes are left."""
        if size > len(self._data) - self._at:
            msg = "more values than bytes"
            raise ValueError(msg)
        return size
