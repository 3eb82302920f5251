"""Cut messages of any language: words by their scripts, Chinese by jieba.

A cut is an array of marks, one for each code point and 1 where a word ends.
"""

from __future__ import annotations

from itertools import chain, compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklearn_profiling.containers._ragged import take
from sklearn_profiling.sources.text import _markup
from sklearn_profiling.sources.text._jieba import dictionary
from sklearn_profiling.sources.text._jieba.compiled import (
    CutPart,
    code_points,
    mark_words,
    number_part,
    text_ends,
)
from sklearn_profiling.sources.text._markup import kind_of

__all__ = ["cut_words", "tag_words"]

Points = NDArray[np.uint32]
Marks = NDArray[np.uint8]
Ends = NDArray[np.int64]

#: A message with half as many ideographs as other letters has at least as many Chinese
#: words as others.
_LETTERS_PER_IDEOGRAPH = 2
#: Jieba's tags of what it does not tag itself, by kind.
_TAGS = {"word": "eng", "number": "m"}


def _mark_chunks(points: Points, message_ends: Ends) -> Marks:
    """Cut messages without ideographs, each different chunk between blanks once."""
    blank = _markup.classes()[points] & _markup.SPACE != 0
    marks = np.zeros(len(points), np.uint8)
    marks[:-1] = blank[:-1] & ~blank[1:]
    marks[message_ends[np.diff(message_ends, prepend=0) > 0] - 1] = 1
    ends = np.flatnonzero(marks) + 1
    part = number_part(points, marks, message_ends)
    lines = [chunk.rstrip() + "\n" for chunk in part.words()]
    tokens = _markup.chunks_pattern().findall("".join(lines))
    line_ends, token_ends = text_ends(lines), text_ends(tokens)
    line = np.searchsorted(line_ends, token_ends)
    inner = token_ends < line_ends[line]
    places = (token_ends - np.concatenate([[0], line_ends])[line])[inner]
    n_inner = np.bincount(line[inner], minlength=len(lines))
    inner_starts = np.concatenate([[0], np.cumsum(n_inner)])
    found, starts = take(inner_starts, part.ids.astype(np.int64))
    begins = np.concatenate([[0], ends])[:-1].astype(np.int64)
    marks[np.repeat(begins, np.diff(starts)) + places[found] - 1] = 1
    return marks


def _chinese_pieces(message: str) -> list[tuple[int, bool]]:
    """Return the lengths of pieces, and whether jieba cuts each."""
    pieces = []
    at = 0
    for match in _markup.chinese_pattern().finditer(message):
        begin, end = match.span()
        if begin > at:
            pieces.append((begin - at, True))
        pieces.append((end - begin, False))
        at = end
    if at < len(message):
        pieces.append((len(message) - at, True))
    return pieces


def _mixed_pieces(message: str) -> list[tuple[int, bool]]:
    """Return the lengths of pieces, and whether jieba cuts each."""
    return [
        (match.end() - match.start(), match.lastgroup is not None)
        for match in _markup.mixed_pattern().finditer(message)
    ]


def _count(found: NDArray[np.bool_], ends: Ends) -> NDArray[np.int64]:
    """Count the characters of each message that are found."""
    totals = np.concatenate([[0], np.cumsum(found)])
    counts: NDArray[np.int64] = np.diff(totals[ends], prepend=0)
    return counts


def _mark_chinese(
    messages: list[str], points: Points
) -> tuple[Marks, NDArray[np.bool_]]:
    """Cut messages with ideographs into pieces; say which characters are for jieba."""
    ends = text_ends(messages)
    classes = _markup.classes()[points]
    letters = classes & _markup.LETTER != 0
    n_han = _count(classes & _markup.HAN != 0, ends)
    chinese = _LETTERS_PER_IDEOGRAPH * n_han >= _count(letters, ends)
    triggers = classes & _markup.TRIGGER != 0
    # the point of a domain
    triggers[:-1] |= (points[:-1] == ord(".")) & letters[1:]
    plain = _count(triggers, ends) == 0
    pieces: list[tuple[int, bool]] = []
    for row, message in enumerate(messages):
        if chinese[row] and plain[row]:
            pieces.append((len(message), True))
        elif chinese[row]:
            pieces += _chinese_pieces(message)
        else:
            pieces += _mixed_pieces(message)
    lengths = np.array([length for length, _ in pieces], np.int64)
    marks = np.zeros(len(points), np.uint8)
    marks[np.cumsum(lengths) - 1] = 1
    return marks, np.repeat(np.array([jieba for _, jieba in pieces], bool), lengths)


