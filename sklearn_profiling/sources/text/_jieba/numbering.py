"""Compiled numbering of words: each distinct run of code points gets a number."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["number_words"]

_NONE = -1


@numba.njit(nogil=True, cache=True)
def _hash(points: NDArray[np.uint32], begin: int, end: int) -> np.uint64:
    code = np.uint64(1469598103934665603)
    for k in range(begin, end):
        code = (code ^ np.uint64(points[k])) * np.uint64(1099511628211)
    return code ^ (code >> np.uint64(32))


@numba.njit(nogil=True, cache=True)
def _equal(
    points: NDArray[np.uint32], begin: int, end: int, other: int, other_end: int
) -> bool:
    if end - begin != other_end - other:
        return False
    for k in range(end - begin):  # noqa: SIM110 - numba takes no generator
        if points[begin + k] != points[other + k]:
            return False
    return True


@numba.njit(nogil=True, cache=True)
def number_words(
    points: NDArray[np.uint32],
    marks: NDArray[np.uint8],
    message_ends: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give equal words equal numbers, in order of appearance; `marks` is 1 at each end.

    Returns ids (n_words,), words of each message (n_messages,), and where the first
    occurrence of each different word begins and ends.
    """
    n_words = 0
    for mark in marks:
        n_words += mark
    n_slots = 16
    while n_slots < 2 * n_words:
        n_slots *= 2
    slots = np.full(n_slots, _NONE, np.int32)
    hashes = np.empty(n_words, np.uint64)
    ids = np.empty(n_words, np.int32)
    sizes = np.zeros(len(message_ends), np.int64)
    begins = np.empty(n_words, np.int64)
    ends = np.empty(n_words, np.int64)
    n_different = 0
    word = 0
    begin = 0
    i = 0
    for message in range(len(message_ends)):
        while i < message_ends[message]:
            i += 1
            if not marks[i - 1]:
                continue
            code = _hash(points, begin, i)
            at = np.int64(code & np.uint64(n_slots - 1))
            while slots[at] != _NONE and not (
                hashes[slots[at]] == code
                and _equal(points, begin, i, begins[slots[at]], ends[slots[at]])
            ):
                at = (at + 1) & (n_slots - 1)
            if slots[at] == _NONE:
                slots[at] = n_different
                hashes[n_different] = code
                begins[n_different] = begin
                ends[n_different] = i
                n_different += 1
            ids[word] = slots[at]
            word += 1
            sizes[message] += 1
            begin = i
    return ids, sizes, begins[:n_different].copy(), ends[:n_different].copy()
