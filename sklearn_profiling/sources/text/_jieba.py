"""Jieba without its side effects.

Jieba's own ``initialize`` writes a cache file into the temporary folder and logs to
the console; the dictionary is therefore read here. Its objects cannot be pickled, so
they live in a cache of the process, by settings, and estimators hold none of them.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from sklearn_profiling._optional import import_optional

__all__ = ["CutSettings", "cut_messages", "tag_messages", "tag_names"]

# Lines of these characters alone are cut by the same rules in rjieba and jieba. Left
# out are the ASCII characters -+#&._% and every rarer character.
_ALIKE = re.compile(
    "[\u4e00-\u9fd5A-Za-z0-9 \n，。！？；：、“”‘’（）《》〈〉【】…—～"
    ",!?;:'\"()\\[\\]@/~*=<>]*"
)


@dataclass(frozen=True)
class CutSettings:
    """What decides a cut.

    Attributes
    ----------
    user_words : tuple of (str, int or None, str or None)
        Word, frequency and part of speech of each entry of the user dictionary.
    hmm : bool
        Whether unknown words are found by the hidden Markov model.
    engine : {"jieba", "rjieba"}
        Program.
    """

    user_words: tuple[tuple[str, int | None, str | None], ...] = ()
    hmm: bool = True
    engine: str = "jieba"


def _import_jieba(name: str = "jieba") -> ModuleType:
    with warnings.catch_warnings():
        # invalid escapes and pkg_resources: nothing that a user could mend
        warnings.simplefilter("ignore")
        return import_optional(name, extra="test", purpose="JiebaSegmenter")


@lru_cache(maxsize=1)
def _dictionary() -> tuple[dict[str, int], int]:
    tokenizer = _import_jieba().Tokenizer()
    frequencies, total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    return frequencies, total


@lru_cache(maxsize=4)
def _tokenizer(user_words: tuple[tuple[str, int | None, str | None], ...]) -> Any:
    tokenizer = _import_jieba().Tokenizer()
    frequencies, tokenizer.total = _dictionary()
    tokenizer.FREQ = frequencies.copy() if user_words else frequencies
    tokenizer.initialized = True
    for word, frequency, tag in user_words:
        tokenizer.add_word(word, frequency, tag)
    return tokenizer


@lru_cache(maxsize=2)
def _tagger(user_words: tuple[tuple[str, int | None, str | None], ...]) -> Any:
    tagger = _import_jieba("jieba.posseg").POSTokenizer(_tokenizer(user_words))
    # Kept in the tagger: the tokenizer forgets its tags once they were read.
    tagger.word_tag_tab.update({word: tag for word, _, tag in user_words if tag})
    return tagger


@lru_cache(maxsize=2)
def tag_names(
    user_words: tuple[tuple[str, int | None, str | None], ...],
) -> tuple[str, ...]:
    """All parts of speech that :func:`tag_messages` can return, sorted."""
    states = _import_jieba("jieba.posseg.char_state_tab").P
    found = {tag for pairs in states.values() for _, tag in pairs}
    found.update(_tagger(user_words).word_tag_tab.values(), ("eng", "m", "x"))
    return tuple(sorted(found))


def cut_messages(settings: CutSettings, messages: list[str]) -> list[list[str]]:
    """Cut messages into words, white space included.

    Parameters
    ----------
    settings : CutSettings
        How to cut.
    messages : list of str
        The messages.

    Returns
    -------
    list of list of str
        Words of each message.
    """
    hmm = settings.hmm
    cut = _tokenizer(settings.user_words).lcut
    if settings.engine == "jieba":
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
    """Cut messages into words with their part of speech.

    Parameters
    ----------
    settings : CutSettings
        How to cut; always with jieba itself.
    messages : list of str
        The messages.

    Returns
    -------
    list of list of (str, str)
        Words and parts of speech of each message.
    """
    cut = _tagger(settings.user_words).cut
    return [
        [(pair.word, pair.flag) for pair in cut(message, HMM=settings.hmm)]
        for message in messages
    ]
