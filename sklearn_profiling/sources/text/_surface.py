"""The surface of a text: kinds of characters and tokens, and lengths."""

from __future__ import annotations

from collections import Counter

import numpy as np
import regex
from numpy.typing import NDArray

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources.text._markup import kind_of
from sklearn_profiling.sources.text.averaging import user_word_counts

__all__ = ["SURFACE_NAMES", "frequent_endings", "measure_surface"]

Floats = NDArray[np.float64]

_KINDS = ("mention", "hashtag", "url", "email", "number", "emoticon", "emoji")
# Of two marks that match, the first counts.
_MARKS = {
    "ellipsis": r"\.{2,}|…+",
    "exclamation": r"[!！¡]+",
    "question": r"[?？¿]+",
    "full_stop": r"[.。।]",
    "comma": r"[,，、،]",
    "colon": r"[:：;；]",
    "quote": r"""["'“”‘’«»「」『』《》„]""",
    "bracket": r"[()\[\]{}（）【】]",
    "dash": r"[-–—~～]+",
    "other_mark": r".+",
}
_MARK = regex.compile("|".join(f"(?P<{name}>{p})" for name, p in _MARKS.items()))
_ENDS_SENTENCE = ("ellipsis", "exclamation", "question", "full_stop")
_OPENING = frozenset("¡¿")
_ELONGATED = regex.compile(r"(\p{L}\p{M}*)\1{2}")
_ENDING_LENGTHS = (2, 3)
# Ideographs have no endings.
_SPELT = regex.compile(r"[[\p{L}\p{M}]--\p{Han}]++", regex.VERSION1)

#: Names of the columns of :func:`measure_surface`.
SURFACE_NAMES = (
    "characters=capital",
    "characters=digit",
    "words=capitals",
    "words=elongated",
    *(f"words={kind}" for kind in _KINDS),
    *(f"marks={mark}" for mark in _MARKS),
    "length=word",
    "length=sentence",
    "length=message",
)


def _kind(token: str) -> str:
    """Return the kind of a token, also of a mask such as ``<url>``."""
    return token[1:-1] if token[1:-1] in _KINDS and token[0] == "<" else kind_of(token)


def _mark(token: str) -> str:
    match = _MARK.fullmatch(token)
    return "other_mark" if match is None else str(match.lastgroup)


def _sums(token: str, kind: str) -> list[int]:
    """Count letters, capitals and words, then digits and characters."""
    if kind != "word":
        return [0, 0, 0, sum(map(str.isdigit, token)), len(token)]
    letters = sum(map(str.isalpha, token))
    capitals = sum(map(str.isupper, token))
    return [letters, capitals, 1, sum(map(str.isdigit, token)), len(token)]


def _classes(token: str, kind: str) -> list[bool]:
    """Tell the columns of shares of tokens that a token counts in."""
    mark = _mark(token) if kind == "punctuation" else None
    capitals = kind == "word" and token.isupper() and len(token) > 1
    elongated = kind == "word" and _ELONGATED.search(token) is not None
    return [
        capitals,
        elongated,
        *(kind == name for name in _KINDS),
        *(mark == name for name in _MARKS),
    ]


def _ends_sentence(token: str) -> bool:
    return token not in _OPENING and _mark(token) in _ENDS_SENTENCE


def _divide(counts: Floats, totals: Floats) -> Floats:
    quotients: Floats = counts / np.maximum(totals, 1)
    return quotients


def measure_surface(text: TokenMessages) -> Floats:
    """Measure the columns of `SURFACE_NAMES`, (n_users, n_columns).

    Capitals are a share of the letters of words, digits of all characters, kinds and
    marks of all tokens. Lengths are means: letters of a word, tokens of a sentence and
    of a message.
    """
    tokens = text.vocabulary.words
    kinds = list(map(_kind, tokens))
    pairs = list(zip(tokens, kinds, strict=True))
    counts = user_word_counts(text)
    sums = np.array([_sums(*pair) for pair in pairs], np.float64).reshape(-1, 5)
    shares = np.array([_classes(*pair) for pair in pairs], np.float64)
    shares = shares.reshape(-1, 2 + len(_KINDS) + len(_MARKS))
    letters, capitals, n_words, digits, characters = (counts @ sums).T
    n_tokens = np.asarray(counts.sum(axis=1), np.float64)
    ends = np.array([_ends_sentence(token) for token in tokens], np.bool_)
    measured: Floats = np.column_stack(
        [
            _divide(capitals, letters),
            _divide(digits, characters),
            _divide(counts @ shares, n_tokens[:, None]),
            _divide(letters, n_words),
            _divide(n_tokens, _n_sentences(text, ends)),
            _divide(n_tokens, np.diff(text.user_starts).astype(np.float64)),
        ]
    )
    return measured


def _n_sentences(text: TokenMessages, ends: NDArray[np.bool_]) -> Floats:
    """Count sentences: runs of marks that end one, and messages that end without."""
    at_end = ends[text.ids]
    last = text.message_starts[1:] - 1
    followed = np.append(at_end[1:], False)
    followed[last] = False
    stops = at_end & ~followed
    stops[last] = True
    found = np.bincount(text.word_users(), stops, len(text))
    return found.astype(np.float64)


def frequent_endings(text: TokenMessages, n_endings: int) -> list[str]:
    """Return the most frequent last two and three letters of longer words, sorted."""
    found: Counter[str] = Counter()
    for word, count in zip(text.vocabulary.words, text.word_counts(), strict=True):
        if _SPELT.fullmatch(word):
            for length in _ENDING_LENGTHS:
                if len(word) > length:
                    found[word[-length:].lower()] += int(count)
    ordered = sorted(found, key=lambda ending: (-found[ending], ending))
    return sorted(ordered[:n_endings])
