"""Words without vectors: a vocabulary that stays the same for new users."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

from sklearn.utils._param_validation import Interval

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources.text.vocabulary import (
    WordVectorTransformer,
    added_counts,
    build_vocabulary,
    check_text,
    counted_vocabulary,
)

__all__ = ["FrequentWords"]


class FrequentWords(WordVectorTransformer):
    """Write all text with the frequent words of the training users.

    Use it in place of a step of word vectors before a net that learns its own word
    embedding.

    Parameters
    ----------
    min_count : int, default=1
        Rarer words are left out.
    max_words : int, default=None
        At most that many words, the most frequent; None for no limit.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        Words, the most frequent first, without vectors.

    See Also
    --------
    Word2VecTransformer : The same with vectors.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources import FrequentWords
    >>> text = TokenMessages.from_lists([[["喝", "茶"], ["爬", "山"]], [["喝", "茶"]]])
    >>> words = FrequentWords(min_count=2).fit(text)
    >>> words.transform(TokenMessages.from_lists([[["品", "茶"]]]))[0]
    [['茶']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
    }

    _counted: dict[str, int]
    # Without vectors there is no average to replace unknown words.
    unknown = "drop"

    def __init__(self, *, min_count: int = 1, max_words: int | None = None) -> None:
        self.min_count = min_count
        self.max_words = max_words

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Choose the words.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : None
            Ignored.

        Returns
        -------
        FrequentWords
            The fitted transformer.

        Raises
        ------
        SourceError
            If no word is frequent enough.
        """
        self.__dict__.pop("_counted", None)
        self._keep(
            build_vocabulary(
                check_text(X, self), min_count=self.min_count, max_words=self.max_words
            )
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Count the words of further text, and choose anew.

        After all parts of a text, the words are those of one `fit`. The first call
        after `fit`, which keeps no counts, begins anew.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : None
            Ignored.

        Returns
        -------
        FrequentWords
            The transformer; not fitted as long as no word is frequent enough.
        """
        self._counted = added_counts(
            getattr(self, "_counted", None), check_text(X, self)
        )
        self.__dict__.pop("vocabulary_", None)
        vocabulary = counted_vocabulary(
            self._counted, min_count=self.min_count, max_words=self.max_words
        )
        if vocabulary is not None:
            self._keep(vocabulary)
        return self
