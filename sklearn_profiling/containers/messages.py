"""Texts of users as word ids: ragged, never padded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers._ragged import (
    IntArray,
    Ragged,
    Rows,
    check_starts,
    is_mapped,
    ranges,
    resolve_rows,
    segment_ids,
    take,
    without_ellipsis,
    without_name,
)
from sklearn_profiling.containers.vocabulary import Vocabulary, WordIds
from sklearn_profiling.exceptions import SourceError

__all__ = ["TokenMessages"]

Tags = npt.NDArray[np.int16]

_WORDS_AT_ONCE: Final = 1 << 20
"""Words of a text to work on together: temporary arrays hold 8 bytes for each."""


class TokenMessages(Ragged):
    """Messages of users as word ids: what a Categorical is to strings, for text.

    A user holds any number of messages, a message any number of words, also none. Words
    lie end to end in one array; nothing is padded. Indexing by a slice, a mask or an
    array of integers gives the chosen users, by one integer the words of that user.
    Users that follow each other are a view.

    Parameters
    ----------
    ids : array-like of int, shape (n_words,)
        Word ids of all messages of all users, end to end. Read-only int32 ids are not
        copied and must not be changed afterwards.
    message_starts : array-like of int, shape (n_messages + 1,)
        Message m holds the words ``ids[message_starts[m]:message_starts[m + 1]]``.
    user_starts : array-like of int, shape (n_users + 1,)
        User u holds the messages ``user_starts[u]:user_starts[u + 1]``.
    vocabulary : Vocabulary
        What the ids mean.
    tags : array-like of int, shape (n_words,), default=None
        Part of speech of each word, as a position in `tag_names`.
    tag_names : sequence of str, default=None
        Names of the parts of speech; given with `tags`.

    Attributes
    ----------
    ids : ndarray of int32, shape (n_words,)
    message_starts : ndarray of int64, shape (n_messages + 1,)
    user_starts : ndarray of int64, shape (n_users + 1,)
    vocabulary : Vocabulary
    tags : ndarray of int16, shape (n_words,), or None
    tag_names : tuple of str or None
    shape : tuple (n_users,)
    n_messages, n_words : int
    missing : ndarray of bool, shape (n_users,)
        True for users without any word.

    Raises
    ------
    SourceError
        If ids point outside the vocabulary, tags outside their names, or starts do not
        describe rows.

    Examples
    --------
    >>> from sklearn_profiling.containers import TokenMessages
    >>> text = TokenMessages.from_lists([[["喝", "茶"], ["爬", "山"]], None, [["茶"]]])
    >>> len(text), text.n_messages, text.n_words
    (3, 3, 5)
    >>> text[2]
    [['茶']]
    >>> text[[2, 0]].missing
    array([False, False])
    >>> text.missing
    array([False,  True, False])
    """

    def __init__(
        self,
        ids: npt.ArrayLike,
        message_starts: npt.ArrayLike,
        user_starts: npt.ArrayLike,
        vocabulary: Vocabulary,
        *,
        tags: npt.ArrayLike | None = None,
        tag_names: Sequence[str] | None = None,
    ) -> None:
        word_ids = np.asarray(ids)
        if word_ids.ndim != 1 or (word_ids.size and word_ids.dtype.kind not in "iu"):
            msg = (
                "ids must be a 1-D array of integers; got dtype "
                f"{word_ids.dtype} and {word_ids.ndim} dimensions"
            )
            raise SourceError(msg)
        if word_ids.size:
            low, high = int(word_ids.min()), int(word_ids.max())
            if low < 0 or high >= len(vocabulary):
                msg = (
                    f"ids must lie between 0 and {len(vocabulary) - 1}, the last word "
                    f"of the vocabulary; they lie between {low} and {high}"
                )
                raise SourceError(msg)
        try:
            messages = check_starts(
                np.asarray(message_starts), len(word_ids), "message_starts"
            )
            users = check_starts(
                np.asarray(user_starts), len(messages) - 1, "user_starts"
            )
        except ValueError as error:
            raise SourceError(str(error)) from error
        if (tags is None) != (tag_names is None):
            msg = "tags and tag_names are given together or not at all"
            raise SourceError(msg)
        names = None if tag_names is None else tuple(tag_names)
        self._set(
            word_ids.view() if _is_ready(word_ids) else word_ids.astype(np.int32),
            messages,
            users,
            vocabulary,
            None if names is None else _check_tags(tags, names, len(word_ids)),
            names,
        )

    def _set(
        self,
        ids: WordIds,
        message_starts: IntArray,
        user_starts: IntArray,
        vocabulary: Vocabulary,
        tags: Tags | None,
        tag_names: tuple[str, ...] | None,
        places: IntArray | None = None,
    ) -> None:
        """Take parts; with `places` (n_messages,) messages begin there in `ids`."""
        ids, tags = without_name(ids), without_name(tags)
        message_starts = without_name(message_starts)
        user_starts = without_name(user_starts)
        # One attribute, so that threads find all or nothing changed.
        self._words = ids, tags, places
        self.message_starts = message_starts
        self.user_starts = user_starts
        self.vocabulary = vocabulary
        self.tag_names = tag_names
        for array in (ids, message_starts, user_starts, tags):
            if array is not None:
                array.flags.writeable = False

    def _derive(
        self,
        ids: WordIds,
        message_starts: IntArray,
        user_starts: IntArray,
        tags: Tags | None,
        vocabulary: Vocabulary | None = None,
        places: IntArray | None = None,
    ) -> TokenMessages:
        """Build from parts known to fit together, without checking them again."""
        made = object.__new__(TokenMessages)
        made._set(
            ids,
            message_starts,
            user_starts,
            self.vocabulary if vocabulary is None else vocabulary,
            tags,
            self.tag_names,
            places,
        )
        return made

    @property
    def ids(self) -> WordIds:
        """Word ids of all messages of all users, (n_words,)."""
        return self._in_memory()[0]

    @property
    def tags(self) -> Tags | None:
        """Parts of speech of the words, (n_words,), or None."""
        return self._in_memory()[1]

    def _in_memory(self) -> tuple[WordIds, Tags | None]:
        ids, tags, places = self._words
        if places is not None:
            ids, tags = self._between(0, self.n_messages)
            for array in (ids, tags):
                if array is not None:
                    array.flags.writeable = False
            self._words = ids, tags, None
        return ids, tags

    def _between(self, first: int, last: int) -> tuple[WordIds, Tags | None]:
        """Ids and tags of the messages from `first` to `last`, and of no others."""
        ids, tags, places = self._words
        starts = self.message_starts[first : last + 1]
        words: Rows = slice(int(starts[0]), int(starts[-1]))
        if places is not None:
            words, _ = ranges(places[first:last], np.diff(starts))
        ids, tags = ids[words], None if tags is None else tags[words]
        return ids, tags

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Messages of about a million words together: the first, and after the last."""
        words = np.arange(0, self.n_words, _WORDS_AT_ONCE)
        cuts = np.searchsorted(self.message_starts, words, "right") - 1
        borders = np.unique(np.concatenate([[0], cuts, [self.n_messages]]))
        return pairwise(borders.tolist())

    @classmethod
    def from_lists(
        cls,
        users: Iterable[Iterable[Iterable[str]] | None],
        vocabulary: Vocabulary | None = None,
    ) -> TokenMessages:
        """Build from lists of words.

        Parameters
        ----------
        users : iterable of (iterable of iterable of str, or None)
            For each user the messages, for each message the words. None and empty
            lists are users without text. Empty messages are left out.
        vocabulary : Vocabulary, default=None
            If given, words outside it are left out; else the vocabulary holds the
            words that occur, sorted.

        Returns
        -------
        TokenMessages
            The same text as ids.
        """
        kept = [
            [] if messages is None else [words for m in messages if (words := list(m))]
            for messages in users
        ]
        flat = list(chain.from_iterable(kept))
        words = list(chain.from_iterable(flat))
        own = Vocabulary(sorted(set(words)))
        text = cls(
            own.encode(words),
            np.cumsum([0, *map(len, flat)]),
            np.cumsum([0, *map(len, kept)]),
            own,
        )
        return text if vocabulary is None else text.with_vocabulary(vocabulary)

    def with_vocabulary(self, vocabulary: Vocabulary) -> TokenMessages:
        """Write the same text with another vocabulary.

        Parameters
        ----------
        vocabulary : Vocabulary
            The vocabulary to use. Words outside it are left out, then messages that
            have become empty; so a user may be left without text. Messages that were
            empty stay.

        Returns
        -------
        TokenMessages
            The text in the other vocabulary.
        """
        translation = vocabulary.encode(self.vocabulary.words)
        ids = np.empty(self.n_words, np.int32)
        tags = None if self._words[1] is None else np.empty(self.n_words, np.int16)
        message_starts = np.zeros(self.n_messages + 1, np.int64)
        n_kept = 0
        for first, last in self._blocks():
            block, block_tags = self._between(first, last)
            new = translation[block]
            known = new >= 0
            starts = self.message_starts[first : last + 1]
            counts = np.concatenate([[0], np.cumsum(known)])
            message_starts[first : last + 1] = counts[starts - starts[0]] + n_kept
            end = int(message_starts[last])
            ids[n_kept:end] = new[known]
            if tags is not None and block_tags is not None:
                tags[n_kept:end] = block_tags[known]
            n_kept = end
        ids, tags = ids[:n_kept], None if tags is None else tags[:n_kept]
        if 2 * n_kept < self.n_words:  # little of the memory would be used
            ids, tags = ids.copy(), None if tags is None else tags.copy()
        filled = np.diff(message_starts) > 0
        filled |= np.diff(self.message_starts) == 0
        return self._derive(
            ids,
            np.concatenate([message_starts[:-1][filled], message_starts[-1:]]),
            np.concatenate([[0], np.cumsum(filled)])[self.user_starts],
            tags,
            vocabulary,
        )

    def without_empty(self) -> TokenMessages:
        """Leave out messages without a word.

        Returns
        -------
        TokenMessages
            The same words of the same users; itself if no message is empty.
        """
        filled = self.message_starts[1:] > self.message_starts[:-1]
        if filled.all():
            return self
        users = np.concatenate([[0], np.cumsum(filled)])[self.user_starts]
        starts = np.concatenate([self.message_starts[:-1][filled], [self.n_words]])
        ids, tags, places = self._words
        places = None if places is None else places[filled]
        return self._derive(ids, starts, users, tags, places=places)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """True for users without any word."""
        empty: npt.NDArray[np.bool_] = (
            np.diff(self.message_starts[self.user_starts]) == 0
        )
        return empty

    @property
    def n_messages(self) -> int:
        """Number of messages of all users."""
        return len(self.message_starts) - 1

    @property
    def n_words(self) -> int:
        """Number of words of all messages."""
        return int(self.message_starts[-1])

    def word_counts(
        self, user_weights: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[Any]:
        """Count each word of the vocabulary.

        Parameters
        ----------
        user_weights : ndarray of float64, shape (n_users,), default=None
            What a word of each user counts; None is 1.

        Returns
        -------
        ndarray of int64 or float64, shape (n_vocabulary,)
            How often each word occurs in this text, or the sum of its weights.
        """
        kind = np.int64 if user_weights is None else np.float64
        counts: npt.NDArray[Any] = np.zeros(len(self.vocabulary), kind)
        for first, last in self._blocks():
            ids, _ = self._between(first, last)
            if user_weights is None:
                counts += np.bincount(ids, minlength=len(counts))
                continue
            messages = np.arange(first, last)
            users = np.searchsorted(self.user_starts, messages, "right") - 1
            sizes = np.diff(self.message_starts[first : last + 1])
            # word by word in their order, so that blocks change no rounding
            np.add.at(counts, ids, np.repeat(user_weights[users], sizes))
        return counts

    def word_users(self) -> IntArray:
        """Row of the user who wrote each word.

        Returns
        -------
        ndarray of int64, shape (n_words,)
            The user of each entry of `ids`.
        """
        return segment_ids(self.message_starts[self.user_starts])

    def tolist(self) -> list[list[list[str]]]:
        """Return the words of every message of every user.

        Returns
        -------
        list of list of list of str
            The text as plain lists.
        """
        return self._lists(0, len(self))

    def _lists(self, first: int, last: int) -> list[list[list[str]]]:
        """Words of every message of the users from `first` to `last`."""
        users = self.user_starts[first : last + 1]
        starts = self.message_starts[users[0] : users[-1] + 1]
        ids, _ = self._between(int(users[0]), int(users[-1]))
        words = list(map(self.vocabulary.words.__getitem__, ids.tolist()))
        borders = (starts - starts[0]).tolist()
        messages = [words[begin:end] for begin, end in pairwise(borders)]
        borders = (users - users[0]).tolist()
        return [messages[begin:end] for begin, end in pairwise(borders)]

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> list[list[str]]: ...
    @overload
    def __getitem__(self, key: Any) -> TokenMessages: ...
    def __getitem__(self, key: Any) -> TokenMessages | list[list[str]]:
        key = without_ellipsis(key)
        if isinstance(key, int | np.integer):
            return self._words_of(int(key))
        return self._select(*take(self.user_starts, resolve_rows(key, len(self))))

    def _select(self, elements: Rows, user_starts: IntArray) -> TokenMessages:
        ids, tags, places = self._words
        if places is None and (isinstance(elements, slice) or not is_mapped(ids)):
            words, starts = take(self.message_starts, elements)
            tags = None if tags is None else tags[words]
            return self._derive(ids[words], starts, user_starts, tags)
        # Messages of a mapped file stay there, to be read when they are needed.
        if isinstance(elements, slice):
            elements = np.arange(elements.start, elements.stop)
        first = self.message_starts[elements]
        sizes = self.message_starts[elements + 1] - first
        starts = np.concatenate([[0], np.cumsum(sizes)])
        places = first if places is None else places[elements]
        return self._derive(ids, starts, user_starts, tags, places=places)

    def _words_of(self, user: int) -> list[list[str]]:
        if not -len(self) <= user < len(self):
            msg = f"user {user} is out of bounds: there are {len(self)} users"
            raise IndexError(msg)
        user %= len(self)
        return self._lists(user, user + 1)[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenMessages):
            return NotImplemented
        return (
            np.array_equal(self.ids, other.ids)
            and np.array_equal(self.message_starts, other.message_starts)
            and np.array_equal(self.user_starts, other.user_starts)
            and self.vocabulary == other.vocabulary
            and self.tag_names == other.tag_names
            and (self.tags is None or np.array_equal(self.tags, other.tags))  # type: ignore[arg-type]
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"TokenMessages({len(self)} users, {self.n_messages} messages, "
            f"{self.n_words} words, {self.vocabulary!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        ids, tags = self._between(0, self.n_messages)
        return {
            "ids": np.ascontiguousarray(ids),
            "message_starts": np.asarray(self.message_starts),
            "user_starts": np.asarray(self.user_starts),
            "vocabulary": self.vocabulary,
            "tags": None if tags is None else np.asarray(tags),
            "tag_names": self.tag_names,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)


def _is_ready(ids: npt.NDArray[Any]) -> bool:
    """Tell whether ids can be read where they are, since they are read-only."""
    locked = not ids.flags.writeable and (ids.base is None or is_mapped(ids))
    return locked and ids.dtype == np.int32


def _check_tags(
    tags: npt.ArrayLike | None, names: tuple[str, ...], n_words: int
) -> npt.NDArray[np.int16]:
    checked = np.asarray(tags)
    if checked.shape != (n_words,):
        msg = (
            f"tags must have one entry a word, shape ({n_words},); got {checked.shape}"
        )
        raise SourceError(msg)
    if n_words and (
        checked.dtype.kind not in "iu"
        or checked.min() < 0
        or checked.max() >= len(names)
    ):
        msg = (
            f"tags must be integers from 0 to {len(names) - 1}, positions in "
            f"tag_names; got {checked.dtype} from {checked.min()} to {checked.max()}"
        )
        raise SourceError(msg)
    # A copy: it is locked against writing, which the caller's array must not be.
    return checked.astype(np.int16)
