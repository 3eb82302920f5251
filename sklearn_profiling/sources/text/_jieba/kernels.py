"""Compiled loops of jieba's cut: the same words, many times quicker.

Text is an array of code points. A cut is an array of marks, one where a word ends.
Every sum is taken in jieba's order and every tie is broken as Python's ``max`` of
tuples breaks it, so that the result is jieba's to the last word.
"""

from __future__ import annotations

import string

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
    "kinds_of_characters",
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
# Kinds of characters; all but the first are those of
# ``[\u4E00-\u9FD5a-zA-Z0-9+#&._%-]``, in which jieba looks for words.
_SIGN, _ALPHANUMERIC, _IDEOGRAPH = 1, 2, 3


def kinds_of_characters() -> NDArray[np.uint8]:
    """Return the kind of each code point, 0 of those beyond the blocks of jieba."""
    kinds = np.zeros(0x110000, np.uint8)
    kinds[FIRST_IDEOGRAPH : LAST_IDEOGRAPH + 1] = _IDEOGRAPH
    kinds[[*map(ord, "+#&._%-")]] = _SIGN
    kinds[[*map(ord, string.ascii_letters + string.digits)]] = _ALPHANUMERIC
    return kinds


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
    points: NDArray[np.uint32],
    ends: NDArray[np.int64],
    trie: NDArray[np.void],
    nodes: NDArray[np.int64],
    roots: NDArray[np.int64],
) -> bool:
    """Store words (code points end to end, below 2**16) in a trie in one hash table.

    `trie` is an empty table of :data:`SLOT`, of a power of two of slots. A node is a
    slot; the root is their number. Writes the node of each word, and of each character
    by its code point; `roots` hold -1 before. Returns False if the beginnings of words
    take more than half of the slots.
    """
    mask = len(trie) - 1
    n_free = np.int64(len(trie) // 2)
    begin = np.int64(0)
    for word in range(len(ends)):
        node = np.int64(len(trie))
        for position in range(begin, ends[word]):
            key = np.int64(node) << 16 | np.int64(points[position])
            at = _slot(key, mask)
            while trie[at].edge != _NONE and trie[at].edge & _EDGE != key:
                at = (at + 1) & mask
            if trie[at].edge == _NONE:
                if n_free == 0:
                    return False
                n_free -= 1
                trie[at].edge = key
            if position > begin:
                trie[node].edge |= _hint(points[position])
            node = at
            if position == begin:
                roots[points[position]] = node
        nodes[word] = node
        begin = ends[word]
    return True


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
    before: NDArray[np.uint8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut a run of ideographs by the hidden Markov model.

    Each state has two that may come before it. Bit s of `before` is 1 where the later
    one by its letter is as likely, at least, for state s: as in jieba, it wins a tie.
    """
    point = np.int64(points[begin]) - FIRST_IDEOGRAPH
    b = start[_B] + emissions[point, _B]
    e = start[_E] + emissions[point, _E]
    m = start[_M] + emissions[point, _M]
    s = start[_S] + emissions[point, _S]
    for i in range(begin + 1, end):
        point = np.int64(points[i]) - FIRST_IDEOGRAPH
        e_b = e + transitions[_E, _B] + emissions[point, _B]
        s_b = s + transitions[_S, _B] + emissions[point, _B]
        b_e = b + transitions[_B, _E] + emissions[point, _E]
        m_e = m + transitions[_M, _E] + emissions[point, _E]
        b_m = b + transitions[_B, _M] + emissions[point, _M]
        m_m = m + transitions[_M, _M] + emissions[point, _M]
        e_s = e + transitions[_E, _S] + emissions[point, _S]
        s_s = s + transitions[_S, _S] + emissions[point, _S]
        before[i - begin] = (
            (s_b >= e_b) | (m_e >= b_e) << 1 | (m_m >= b_m) << 2 | (s_s >= e_s) << 3
        )
        b = max(e_b, s_b)
        e = max(b_e, m_e)
        m = max(b_m, m_m)
        s = max(e_s, s_s)
    state = _S if s >= e else _E
    # States from right to left; a word ends after E and S. Jieba takes a word from
    # the last B, so what stands between the end of a word and a B is lost to it, which
    # cannot happen: B and M are followed by M and E, E and S by B and S.
    marks[end - 1] = 1
    for i in range(end - 1, begin, -1):
        later = before[i - begin] >> state & 1
        if state in (_B, _S):
            state = _S if later else _E
            marks[i - 1] = 1
        else:
            state = _M if later else _B


@numba.njit(nogil=True, cache=True)
def _end_of_number(
    points: NDArray[np.uint32], i: int, end: int, kinds: NDArray[np.uint8]
) -> int:
    r"""Match ``[a-zA-Z0-9]+(?:\.\d+)?%?`` at a place and return where it ends."""
    while i < end and kinds[points[i]] == _ALPHANUMERIC:
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
    kinds: NDArray[np.uint8],
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    before: NDArray[np.uint8],
    marks: NDArray[np.uint8],
) -> None:
    """Cut what the dictionary left over: ideographs, numbers and signs."""
    i = begin
    while i < end:
        at = i
        kind = kinds[points[i]]
        if kind == _ALPHANUMERIC:
            i = _end_of_number(points, i, end, kinds)
            marks[i - 1] = 1
            continue
        while i < end and kinds[points[i]] == kind:
            i += 1
        if kind == _SIGN:
            marks[i - 1] = 1
        else:
            _viterbi(points, at, i, start, transitions, emissions, before, marks)


@numba.njit(nogil=True, cache=True)
def _cut_block(
    points: NDArray[np.uint32],
    begin: int,
    end: int,
    hmm: bool,
    kinds: NDArray[np.uint8],
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    following: NDArray[np.int64],
    before: NDArray[np.uint8],
    marks: NDArray[np.uint8],
) -> None:
    """Mark the words of the likeliest cut; cut further what it left single."""
    at = begin
    # From left to right: words of the dictionary end what was gathered.
    gathered = begin
    while True:
        step = following[at - begin] - at if at < end else 0
        if step == 1 and (hmm or kinds[points[at]] == _ALPHANUMERIC):
            at += 1
            continue
        if not hmm or at - gathered == 1:
            if at > gathered:
                marks[at - 1] = 1
        elif at > gathered and _is_word(points, gathered, at, trie, roots):
            for i in range(gathered, at):
                marks[i] = 1
        elif at > gathered:
            _cut_unknown(
                points, gathered, at, kinds, start, transitions, emissions, before,
                marks,
            )  # fmt: skip
        if at == end:
            return
        at += step
        marks[at - 1] = 1
        gathered = at


@numba.njit(nogil=True, cache=True)
def cut(
    points: NDArray[np.uint32],
    message_ends: NDArray[np.int64],
    hmm: bool,
    kinds: NDArray[np.uint8],
    trie: NDArray[np.void],
    roots: NDArray[np.int64],
    unknown: float,
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    emissions: NDArray[np.float64],
    best: NDArray[np.float64],
    following: NDArray[np.int64],
    before: NDArray[np.uint8],
    marks: NDArray[np.uint8],
) -> None:
    """Mark where words end in `marks`, zeros for `points`, all messages end to end.

    `trie` and `roots` are those of :func:`build_trie`; `transitions` (4, 4) go from row
    to column; `emissions` are (n_ideographs, 4). `best`, `following` and `before` are
    room for the longest message and one more. No array is made here: numba would take
    a tenth of a second to compile each.
    """
    i = np.int64(0)
    for message in range(len(message_ends)):
        message_end = message_ends[message]
        while i < message_end:
            begin = i
            while i < message_end and kinds[points[i]]:
                i += 1
            if i > begin:
                _best_path(points, begin, i, trie, roots, unknown, best, following)
                _cut_block(
                    points, begin, i, hmm, kinds, trie, roots, start, transitions,
                    emissions, following, before, marks,
                )  # fmt: skip
            while i < message_end and not kinds[points[i]]:
                marks[i] = 1
                i += 1
