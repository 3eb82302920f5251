"""How a user writes: parts of speech, and the surface of the text without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources.text._function_words import FUNCTION_WORDS
from sklearn_profiling.sources.text._style_words import (
    TAG_CLASSES,
    WORD_CLASSES,
    WORD_ENDINGS,
)
from sklearn_profiling.sources.text._surface import (
    SURFACE_NAMES,
    frequent_endings,
    measure_surface,
)
from sklearn_profiling.sources.text._tag_sequences import Tagger, tag_text
from sklearn_profiling.sources.text.averaging import user_word_counts
from sklearn_profiling.sources.text.pos_patterns import FrequentPOSPatterns
from sklearn_profiling.sources.text.vocabulary import check_text

__all__ = ["StylometricFeatures"]

Floats = NDArray[np.float32]
#: An ending, or the words of a class.
WordTest = str | frozenset[str]

_FORMAL = ("noun", "adjective", "preposition", "article")
_CONTEXTUAL = ("pronoun", "verb", "adverb", "interjection")
_NO_WORD = "punctuation"
# Text has parts of speech if as large a share of its words has one of its own.
_MIN_TAGGED = 0.1
_N_ENDINGS = 50


class StylometricFeatures(TransformerMixin, BaseEstimator):
    r"""Measure how users write: the features of style of the SVM and ME baselines.

    Parameters
    ----------
    f_measure : bool, default=True
        Give Heylighen's F-measure, see Notes (paper). It needs parts of speech and is
        left out where `fit` finds none.
    pos_patterns : FrequentPOSPatterns, "drop" or None, default=None
        Give the frequent sequences of parts of speech; None mines with the paper's
        thresholds, "drop" leaves them out, and so does text without parts of speech.
    tagger : callable, default=None
        From the list of the words of a message to the sequence of their tags; None
        reads the tags of the text, as
        ``JiebaSegmenter(part_of_speech=True)`` leaves them.
    tag_classes : {"jieba", "universal"} or mapping, default="jieba"
        Which tags are "noun", "adjective", "preposition", "article", "pronoun", "verb",
        "adverb" and "interjection"; a class left out has none. A tag such as ``"n*"``
        stands for all that begin so. Tags of "punctuation" mark what is no word.
        "universal" names the tags of Universal Dependencies, which know determiners
        (``DET``) in place of articles.
    word_endings : bool or iterable of str, default=False
        Give the share of a user's words that end so, for each ending. True takes the
        nine English ones of Corney et al. [3]_ (able, al, ful, ible, ic, ive, less, ly,
        ous).
    word_classes : bool or mapping of str to iterable of str, default=False
        Give the share of a user's words that belong to a class, for each class. True
        takes eleven short lists of English words (our choice, see Notes).
    surface : bool or "auto", default="auto"
        Give the shares of capital letters, digits, elongated words, mentions,
        hashtags, emoji and so on and of each kind of punctuation, and the mean lengths
        of words, sentences and messages. "auto" gives them in place of the F-measure
        and the patterns, where these are wanted and the text has no parts of speech.
    function_words : bool, "auto", "en", "es" or iterable of str, default="auto"
        Give the share of a user's words that each of these words has. True takes short
        lists of English and Spanish, "en" and "es" one of them, without the words that
        no user of `fit` writes; "auto" is True where `surface` would be.
    n_endings : int or "auto", default="auto"
        Give the shares of as many word endings as `word_endings`, those of two and
        three letters that are most frequent in `fit`. "auto" is 50 where `surface`
        would be given, else 0 (our choice).

    Attributes
    ----------
    pos_patterns_ : FrequentPOSPatterns or None
        The patterns mined.
    feature_names_ : list of str
        Names of the columns.
    by_tags_ : bool
        Whether the text of `fit` has parts of speech.

    See Also
    --------
    FrequentPOSPatterns : The sequences alone, also from plain lists of tags.

    Notes
    -----
    The F-measure [1]_ says how formal a text is, in per cent of all words:

    .. math:: F = \frac{1}{2} (\mathrm{noun} + \mathrm{adjective} +
        \mathrm{preposition} + \mathrm{article} - \mathrm{pronoun} - \mathrm{verb} -
        \mathrm{adverb} - \mathrm{interjection} + 100)

    It lies between 0 and 100; 50 where a text holds no word of these classes. Chinese
    has no article. Punctuation is no word (our choice).

    The Aux-LSTM paper speaks of "four types of textual features" of [2]_ and names
    three: word unigrams, F-measure and POS patterns. The paper does not report the
    fourth, and nothing replaces it by default. `word_endings` and `word_classes` offer
    two other types of [2]_; its word classes are not all published, so the lists here
    are our own, after the themes of [4]_. Both are meant for English and compare
    lower-case words; an ending counts in words longer than it. Their shares are of the
    words that hold a letter or digit.

    Text has parts of speech if there is a tagger, or if it has tags and a tenth of its
    words at least are more to them than foreign words ("eng" of jieba), numbers and
    signs. So Chinese users get the features of the paper and others what needs no
    tagger: surface, function words and endings.

    Columns are not scaled: the F-measure lies between 0 and 100, patterns are 0 or 1,
    lengths are means, the rest are shares. Users without text get a row of NaN, the
    mark of a missing source.

    References
    ----------
    .. [1] F. Heylighen, J.-M. Dewaele. Variation in the Contextuality of Language: An
       Empirical Measure. Foundations of Science 7, 2002.
    .. [2] A. Mukherjee, B. Liu. Improving Gender Classification of Blog Authors. EMNLP
       2010.
    .. [3] M. Corney, O. de Vel, A. Anderson, G. Mohay. Gender-Preferential Text Mining
       of E-mail Discourse. ACSAC 2002.
    .. [4] S. Argamon, M. Koppel, J. Pennebaker, J. Schler. Mining the Blogosphere: Age,
       Gender and the Varieties of Self-Expression. First Monday 12(9), 2007.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources import StylometricFeatures
    >>> text = TokenMessages.from_lists([[["we", "sing", "loudly"]], [["red", "tea"]]])
    >>> tags = dict(we="PRON", sing="VERB", loudly="ADV", red="ADJ", tea="NOUN")
    >>> style = StylometricFeatures(
    ...     tagger=lambda words: [tags[word] for word in words],
    ...     tag_classes="universal",
    ...     pos_patterns="drop",
    ...     word_endings=["ly"],
    ... )
    >>> style.fit_transform(text).round(2)
    array([[  0.  ,   0.33],
           [100.  ,   0.  ]], dtype=float32)
    >>> style.get_feature_names_out().tolist()
    ['f_measure', 'ending=ly']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "f_measure": ["boolean"],
        "pos_patterns": [StrOptions({"drop"}), HasMethods(["fit", "transform"]), None],
        "tagger": [callable, None],
        "tag_classes": [StrOptions(set(TAG_CLASSES)), Mapping],
        "word_endings": ["boolean", Iterable],
        "word_classes": ["boolean", Mapping],
        "surface": ["boolean", StrOptions({"auto"})],
        "function_words": ["boolean", StrOptions({"auto", "en", "es"}), "array-like"],
        "n_endings": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto"}),
        ],
    }

    def __init__(
        self,
        *,
        f_measure: bool = True,
        pos_patterns: FrequentPOSPatterns | str | None = None,
        tagger: Tagger | None = None,
        tag_classes: str | Mapping[str, Iterable[str]] = "jieba",
        word_endings: bool | Iterable[str] = False,
        word_classes: bool | Mapping[str, Iterable[str]] = False,
        surface: bool | str = "auto",
        function_words: bool | str | Iterable[str] = "auto",
        n_endings: int | str = "auto",
    ) -> None:
        self.f_measure = f_measure
        self.pos_patterns = pos_patterns
        self.tagger = tagger
        self.tag_classes = tag_classes
        self.word_endings = word_endings
        self.word_classes = word_classes
        self.surface = surface
        self.function_words = function_words
        self.n_endings = n_endings

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Mine the patterns and name the columns.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, with or without tags.
        y : None
            Ignored.

        Returns
        -------
        StylometricFeatures
            The fitted transformer.

        Raises
        ------
        SourceError
            If the tagger does not give one tag a word, no user has text, or a
            parameter leaves no feature or names unknown classes.
        """
        self._learn(self._tagged(X))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: TokenMessages, y: Any = None) -> Floats:  # noqa: ARG002 - scikit-learn's signature
        """Fit and transform, tagging the text once.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of float32, shape (n_users, n_features)
            As from `transform`.
        """
        text = self._tagged(X)
        self._learn(text)
        return self._measure(text)

    def transform(self, X: TokenMessages) -> Floats:
        """Measure the style of users.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text of any vocabulary, with tags if `fit` had some and there is
            no tagger.

        Returns
        -------
        ndarray of float32, shape (n_users, n_features)
            The features; NaN for users without text.

        Raises
        ------
        SourceError
            If features of `fit` need tags and the text has none.
        """
        check_is_fitted(self)
        text = self._tagged(X)
        if self.by_tags_ and self._wants_tags() and text.tags is None:
            msg = (
                "StylometricFeatures was fitted on parts of speech and this text has "
                "none; cut it with the segmenter of fit or give a tagger"
            )
            raise SourceError(msg)
        return self._measure(text)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Name the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str, shape (n_features,)
            "f_measure", then patterns such as ``"pos=n+v"``, endings such as
            ``"ending=ly"``, classes such as ``"class=family"``, function words such as
            ``"word=the"``, and the surface, such as ``"words=emoji"``.
        """
        check_is_fitted(self)
        return np.array(self.feature_names_, dtype=object)

    def _tagged(self, X: Any) -> TokenMessages:
        """Return the text, with the tagger's tags if they are needed."""
        text = check_text(X, self)
        if self.tagger is not None and self._wants_tags():
            return tag_text(text, self.tagger)
        return text

    def _wants_tags(self) -> bool:
        return self.f_measure or not self._drops_patterns()

    def _drops_patterns(self) -> bool:
        return isinstance(self.pos_patterns, str)

    def _learn(self, text: TokenMessages) -> None:
        self._tag_signs = _signs_of_tags(self.tag_classes)
        self.by_tags_ = self.tagger is not None or _has_parts_of_speech(text)
        by_tags = self.by_tags_ and self._wants_tags()
        # what stands in for features of tags that are wanted and cannot be made
        auto = self._wants_tags() and not by_tags
        self._with_surface = auto if self.surface == "auto" else bool(self.surface)
        self._word_tests = {
            **_endings(self.word_endings),
            **_classes(self.word_classes),
            **_frequent_endings(self.n_endings, text, auto=auto),
            **_function_words(self.function_words, text, auto=auto),
        }
        self.pos_patterns_: Any = None
        names = ["f_measure"] if self.f_measure and by_tags else []
        if by_tags and not self._drops_patterns():
            given = self.pos_patterns
            made = FrequentPOSPatterns() if given is None else clone(given)
            self.pos_patterns_ = made.fit(text)
            names += self.pos_patterns_.get_feature_names_out().tolist()
        names += [*self._word_tests, *(SURFACE_NAMES if self._with_surface else ())]
        if not names:
            msg = (
                "StylometricFeatures gives no feature: f_measure, pos_patterns, "
                "word_endings, word_classes, surface, function_words and n_endings are "
                "all left out"
            )
            raise SourceError(msg)
        if text.missing.all():
            msg = "StylometricFeatures needs text, and no user has any"
            raise SourceError(msg)
        self.feature_names_ = names

    def _measure(self, text: TokenMessages) -> Floats:
        blocks = []
        if self.f_measure and self.by_tags_:
            blocks.append(_f_measures(text, self._tag_signs)[:, None])
        if self.pos_patterns_ is not None:
            blocks.append(self.pos_patterns_.transform(text))
        if self._word_tests:
            blocks.append(_shares_of_words(text, list(self._word_tests.values())))
        if self._with_surface:
            blocks.append(measure_surface(text))
        features = np.hstack(blocks).astype(np.float32)
        features[text.missing] = np.nan
        return features

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _signs_of_tags(tag_classes: Any) -> list[tuple[str, float]]:
    """Return tags with what a word of each adds; NaN for what is no word."""
    given = TAG_CLASSES[tag_classes] if isinstance(tag_classes, str) else tag_classes
    known = (*_FORMAL, *_CONTEXTUAL, _NO_WORD)
    unknown = [name for name in given if name not in known]
    if unknown:
        msg = f"tag_classes may hold the classes {list(known)}; got {unknown}"
        raise SourceError(msg)
    signs = {**dict.fromkeys(_FORMAL, 1.0), **dict.fromkeys(_CONTEXTUAL, -1.0)}
    return [
        (tag, signs.get(name, np.nan))
        for name, tags in given.items()
        for tag in _words_of(tags, f"tag_classes[{name!r}]")
    ]


