"""Jieba's dictionary and model as arrays, and segmentation with them."""

from __future__ import annotations

from functools import lru_cache
from itertools import compress, pairwise
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.containers._ragged import take
from sklearn_profiling.sources.text._jieba import dictionary, kernels, numbering

__all__ = [
    "CutPart",
    "code_points",
    "cut_part",
    "join_parts",
    "mark_words",
    "number_part",
    "spread",
    "text_ends",
]

_STATES = "BEMS"
_LARGEST_POINT = 2**16
# No character of any language.
_SEPARATOR = 0xFFFF


class CutPart(NamedTuple):
    """Cut messages: word ids (n_words,), words of each message and what the ids mean.

    The different words are code points end to end and where each ends; white space is
    kept. `tags` (n_words,) are positions among jieba's names of tags.
    """

    ids: NDArray[np.int32]
    sizes: NDArray[np.int64]
    letters: NDArray[np.uint32]
    ends: NDArray[np.int64]
    tags: NDArray[np.int16] | None = None

    def words(self) -> list[str]:
        """Return the different words."""
        # Quicker than a slice a word, where no word holds the separator.
        parted = np.insert(self.letters, self.ends, _SEPARATOR)
        words = _text(parted).split(chr(_SEPARATOR))[:-1]
        if len(words) == len(self.ends):
            return words
        text = _text(self.letters)
        return [text[begin:end] for begin, end in pairwise([0, *self.ends.tolist()])]


class _Dictionary(NamedTuple):
    trie: NDArray[np.void]
    roots: NDArray[np.int64]
    unknown: float


class _Model(NamedTuple):
    """Of jieba's hidden Markov model; states in the order of their letters."""

    start: NDArray[np.float64]
    transitions: NDArray[np.float64]
    emissions: NDArray[np.float64]


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _text(points: NDArray[np.uint32]) -> str:
    return points.tobytes().decode("utf-32-le", "surrogatepass")


@lru_cache(maxsize=4)
def _dictionary(user_words: tuple[dictionary.UserWord, ...]) -> _Dictionary:
    words, frequencies, total = dictionary.entries(user_words)
    points = code_points("".join(words))
    if points.max() >= _LARGEST_POINT:
        # Blocks to cut hold no character beyond; such words are never met.
        met = [max(map(ord, word)) < _LARGEST_POINT for word in words]
        words = list(compress(words, met))
        frequencies = list(compress(frequencies, met))
        points = code_points("".join(words))
    n_slots = 1 << (2 * len(words)).bit_length()
    nodes = np.empty(len(words), np.int64)
    while True:
        trie = np.empty(n_slots, kernels.SLOT)
        trie["edge"], trie["score"] = -1, np.nan
        roots = np.full(_LARGEST_POINT, -1, np.int64)
        if kernels.build_trie(points, text_ends(words), trie, nodes, roots):
            break
        n_slots *= 2
    # Python's logarithm and subtraction, as in jieba: numpy's may differ in a bit.
    log_total = log(total)
    known = {f: log(f) - log_total if f else np.nan for f in set(frequencies)}
    trie["score"][nodes] = [*map(known.__getitem__, frequencies)]
    return _Dictionary(trie, roots, log(1) - log_total)


@lru_cache(maxsize=1)
def _model() -> _Model:
    module = dictionary.import_jieba("jieba.finalseg")
    first, last = kernels.FIRST_IDEOGRAPH, kernels.LAST_IDEOGRAPH
    small = kernels.MIN_FLOAT
    emissions = np.full((last - first + 1, 4), small)
    transitions = np.full((4, 4), small)
    for row, state in enumerate(_STATES):
        for character, score in module.emit_P[state].items():
            if first <= ord(character) <= last:
                emissions[ord(character) - first, row] = score
        for column, other in enumerate(_STATES):
            transitions[row, column] = module.trans_P[state].get(other, small)
    start = np.array([module.start_P[state] for state in _STATES])
    return _Model(start, transitions, emissions)


_kinds = lru_cache(maxsize=1)(kernels.kinds_of_characters)


