"""Segmentation of messages into words: the first step of every text source."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from itertools import chain, compress
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions

from sklearn_profiling._cluster import n_threads
from sklearn_profiling._processes import Parallel
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._columns import (
    WordList,
    read_word_list,
)
from sklearn_profiling.sources.text._jieba import dictionary
from sklearn_profiling.sources.text._markup import is_ideograph
from sklearn_profiling.sources.text._segmenter import (
    Segmenter,
    assemble,
    encode,
    equal_parts,
    sorted_vocabulary,
)
from sklearn_profiling.sources.text.words import WordSegmenter

__all__ = ["CharacterSegmenter", "JiebaSegmenter"]


# A worker reads the dictionary first, about a second, in which jieba cuts this many
# characters.
_CHARACTERS_PER_WORKER = 300_000
# From this share of one-character words on, characters serve as words.
_MOSTLY_SINGLE = 0.75

# Ideographs with their extensions, compatibility forms and the iteration mark and
# zero; kana, Bopomofo and Hangul syllables are written without spaces as well.
_IDEOGRAPHS = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af"
    "\u3041-\u3096\u30a1-\u30fa\u30fc\u31f0-\u31ff\u3105-\u312f\uac00-\ud7a3"
)
_LETTER = rf"[^\W_{_IDEOGRAPHS}]"
_RUN = rf"{_LETTER}+(?:['’]{_LETTER}+)*"


class JiebaSegmenter(Segmenter):
    """Cut Chinese messages into words with jieba.

    Parameters
    ----------
    user_dictionary : str, path-like or iterable of str, default=None
        Words to add to jieba's dictionary. A path names a UTF-8 file with ``word
        [frequency [part of speech]]`` a line; without a frequency one is chosen that
        lets the word be cut out.
    stop_words : str, path-like or iterable of str, default=None
        Words to leave out; a path names a UTF-8 file with one a line.
    hmm : bool, default=True
        Find words that are not in the dictionary by jieba's hidden Markov model.
    drop_duplicates : bool, default=True
        Drop repeated messages of one user first (MMLUP).
    lowercase : bool, default=True
        Write Latin words in lower case, after cutting (our choice).
    part_of_speech : bool, default=False
        Fill ``tags`` and ``tag_names`` of the result. Jieba's tagger cuts some unknown
        words differently from the plain cut, and is several times slower.
    engine : {"compiled", "jieba", "rjieba"}, default="compiled"
        Program. "compiled" is jieba's algorithm with jieba's dictionary and model in
        numba: the same words, over ten times quicker. "rjieba" (extra ``fast``) needs
        no numba and takes neither `user_dictionary` nor `part_of_speech`; lines for
        which its rules differ, those with ``-+#&._%`` or rarer characters, go to
        jieba, and what still differs are words that are equally likely but for
        rounding, about one line in 10,000. Parts of speech always come from jieba.
    n_jobs : int, default=None
        Threads of the compiled engine, else processes. A process reads the dictionary
        first, so short columns are cut in one.

    See Also
    --------
    WordSegmenter : The same words, with those of other languages and of social media.
    CharacterSegmenter : One word a character; for classical Chinese and as a baseline.

    Notes
    -----
    Jieba writes a cache file and logs when it is first used; here it does neither.
    The compiled engine takes some seconds at its first use on a machine; numba keeps
    the machine code beside the package's byte code.
    White space is left out, then messages without a word. Punctuation is kept.
    The vocabulary of the result holds the words of that call, without vectors.

    References
    ----------
    .. [1] D. Zhu et al. MMLUP: Multi-Source & Multi-Task Learning for User Profiles
       in Social Network. 2019.
    .. [2] Sun Junyi. Jieba. https://github.com/fxsjy/jieba

    Examples
    --------
    >>> from sklearn_profiling.sources.text.segmentation import JiebaSegmenter
    >>> text = JiebaSegmenter().fit_transform([["我来到北京清华大学"], None])
    >>> text[0], text.missing.tolist()
    ([['我', '来到', '北京', '清华大学']], [False, True])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "user_dictionary": ["array-like", str, os.PathLike, Iterable, None],
        "stop_words": ["array-like", str, os.PathLike, Iterable, None],
        "hmm": ["boolean"],
        "drop_duplicates": ["boolean"],
        "lowercase": ["boolean"],
        "part_of_speech": ["boolean"],
        "engine": [StrOptions({"compiled", "jieba", "rjieba"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        user_dictionary: WordList | None = None,
        stop_words: WordList | None = None,
        hmm: bool = True,
        drop_duplicates: bool = True,
        lowercase: bool = True,
        part_of_speech: bool = False,
        engine: str = "compiled",
        n_jobs: int | None = None,
    ) -> None:
        self.user_dictionary = user_dictionary
        self.stop_words = stop_words
        self.hmm = hmm
        self.drop_duplicates = drop_duplicates
        self.lowercase = lowercase
        self.part_of_speech = part_of_speech
        self.engine = engine
        self.n_jobs = n_jobs

    def _check(self) -> None:
        self._settings()
        read_word_list(self.stop_words, "stop_words")

    def _settings(self) -> dictionary.CutSettings:
        if self.engine == "rjieba":
            for parameter, default in (
                ("user_dictionary", None),
                ("part_of_speech", False),
            ):
                if getattr(self, parameter) not in (default,):
                    msg = (
                        f"engine='rjieba' does not take {parameter}; leave it at "
                        f"{default} or use another engine"
                    )
                    raise SourceError(msg)
        return dictionary.CutSettings(
            dictionary.user_entries(self.user_dictionary), bool(self.hmm), self.engine
        )

    def transform(self, X: Any) -> TokenMessages:
        """Cut messages into words.

        Parameters
        ----------
        X : Series, list or array of shape (n_users,), or table with one column
            Messages of each user: a list of str, one str, or None or NaN for a user
            without text.

        Returns
        -------
        TokenMessages of shape (n_users,)
            The words, with the vocabulary of this call.

        Raises
        ------
        SourceError
            If a cell is anything else, with its row.
        """
        messages, lengths = self._read(X)
        settings = self._settings()
        stop = {word for _, word in read_word_list(self.stop_words, "stop_words")}
        if self.lowercase:
            stop |= {word.lower() for word in stop}
        if self.part_of_speech:
            return self._tagged(messages, lengths, settings, stop)
        if self.engine == "compiled" and not dictionary.words_to_split():
            return self._compiled(messages, lengths, settings, stop)
        kept = [
            [word for raw in message if (word := self._accept(raw, stop)) is not None]
            for message in self._spread(dictionary.cut_messages, settings, messages)
        ]
        return encode(kept, lengths)

    def _accept(self, word: str, stop: set[str]) -> str | None:
        """Return the word as it is kept, or None."""
        if self.lowercase:
            word = word.lower()
        return None if word.isspace() or word in stop else word

    def _compiled(
        self,
        messages: list[str],
        lengths: NDArray[np.int64],
        settings: dictionary.CutSettings,
        stop: set[str],
    ) -> TokenMessages:
        # numba is loaded where it is used: it takes a while
        from sklearn_profiling.sources.text._jieba.compiled import (
            cut_part,
            join_parts,
            spread,
        )

        part = join_parts(
            Parallel(n_jobs=self.n_jobs, require="sharedmem")(
                delayed(cut_part)(settings, part)
                for part in equal_parts(messages, n_threads(self.n_jobs))
            )
        )
        words = part.words()
        if self.lowercase:
            words = [*map(str.lower, words)]
        dropped = np.fromiter(map(str.isspace, words), np.bool_, len(words))
        if stop:
            dropped |= np.fromiter(map(stop.__contains__, words), np.bool_, len(words))
        vocabulary, numbers = sorted_vocabulary(list(compress(words, ~dropped)))
        ids, sizes, _ = spread(part, numbers, (~dropped).astype(np.int64))
        return assemble(ids, sizes, lengths, vocabulary)

    def _tagged(
        self,
        messages: list[str],
        lengths: NDArray[np.int64],
        settings: dictionary.CutSettings,
        stop: set[str],
    ) -> TokenMessages:
        names = dictionary.tag_names(settings.user_words)
        number = {name: position for position, name in enumerate(names)}
        kept: list[list[str]] = []
        tags: list[int] = []
        for message in self._spread(dictionary.tag_messages, settings, messages):
            words = []
            for raw, tag in message:
                word = self._accept(raw, stop)
                if word is not None:
                    words.append(word)
                    tags.append(number[tag])
            kept.append(words)
        return encode(kept, lengths, np.array(tags, np.int16), names)

    def _spread(
        self, cut: Any, settings: dictionary.CutSettings, messages: list[str]
    ) -> list[list[Any]]:
        """Cut in one process or, if there is enough text, in several."""
        n_workers = min(
            n_threads(self.n_jobs),
            sum(map(len, messages)) // _CHARACTERS_PER_WORKER,
        )
        if n_workers < 2:
            result: list[list[Any]] = cut(settings, messages)
            return result
        # Several parts a worker, since messages differ in length.
        size = -(-len(messages) // (4 * n_workers))
        parts = Parallel(n_jobs=n_workers)(
            delayed(cut)(settings, messages[start : start + size])
            for start in range(0, len(messages), size)
        )
        return list(chain.from_iterable(parts))


class CharacterSegmenter(Segmenter):
    """Cut messages into characters; words of other scripts stay whole.

    Parameters
    ----------
    stop_characters : iterable of str, default=None
        Characters (or words of other scripts) to leave out; a str is taken as a set of
        characters.
    punctuation : {"drop", "keep"}, default="drop"
        What becomes of marks, symbols and emoji: left out, or one word each.
    keep_latin_words : bool, default=True
        Keep runs of letters and digits as words; otherwise leave them out.
    lowercase : bool, default=True
        Write them in lower case.
    drop_duplicates : bool, default=True
        Drop repeated messages of one user first (MMLUP).

    See Also
    --------
    WordSegmenter : Words of every language.
    JiebaSegmenter : Words of modern Chinese.

    Notes
    -----
    A character is an ideograph of any Unicode block, kana, Bopomofo or a Hangul
    syllable. Surrogate pairs count as the character they stand for.

    Examples
    --------
    >>> from sklearn_profiling.sources.text.segmentation import CharacterSegmenter
    >>> CharacterSegmenter().fit_transform([["床前明月光，iPhone 15"]])[0]
    [['床', '前', '明', '月', '光', 'iphone', '15']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "stop_characters": ["array-like", str, Iterable, None],
        "punctuation": [StrOptions({"drop", "keep"})],
        "keep_latin_words": ["boolean"],
        "lowercase": ["boolean"],
        "drop_duplicates": ["boolean"],
    }

    def __init__(
        self,
        *,
        stop_characters: Iterable[str] | None = None,
        punctuation: str = "drop",
        keep_latin_words: bool = True,
        lowercase: bool = True,
        drop_duplicates: bool = True,
    ) -> None:
        self.stop_characters = stop_characters
        self.punctuation = punctuation
        self.keep_latin_words = keep_latin_words
        self.lowercase = lowercase
        self.drop_duplicates = drop_duplicates

    def _check(self) -> None:
        self._stop_words()

    def _stop_words(self) -> set[str]:
        words = self.stop_characters
        # A str stands for its characters here, not for a path.
        listed = list(words) if isinstance(words, str) else words
        return {word for _, word in read_word_list(listed, "stop_characters")}

    def transform(self, X: Any) -> TokenMessages:
        """Cut messages into characters.

        Parameters
        ----------
        X : Series, list or array of shape (n_users,), or table with one column
            Messages of each user: a list of str, one str, or None or NaN for a user
            without text.

        Returns
        -------
        TokenMessages of shape (n_users,)
            The characters, with the vocabulary of this call.

        Raises
        ------
        SourceError
            If a cell is anything else, with its row.
        """
        messages, lengths = self._read(X)
        pattern = f"[{_IDEOGRAPHS}]"
        if self.keep_latin_words:
            pattern += f"|{_RUN}"
        if self.punctuation == "keep":
            pattern += r"|[^\w\s]|_"
        find = re.compile(pattern).findall
        cut: list[list[str]]
        if self.lowercase:
            cut = [find(message.lower()) for message in messages]
        else:
            cut = [find(message) for message in messages]
        stop = self._stop_words()
        if stop:
            cut = [[word for word in message if word not in stop] for message in cut]
        return encode(cut, lengths)


def choose_segmenter(messages: pd.Series, n_users: int = 200) -> Any:
    """Choose words or characters by what jieba makes of a sample of the text.

    Words are those of :class:`WordSegmenter`, for any language.

    In classical Chinese nearly every character is a word: jieba's dictionary knows few
    of the longer ones, and what its model of unknown words joins is mostly chance.

    Parameters
    ----------
    messages : Series of list of str
        Messages of users.
    n_users : int, default=200
        Users to look at, evenly spread.

    Returns
    -------
    CharacterSegmenter or WordSegmenter
        Characters if, by jieba's dictionary alone, three quarters of the words are one
        ideograph long (modern text has about half, that of other scripts hardly any).

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_profiling.sources import choose_segmenter
    >>> choose_segmenter(pd.Series([["白雲來何時，英英冠山椒。"]]))
    CharacterSegmenter()
    >>> choose_segmenter(pd.Series([["Good morning, Ann!"]]))
    WordSegmenter()
    """
    step = max(1, len(messages) // n_users)
    sample = messages.iloc[::step]
    words = WordSegmenter(
        drop_duplicates=False, hmm=False, punctuation="drop"
    ).transform(sample)
    single = np.array([is_ideograph(word) for word in words.vocabulary.words], bool)
    n_single = words.word_counts()[single].sum()
    if n_single >= _MOSTLY_SINGLE * max(words.n_words, 1):
        return CharacterSegmenter()
    return default_segmenter()


def with_punctuation(segmenter: Any) -> Any:
    """Clone a segmenter that keeps punctuation where it can; None stays None."""
    if segmenter is None or "punctuation" not in segmenter.get_params():
        return segmenter
    return clone(segmenter).set_params(punctuation="keep")


def default_segmenter(given: Any = None, **parameters: Any) -> Any:
    """Return the given segmenter, or the default one, for any language, if None."""
    return WordSegmenter(**parameters) if given is None else given