def _sign(tag: str, signs: list[tuple[str, float]]) -> float:
    """Return what a word of a tag adds; an exact tag goes before a beginning."""
    exact = [sign for known, sign in signs if known == tag]
    begun = [
        sign
        for known, sign in signs
        if known[-1:] == "*" and tag.startswith(known[:-1])
    ]
    return (exact + begun + [0.0])[0]


def _f_measures(
    text: TokenMessages, signs: list[tuple[str, float]]
) -> NDArray[np.float64]:
    names = text.tag_names or ()
    by_tag = np.array([_sign(tag, signs) for tag in names], dtype=np.float64)
    values = by_tag[np.asarray(text.tags)] if len(by_tag) else np.zeros(0)
    is_word = ~np.isnan(values)
    users = text.word_users()
    n_words = np.bincount(users, is_word, len(text))
    balance = np.bincount(users, np.where(is_word, values, 0.0), len(text))
    result: NDArray[np.float64] = 50 * (1 + balance / np.maximum(n_words, 1))
    return result


def _words_of(given: Any, name: str) -> list[str]:
    listed = [given] if isinstance(given, str) else list(given)
    wrong = [word for word in listed if not isinstance(word, str) or not word]
    if wrong:
        msg = f"{name} must hold words; got {shortened(wrong[0])}"
        raise SourceError(msg)
    return listed


