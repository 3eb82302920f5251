"""Base of the transformers of word vectors: vocabularies and encoding."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text._markup import is_ideograph

__all__ = [
    "UNKNOWN_WORD",
    "WordVectorTransformer",
    "added_counts",
    "build_vocabulary",
    "check_text",
    "counted_vocabulary",
    "most_frequent",
    "split_words",
]

#: Entry of the vocabulary that stands for unknown words if ``unknown="average"``.
UNKNOWN_WORD = "<unknown>"

_RARE_WORDS = 10
"""Times min_count: words of ideographs that are rarer tell less than these."""


def check_text(text: Any, owner: object) -> TokenMessages:
    """Return segmented text without empty messages.

    Anything else is an error that names the missing step.
    """
    if isinstance(text, TokenMessages):
        return text.without_empty()
    msg = (
        f"{type(owner).__name__} takes TokenMessages, the output of a segmenter "
        "(WordSegmenter, JiebaSegmenter, CharacterSegmenter); got "
        f"{type(text).__module__}.{type(text).__qualname__}. Put a segmenter before "
        "it in the Pipeline"
    )
    raise SourceError(msg)


def build_vocabulary(
    text: TokenMessages, *, min_count: int, max_words: int | None = None
) -> Vocabulary:
    """Choose the words of at least `min_count` occurrences, at most `max_words`.

    The most frequent come first, equals in order of the word.
    """
    counts = text.word_counts()
    words = text.vocabulary.words
    kept = np.flatnonzero(counts >= max(min_count, 1))
    if not len(kept):
        largest = int(counts.max()) if len(counts) else 0
        msg = (
            f"no word occurs at least min_count={min_count} times: the text of "
            f"{len(text)} users has {text.n_words} words and the most frequent occurs "
            f"{largest} times. Lower min_count or give more text"
        )
        raise SourceError(msg)
    return most_frequent([words[word] for word in kept], counts[kept], max_words)


def most_frequent(
    words: Sequence[str], counts: NDArray[np.int64], max_words: int | None
) -> Vocabulary:
    """Put the most frequent words first, equals in order of the word."""
    order = sorted(range(len(words)), key=lambda word: (-counts[word], words[word]))
    return Vocabulary([words[word] for word in order[:max_words]])


def added_counts(counts: dict[str, int] | None, text: TokenMessages) -> dict[str, int]:
    """Add how often each word occurs to earlier counts; None begins anew."""
    counts = {} if counts is None else counts
    for word, count in zip(
        text.vocabulary.words, text.word_counts().tolist(), strict=True
    ):
        if count:
            counts[word] = counts.get(word, 0) + count
    return counts


def counted_vocabulary(
    counts: dict[str, int], *, min_count: int, max_words: int | None
) -> Vocabulary | None:
    """Choose words by their counts as :func:`build_vocabulary`; None without any."""
    kept = {word: n for word, n in counts.items() if n >= max(min_count, 1)}
    if not kept:
        return None
    return most_frequent(list(kept), np.array(list(kept.values())), max_words)


def split_words(text: TokenMessages, known: Container[str]) -> TokenMessages:
    """Write words that are not `known` as their ideographs, if they have any."""
    words = text.vocabulary.words
    parts = [
        [] if word in known else [each for each in word if is_ideograph(each)]
        for word in words
    ]
    parts = [part or [word] for part, word in zip(parts, words, strict=True)]
    vocabulary = Vocabulary(dict.fromkeys(chain.from_iterable(parts)))
    flat = vocabulary.encode(chain.from_iterable(parts))
    counts = np.array([len(part) for part in parts], dtype=np.int64)
    repeats = counts[text.ids]
    ends = np.concatenate([[0], np.cumsum(repeats)])
    # The position within a word, beside the place where the parts of words lie.
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], repeats)
    places = np.repeat((np.cumsum(counts) - counts)[text.ids], repeats) + within
    return TokenMessages(
        flat[places],
        ends[text.message_starts],
        text.user_starts,
        vocabulary,
        tags=None if text.tags is None else np.repeat(text.tags, repeats),
        tag_names=text.tag_names,
    )


class WordVectorTransformer(TransformerMixin, BaseEstimator):
    """Base of the steps that learn or load word vectors.

    A subclass has a parameter ``unknown``, sets ``vocabulary_`` in `fit` by
    :meth:`_keep`, and inherits `transform`.
    """

    unknown: str
    vocabulary_: Vocabulary

    def _text(self, X: Any, min_count: int) -> TokenMessages:
        """Check the text of `fit`, and split its rare words if asked."""
        text = check_text(X, self)
        if self.unknown != "characters":
            return text
        counts = zip(text.vocabulary.words, text.word_counts(), strict=True)
        least = min_count * _RARE_WORDS
        return split_words(text, {word for word, n in counts if n >= least})

    def _keep(self, vocabulary: Vocabulary) -> None:
        """Store the learned vocabulary, with an entry for unknown words if asked."""
        if self.unknown == "average" and vocabulary.vectors is not None:
            average = vocabulary.vectors.mean(axis=0, dtype=np.float64)
            vocabulary = Vocabulary(
                [*vocabulary.words, UNKNOWN_WORD],
                np.vstack([vocabulary.vectors, average]),
            )
        self.vocabulary_ = vocabulary

    def transform(self, X: TokenMessages) -> TokenMessages:
        """Write the text with the learned vocabulary.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.

        Returns
        -------
        TokenMessages of shape (n_users,)
            The text with ``vocabulary_``, which carries the vectors. If
            ``unknown="drop"``, unknown words are left out, then messages that have
            become empty, so a user may be left without text. If
            ``unknown="characters"``, their known ideographs stand in their place.
        """
        check_is_fitted(self)
        text = check_text(X, self)
        if self.unknown == "characters":
            text = split_words(text, self.vocabulary_)
        if self.unknown != "average":
            return text.with_vocabulary(self.vocabulary_)
        translation = self.vocabulary_.encode(text.vocabulary.words)
        translation[translation < 0] = len(self.vocabulary_) - 1
        ids = translation[text.ids] if len(translation) else text.ids
        ids.flags.writeable = False  # so that they are not copied
        return TokenMessages(
            ids,
            text.message_starts,
            text.user_starts,
            self.vocabulary_,
            tags=text.tags,
            tag_names=text.tag_names,
        )

    def fit(self, X: TokenMessages, y: Any = None) -> Self:
        """Learn or load vectors; see the subclass."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
