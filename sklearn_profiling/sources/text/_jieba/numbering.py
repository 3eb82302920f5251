"""Compiled numbering of words: each distinct run of code points gets a number."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["number_words"]


@numba.njit(nogil=True, cache=True)
def _key(points: NDArray[np.uint32], begin: int, end: int) -> np.int64:
    """Return the characters of a short word, 21 bits each, or a hash below 0."""
    if end - begin <= 3:
        key = np.int64(0)
        for k in range(begin, end):
            key = key << 21 | (np.int64(points[k]) + 1)
        return key
    code = np.int64(1469598103934665603)
    for k in range(begin, end):
        code = (code ^ np.int64(points[k])) * np.int64(1099511628211)
    return code | np.int64(-(2**63))


@numba.njit(nogil=True, cache=True)
def _equal(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    letters: NDArray[np.uint32],
    other: int,
    other_end: int,
) -> bool:
    if end - begin != other_end - other:
        return False
    for k in range(end - begin):  # noqa: SIM110 - numba takes no generator
        if points[begin + k] != letters[other + k]:
            return False
    return True


@numba.njit(nogil=True, cache=True)
def _place(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    key: np.int64,
    slots: NDArray[np.int64],
    letters: NDArray[np.uint32],
    letter_ends: NDArray[np.int64],
) -> np.int64:
    """Return the slot of a word, free if the word is new."""
    mask = np.int64(len(slots) - 1)
    at = (key * np.int64(-7046029254386353131)) >> np.int64(24) & mask
    while slots[at, 0]:
        if slots[at, 0] == key:
            if key > 0:
                break
            other = slots[at, 1]
            first = letter_ends[other - 1] if other else np.int64(0)
            if _equal(points, begin, end, letters, first, letter_ends[other]):
                break
        at = (at + 1) & mask
    return at


@numba.njit(nogil=True, cache=True)
def number_words(
    points: NDArray[np.uint32],
    marks: NDArray[np.uint8],
    message_ends: NDArray[np.int64],
    slots: NDArray[np.int64],
    characters: NDArray[np.int32],
    ids: NDArray[np.int32],
    sizes: NDArray[np.int64],
    letters: NDArray[np.uint32],
    letter_ends: NDArray[np.int64],
) -> np.int64:
    """Give equal words equal numbers, in order of appearance; `marks` is 1 at each end.

    `slots` (a power of two, 2) hold zeros and `characters` -1. Writes `ids` (n_words,),
    `sizes`, the words of each message, and the different words: code points end to end,
    and where each ends. Returns how many differ, -1 if they are too many for `slots`.
    """
    most = np.int64(len(slots) // 4 * 3)
    n_different = np.int64(0)
    n_letters = np.int64(0)
    word = np.int64(0)
    begin = np.int64(0)
    i = np.int64(0)
    for message in range(len(message_ends)):
        first = word
        while i < message_ends[message]:
            i += 1
            if not marks[i - 1]:
                continue
            if i - begin == 1 and points[begin] < len(characters):
                number = np.int64(characters[points[begin]])
                if number < 0:
                    characters[points[begin]] = n_different
            else:
                key = _key(points, begin, i)
                at = _place(points, begin, i, key, slots, letters, letter_ends)
                number = slots[at, 1] if slots[at, 0] else np.int64(-1)
                if number < 0:
                    slots[at, 0], slots[at, 1] = key, n_different
            if number < 0:
                if n_different == most:
                    return np.int64(-1)
                for k in range(begin, i):
                    letters[n_letters] = points[k]
                    n_letters += 1
                number = n_different
                letter_ends[number] = n_letters
                n_different += 1
            ids[word] = number
            word += 1
            begin = i
        sizes[message] = word - first
    return n_different