def _endings(given: bool | Iterable[str]) -> dict[str, WordTest]:
    """Return the columns of word endings."""
    if isinstance(given, bool | np.bool_):
        given = WORD_ENDINGS if given else ()
    return {
        f"ending={ending}": ending.lower()
        for ending in _words_of(given, "word_endings")
    }


def _classes(given: bool | Mapping[str, Iterable[str]]) -> dict[str, WordTest]:
    """Return the columns of word classes."""
    if isinstance(given, bool | np.bool_):
        given = WORD_CLASSES if given else {}
    return {
        f"class={name}": frozenset(
            word.lower() for word in _words_of(words, f"word_classes[{name!r}]")
        )
        for name, words in given.items()
    }


def _has_parts_of_speech(text: TokenMessages) -> bool:
    """Whether words have tags, and not only those of foreign words and signs."""
    if text.tags is None or text.tag_names is None:
        return False
    counts = np.bincount(text.tags, minlength=len(text.tag_names))
    n_of = dict(zip(text.tag_names, counts.tolist(), strict=True))
    n_words = text.n_words - n_of.get("x", 0) - n_of.get("m", 0)
    return bool(n_words - n_of.get("eng", 0) >= _MIN_TAGGED * n_words)


def _frequent_endings(
    given: int | str, text: TokenMessages, *, auto: bool
) -> dict[str, WordTest]:
    """Return the columns of learned word endings."""
    n_endings = (_N_ENDINGS if auto else 0) if isinstance(given, str) else given
    return _endings(frequent_endings(text, n_endings) if n_endings else ())


