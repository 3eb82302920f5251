"""Base of the segmenters: columns of messages in, numbered words out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, compress
from operator import ne
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from sklearn_profiling._decorators import fit_context
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.containers.vocabulary import vocabulary_of_distinct
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources._columns import read_messages

__all__ = ["Segmenter", "assemble", "encode", "equal_parts", "sorted_vocabulary"]

# Parts of the compiled engine: large enough that few words are met in several, small
# enough that its arrays, some 30 bytes a character, stay small.
_CHARACTERS_PER_PART = 1_000_000
# Fewer are not worth a thread.
_LEAST_PER_PART = 20_000


class Segmenter(TransformerMixin, BaseEstimator):
    """Base of the segmenters: columns in, TokenMessages out, nothing learned."""

    drop_duplicates: bool
    # A parameter of some, a constant of the others.
    keep_all: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # TokenMessages have names, but are no table
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def _check(self) -> None:
        """Raise if a parameter cannot be used; `fit` calls it."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Check the parameters; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_users,)
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        object
            The segmenter itself.
        """
        self._check()
        return self

    def set_output(self, *, transform: str | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Take the request and ignore it: text is no table, so it stays as it is.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        object
            The segmenter itself.
        """
        return self

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the one column of text that comes out.

        Parameters
        ----------
        input_features : array-like of one str, default=None
            Name of the column of messages.

        Returns
        -------
        ndarray of str, shape (1,)
            The name given, else "words".

        Raises
        ------
        SourceError
            If there is not one name.
        """
        names = ["words"] if input_features is None else list(input_features)
        if len(names) != 1:
            msg = (
                f"input_features must name the one column that {type(self).__name__} "
                f"reads; got {len(names)} names"
            )
            raise SourceError(msg)
        return np.array(names, dtype=object)

    def _read(self, column: Any) -> tuple[list[str], NDArray[np.int64]]:
        """Return the messages of all users end to end and how many each has."""
        self._validate_params()
        users = read_messages(column, self, keep_nulls=self.keep_all)
        if self.drop_duplicates and not self.keep_all:
            users = [list(dict.fromkeys(messages)) for messages in users]
        lengths = np.fromiter(map(len, users), np.int64, len(users))
        return list(chain.from_iterable(users)), lengths

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        return tags


def encode(
    messages: list[list[str]],
    lengths: NDArray[np.int64],
    tags: NDArray[np.int16] | None = None,
    tag_names: tuple[str, ...] | None = None,
) -> TokenMessages:
    """Give the words of cut messages numbers in a sorted vocabulary."""
    words = list(chain.from_iterable(messages))
    vocabulary = Vocabulary(sorted(set(words)))
    ids = np.fromiter(map(vocabulary.index.__getitem__, words), np.int32, len(words))
    sizes = np.fromiter(map(len, messages), np.int64, len(messages))
    return assemble(ids, sizes, lengths, vocabulary, tags, tag_names)


def sorted_vocabulary(words: list[str]) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Make the sorted vocabulary of words, and return it with their ids."""
    order = _order(words)
    ordered = [words[position] for position in order.tolist()]
    is_new = [*map(ne, ordered, [None, *ordered])]
    ids = np.empty(len(words), np.int32)
    ids[order] = np.cumsum(np.array(is_new, bool)) - 1
    return vocabulary_of_distinct(compress(ordered, is_new)), ids


def _order(words: list[str]) -> NDArray[np.int64]:
    """Return the order of words, as Python sorts them."""
    text = "".join(words).encode("utf-32-le", "surrogatepass")
    points = np.append(np.frombuffer(text, np.uint32), np.uint32(0)).astype(np.int64)
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    begins = np.cumsum(lengths) - lengths

    def key(rows: Any, first: int) -> NDArray[np.int64]:
        """Pack three characters, of 21 bits each, with 0 behind the last."""
        keys = np.zeros(len(begins[rows]), np.int64)
        for place in range(first, first + 3):
            found = points[np.minimum(begins[rows] + place, len(points) - 1)]
            keys = keys << 21 | np.where(lengths[rows] > place, found, 0)
        return keys

    keys = key(slice(None), 0)
    order = np.argsort(keys)
    # Nearly always the first six characters decide.
    alike = np.flatnonzero(_tied(keys[order]))
    rows = order[alike]
    again = np.lexsort((key(rows, 3), keys[rows]))
    order[alike] = rows = rows[again]
    tied = _tied(keys[rows]) & _tied(key(rows, 3))
    borders = np.flatnonzero(np.diff(tied, prepend=False, append=False))
    for start, end in borders.reshape(-1, 2).tolist():
        places = alike[start:end]
        order[places] = sorted(order[places].tolist(), key=words.__getitem__)
    return order


def _tied(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which of sorted keys equal one beside them."""
    same = keys[1:] == keys[:-1]
    tied: NDArray[np.bool_] = np.append(same, False) | np.append(False, same)
    return tied


def assemble(
    ids: NDArray[np.int32],
    sizes: NDArray[np.int64],
    lengths: NDArray[np.int64],
    vocabulary: Vocabulary,
    tags: NDArray[np.int16] | None = None,
    tag_names: tuple[str, ...] | None = None,
    *,
    keep_empty: bool = False,
) -> TokenMessages:
    """Join word ids, words per message (`sizes`) and messages per user (`lengths`).

    Empty messages are left out, unless they are to be kept. Ids that own their memory
    are not copied, and read-only from now on.
    """
    ids.flags.writeable = False
    text = TokenMessages(
        ids,
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([[0], np.cumsum(lengths)]),
        vocabulary,
        tags=tags,
        tag_names=tag_names,
    )
    return text if keep_empty else text.without_empty()


def equal_parts(messages: list[str], n_jobs: int) -> Iterator[list[str]]:
    """Cut a list into parts of about as many characters, as many for each job."""
    part: list[str] = []
    size = 0
    total = sum(map(len, messages))
    n_parts = -(-total // _CHARACTERS_PER_PART)
    n_parts = -(-n_parts // n_jobs) * n_jobs
    most = max(total / max(n_parts, 1), _LEAST_PER_PART)
    for message in messages:
        part.append(message)
        size += len(message)
        if size > most:
            yield part
            part, size = [], 0
    if part:
        yield part
