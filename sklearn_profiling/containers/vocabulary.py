"""Words and their ids and vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.exceptions import SourceError, shortened

__all__ = ["Vocabulary", "WordIds"]

WordIds = npt.NDArray[np.int32]


class Vocabulary:
    """Words and, once learned, their embedding; shared by all slices of a text.

    Parameters
    ----------
    words : sequence of str
        Distinct words; the position of a word is its id.
    vectors : array-like of float, shape (n_words, n_dimensions), default=None
        Word vectors, kept as float32.

    Attributes
    ----------
    words : tuple of str
        The words.
    vectors : ndarray of float32, shape (n_words, n_dimensions), or None
        The vectors, read-only.
    n_dimensions : int
        Embedding dimension; 0 without vectors.
    index : dict
        Word to id.
    fingerprint : str
        Hash of words and vectors: equal fingerprints mean equal vocabularies.

    Raises
    ------
    SourceError
        If a word stands twice, is no string, or the vectors have another number of
        rows or are not finite.

    Examples
    --------
    >>> from sklearn_profiling.containers import Vocabulary
    >>> vocabulary = Vocabulary(["茶", "山"], [[1.0, 0.0], [0.0, 1.0]])
    >>> len(vocabulary), vocabulary.n_dimensions
    (2, 2)
    >>> vocabulary.encode(["山", "海"])
    array([ 1, -1], dtype=int32)
    """

    def __init__(
        self, words: Iterable[str], vectors: npt.ArrayLike | None = None
    ) -> None:
        self.words = tuple(words)
        kinds = [isinstance(word, str) for word in self.words]
        if not all(kinds):
            position = kinds.index(False)
            msg = (
                f"word {position} must be a str; got {shortened(self.words[position])}"
            )
            raise SourceError(msg)
        if len(self.index) != len(self.words):
            twice = next(w for i, w in enumerate(self.words) if self.index[w] != i)
            word = shortened(twice)
            msg = f"each word may stand once in a vocabulary; {word} stands twice"
            raise SourceError(msg)
        self.vectors = None if vectors is None else self._check_vectors(vectors)

    def _check_vectors(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float32]:
        checked = np.array(vectors, dtype=np.float32, order="C")
        if checked.ndim != 2 or len(checked) != len(self.words):
            msg = (
                f"vectors must have shape ({len(self.words)}, n_dimensions), one row "
                f"a word; got {checked.shape}"
            )
            raise SourceError(msg)
        if not np.isfinite(checked).all():
            row = int(np.flatnonzero(~np.isfinite(checked).all(axis=1))[0])
            msg = f"vectors must be finite; that of {shortened(self.words[row])} is not"
            raise SourceError(msg)
        checked.flags.writeable = False
        return checked

    @cached_property
    def index(self) -> dict[str, int]:
        """Word to id."""
        return {word: position for position, word in enumerate(self.words)}

    @property
    def n_dimensions(self) -> int:
        """Embedding dimension; 0 without vectors."""
        return 0 if self.vectors is None else int(self.vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of words and vectors."""
        digest = hashlib.blake2b(digest_size=16)
        for word in self.words:
            encoded = word.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(4, "little") + encoded)
        if self.vectors is not None:
            digest.update(str(self.vectors.shape).encode() + self.vectors.tobytes())
        return digest.hexdigest()

    def encode(self, words: Iterable[str]) -> WordIds:
        """Look words up.

        Parameters
        ----------
        words : iterable of str
            Words, known or not.

        Returns
        -------
        ndarray of int32
            Their ids; -1 where a word is unknown.
        """
        index = self.index
        return np.fromiter((index.get(word, -1) for word in words), dtype=np.int32)

    def with_vectors(self, vectors: npt.ArrayLike | None) -> Vocabulary:
        """Give the same words other vectors.

        Parameters
        ----------
        vectors : array-like of float, shape (n_words, n_dimensions), or None
            The new vectors.

        Returns
        -------
        Vocabulary
            A new vocabulary.
        """
        return Vocabulary(self.words, vectors)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self is other or self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words, {self.n_dimensions} dimensions)"

    def __getstate__(self) -> dict[str, Any]:
        # Without the cached properties, so that hashes of equal objects agree.
        return {"words": self.words, "vectors": self.vectors}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.vectors is not None:
            self.vectors.flags.writeable = False


def vocabulary_of_distinct(words: Iterable[str]) -> Vocabulary:
    """Build a vocabulary of words known to be distinct, without looking at them."""
    made = Vocabulary.__new__(Vocabulary)
    made.words = tuple(words)
    made.vectors = None
    return made
