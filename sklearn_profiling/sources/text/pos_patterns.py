"""Frequent sequences of parts of speech, mined level by level."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.text._tag_sequences import TagSequences, read_tags

__all__ = ["FrequentPOSPatterns"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Pattern = tuple[int, ...]


class FrequentPOSPatterns(TransformerMixin, BaseEstimator):
    r"""Mark which frequent sequences of parts of speech a user writes.

    Sequences of neighbouring words within a message are mined level by level [1]_: what
    enough users write is lengthened by one tag at a time, and of the sequences found
    those are kept whose tags stick together.

    Parameters
    ----------
    min_support : float, default=0.3
        Share of the users with text who must write a sequence (paper).
    min_fair_scp : float, default=0.2
        Least adherence of the tags of a sequence of two or more, see Notes (paper).
    max_length : int, default=5
        Longest sequence (paper).
    adherence : {"users", "occurrences"}, default="users"
        What the probabilities of the adherence are shares of: users who write a
        sequence, or places where it stands (our choice, see Notes).

    Attributes
    ----------
    patterns_ : list of tuple of str
        The sequences kept, shorter ones first, then in order of their tags.
    supports_ : ndarray of float64, shape (n_patterns,)
        Share of the users with text who write each.
    fair_scps_ : ndarray of float64, shape (n_patterns,)
        Adherence of each; NaN for single tags, which have none.

    See Also
    --------
    StylometricFeatures : These patterns beside other features of style.

    Notes
    -----
    The candidates of length k are the frequent sequences of length k - 1, each followed
    by every tag. Single tags are kept as they are; longer ones if they are frequent and

    .. math:: \mathrm{fairSCP}(x_1 \ldots x_n) = \frac{P(x_1 \ldots x_n)^2}
        {\frac{1}{n-1} \sum_{i=1}^{n-1} P(x_1 \ldots x_i) P(x_{i+1} \ldots x_n)}

    is large enough. A sequence that is not kept may still be lengthened. The paper does
    not report what P is a share of. Its algorithm counts documents (here: users), and
    so does the default. Counted in places, nearly no sequence reaches its threshold of
    0.2, since a tag stands beside many others.

    Sequences do not cross the border of two messages. Tags not seen in `fit` end a
    sequence. Users without text get a row of NaN, the mark of a missing source, all
    others zeros and ones.

    References
    ----------
    .. [1] A. Mukherjee, B. Liu. Improving Gender Classification of Blog Authors. EMNLP
       2010.

    Examples
    --------
    >>> from sklearn_profiling.sources import FrequentPOSPatterns
    >>> tags = [[["n", "v", "n"], ["r", "v"]], [["n", "v"]], [["r"]], None]
    >>> patterns = FrequentPOSPatterns(min_support=0.6)
    >>> patterns.fit_transform(tags)
    array([[ 1.,  1.,  1.,  1.],
           [ 1.,  0.,  1.,  1.],
           [ 0.,  1.,  0.,  0.],
           [nan, nan, nan, nan]], dtype=float32)
    >>> patterns.get_feature_names_out().tolist()
    ['pos=n', 'pos=r', 'pos=v', 'pos=n+v']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "min_support": [Interval(Real, 0, 1, closed="right")],
        "min_fair_scp": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left")],
        "adherence": [StrOptions({"users", "occurrences"})],
    }

    def __init__(
        self,
        *,
        min_support: float = 0.3,
        min_fair_scp: float = 0.2,
        max_length: int = 5,
        adherence: str = "users",
    ) -> None:
        self.min_support = min_support
        self.min_fair_scp = min_fair_scp
        self.max_length = max_length
        self.adherence = adherence

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Mine the sequences.

        Parameters
        ----------
        X : TokenMessages with tags, or column of shape (n_users,)
            Tags of each word; in a column the cell of a user is a list with one list
            of str for each message, or None or NaN for a user without text.
        y : None
            Ignored.

        Returns
        -------
        FrequentPOSPatterns
            The fitted transformer.

        Raises
        ------
        SourceError
            If text has no tags, a cell is anything else, or no user has text.
        """
        sequences = read_tags(X, self)
        n_users = int((~sequences.missing).sum())
        if n_users == 0:
            msg = "FrequentPOSPatterns needs text, and no user has any"
            raise SourceError(msg)
        # Without the last digits, which decide where the share is met exactly.
        least = max(1, int(np.ceil(self.min_support * n_users - 1e-9)))
        self._tag_names = sequences.names
        self._levels = _mine(sequences, least, self.max_length)
        counts = {
            pattern: (int(users), int(places))
            for level in self._levels
            for pattern, users, places in zip(
                level.patterns, level.n_users, level.n_places, strict=True
            )
        }
        which = ("users", "occurrences").index(self.adherence)
        self.patterns_: list[tuple[str, ...]] = []
        supports, adherences = [], []
        self._columns: list[Ints] = []
        for level in self._levels:
            columns = np.full(len(level.codes), -1, dtype=np.int64)
            for number, pattern in enumerate(level.patterns):
                scp = _fair_scp(pattern, counts, which)
                if not scp < self.min_fair_scp:
                    columns[number] = len(self.patterns_)
                    self.patterns_.append(tuple(self._tag_names[t] for t in pattern))
                    supports.append(counts[pattern][0] / n_users)
                    adherences.append(scp)
            self._columns.append(columns)
        self.supports_ = np.array(supports, dtype=np.float64)
        self.fair_scps_ = np.array(adherences, dtype=np.float64)
        return self

    def transform(self, X: Any) -> Floats:
        """Mark the patterns that each user writes.

        Parameters
        ----------
        X : TokenMessages with tags, or column of shape (n_users,)
            As in `fit`.

        Returns
        -------
        ndarray of float32, shape (n_users, n_patterns)
            One where the pattern occurs in a message of the user, else zero; NaN for
            users without text.
        """
        check_is_fitted(self)
        sequences = read_tags(X, self).with_names(self._tag_names)
        users = sequences.users
        marks = np.zeros((len(sequences), len(self.patterns_)), dtype=np.float32)
        places = _Places.all_of(sequences)
        for level, columns in zip(self._levels, self._columns, strict=True):
            places = places.lengthened().among(level.codes)
            column = columns[places.numbers]
            kept = column >= 0
            marks[users[places.starts[kept]], column[kept]] = 1
        marks[sequences.missing] = np.nan
        return marks

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Name the columns by their tags.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str, shape (n_patterns,)
            Such as ``"pos=n+v"``.
        """
        check_is_fitted(self)
        names = ["pos=" + "+".join(pattern) for pattern in self.patterns_]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