def mark_words(
    settings: dictionary.CutSettings,
    points: NDArray[np.uint32],
    ends: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Mark where the words of jieba end in messages that lie end to end."""
    longest = int(np.diff(ends, prepend=0).max(initial=0))
    marks = np.zeros(len(points), np.uint8)
    kernels.cut(
        points,
        ends,
        settings.hmm,
        _kinds(),
        *_dictionary(settings.user_words),
        *_model(),
        np.empty(longest + 1),
        np.empty(longest + 1, np.int64),
        np.empty(longest + 1, np.uint8),
        marks,
    )
    return marks


def cut_part(settings: dictionary.CutSettings, messages: list[str]) -> CutPart:
    """Cut messages into the words of jieba."""
    points = code_points("".join(messages))
    ends = text_ends(messages)
    return number_part(points, mark_words(settings, points, ends), ends)


def text_ends(texts: list[str]) -> NDArray[np.int64]:
    """Return where texts end that lie end to end."""
    return np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def number_part(
    points: NDArray[np.uint32],
    marks: NDArray[np.uint8],
    message_ends: NDArray[np.int64],
) -> CutPart:
    """Give the words of cut messages numbers, in order of appearance."""
    n_words = int(np.count_nonzero(marks))
    ids = np.empty(n_words, np.int32)
    sizes = np.empty(len(message_ends), np.int64)
    letters = np.empty(len(points), np.uint32)
    ends = np.empty(n_words, np.int64)
    # Room for a quarter of the words to differ; more if they do.
    n_slots = 1 << max(n_words // 2, 8).bit_length()
    while True:
        slots = np.zeros((n_slots, 2), np.int64)
        characters = np.full(_LARGEST_POINT, -1, np.int32)
        n_different = numbering.number_words(
            points, marks, message_ends, slots, characters, ids, sizes, letters, ends
        )
        if n_different >= 0:
            break
        n_slots *= 4
    ends = ends[:n_different].copy()
    n_letters = int(ends[-1]) if n_different else 0
    return CutPart(ids, sizes, letters[:n_letters].copy(), ends)


def join_parts(parts: list[CutPart]) -> CutPart:
    """Join parts: words that several hold get one number."""
    if not parts:
        nothing = np.zeros(0, np.int64)
        return CutPart(
            nothing.astype(np.int32),
            nothing,
            nothing.astype(np.uint32),
            nothing,
            nothing.astype(np.int16),
        )
    if len(parts) == 1:
        return parts[0]
    letters = np.concatenate([part.letters for part in parts])
    part_ends = np.cumsum([len(part.letters) for part in parts])
    marks = np.zeros(len(letters), np.uint8)
    for part, part_end in zip(parts, part_ends, strict=True):
        marks[part_end - len(part.letters) + part.ends - 1] = 1
    joined = number_part(letters, marks, part_ends)
    numbers = np.split(joined.ids, np.cumsum(joined.sizes)[:-1])
    pairs = zip(parts, numbers, strict=True)
    tags = [part.tags for part in parts if part.tags is not None]
    return CutPart(
        np.concatenate([number[part.ids] for part, number in pairs]),
        np.concatenate([part.sizes for part in parts]),
        joined.letters,
        joined.ends,
        np.concatenate(tags) if tags else None,
    )


def spread(
    part: CutPart, numbers: NDArray[np.int32], n_kept: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int16] | None]:
    """Write a part in other words: its word w becomes the next `n_kept[w]` `numbers`.

    Returns ids, words of each message, and tags, those of a word for all it becomes.
    """
    if (n_kept == 1).all():
        return numbers[part.ids], part.sizes, part.tags
    starts = np.cumsum(np.concatenate([[0], part.sizes]))
    if n_kept.max() == 1:
        kept = n_kept.astype(bool)[part.ids]
        number_of = numbers[(np.cumsum(n_kept) - 1).clip(min=0)]
        n_before = np.concatenate([[0], np.cumsum(kept)])
        tags = None if part.tags is None else part.tags[kept]
        return number_of[part.ids[kept]], np.diff(n_before[starts]), tags
    # A hashtag that is split becomes several words.
    word_starts = np.concatenate([[0], np.cumsum(n_kept)])
    places, new_starts = take(word_starts, part.ids.astype(np.int64))
    tags = None if part.tags is None else np.repeat(part.tags, np.diff(new_starts))
    return numbers[places], np.diff(new_starts[starts]), tags
