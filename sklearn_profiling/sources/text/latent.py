"""One vector a user: latent semantic analysis of the words."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._seeding import RandomState, derive_seed
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, shortened
from sklearn_profiling.sources._sparse_output import unit_rows
from sklearn_profiling.sources.text._singular_vectors import right_singular_vectors
from sklearn_profiling.sources.text._word_sequences import WordSequences, sort_rows
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
        Decides the random start of the decomposition.

    Attributes
    ----------
    sequences_ : ndarray of str objects, shape (n_sequences,)
        The sequences that are counted, words with blanks between.
    weights_ : TfidfTransformer
        Weights of the counts.
    decomposition_ : TruncatedSVD
        The directions, with ``components_`` and ``singular_values_``.

    Notes
    -----
    Users without text get a row of NaN, the mark of a missing source.

    The decomposition is a block Lanczos process, which multiplies the rows with far
    fewer vectors than the power iterations of scikit-learn's randomised one.

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
        self._fit(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def fit_transform(self, X: TokenMessages, y: object = None) -> Floats:  # noqa: ARG002 - scikit-learn's signature
        """Learn weights and directions, and project the same users.

        Parameters
        ----------
        X : TokenMessages
            Segmented text of users.
        y : object, default=None
            Not used.

        Returns
        -------
        ndarray of float32, shape (n_users, n_components)
            As `transform` gives it.
        """
        weights = self._fit(X)
        return self._project(weights, ~check_text(X, self).missing)

    def _fit(self, X: TokenMessages) -> sparse.csr_array:
        """Learn; return the weighted counts of the users with text."""
        text = check_text(X, self)
        if not text.n_words:
            msg = "LatentSemanticVectors needs text, and no user has any"
            raise SourceError(msg)
        self._counts = WordSequences(self.max_ngram)
        counts = self._counts.learn(text[~text.missing], 1)
        # Columns and ties as in scikit-learn's CountVectorizer.
        order = self._counts.in_order()
        totals = np.asarray(counts.sum(axis=0)).ravel()[order]
        kept = order[np.sort(np.argsort(-totals)[: self.max_features])]
        self._counts.keep(kept)
        if len(kept) < 2:
            msg = (
                "LatentSemanticVectors needs at least two different words or sequences "
                f"to count; max_features={self.max_features} of this text are "
                f"{shortened(self.sequences_.tolist())}"
            )
            raise SourceError(msg)
        counts = counts[:, kept]
        sort_rows(counts)
        self.weights_ = TfidfTransformer(sublinear_tf=True).fit(counts)
        weights = self._weigh(counts)
        n_components = min(self.n_components, *counts.shape)
        components, values = right_singular_vectors(
            weights, n_components, derive_seed(self.random_state)
        )
        self.decomposition_ = TruncatedSVD(n_components)
        # In this order a product with sparse rows copies nothing.
        self.decomposition_.components_ = np.asfortranarray(components)
        self.decomposition_.singular_values_ = values
        self.decomposition_.n_features_in_ = components.shape[1]
        return weights

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
        there = ~text.missing
        counts = self._counts.count(text[there])
        return self._project(self._weigh(counts), there)

    def _weigh(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Weigh counts in place, as `weights_` does after its checks."""
        counts.data = 1 + np.log(counts.data)
        counts.data *= self.weights_.idf_[counts.indices]
        weights: sparse.csr_array = unit_rows(counts)
        return weights

    def _project(self, weights: sparse.csr_array, there: NDArray[np.bool_]) -> Floats:
        """Project the users who are there; NaN for the others."""
        vectors = np.full((len(there), self._n_features_out), np.nan, dtype=np.float32)
        vectors[there] = weights @ self.decomposition_.components_.T
        return vectors

    @property
    def sequences_(self) -> NDArray[np.object_]:
        """The sequences that are counted, words with blanks between."""
        return np.array(self._counts.names(), dtype=object)

    @property
    def _n_features_out(self) -> int:
        return len(self.decomposition_.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