class _Pieces(NamedTuple):
    """Messages end to end, cut into tokens and what jieba cuts further."""

    text: str
    points: Points
    message_ends: Ends
    marks: Marks
    for_jieba: NDArray[np.bool_]


def _cut_pieces(messages: list[str]) -> _Pieces:
    text = "".join(messages)
    points = code_points(text)
    ends = text_ends(messages)
    han = _markup.classes()[points] & _markup.HAN != 0
    for_jieba = np.zeros(len(points), np.bool_)
    if not han.any():
        marks = _mark_chunks(points, ends)
        return _Pieces(text, points, ends, marks, for_jieba)
    with_han = _count(han, ends) > 0
    inside = np.repeat(with_han, np.diff(ends, prepend=0))
    marks = np.zeros(len(points), np.uint8)
    others = list(compress(messages, ~with_han))
    marks[~inside] = _mark_chunks(points[~inside], text_ends(others))
    written = list(compress(messages, with_han))
    marks[inside], for_jieba[inside] = _mark_chinese(written, points[inside])
    return _Pieces(text, points, ends, marks, for_jieba)


def _mark_by_jieba(
    settings: dictionary.CutSettings, points: Points, ends: Ends
) -> Marks:
    """Cut pieces by jieba."""
    if not dictionary.words_to_split():
        return mark_words(settings, points, ends)
    text = points.tobytes().decode("utf-32-le", "surrogatepass")
    pieces = [text[begin:end] for begin, end in pairwise([0, *ends.tolist()])]
    words = chain.from_iterable(dictionary.cut_messages(settings, pieces))
    marks = np.zeros(len(points), np.uint8)
    marks[text_ends(list(words)) - 1] = 1
    return marks


def cut_words(settings: dictionary.CutSettings, messages: list[str]) -> CutPart:
    """Cut messages into words, white space included, alone or at their ends."""
    _, points, message_ends, marks, for_jieba = _cut_pieces(messages)
    if for_jieba.any():
        ends = np.flatnonzero(marks[for_jieba]) + 1
        marks[for_jieba] = _mark_by_jieba(settings, points[for_jieba], ends)
    return number_part(points, marks, message_ends)


def tag_words(settings: dictionary.CutSettings, messages: list[str]) -> CutPart:
    """Cut messages into words with parts of speech, by jieba where they are Chinese."""
    text, _, message_ends, marks, for_jieba = _cut_pieces(messages)
    ends = np.flatnonzero(marks) + 1
    begins = np.concatenate([[0], ends])[:-1].astype(np.int64)
    pieces = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    by_jieba = for_jieba[begins]
    chinese = iter(dictionary.tag_messages(settings, list(compress(pieces, by_jieba))))
    tagged = [
        next(chinese) if jieba else [(piece, _TAGS.get(kind_of(piece.strip()), "x"))]
        for piece, jieba in zip(pieces, by_jieba, strict=True)
    ]
    found = list(chain.from_iterable(tagged))
    n_words = np.concatenate([[0], np.cumsum(list(map(len, tagged)), dtype=np.int64)])
    words = sorted({word for word, _ in found})
    word_number = {word: number for number, word in enumerate(words)}
    names = dictionary.tag_names(settings.user_words)
    tag_number = {name: number for number, name in enumerate(names)}
    first = np.searchsorted(begins, np.concatenate([[0], message_ends]))
    return CutPart(
        np.array([word_number[word] for word, _ in found], np.int32),
        np.diff(n_words[first]),
        code_points("".join(words)),
        text_ends(words),
        np.array([tag_number[tag] for _, tag in found], np.int16),
    )