def _function_words(
    given: bool | str | Iterable[str], text: TokenMessages, *, auto: bool
) -> dict[str, WordTest]:
    """Return the columns of function words."""
    if not isinstance(given, bool | np.bool_ | str):
        words = [word.lower() for word in _words_of(given, "function_words")]
        return {f"word={word}": frozenset([word]) for word in words}
    if given == "auto":
        given = auto
    languages = [given] if isinstance(given, str) else [*FUNCTION_WORDS] * given
    written = {word.lower() for word in text.vocabulary.words}
    listed = {word for language in languages for word in FUNCTION_WORDS[language]}
    return {f"word={word}": frozenset([word]) for word in sorted(listed & written)}


def _shares_of_words(text: TokenMessages, tests: list[WordTest]) -> NDArray[np.float64]:
    words = [word.lower() for word in text.vocabulary.words]
    is_word = np.array([any(map(str.isalnum, word)) for word in words], np.float64)
    endings = {t: column for column, t in enumerate(tests) if isinstance(t, str)}
    listed: dict[str, list[int]] = {}
    for column, test in enumerate(tests):
        for word in () if isinstance(test, str) else test:
            listed.setdefault(word, []).append(column)
    lengths = sorted(set(map(len, endings)))
    passed = np.zeros((len(words), len(tests)))
    for row, word in enumerate(words):
        passed[row, listed.get(word, ())] = 1
        for length in lengths:
            column = endings.get(word[-length:], -1) if len(word) > length else -1
            if column >= 0:
                passed[row, column] = 1
    counts = user_word_counts(text)
    n_words = np.maximum(counts @ is_word, 1)
    result: NDArray[np.float64] = (counts @ passed) / n_words[:, None]
    return result
