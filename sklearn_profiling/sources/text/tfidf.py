"""Word and character n-grams of each user, weighted by tf-idf."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._sparse_output import as_configured, unit_rows
from sklearn_profiling.sources.text._counted_sequences import CountedSequences
from sklearn_profiling.sources.text._word_sequences import (
    Longs,
    WordSequences,
    pair_counts,
    sort_rows,
)
from sklearn_profiling.sources.text.averaging import user_word_counts
from sklearn_profiling.sources.text.vocabulary import check_text

__all__ = ["TfidfVectors"]


class TfidfVectors(TransformerMixin, BaseEstimator):
    """Counts of word and character n-grams, weighted by tf-idf, as sparse rows.

    Word n-grams stand within a message, character n-grams within a word and its two
    ends. Each kind is scaled to the same length, so that both weigh alike.

    Parameters
    ----------
    max_words : int, default=2
        Longest sequence of words (our choice).
    characters : tuple of (int, int) or None, default=(2, 4)
        Shortest and longest sequence of characters in words of two or more, the ends of
        the word among them (our choice); None counts words alone.
    min_users : int, default=2
        Sequences of fewer users are left out (our choice).
    max_features : int or None, default=200_000
        Number of sequences of each kind to keep, those of most users (our choice).
    sublinear_tf : bool, default=True
        Whether a count c is replaced by 1 + log c (our choice).
    use_idf : bool, default=True
        Whether counts are weighted by the inverse document frequency; False for term
        frequencies, as in scikit-learn.
    norm : {"l2"} or None, default="l2"
        Whether each kind, and then the whole row, is brought to length 1; None leaves
        the counts as they are.

    Attributes
    ----------
    n_features_out_ : int
        Number of sequences.
    idf_ : ndarray of float32, shape (n_features_out,)
        Weight of each sequence: 1 + log of (1 + users) / (1 + users who wrote it), or 1
        without `use_idf`.

    See Also
    --------
    LatentSemanticVectors : A dense projection of such counts.

    Notes
    -----
    The weights are those of scikit-learn's ``TfidfVectorizer``; counts are sparse
    products over the vocabulary, so that a word is looked at once and not each time it
    is written. Users without text get a row of zeros.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> from sklearn_profiling.sources import TfidfVectors
    >>> text = TokenMessages.from_lists([[["red", "tea"]], [["red", "tea"]], None])
    >>> tfidf = TfidfVectors(characters=None).fit(text)
    >>> tfidf.get_feature_names_out().tolist()
    ['red', 'tea', 'red tea']
    >>> tfidf.transform(text).toarray().round(2)
    array([[0.58, 0.58, 0.58],
           [0.58, 0.58, 0.58],
           [0.  , 0.  , 0.  ]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_words": [Interval(Integral, 1, None, closed="left")],
        "characters": [tuple, list, None],
        "min_users": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "sublinear_tf": ["boolean"],
        "use_idf": ["boolean"],
        "norm": [StrOptions({"l2"}), None],
    }

    def __init__(
        self,
        *,
        max_words: int = 2,
        characters: tuple[int, int] | None = (2, 4),
        min_users: int = 2,
        max_features: int | None = 200_000,
        sublinear_tf: bool = True,
        use_idf: bool = True,
        norm: Literal["l2"] | None = "l2",
    ) -> None:
        self.max_words = max_words
        self.characters = characters
        self.min_users = min_users
        self.max_features = max_features
        self.sublinear_tf = sublinear_tf
        self.use_idf = use_idf
        self.norm = norm

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: TokenMessages, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Choose the sequences and learn their weights.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : object, default=None
            Not used.

        Returns
        -------
        TfidfVectors
            Itself.

        Raises
        ------
        SourceError
            If `characters` is no range, or no sequence is written by `min_users`.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: TokenMessages, y: object = None) -> Any:  # noqa: ARG002 - as in `fit`
        """Fit, and weigh the same users.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text, of any vocabulary.
        y : object, default=None
            Not used.

        Returns
        -------
        csr_matrix of float32, shape (n_users, n_features_out)
            As `transform` gives it.
        """
        return as_configured(self, self._weigh(self._fit(X)), X)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit(self, X: TokenMessages) -> list[sparse.csr_array]:
        """Learn from users; return their counts of each kind."""
        text = check_text(X, self)
        kinds: list[WordSequences | _CharacterSequences] = [
            WordSequences(self.max_words)
        ]
        if self.characters is not None:
            kinds.append(_CharacterSequences(*_check_range(self.characters)))
        counts, self._kinds = [], []
        self.__dict__.pop("_counted", None)
        for kind in kinds:
            found = kind.learn(text, self.min_users)
            users = np.bincount(found.indices, minlength=found.shape[1])
            kept = self._choose(users)
            if len(kept):
                kind.keep(kept)
                self._kinds.append(kind)
                counts.append(found[:, kept])
        if not counts:
            msg = (
                f"TfidfVectors: no sequence is written by min_users={self.min_users} "
                f"or more of {len(text)} users"
            )
            raise SourceError(msg)
        written = np.concatenate(
            [np.bincount(part.indices, minlength=part.shape[1]) for part in counts]
        )
        self._set_weights(written, len(text))
        return counts

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: TokenMessages, y: object = None) -> Self:  # noqa: ARG002 - as in `fit`
        """Count the sequences of further users, and choose and weigh anew.

        After all parts of a text, sequences and weights are those of one `fit`.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text of users who were in no part before.
        y : object, default=None
            Not used.

        Returns
        -------
        TfidfVectors
            Itself; not fitted as long as no sequence is written by `min_users`.

        Raises
        ------
        SourceError
            If `characters` is no range.

        Notes
        -----
        Memory grows with all different sequences, also those of one user, and a saved
        model holds them. Each call sorts all of them: give few large parts rather than
        many small ones, and leave the parameters as they are in between. The first call
        after `fit`, which keeps no such counts, begins anew.
        """
        text = check_text(X, self)
        if not hasattr(self, "_counted"):
            self._counted = self._counters()
            self._n_counted = 0
        self._n_counted += len(text)
        self._kinds = []
        parts = []
        for counter in self._counted:
            counter.add(text)
            sequences, users = counter.ordered()
            kept = self._choose(users)
            if len(kept):
                chosen = [sequences[place] for place in kept.tolist()]
                self._kinds.append(counter.kept(chosen))
                parts.append(users[kept])
        if parts:
            self._set_weights(np.concatenate(parts), self._n_counted)
        else:
            self.__dict__.pop("idf_", None)
            self.__dict__.pop("n_features_out_", None)
        return self

    def _counters(self) -> list[Any]:
        """Return counters of words and of characters, for text in parts."""
        counters: list[Any] = [CountedSequences(self.max_words)]
        if self.characters is not None:
            counters.append(_CountedParts(*_check_range(self.characters)))
        return counters

    def _choose(self, users: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sequences that are kept, by how many users write each."""
        kept = np.flatnonzero(users >= self.min_users)
        if self.max_features is not None and len(kept) > self.max_features:
            order = np.argsort(-users[kept], kind="stable")[: self.max_features]
            kept = np.sort(kept[order])
        return kept

    def _set_weights(self, written: NDArray[np.int64], n_users: int) -> None:
        """Set the weights of sequences by how many users wrote each."""
        idf = 1 + np.log((1 + n_users) / (1 + written))
        self.idf_ = (idf if self.use_idf else np.ones_like(idf)).astype(np.float32)
        self.n_features_out_ = len(written)

    def transform(self, X: TokenMessages) -> Any:
        """Count and weigh the sequences of users.

        Parameters
        ----------
        X : TokenMessages of shape (n_users,)
            Segmented text; sequences not kept in `fit` are left out.

        Returns
        -------
        csr_matrix of float32, shape (n_users, n_features_out)
            Rows of length 1, or 0 without text; counts where `norm` is None.
        """
        check_is_fitted(self)
        text = check_text(X, self)
        rows = self._weigh([kind.count(text) for kind in self._kinds])
        return as_configured(self, rows, X)

    def _weigh(self, counts: Sequence[sparse.csr_array]) -> sparse.csr_matrix:
        parts = []
        start = 0
        for count in counts:
            stop = start + count.shape[1]
            part = sparse.csr_matrix(count, dtype=np.float32)
            if self.sublinear_tf:
                part.data = 1 + np.log(part.data)
            part.data *= self.idf_[start:stop][part.indices]
            parts.append(self._scale(part))
            start = stop
        joined = sparse.csr_matrix(sparse.hstack(parts, format="csr"))
        return sparse.csr_matrix(self._scale(joined))

    def _scale(self, rows: sparse.csr_matrix) -> sparse.csr_matrix:
        return rows if self.norm is None else unit_rows(rows)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the sequences: words with blanks between, parts of words as ``*aa*``.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects, shape (n_features_out,)
            The names.
        """
        del input_features
        check_is_fitted(self)
        names = [name for kind in self._kinds for name in kind.names()]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _check_range(characters: Sequence[int]) -> tuple[int, int]:
    whole = all(isinstance(n, Integral) for n in characters)
    if len(characters) != 2 or not whole or not 1 <= characters[0] <= characters[1]:
        msg = (
            "characters must be the shortest and the longest sequence, such as (2, 4), "
            f"or None; got {characters!r}"
        )
        raise SourceError(msg)
    return int(characters[0]), int(characters[1])


class _CharacterSequences:
    """Sequences of characters in words of two or more characters."""

    def __init__(self, shortest: int, longest: int) -> None:
        self._shortest = shortest
        self._longest = longest

    def learn(self, text: TokenMessages, min_users: int) -> sparse.csr_array:  # noqa: ARG002 - as of words
        """Count all sequences of characters: csr (n_users, n)."""
        used = np.flatnonzero(text.word_counts())
        words = text.vocabulary.words
        found = {part for word in used for part in self._parts(words[word])}
        self._numbers = {part: number for number, part in enumerate(sorted(found))}
        return self.count(text)

    @classmethod
    def of(
        cls, shortest: int, longest: int, parts: Sequence[str]
    ) -> _CharacterSequences:
        """Count given sequences, in this order."""
        made = cls(shortest, longest)
        made._numbers = {part: number for number, part in enumerate(parts)}
        return made

    def parts(self) -> list[str]:
        """Return the sequences, by column."""
        return list(self._numbers)

    def keep(self, columns: Longs) -> None:
        """Leave out all columns but some, of which the numbers rise."""
        parts = self.parts()
        self._numbers = {parts[column]: n for n, column in enumerate(columns)}

    def count(self, text: TokenMessages) -> sparse.csr_array:
        """Count the sequences that are kept: csr (n_users, n_kept)."""
        rows, columns = [], []
        for row, word in enumerate(text.vocabulary.words):
            for part in self._parts(word):
                number = self._numbers.get(part)
                if number is not None:
                    rows.append(row)
                    columns.append(number)
        shape = len(text.vocabulary), len(self._numbers)
        of_words = pair_counts(np.array(rows, int), np.array(columns, int), shape)
        counts = sparse.csr_array(user_word_counts(text) @ of_words)
        sort_rows(counts)
        return counts

    def _parts(self, word: str) -> list[str]:
        if len(word) < 2:
            return []
        marked = f" {word} "
        return [
            marked[start : start + length]
            for length in range(self._shortest, self._longest + 1)
            for start in range(len(marked) - length + 1)
        ]

    def names(self) -> list[str]:
        """Return the sequences that are kept, between asterisks."""
        return [f"*{part}*" for part in self._numbers]


class _CountedParts:
    """How many users write each sequence of characters, in text that comes in parts."""

    def __init__(self, shortest: int, longest: int) -> None:
        self._lengths = (shortest, longest)
        self._users: dict[str, int] = {}

    def add(self, text: TokenMessages) -> None:
        """Count the users of a part of the text."""
        part = _CharacterSequences(*self._lengths)
        counts = part.learn(text, 1)
        users = np.bincount(counts.indices, minlength=counts.shape[1]).tolist()
        for sequence, n_users in zip(part.parts(), users, strict=True):
            self._users[sequence] = self._users.get(sequence, 0) + n_users

    def ordered(self) -> tuple[list[str], Longs]:
        """Return the sequences, sorted, and how many users write each."""
        found = sorted(self._users)
        return found, np.array([self._users[each] for each in found], dtype=np.int64)

    def kept(self, sequences: Sequence[str]) -> _CharacterSequences:
        """Return a counter of some sequences, in this order."""
        return _CharacterSequences.of(*self._lengths, sequences)
