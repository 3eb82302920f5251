"""Compiled numbering of words: each distinct run of code points gets a number."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["number_words"]

_NONE = -1
_NUMBER = (1 << 32) - 1


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
def _place(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    code: np.int64,
    slots: NDArray[np.int64],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> np.int64:
    """Return the slot of a word, free if the word is new."""
    mask = np.int64(len(slots) - 1)
    at = code & mask
    while slots[at] != _NONE:
        other = slots[at] & _NUMBER
        if slots[at] >> 32 == code and _equal(
            points, begin, end, begins[other], ends[other]
        ):
            break
        at = (at + 1) & mask
    return at


@numba.njit(nogil=True, cache=True)
def number_words(
    points: NDArray[np.uint32],
    marks: NDArray[np.uint8],
    message_ends: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64]]:
    """Give equal words equal numbers, in order of appearance; `marks` is 1 at each end.

    Returns ids (n_words,), words of each message (n_messages,), and the different
    words: code points end to end, and where each ends.
    """
    n_words = marks.astype(np.int64).sum()
    # A slot is 31 bits of the hash, then the number.
    n_slots = 16
    while n_slots < 2 * n_words:
        n_slots *= 2
    slots = np.full(n_slots, _NONE, np.int64)
    characters = np.full(1 << 16, _NONE, np.int32)  # words of one
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
            if i - begin == 1 and points[begin] < len(characters):
                if characters[points[begin]] == _NONE:
                    characters[points[begin]] = n_different
                number = np.int64(characters[points[begin]])
            else:
                code = np.int64(_hash(points, begin, i) & np.uint64(0x7FFFFFFF))
                at = _place(points, begin, i, code, slots, begins, ends)
                if slots[at] == _NONE:
                    slots[at] = code << 32 | n_different
                number = slots[at] & _NUMBER
            if number == n_different:
                begins[n_different] = begin
                ends[n_different] = i
                n_different += 1
            ids[word] = number
            word += 1
            sizes[message] += 1
            begin = i
    return ids, sizes, *_gather(points, begins[:n_different], ends[:n_different])


@numba.njit(nogil=True, cache=True)
def _gather(
    points: NDArray[np.uint32], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Lay words end to end; also return where each ends."""
    letter_ends = np.cumsum(ends - begins)
    letters = np.empty(letter_ends[-1] if len(letter_ends) else 0, np.uint32)
    at = 0
    for word in range(len(begins)):
        for k in range(begins[word], ends[word]):
            letters[at] = points[k]
            at += 1
    return letters, letter_ends
