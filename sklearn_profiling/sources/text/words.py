"""Words of every language and tokens of social media."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from itertools import chain, pairwise
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling._cluster import n_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources._columns import WordList, read_word_list
from sklearn_profiling.sources.text import _markup
from sklearn_profiling.sources.text._jieba import dictionary
from sklearn_profiling.sources.text._segmenter import (
    Segmenter,
    assemble,
    equal_parts,
    sorted_vocabulary,
)

__all__ = ["WordSegmenter"]

_ACTIONS = StrOptions({"keep", "mask", "drop"})
# Parameters by the kinds of tokens they treat.
_TREATED = {
    "mention": "mentions",
    "hashtag": "hashtags",
    "url": "urls",
    "email": "emails",
    "number": "numbers",
    "emoticon": "emoticons",
    "emoji": "emoji",
    "punctuation": "punctuation",
}


class WordSegmenter(Segmenter):
    r"""Cut messages of any language into words and the tokens of social media.

    Words follow Unicode's rules, Chinese is cut by jieba, and mentions, hashtags,
    URLs, e-mail addresses, numbers, emoticons and emoji are one token each.

    Parameters
    ----------
    mentions : {"keep", "mask", "drop"}, default="keep"
        What becomes of mentions such as ``@ann_b``: kept, replaced by ``<mention>`` or
        left out.
    hashtags : {"keep", "split", "mask", "drop"}, default="keep"
        The same for hashtags, ``#MondayMotivation``, Weibo's closed ``#话题#`` and
        cashtags such as ``$AAPL``. "split" gives their words, cut at capitals, digits
        and underscores, without the sign.
    urls : {"keep", "mask", "drop"}, default="keep"
        The same for addresses that begin with ``http://``, ``https://`` or ``www.`` or
        are a domain such as ``t.co/x`` or ``example.com``. Punctuation and closing
        brackets at the end do not belong to them.
    emails : {"keep", "mask", "drop"}, default="keep"
        The same for e-mail addresses.
    numbers : {"keep", "mask", "drop"}, default="keep"
        The same for numbers, times, dates and ranges: ``1,000.50``, ``10:30``, ``2-3``.
    emoticons : {"keep", "mask", "drop"}, default="keep"
        The same for ``:-)``, ``xD``, ``<3``, ``^_^``, ``T_T`` and Weibo's ``[微笑]``
        (known names; other text in brackets is cut).
    emoji : {"keep", "mask", "drop"}, default="keep"
        The same for emoji with their skin tones, joined emoji, keycaps and flags.
    punctuation : {"keep", "drop"}, default="keep"
        What becomes of marks, symbols and characters without width: one word each,
        runs of the same of ``. - + _ & %`` together, or left out.
    lowercase : bool, default=False
        Write words in lower case, except URLs and emoticons; "İ" becomes "i".
    elongated : "keep" or int, default="keep"
        Longest run of one letter in a word: 3 writes "sooooo" as "sooo".
    normalize : {"NFC", "NFKC"} or None, default=None
        Unicode form in which words are written. None leaves "ñ" and "n" with a tilde
        apart.
    user_dictionary : str, path-like or iterable of str, default=None
        Words to add to jieba's dictionary, as in :class:`JiebaSegmenter`.
    stop_words : str, path-like or iterable of str, default=None
        Words to leave out; a path names a UTF-8 file with one a line.
    hmm : bool, default=True
        Find Chinese words that are not in the dictionary by jieba's hidden Markov
        model.
    drop_duplicates : bool, default=True
        Drop repeated messages of one user first (MMLUP).
    part_of_speech : bool, default=False
        Fill ``tags`` and ``tag_names`` of the result with jieba's tags. Only Chinese
        words have parts of speech; other words are "eng", numbers "m", all else "x".
    n_jobs : int, default=None
        Number of threads. They help with Chinese, since jieba's algorithm is compiled.

    See Also
    --------
    JiebaSegmenter : The words of jieba alone.
    CharacterSegmenter : One word a character; for classical Chinese and as a baseline.

    Notes
    -----
    A word is a run of letters, marks and digits. Apostrophes, hyphens and middle dots
    between letters join ("Don't", "l'amour", "Müller-Lüdenscheidt"), as do points,
    commas, colons and slashes between digits, and the points of abbreviations
    ("U.S.A."). These are the rules of Unicode [1]_ except that hyphens join and that
    other points do not, since many writers leave out the blank after a full stop.
    Marks of direction, as in right-to-left text, stand alone. HTML's character
    references such as ``&amp;`` are read as what they stand for.
    Runs of hiragana and of katakana are words; Thai, Lao, Khmer and Burmese, whose
    words only a dictionary finds, are cut into grapheme clusters.

    Ideographs with the Latin letters and digits that touch them are cut by jieba. In a
    message with half as many ideographs as other letters, at least, everything but the
    tokens above and words of other scripts is cut by jieba, so that the words of
    Chinese text are those of :class:`JiebaSegmenter`.

    White space is left out, then messages without a word. The vocabulary of the result
    holds the words of that call, without vectors.

    References
    ----------
    .. [1] Unicode Standard Annex 29, Unicode Text Segmentation.

    Examples
    --------
    >>> from sklearn_profiling.sources import WordSegmenter
    >>> WordSegmenter().transform(["El niño de @ana cumple 3 años 🎂🇪🇸 #feliz"])[0]
    [['El', 'niño', 'de', '@ana', 'cumple', '3', 'años', '🎂', '🇪🇸', '#feliz']]
    >>> WordSegmenter().transform(["我来到北京清华大学 http://t.cn/a1 [微笑]"])[0]
    [['我', '来到', '北京', '清华大学', 'http://t.cn/a1', '[微笑]']]
    >>> masked = WordSegmenter(urls="mask", hashtags="split", lowercase=True)
    >>> masked.transform(["See https://t.co/x #GoodNews"])[0]
    [['see', '<url>', 'good', 'news']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mentions": [_ACTIONS],
        "hashtags": [StrOptions({"keep", "split", "mask", "drop"})],
        "urls": [_ACTIONS],
        "emails": [_ACTIONS],
        "numbers": [_ACTIONS],
        "emoticons": [_ACTIONS],
        "emoji": [_ACTIONS],
        "punctuation": [StrOptions({"keep", "drop"})],
        "lowercase": ["boolean"],
        "elongated": [StrOptions({"keep"}), Interval(Integral, 1, None, closed="left")],
        "normalize": [StrOptions({"NFC", "NFKC"}), None],
        "user_dictionary": ["array-like", str, os.PathLike, Iterable, None],
        "stop_words": ["array-like", str, os.PathLike, Iterable, None],
        "hmm": ["boolean"],
        "drop_duplicates": ["boolean"],
        "part_of_speech": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        mentions: str = "keep",
        hashtags: str = "keep",
        urls: str = "keep",
        emails: str = "keep",
        numbers: str = "keep",
        emoticons: str = "keep",
        emoji: str = "keep",
        punctuation: str = "keep",
        lowercase: bool = False,
        elongated: str | int = "keep",
        normalize: Literal["NFC", "NFKC"] | None = None,
        user_dictionary: WordList | None = None,
        stop_words: WordList | None = None,
        hmm: bool = True,
        drop_duplicates: bool = True,
        part_of_speech: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.mentions = mentions
        self.hashtags = hashtags
        self.urls = urls
        self.emails = emails
        self.numbers = numbers
        self.emoticons = emoticons
        self.emoji = emoji
        self.punctuation = punctuation
        self.lowercase = lowercase
        self.elongated = elongated
        self.normalize = normalize
        self.user_dictionary = user_dictionary
        self.stop_words = stop_words
        self.hmm = hmm
        self.drop_duplicates = drop_duplicates
        self.part_of_speech = part_of_speech
        self.n_jobs = n_jobs

    def _check(self) -> None:
        self._settings()
        self._stop_words()

    def _settings(self) -> dictionary.CutSettings:
        return dictionary.CutSettings(
            dictionary.user_entries(self.user_dictionary), bool(self.hmm)
        )

    def _stop_words(self) -> set[str]:
        words = {word for _, word in read_word_list(self.stop_words, "stop_words")}
        return words | set(map(_markup.lower, words)) if self.lowercase else words

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
        # numba is loaded where it is used: it takes a while
        from sklearn_profiling.sources.text._jieba.compiled import join_parts, spread
        from sklearn_profiling.sources.text._pieces import cut_words, tag_words

        messages, lengths = self._read(X)
        messages = list(map(_markup.without_references, messages))
        settings = self._settings()
        cut = tag_words if self.part_of_speech else cut_words
        part = join_parts(
            Parallel(n_jobs=self.n_jobs, require="sharedmem")(
                delayed(cut)(settings, part)
                for part in equal_parts(messages, n_threads(self.n_jobs))
            )
        )
        words = [word.strip() for word in part.words()]
        written, n_kept = self._written(words, settings)
        vocabulary, numbers = sorted_vocabulary(written)
        ids, sizes, tags = spread(part, numbers, n_kept)
        if not self.part_of_speech:
            return assemble(ids, sizes, lengths, vocabulary)
        names = dictionary.tag_names(settings.user_words)
        return assemble(ids, sizes, lengths, vocabulary, tags, names)

    def _is_plain(self) -> bool:
        """Whether tokens of all kinds are written as they stand, but for stop words."""
        return (
            all(getattr(self, name) == "keep" for name in _TREATED.values())
            and self.elongated == "keep"
            and not self.lowercase
        )

    def _written(
        self, words: list[str], settings: dictionary.CutSettings
    ) -> tuple[list[str], NDArray[np.int64]]:
        """Return what words become, end to end, and how many words each becomes."""
        if self._is_plain() and self.normalize is None and not self._stop_words():
            n_kept = np.fromiter(map(bool, words), np.int64, len(words))
            return list(filter(None, words)), n_kept
        kept = self._keep(words, settings)
        n_kept = np.fromiter(map(len, kept), np.int64, len(kept))
        return list(chain.from_iterable(kept)), n_kept

    def _keep(
        self, words: list[str], settings: dictionary.CutSettings
    ) -> list[list[str]]:
        """Return for each word the words it becomes: none, one or several."""
        stop = self._stop_words()
        actions = {kind: getattr(self, name) for kind, name in _TREATED.items()}
        alike = self._is_plain()
        kinds = ["word" if alike else _markup.kind_of(word) for word in words]
        split: dict[str, list[str]] = {}
        if self.hashtags == "split":
            split = self._split(
                [w for w, k in zip(words, kinds, strict=True) if k == "hashtag"],
                settings,
            )
        return [
            split[word]
            if word in split
            else self._write(word, kind, actions.get(kind, "keep"), stop)
            for word, kind in zip(words, kinds, strict=True)
        ]

    def _split(
        self, hashtags: list[str], settings: dictionary.CutSettings
    ) -> dict[str, list[str]]:
        """Return the words of each hashtag."""
        from sklearn_profiling.sources.text._pieces import cut_words

        if not hashtags:
            return {}
        part = cut_words(settings, list(map(_markup.split_hashtag, hashtags)))
        kept = self._keep([word.strip() for word in part.words()], settings)
        borders = pairwise(np.cumsum([0, *part.sizes]).tolist())
        return {
            hashtag: list(chain(*(kept[i] for i in part.ids[begin:end])))
            for hashtag, (begin, end) in zip(hashtags, borders, strict=True)
        }

    def _write(self, word: str, kind: str, action: str, stop: set[str]) -> list[str]:
        """Return a word as it is kept, in a list that is empty where it is dropped."""
        if action == "mask":
            return [f"<{kind}>"]
        if kind == "word" and self.elongated != "keep":
            word = _markup.shorten(word, int(self.elongated))
        if self.normalize is not None:
            word = unicodedata.normalize(self.normalize, word).strip()
        if self.lowercase and kind not in ("url", "emoticon"):
            word = _markup.lower(word)
        return [] if action == "drop" or not word or word in stop else [word]
