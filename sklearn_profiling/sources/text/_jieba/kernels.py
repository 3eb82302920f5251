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
    "build_trie",
    "cut",
]

#: Bounds of jieba's ideographs; a block to cut holds no later character.
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = 0x4E00, 0x9FD5
#: Jieba's logarithm of zero.
MIN_FLOAT = -3.14e100

_NONE = -1
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
def _child(
    slots: NDArray[np.int64], children: NDArray[np.int32], node: int, point: int
) -> int:
    """Follow an edge of the trie; -1 if there is none."""
    mask = len(slots) - 1
    key = np.int64(node) << 16 | np.int64(point)
    at = _slot(key, mask)
    while slots[at] != _NONE:
        if slots[at] == key:
            return int(children[at])
        at = (at + 1) & mask
    return _NONE


@numba.njit(nogil=True, cache=True)
def build_trie(
    points: NDArray[np.uint32],
    ends: NDArray[np.int64],
    n_slots: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Store words (code points end to end, below 2**16) in a trie in one hash table.

    Returns edges (node and character, -1 where free) and their children, both
    (n_slots,), and the node of each word. Node 0 is the root. `n_slots` is a power of
    two and at least twice the number of prefixes.
    """
    slots = np.full(n_slots, _NONE, np.int64)
    children = np.zeros(n_slots, np.int32)
    nodes = np.zeros(len(ends), np.int64)
    mask = n_slots - 1
    n_nodes = 1
    begin = 0
    for word in range(len(ends)):
        node = 0
        for position in range(begin, ends[word]):
            key = np.int64(node) << 16 | np.int64(points[position])
            at = _slot(key, mask)
            while slots[at] != _NONE and slots[at] != key:
                at = (at + 1) & mask
            if slots[at] == _NONE:
                slots[at] = key
                children[at] = n_nodes
                n_nodes += 1
            node = children[at]
        nodes[word] = node
        begin = ends[word]
    return slots, children, nodes


@numba.njit(nogil=True, cache=True)
def _best_path(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    slots: NDArray[np.int64],
    children: NDArray[np.int32],
    scores: NDArray[np.float64],
    unknown: float,
    best: NDArray[np.float64],
    following: NDArray[np.int64],
) -> None:
    """Find the likeliest cut of a block, from right to left.

    ``scores`` has the log-probability of the word that ends at each node, NaN where
    none does; ``unknown`` is that of a character outside the dictionary.
    """
    best[end - begin] = 0.0
    for k in range(end - 1, begin - 1, -1):
        found = False
        best_score = 0.0
        best_end = k + 1
        node = 0
        i = k
        while i < end:
            node = _child(slots, children, node, points[i])
            if node == _NONE:
                break
            i += 1
            score = scores[node]
            if not np.isnan(score):
                score += best[i - begin]
                # the longer word wins a tie
                if not found or score >= best_score:
                    found = True
                    best_score = score
                    best_end = i
        if not found:
            best_score = unknown + best[k + 1 - begin]
        best[k - begin] = best_score
        following[k - begin] = best_end


@numba.njit(nogil=True, cache=True)
def _is_word(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    slots: NDArray[np.int64],
    children: NDArray[np.int32],
    scores: NDArray[np.float64],
) -> bool:
    node = 0
    for i in range(begin, end):
        node = _child(slots, children, node, points[i])
        if node == _NONE:
            return False
    return not np.isnan(scores[node])


@numba.njit(nogil=True, cache=True)
def _viterbi(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    before: NDArray[np.int8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut a run of ideographs by the hidden Markov model."""
    old = np.empty(4)
    new = np.empty(4)
    first = points[begin] - FIRST_IDEOGRAPH
    for state in range(4):
        old[state] = start[state] + emissions[state, first]
    for i in range(begin + 1, end):
        point = points[i] - FIRST_IDEOGRAPH
        for state in range(4):
            # in ascending order of the letter, so that the later one wins a tie
            if state in (_B, _S):
                one, two = _E, _S
            else:
                one, two = _B, _M
            emission = emissions[state, point]
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
            _viterbi(points, at, i, start, transitions, emissions, before, marks)
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
    slots: NDArray[np.int64],
    children: NDArray[np.int32],
    scores: NDArray[np.float64],
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    before: NDArray[np.int8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut characters that the best path left single."""
    if begin == end:
        return
    if not hmm or end - begin == 1:
        marks[end - 1] = 1
    elif _is_word(points, begin, end, slots, children, scores):
        for i in range(begin, end):
            marks[i] = 1
    else:
        _cut_unknown(points, begin, end, start, transitions, emissions, before, marks)


@numba.njit(nogil=True, cache=True)
def cut(
    points: NDArray[np.uint32],
    message_ends: NDArray[np.int64],
    hmm: bool,
    slots: NDArray[np.int64],
    children: NDArray[np.int32],
    scores: NDArray[np.float64],
    unknown: float,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Mark where words end: uint8 of the length of `points`, all messages end to end.

    `scores` are log-probabilities of the words at the trie's nodes, NaN where there is
    none; `transitions` (4, 4) go from row to column; `emissions` are (4, n_ideographs).
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
            _best_path(
                points, begin, i, slots, children, scores, unknown, best, following
            )
            # From left to right: words of the dictionary end what was gathered.
            at = begin
            gathered = begin
            while at < i:
                step = following[at - begin] - at
                if step == 1 and (hmm or _is_alphanumeric(points[at])):
                    at += 1
                    continue
                _cut_gathered(
                    points, gathered, at, hmm, slots, children, scores, start,
                    transitions, emissions, before, marks,
                )  # fmt: skip
                at += step
                marks[at - 1] = 1
                gathered = at
            _cut_gathered(
                points, gathered, i, hmm, slots, children, scores, start,
                transitions, emissions, before, marks,
            )  # fmt: skip
    return marks
