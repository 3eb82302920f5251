"""Jieba without its side effects.

Jieba's own ``initialize`` writes a cache file into the temporary folder and logs to
the console; the dictionary is therefore read here. Its objects cannot be pickled, so
they live in a cache of the process, by settings, and estimators hold none of them.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from sklearn_profiling._optional import import_optional
from sklearn_profiling.exceptions import DataFormatError
from sklearn_profiling.sources._columns import WordList, read_word_list

__all__ = [
    "CutSettings",
    "UserWord",
    "cut_messages",
    "entries",
    "import_jieba",
    "tag_messages",
    "tag_names",
    "tokenizer",
    "user_entries",
    "words_to_split",
]

# Lines of these characters alone are cut by the same rules in rjieba and jieba. Left
# out are the ASCII characters -+#&._% and every rarer character.
_ALIKE = re.compile(
    "[\u4e00-\u9fd5A-Za-z0-9 \n，。！？；：、“”‘’（）《》〈〉【】…—～"
    ",!?;:'\"()\\[\\]@/~*=<>]*"
)

_LONGEST_WORD = 1000
_LONGEST_FREQUENCY = 18
_USER_ENTRY = re.compile(r"(.+?)(?:\s+([0-9]+))?(?:\s+([a-z]+))?")

#: Word, frequency and part of speech.
UserWord = tuple[str, int | None, str | None]


@dataclass(frozen=True)
class CutSettings:
    """Settings of a cut; `hmm` finds unknown words by the hidden Markov model."""

    user_words: tuple[UserWord, ...] = ()
    hmm: bool = True
    engine: str = "jieba"


def user_entries(
    user_dictionary: WordList | None,
) -> tuple[UserWord, ...]:
    """Read the parameter `user_dictionary` of the segmenters."""
    entries = read_word_list(user_dictionary, "user_dictionary")
    if not isinstance(user_dictionary, str | os.PathLike):
        return tuple((word, None, None) for _, word in entries)
    parsed: list[UserWord] = []
    for line, entry in entries:
        match = _USER_ENTRY.fullmatch(entry)
        word, frequency, tag = match.groups() if match else (entry, None, None)
        if len(word) > _LONGEST_WORD:
            # Jieba keeps each of its beginnings.
            reason = f"a word may have {_LONGEST_WORD} characters; got {len(word):,}"
            raise DataFormatError(user_dictionary, line, reason)
        if frequency is not None and len(frequency) > _LONGEST_FREQUENCY:
            reason = f"a frequency may have {_LONGEST_FREQUENCY} digits"
            raise DataFormatError(user_dictionary, line, reason)
        if frequency is not None and int(frequency) == 0:
            # Jieba would split the word in every tokenizer of the process.
            reason = f"the frequency of {word!r} must be at least 1; got {frequency}"
            raise DataFormatError(user_dictionary, line, reason)
        parsed.append((word, None if frequency is None else int(frequency), tag))
    return tuple(parsed)


def import_jieba(name: str = "jieba") -> ModuleType:
    """Import a module of jieba without its warnings."""
    with warnings.catch_warnings():
        # invalid escapes and pkg_resources: nothing that a user could mend
        warnings.simplefilter("ignore")
        return import_optional(name, extra="test", purpose="JiebaSegmenter")


@lru_cache(maxsize=1)
def _dictionary() -> tuple[dict[str, int], int]:
    plain = import_jieba().Tokenizer()
    frequencies, total = plain.gen_pfdict(plain.get_dict_file())
    return frequencies, total


def entries(user_words: tuple[UserWord, ...]) -> tuple[list[str], list[int], int]:
    """Return words, their frequencies and the total that jieba divides them by.

    Beginnings of words may stand among them with a frequency of 0; of a word that
    stands twice the last counts.
    """
    plain = import_jieba().Tokenizer()
    if not user_words:
        # A third of the time that jieba takes, which stores all beginnings.
        with plain.get_dict_file() as file:
            text = file.read().decode("utf-8")
        fields = text.split()
        if len(fields) == 3 * len(text.splitlines()):
            frequencies = [*map(int, fields[1::3])]
            return fields[::3], frequencies, sum(frequencies)
    made = tokenizer(user_words)
    return list(made.FREQ), list(made.FREQ.values()), made.total


@lru_cache(maxsize=4)
def tokenizer(user_words: tuple[UserWord, ...]) -> Any:
    """Return the tokenizer of these words; it is shared, so do not change it."""
    made = import_jieba().Tokenizer()
    frequencies, made.total = _dictionary()
    made.FREQ = frequencies.copy() if user_words else frequencies
    made.initialized = True
    for word, frequency, tag in user_words:
        made.add_word(word, frequency, tag)
    return made


@lru_cache(maxsize=2)
def _tagger(user_words: tuple[UserWord, ...]) -> Any:
    tagger = import_jieba("jieba.posseg").POSTokenizer(tokenizer(user_words))
    # Kept in the tagger: the tokenizer forgets its tags once they were read.
    tagger.word_tag_tab.update({word: tag for word, _, tag in user_words if tag})
    return tagger


@lru_cache(maxsize=2)
def tag_names(
    user_words: tuple[UserWord, ...],
) -> tuple[str, ...]:
    """List all parts of speech that :func:`tag_messages` can return, sorted."""
    states = import_jieba("jieba.posseg.char_state_tab").P
    found = {tag for pairs in states.values() for _, tag in pairs}
    found.update(_tagger(user_words).word_tag_tab.values(), ("eng", "m", "x"))
    return tuple(sorted(found))


def words_to_split() -> bool:
    """Whether jieba was told to split words, by ``del_word`` or a frequency of zero.

    Jieba keeps these words in one set for all tokenizers of the process.
    """
    return bool(import_jieba("jieba.finalseg").Force_Split_Words)


def cut_messages(settings: CutSettings, messages: list[str]) -> list[list[str]]:
    """Cut each message into words, white space included."""
    hmm = settings.hmm
    cut = tokenizer(settings.user_words).lcut
    if settings.engine != "rjieba":
        return [cut(message, HMM=hmm) for message in messages]
    quick = import_optional(
        "rjieba", extra="fast", purpose="JiebaSegmenter(engine='rjieba')"
    ).cut
    return [
        quick(message, hmm) if _ALIKE.fullmatch(message) else cut(message, HMM=hmm)
        for message in messages
    ]


def tag_messages(
    settings: CutSettings, messages: list[str]
) -> list[list[tuple[str, str]]]:
    """Cut each message into pairs of word and part of speech, with jieba itself."""
    cut = _tagger(settings.user_words).cut
    return [
        [(pair.word, pair.flag) for pair in cut(message, HMM=settings.hmm)]
        for message in messages
    ]