class _Level(NamedTuple):
    """The frequent sequences of one length, in order of their tags.

    ``codes`` are sorted: the number of the sequence without its last tag among those of
    the level before, times the number of tags, plus the last tag.
    """

    codes: Ints
    patterns: list[Pattern]
    n_users: Ints
    n_places: Ints


class _Places(NamedTuple):
    """Where sequences of one length begin, and which of them."""

    sequences: TagSequences
    ends: Ints
    length: int
    starts: Ints
    numbers: Ints

    @classmethod
    def all_of(cls, sequences: TagSequences) -> _Places:
        """Return the empty sequence at every word."""
        n_words = len(sequences.tags)
        starts = np.arange(n_words)
        return cls(sequences, sequences.message_ends, 0, starts, np.zeros_like(starts))

    def lengthened(self) -> _Places:
        """Add the next tag where the message goes on; numbers become codes."""
        last = self.starts + self.length
        inside = np.flatnonzero(last < self.ends[self.starts])
        # A tag of -1, without a name, would take the code of another sequence.
        inside = inside[self.sequences.tags[last[inside]] >= 0]
        codes = (
            self.numbers[inside] * len(self.sequences.names)
            + self.sequences.tags[last[inside]]
        )
        return self._replace(
            length=self.length + 1, starts=self.starts[inside], numbers=codes
        )

    def among(self, codes: Ints) -> _Places:
        """Keep the places with one of these sorted codes; codes become numbers."""
        position = np.searchsorted(codes, self.numbers).clip(max=len(codes) - 1)
        known = codes[position] == self.numbers
        return self._replace(starts=self.starts[known], numbers=position[known])


def _mine(sequences: TagSequences, least: int, max_length: int) -> list[_Level]:
    """Find the sequences that at least so many users write, one level a length."""
    users, n_tags = sequences.users, len(sequences.names)
    levels: list[_Level] = []
    places = _Places.all_of(sequences)
    shorter: list[Pattern] = [()]
    for _ in range(max_length):
        places = places.lengthened()
        # One sort for both counts: of users and of places.
        pairs, repeats = np.unique(
            places.numbers * len(sequences) + users[places.starts], return_counts=True
        )
        codes, first, n_users = np.unique(
            pairs // len(sequences), return_index=True, return_counts=True
        )
        frequent = n_users >= least
        if not frequent.any():
            break
        n_places = np.add.reduceat(repeats, first)
        codes = codes[frequent]
        patterns = [
            (*shorter[code // n_tags], code % n_tags) for code in codes.tolist()
        ]
        levels.append(_Level(codes, patterns, n_users[frequent], n_places[frequent]))
        places = places.among(codes)
        shorter = patterns
    return levels


def _fair_scp(
    pattern: Pattern, counts: dict[Pattern, tuple[int, int]], which: int
) -> float:
    """Compute the adherence; the number that shares are of cancels out."""
    if len(pattern) == 1:
        return float("nan")
    # Every part of a frequent sequence is frequent, so its count is there.
    parts = [
        counts[pattern[:i]][which] * counts[pattern[i:]][which]
        for i in range(1, len(pattern))
    ]
    return counts[pattern][which] ** 2 * len(parts) / sum(parts)
