"""One vector a user: latent semantic analysis of the words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources.text.vocabulary import check_text

__all__ = ["LatentSemanticVectors"]

Floats = NDArray[np.float32]


class LatentSemanticVectors(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Project the words of each user onto the main directions of all users' words.

    Counts of words and of sequences of words within a message are weighted by tf-idf
    and reduced by a truncated singular value decomposition. Labels play no part. Beside
    a Text-CNN, which looks for the telling message, these vectors describe what a user
    writes about overall.

    Parameters
    ----------
    n_components : int, default=300
        Number of components (our choice); fewer where the text holds fewer sequences
        or users.
    max_ngram : int, default=2
        Longest sequence of words to count (our choice).
    max_features : int, default=30000
        Most frequent sequences to keep (our choice).
    random_state : int, RandomState instance or None, default=None
        Decides the random projection of the decomposition.

    Attributes
    ----------
    vectorizer_ : TfidfVectorizer
        Counts and weights.
    decomposition_ : TruncatedSVD
        The directions.

    Notes
    -----
    Users without text get a row of NaN, the mark of a missing source.

    References
    ----------
    Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 41(6), 1990.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources import LatentSemanticVectors
    >>> text = TokenMessages.from_lists(
    ...     [[["茶", "香"]], [["茶"]], [["球", "赛"]], None]
    ... )
    >>> vectors = LatentSemanticVectors(n_components=2, random_state=0)
    >>> vectors.fit_transform(text).round(1).shape
    (4, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "max_ngram": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 300,
        *,
        max_ngram: int = 2,
        max_features: int = 30_000,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.max_ngram = max_ngram
        self.max_features = max_features
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def fit(self, X: TokenMessages, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn weights and directions.

        Parameters
        ----------
        X : TokenMessages
            Segmented text of users.
        y : object, default=None
            Not used.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        SourceError
            If `X` is not segmented text, no user has text, or all is one word.
        """
        text = check_text(X, self)
        if not text.n_words:
            msg = "LatentSemanticVectors needs text, and no user has any"
            raise SourceError(msg)
        self.vectorizer_ = TfidfVectorizer(
            analyzer=_Sequences(self.max_ngram),
            max_features=self.max_features,
            sublinear_tf=True,
            dtype=np.float32,
        )
        counts = self.vectorizer_.fit_transform(text[~text.missing].tolist())
        if counts.shape[1] < 2:
            msg = (
                "LatentSemanticVectors needs at least two different words or sequences "
                f"to count; max_features={self.max_features} of this text are "
                f"{shortened(self.vectorizer_.get_feature_names_out().tolist())}"
            )
            raise SourceError(msg)
        decomposition = TruncatedSVD(
            min(self.n_components, *counts.shape),
            random_state=derive_seed(self.random_state),
        )
        # The explained variance ratio, which is not used here, is 0 / 0 where all users
        # write alike.
        with np.errstate(divide="ignore", invalid="ignore"):
            self.decomposition_ = decomposition.fit(counts)
        return self

    @fixed_threads()
    def transform(self, X: TokenMessages) -> Floats:
        """Project users.

        Parameters
        ----------
        X : TokenMessages
            Segmented text of users; sequences not seen in `fit` are left out.

        Returns
        -------
        ndarray of float32, shape (n_users, n_components)
            One vector a user; a row of NaN for a user without text.
        """
        check_is_fitted(self)
        text = check_text(X, self)
        vectors = np.full((len(text), self._n_features_out), np.nan, dtype=np.float32)
        there = ~text.missing
        if there.any():
            counts = self.vectorizer_.transform(text[there].tolist())
            vectors[there] = self.decomposition_.transform(counts)
        return vectors

    @property
    def _n_features_out(self) -> int:
        return len(self.decomposition_.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


@dataclass
class _Sequences:
    """The word n-grams of a user up to `longest`, none of them across two messages."""

    longest: int

    def __call__(self, messages: list[list[str]]) -> Iterator[str]:
        for words in messages:
            for length in range(1, self.longest + 1):
                for start in range(len(words) - length + 1):
                    yield " ".join(words[start : start + length])
