"""Jieba's dictionary and model as arrays, and segmentation with them."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.sources.text._jieba import dictionary, kernels, numbering

__all__ = ["CutPart", "code_points", "cut_part", "mark_words", "number_part"]

_STATES = "BEMS"
_LARGEST_POINT = 2**16


class CutPart(NamedTuple):
    """Cut messages: word ids (n_words,), words of each message and what the ids mean.

    White space is kept. `tags` (n_words,) are positions among jieba's names of tags.
    """

    ids: NDArray[np.int32]
    sizes: NDArray[np.int64]
    words: list[str]
    tags: NDArray[np.int16] | None = None


class _Dictionary(NamedTuple):
    slots: NDArray[np.int64]
    children: NDArray[np.int32]
    scores: NDArray[np.float64]
    unknown: float


class _Model(NamedTuple):
    start: NDArray[np.float64]
    transitions: NDArray[np.float64]
    emissions: NDArray[np.float64]


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@lru_cache(maxsize=4)
def _dictionary(user_words: tuple[dictionary.UserWord, ...]) -> _Dictionary:
    tokenizer = dictionary.tokenizer(user_words)
    # Blocks to cut hold no character beyond; such words are never met.
    words = [word for word in tokenizer.FREQ if max(map(ord, word)) < _LARGEST_POINT]
    n_slots = 1 << (2 * len(words)).bit_length()
    slots, children, nodes = kernels.build_trie(
        code_points("".join(words)),
        np.fromiter(accumulate(map(len, words)), np.int64, len(words)),
        n_slots,
    )
    # Python's logarithm and subtraction, as in jieba: numpy's may differ in a bit.
    log_total = log(tokenizer.total)
    frequencies = [tokenizer.FREQ[word] for word in words]
    known = {f: log(f) - log_total for f in set(frequencies) if f}
    scores = np.full(int(nodes.max()) + 1, np.nan)
    scores[nodes] = [known.get(frequency, np.nan) for frequency in frequencies]
    return _Dictionary(slots, children, scores, log(1) - log_total)


@lru_cache(maxsize=1)
def _model() -> _Model:
    module = dictionary.import_jieba("jieba.finalseg")
    first, last = kernels.FIRST_IDEOGRAPH, kernels.LAST_IDEOGRAPH
    small = kernels.MIN_FLOAT
    emissions = np.full((4, last - first + 1), small)
    transitions = np.full((4, 4), small)
    for row, state in enumerate(_STATES):
        for character, score in module.emit_P[state].items():
            if first <= ord(character) <= last:
                emissions[row, ord(character) - first] = score
        for column, other in enumerate(_STATES):
            transitions[row, column] = module.trans_P[state].get(other, small)
    start = np.array([module.start_P[state] for state in _STATES])
    return _Model(start, transitions, emissions)


def mark_words(
    settings: dictionary.CutSettings,
    points: NDArray[np.uint32],
    ends: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Mark where the words of jieba end in messages that lie end to end."""
    marks: NDArray[np.uint8] = kernels.cut(
        points, ends, settings.hmm, *_dictionary(settings.user_words), *_model()
    )
    return marks


def cut_part(settings: dictionary.CutSettings, messages: list[str]) -> CutPart:
    """Cut messages into the words of jieba."""
    text = "".join(messages)
    points = code_points(text)
    ends = np.fromiter(accumulate(map(len, messages)), np.int64, len(messages))
    return number_part(text, points, mark_words(settings, points, ends), ends)


def number_part(
    text: str,
    points: NDArray[np.uint32],
    marks: NDArray[np.uint8],
    message_ends: NDArray[np.int64],
) -> CutPart:
    """Give the words of cut messages numbers."""
    ids, sizes, begins, ends = numbering.number_words(points, marks, message_ends)
    words = [
        text[begin:end]
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    return CutPart(ids, sizes, words)
