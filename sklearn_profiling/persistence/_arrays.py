"""Arrays, and long lists of texts or numbers, as named arrays of safetensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling.persistence._values import dtype_of

__all__ = ["ArraysRead", "ArraysWritten", "shaped"]

Array = npt.NDArray[Any]

_NATIVE: Final = frozenset("?bBhHiIlLqQefd")
# Shorter lists stay where one can read them.
_LEAST_PACKED: Final = 8
# A text array takes four bytes a character of its longest text, whatever the others.
_MOST_UNPACKED: Final = 64


class ArraysWritten:
    """Collects arrays under numbers; gives JSON that describes what they hold."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._packed: dict[tuple[str, bytes], str] = {}

    def _add(self, array: Array) -> str:
        key = str(len(self.arrays))
        self.arrays[key] = array
        return key

    def _add_packed(self, array: Array) -> str:
        """Add what becomes a list again, once: vocabularies recur in several steps."""
        key = array.dtype.str, sha256(array.tobytes()).digest()
        if key not in self._packed:
            self._packed[key] = self._add(array)
        return self._packed[key]

    def array(self, value: Array) -> list[Any]:
        """Describe an array that holds no objects."""
        by_column = value.flags.f_contiguous and not value.flags.c_contiguous
        flat = np.asarray(value.T if by_column else value, order="C")
        kind = flat.dtype
        if kind.isnative and kind.char in _NATIVE:
            return ["array", self._add(flat), by_column]
        if kind.kind == "U" and kind.isnative:
            items = flat.ravel().tolist()
            if flat.nbytes <= _MOST_UNPACKED * sum(len(each) + 1 for each in items):
                _, texts, lengths = self.texts(items)
                return ["texts", texts, lengths, kind.str, list(flat.shape), by_column]
        raw = np.frombuffer(flat.tobytes(), np.uint8)
        descr = np.lib.format.dtype_to_descr(kind)
        return ["raw", self._add(raw), descr, list(flat.shape), by_column]

    def packed(self, items: Sequence[Any]) -> list[Any] | None:
        """Describe a list of texts, whole numbers or floats alone; else None."""
        if len(items) < _LEAST_PACKED:
            return None
        kinds = set(map(type, items))
        if kinds == {str}:
            return self.texts(items)
        if kinds == {float}:
            return ["f", self._add_packed(np.array(items, dtype=np.float64))]
        if kinds == {int} and min(items) >= -(2**63) and max(items) < 2**63:
            numbers = _smallest(np.array(items, dtype=np.int64))
            return ["i", self._add_packed(numbers)]
        return None

    def texts(self, items: Sequence[str]) -> list[Any]:
        """Describe texts: all in UTF-8, and the number of characters of each."""
        joined = "".join(items).encode("utf-8", "surrogatepass")
        lengths = np.fromiter(map(len, items), np.int64, len(items))
        texts = self._add_packed(np.frombuffer(joined, np.uint8))
        return ["s", texts, self._add_packed(_smallest(lengths))]


class ArraysRead:
    """Gives back what was described, from the arrays of a file."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays

    def array(self, tag: str, parts: list[Any]) -> Array:
        """Return an array by its description."""
        if tag == "array":
            key, by_column = parts
            found = self._arrays[key]
        elif tag == "texts":
            texts, lengths, descr, shape, by_column = parts
            found = self._texts(texts, lengths, dtype_of(descr)).reshape(shape)
        else:
            key, descr, shape, by_column = parts
            # A copy, since a buffer of bytes cannot be written to.
            found = self._arrays[key].view(dtype_of(descr)).reshape(shape)
        return found.T if by_column else found

    def _texts(self, texts: str, lengths: str, kind: np.dtype[Any]) -> Array:
        items = self.items(["s", texts, lengths])
        packed = self._arrays[texts].nbytes + self._arrays[lengths].nbytes
        if kind.kind != "U" or len(items) * kind.itemsize > _MOST_UNPACKED * packed:
            msg = f"{len(items)} texts do not take the dtype {kind}"
            raise ValueError(msg)
        return np.array(items, dtype=kind)

    def items(self, payload: list[Any]) -> list[Any]:
        """Return the list that was packed."""
        kind, key, *rest = payload
        if kind in ("i", "f"):
            numbers: list[Any] = self._arrays[key].tolist()
            return numbers
        joined = self._arrays[key].tobytes().decode("utf-8", "surrogatepass")
        ends = np.cumsum(self._arrays[rest[0]], dtype=np.int64).tolist()
        if kind != "s" or (ends[-1] if ends else 0) != len(joined):
            msg = "the lengths of packed texts do not add up"
            raise ValueError(msg)
        starts: Iterable[int] = [0, *ends]
        return [joined[a:b] for a, b in zip(starts, ends, strict=False)]


def shaped(items: list[Any], shape: Sequence[int], *, by_column: bool) -> Array:
    """Return an array of objects, each item as it is."""
    if len(items) != math.prod(shape):
        msg = f"{len(items)} items do not fill the shape {list(shape)!s:.60}"
        raise ValueError(msg)
    made = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):  # numpy would look into lists
        made[position] = item
    made = made.reshape(shape)
    return made.T if by_column else made


def _smallest(numbers: npt.NDArray[np.int64]) -> Array:
    """Return whole numbers as the smallest kind that holds them."""
    ends = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32):
        if np.iinfo(kind).min <= ends[0] and ends[1] <= np.iinfo(kind).max:
            return numbers.astype(kind)
    return numbers
