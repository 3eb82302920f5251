"""Compiled loops of jieba's cut: the same words, many times quicker.

Text is an array of code points. A cut is an array of marks, one where a word ends.
Every sum is taken in jieba's order and every tie is broken as Python's ``max`` of
tuples breaks it, so that the result is jieba's to the last word.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FIRST_IDEOGRAPH",
    "LAST_IDEOGRAPH",
    "MIN_FLOAT",
    "SLOT",
    "build_trie",
    "cut",
]

#: Bounds of jieba's ideographs; a block to cut holds no later character.
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = 0x4E00, 0x9FD5
#: Jieba's logarithm of zero.
MIN_FLOAT = -3.14e100
#: Slot of the trie: an edge, as node and character, -1 where free, and the
#: log-probability of the word that ends there, NaN where none does.
SLOT = np.dtype([("edge", np.int64), ("score", np.float64)])

_NONE = -1
# An edge of a slot is below 2**_HINTS; above are bits of the characters that follow.
_HINTS = 44
_EDGE = (1 << _HINTS) - 1
# States in the order of their letters, which decides ties.
_B, _E, _M, _S = 0, 1, 2, 3


@numba.njit(nogil=True, cache=True)
def _is_alphanumeric(point: int) -> bool:
    return (
        (97 <= point <= 122)  # a-z
        or (65 <= point <= 90)  # A-Z
        or (48 <= point <= 57)  # 0-9
    )


@numba.njit(nogil=True, cache=True)
def _is_ideograph(point: int) -> bool:
    return FIRST_IDEOGRAPH <= point <= LAST_IDEOGRAPH


@numba.njit(nogil=True, cache=True)
def _in_block(point: int) -> bool:
    r"""Tell characters of ``[\u4E00-\u9FD5a-zA-Z0-9+#&._%-]`` from all others."""
    return (
        _is_ideograph(point)
        or _is_alphanumeric(point)
        or point == 43  # +
        or point == 35  # number sign
        or point == 38  # &
        or point == 46  # .
        or point == 95  # _
        or point == 37  # %
        or point == 45  # -
    )


@numba.njit(nogil=True, cache=True)
def _slot(key: np.int64, mask: int) -> np.int64:
    """Spread keys over the table (Fibonacci hashing)."""
    return np.int64(
        ((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20))
        & np.uint64(mask)
    )


@numba.njit(nogil=True, cache=True)
def _hint(point: int) -> np.int64:
    """Return the bit of a node that says that such a character may follow it."""
    return np.int64(1) << np.int64(_HINTS + (point & 15))


@numba.njit(nogil=True, cache=True)
def _child(trie: NDArray[np.void], node: int, point: int) -> np.int64:
    """Follow an edge of the trie; -1 if there is none."""
    if not trie[node].edge & _hint(point):
        return np.int64(_NONE)
    mask = len(trie) - 1
    key = np.int64(node) << 16 | np.int64(point)
    at = _slot(key, mask)
    while trie[at].edge != _NONE:
        if trie[at].edge & _EDGE == key:
            return np.int64(at)
        at = (at + 1) & mask
    return np.int64(_NONE)


@numba.njit(nogil=True, cache=True)
def build_trie(
    points: NDArray[np.uint32], ends: NDArray[np.int64], trie: NDArray[np.void]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Store words (code points end to end, below 2**16) in a trie in one hash table.

    `trie` is an empty table of :data:`SLOT`, of a power of two of slots, at least twice
    the number of prefixes. A node is a slot; the root is their number. Returns the node
    of each word, and of each character by its code point, -1 where there is none.
    """
    for at in range(len(trie)):
        trie[at].edge = _NONE
        trie[at].score = np.nan
    nodes = np.zeros(len(ends), np.int64)
    roots = np.full(1 << 16, _NONE, np.int64)
    mask = len(trie) - 1
    begin = 0
    for word in range(len(ends)):
        node = np.int64(len(trie))
        for position in range(begin, ends[word]):
            key = np.int64(node) << 16 | np.int64(points[position])
            at = _slot(key, mask)
            while trie[at].edge != _NONE and trie[at].edge & _EDGE != key:
                at = (at + 1) & mask
            if trie[at].edge == _NONE:
                trie[at].edge = key
            if position > begin:
                trie[node].edge |= _hint(points[position])
            node = at
            if position == begin:
                roots[points[position]] = node
        nodes[word] = node
        begin = ends[word]
    return nodes, roots


@numba.njit(nogil=True, cache=True)
def _best_path(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
    unknown: float,
    best: NDArray[np.float64],
    following: NDArray[np.int64],
) -> None:
    """Find the likeliest cut of a block, from right to left.

    ``unknown`` is the log-probability of a character outside the dictionary.
    """
    best[end - begin] = 0.0
    for k in range(end - 1, begin - 1, -1):
        found = False
        best_score = 0.0
        best_end = k + 1
        node = roots[points[k]]
        i = k
        while node != _NONE:
            i += 1
            score = trie[node].score
            if not np.isnan(score):
                score += best[i - begin]
                # the longer word wins a tie
                if not found or score >= best_score:
                    found = True
                    best_score = score
                    best_end = i
            if i == end:
                break
            node = _child(trie, node, points[i])
        if not found:
            best_score = unknown + best[k + 1 - begin]
        best[k - begin] = best_score
        following[k - begin] = best_end


@numba.njit(nogil=True, cache=True)
def _is_word(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
) -> bool:
    node = roots[points[begin]]
    for i in range(begin + 1, end):
        if node == _NONE:
            return False
        node = _child(trie, node, points[i])
    return node != _NONE and not np.isnan(trie[node].score)


@numba.njit(nogil=True, cache=True)
def _viterbi(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    forward: NDArray[np.float64],
    before: NDArray[np.int8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut a run of ideographs by the hidden Markov model."""
    old, new = forward[0], forward[1]
    first = points[begin] - FIRST_IDEOGRAPH
    for state in range(4):
        old[state] = start[state] + emissions[first, state]
    for i in range(begin + 1, end):
        point = points[i] - FIRST_IDEOGRAPH
        for state in range(4):
            # in ascending order of the letter, so that the later one wins a tie
            if state in (_B, _S):
                one, two = _E, _S
            else:
                one, two = _B, _M
            emission = emissions[point, state]
            score_one = old[one] + transitions[one, state] + emission
            score_two = old[two] + transitions[two, state] + emission
            if score_two >= score_one:
                new[state], before[i - begin, state] = score_two, two
            else:
                new[state], before[i - begin, state] = score_one, one
        # an assignment of slices would take numba two seconds to compile
        for state in range(4):
            old[state] = new[state]
    state = _S if old[_S] >= old[_E] else _E
    # States from right to left; a word ends after E and S. Jieba takes a word from
    # the last B, so what stands between the end of a word and a B is lost to it, which
    # cannot happen: B and M are followed by M and E, E and S by B and S.
    marks[end - 1] = 1
    for i in range(end - 1, begin, -1):
        state = before[i - begin, state]
        if state in (_E, _S):
            marks[i - 1] = 1


@numba.njit(nogil=True, cache=True)
def _end_of_number(points: NDArray[np.uint32], i: int, end: int) -> int:
    r"""Match ``[a-zA-Z0-9]+(?:\.\d+)?%?`` at a place and return where it ends."""
    while i < end and _is_alphanumeric(points[i]):
        i += 1
    if i < end and points[i] == 46:
        digit = i + 1
        while digit < end and 48 <= points[digit] <= 57:
            digit += 1
        if digit > i + 1:
            i = digit
    if i < end and points[i] == 37:
        i += 1
    return i


@numba.njit(nogil=True, cache=True)
def _cut_unknown(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    forward: NDArray[np.float64],
    before: NDArray[np.int8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut what the dictionary left over: ideographs, numbers and signs."""
    i = begin
    while i < end:
        at = i
        if _is_ideograph(points[i]):
            while i < end and _is_ideograph(points[i]):
                i += 1
            _viterbi(
                points, at, i, start, transitions, emissions, forward, before, marks
            )
        elif _is_alphanumeric(points[i]):
            i = _end_of_number(points, i, end)
            marks[i - 1] = 1
        else:
            while i < end and not (
                _is_alphanumeric(points[i]) or _is_ideograph(points[i])
            ):
                i += 1
            marks[i - 1] = 1


@numba.njit(nogil=True, cache=True)
def _cut_gathered(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    hmm: bool,
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    forward: NDArray[np.float64],
    before: NDArray[np.int8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut characters that the best path left single."""
    if begin == end:
        return
    if not hmm or end - begin == 1:
        marks[end - 1] = 1
    elif _is_word(points, begin, end, trie, roots):
        for i in range(begin, end):
            marks[i] = 1
    else:
        _cut_unknown(
            points, begin, end, start, transitions, emissions, forward, before, marks
        )


@numba.njit(nogil=True, cache=True)
def cut(
    points: NDArray[np.uint32],
    message_ends: NDArray[np.int64],
    hmm: bool,
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
    unknown: float,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Mark where words end: uint8 of the length of `points`, all messages end to end.

    `trie` and `roots` are those of :func:`build_trie`; `transitions` (4, 4) go from row
    to column; `emissions` are (n_ideographs, 4).
    """
    n_points = len(points)
    marks = np.zeros(n_points, np.uint8)
    longest = 0
    begin = 0
    for end in message_ends:
        longest = max(longest, end - begin)
        begin = end
    best = np.zeros(longest + 1)
    following = np.zeros(longest + 1, np.int64)
    before = np.zeros((longest + 1, 4), np.int8)
    forward = np.zeros((2, 4))
    i = 0
    for message_end in message_ends:
        while i < message_end:
            if not _in_block(points[i]):
                marks[i] = 1
                i += 1
                continue
            begin = i
            while i < message_end and _in_block(points[i]):
                i += 1
            _best_path(points, begin, i, trie, roots, unknown, best, following)
            # From left to right: words of the dictionary end what was gathered.
            at = begin
            gathered = begin
            while at < i:
                step = following[at - begin] - at
                if step == 1 and (hmm or _is_alphanumeric(points[at])):
                    at += 1
                    continue
                _cut_gathered(
                    points, gathered, at, hmm, trie, roots, start, transitions,
                    emissions, forward, before, marks,
                )  # fmt: skip
                at += step
                marks[at - 1] = 1
                gathered = at
            _cut_gathered(
                points, gathered, i, hmm, trie, roots, start, transitions,
                emissions, forward, before, marks,
            )  # fmt: skip
    return marks
