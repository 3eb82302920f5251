"""One vector a user: the mean of the word vectors."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, VocabularyMismatchError
from sklearn_profiling.sources.text._word_sequences import pair_counts
from sklearn_profiling.sources.text.vocabulary import check_text

__all__ = ["MeanWordVectors", "user_word_counts"]

Floats = NDArray[np.float32]


def user_word_counts(text: TokenMessages) -> sparse.csr_array:
    """Count the words of each user: csr (n_users, n_vocabulary), rows sorted."""
    shape = len(text), len(text.vocabulary)
    return pair_counts(text.word_users(), text.ids, shape)


def _users_of_words(text: TokenMessages) -> tuple[NDArray[np.int64], int]:
    """Count how many users write each word, and the users with text."""
    counts = user_word_counts(text)
    users = np.bincount(counts.indices, minlength=counts.shape[1])
    return users, int((~text.missing).sum())


class MeanWordVectors(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Average the vectors of a user's words.

    Parameters
    ----------
    weighting : {"tf-idf", "sif"} or None, default=None
        Weight of a word: None for one; "tf-idf" for the logarithm of how rare it is
        among the users of `fit`; "sif" for ``sif_strength / (sif_strength + share)``
        with its share of all words, after which the first principal direction of the
        averages is removed (smooth inverse frequency [1]_).
    sif_strength : float, default=1e-3
        See `weighting` (the paper's middle value).

    Attributes
    ----------
    weights_ : ndarray of float32, shape (n_vocabulary,), or None
        Weight of each word.
    common_direction_ : ndarray of float32, shape (n_dimensions,), or None
        The direction that "sif" removes.
    fingerprint_ : str
        Fingerprint of the vocabulary of `fit`.

    Notes
    -----
    Each word counts as often as it stands in the text; the length of messages has no
    weight. Users without text get a row of NaN, the mark of a missing source.

    References
    ----------
    .. [1] S. Arora, Y. Liang, T. Ma. A Simple but Tough-to-Beat Baseline for Sentence
       Embeddings. ICLR 2017.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages, Vocabulary
    >>> from sklearn_profiling.sources.text.averaging import MeanWordVectors
    >>> vocabulary = Vocabulary(["茶", "山"], [[1.0, 0.0], [0.0, 1.0]])
    >>> text = TokenMessages.from_lists(
    ...     [[["茶", "山"], ["茶", "茶"]], None], vocabulary
    ... )
    >>> MeanWordVectors().fit_transform(text)
    array([[0.75, 0.25],
           [ nan,  nan]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weighting": [StrOptions({"tf-idf", "sif"}), None],
        "sif_strength": [Interval(Real, 0, None, closed="neither")],
    }

    weights_: Floats | None
    common_direction_: Floats | None
    # Of `partial_fit`: how many users write each word, and the users with text.
    _counted: tuple[NDArray[np.int64], int]

    def __init__(
        self, *, weighting: str | None = None, sif_strength: float = 1e-3
    ) -> None:
        self.weighting = weighting
        self.sif_strength = sif_strength

    @fit_context(prefer_skip_nested_validation=True)
    @fixed_threads()
    def fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn the weights.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Text with word vectors.
        y : None
            Ignored.

        Returns
        -------
        MeanWordVectors
            The fitted transformer.

        Raises
        ------
        SourceError
            If the vocabulary has no vectors.
        """
        text = check_text(X, self)
        vectors = self._begin(text)
        self.__dict__.pop("_counted", None)
        if self.weighting == "tf-idf":
            self._set_weights(*_users_of_words(text))
        elif self.weighting == "sif":
            share = text.word_counts() / max(text.n_words, 1)
            weights = self.sif_strength / (self.sif_strength + share)
            self.weights_ = weights.astype(np.float32)
            averages = self._averages(text, vectors)[~text.missing]
            if len(averages):
                rotation = np.linalg.svd(averages, full_matrices=False)[2]
                self.common_direction_ = rotation[0]
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: TokenMessages, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Count the words of further users, for the weights.

        After all parts of a text, the weights are those of one `fit`. The first call
        after `fit` begins anew.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Text with word vectors, of users who were in no part before.
        y : None
            Ignored.

        Returns
        -------
        MeanWordVectors
            The fitted transformer.

        Raises
        ------
        SourceError
            If the vocabulary has no vectors or is not that of the parts before, or with
            ``weighting="sif"``, whose direction is that of all users at once.
        """
        if self.weighting == "sif":
            msg = (
                "MeanWordVectors(weighting='sif') finds a direction among all users, "
                "so it has no partial_fit; weighting='tf-idf' and None have"
            )
            raise SourceError(msg)
        text = check_text(X, self)
        before = getattr(self, "_counted", None)
        if before is not None and text.vocabulary.fingerprint != self.fingerprint_:
            msg = (
                "MeanWordVectors: the words of this part are numbered by another "
                "vocabulary than those before; transform all parts by one fitted step"
            )
            raise SourceError(msg)
        self._begin(text)
        users, n_users = _users_of_words(text)
        if before is not None:
            users, n_users = users + before[0], n_users + before[1]
        self._counted = users, n_users
        if self.weighting == "tf-idf":
            self._set_weights(users, n_users)
        return self

    def _begin(self, text: TokenMessages) -> Floats:
        """Learn the vocabulary, without weights; return its vectors."""
        vectors = text.vocabulary.vectors
        if vectors is None:
            msg = (
                "MeanWordVectors averages word vectors and this text has none; put "
                "GloVeTransformer, Word2VecTransformer or PretrainedVectors before it"
            )
            raise SourceError(msg)
        self.fingerprint_ = text.vocabulary.fingerprint
        self._n_features_out = text.vocabulary.n_dimensions
        self.weights_ = None
        self.common_direction_ = None
        return vectors

    def _set_weights(self, users: NDArray[np.int64], n_users: int) -> None:
        """Set the weights of words by how many users wrote each."""
        weights = np.log((1 + n_users) / (1 + users)) + 1
        self.weights_ = weights.astype(np.float32)

    @fixed_threads()
    def transform(self, X: TokenMessages) -> Floats:
        """Average the vectors.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Text with the vocabulary of `fit`.

        Returns
        -------
        ndarray of float32, shape (n_users, n_dimensions)
            The averages; NaN for users without text.

        Raises
        ------
        VocabularyMismatchError
            If the vocabulary is not that of `fit`.
        """
        check_is_fitted(self)
        text = check_text(X, self)
        if text.vocabulary.fingerprint != self.fingerprint_:
            msg = (
                "MeanWordVectors was fitted with the vocabulary "
                f"{self.fingerprint_} and got text with {text.vocabulary.fingerprint} "
                f"({text.vocabulary!r}); transform text with the steps fitted together"
            )
            raise VocabularyMismatchError(msg)
        averages = self._averages(text, np.asarray(text.vocabulary.vectors))
        if self.common_direction_ is not None:
            # Products of single rows: the rows of one call do not touch each other.
            along = np.einsum("ud,d->u", averages, self.common_direction_)
            averages -= along[:, None] * self.common_direction_
        return averages

    def _averages(self, text: TokenMessages, vectors: Floats) -> Floats:
        weights = user_word_counts(text)
        if self.weights_ is not None:
            weights.data *= self.weights_[weights.indices]
        total = weights.sum(axis=1)
        averages: Floats = np.asarray(weights @ vectors)
        averages[text.missing] = np.nan
        averages /= np.where(text.missing, 1, total)[:, None].astype(np.float32)
        return averages

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
