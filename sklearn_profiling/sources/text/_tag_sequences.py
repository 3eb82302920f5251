"""Parts of speech of users, from segmented text or from plain lists of tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError

__all__ = ["TagSequences", "Tagger", "read_tags", "tag_text"]

#: From the words of a message to their parts of speech.
Tagger = Callable[[list[str]], Sequence[str]]


@dataclass(frozen=True)
class TagSequences:
    """Tags of all messages of all users, end to end.

    ``tags`` (int64, (n_words,)) are positions in ``names``, -1 for a tag that has no
    name here; ``message_starts`` and ``user_starts`` are those of TokenMessages.
    """

    tags: NDArray[np.int64]
    names: tuple[str, ...]
    message_starts: NDArray[np.int64]
    user_starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_starts) - 1

    @property
    def missing(self) -> NDArray[np.bool_]:
        """True for users without any message."""
        empty: NDArray[np.bool_] = np.diff(self.user_starts) == 0
        return empty

    @property
    def users(self) -> NDArray[np.int64]:
        """Row of the user of each word."""
        sizes = np.diff(self.message_starts[self.user_starts])
        return np.repeat(np.arange(len(self)), sizes)

    @property
    def message_ends(self) -> NDArray[np.int64]:
        """Where the message of each word ends."""
        return np.repeat(self.message_starts[1:], np.diff(self.message_starts))

    def with_names(self, names: Sequence[str]) -> TagSequences:
        """Return the tags as positions in other names, -1 where there is none."""
        position = {name: number for number, name in enumerate(names)}
        translation = np.array(
            [position.get(name, -1) for name in self.names], np.int64
        )
        tags = translation[self.tags] if len(translation) else self.tags
        return TagSequences(tags, tuple(names), self.message_starts, self.user_starts)


def read_tags(X: Any, owner: object) -> TagSequences:
    """Read the tags of segmented text, or of a column of lists of lists of tags.

    The names are sorted and each is used. Text without tags raises SourceError.
    """
    text = X
    if not isinstance(X, TokenMessages):
        if not isinstance(X, list | tuple | np.ndarray | pd.Series):
            msg = (
                f"{type(owner).__name__} takes TokenMessages with tags, or a Series, "
                "list or array with the tags of one user in each cell; got "
                f"{type(X).__name__}"
            )
            raise SourceError(msg)
        text = TokenMessages.from_lists(
            [_messages_of_tags(cell, row, owner) for row, cell in enumerate(X)]
        )
        tags, names = text.ids.astype(np.int64), tuple(text.vocabulary.words)
    elif X.tags is None or X.tag_names is None:
        msg = (
            f"{type(owner).__name__} reads parts of speech and this text has none; cut "
            "it with JiebaSegmenter(part_of_speech=True), or give StylometricFeatures "
            "a tagger"
        )
        raise SourceError(msg)
    else:
        tags, names = X.tags.astype(np.int64), X.tag_names
    text = text.without_empty()
    read = TagSequences(tags, names, text.message_starts, text.user_starts)
    return read.with_names(sorted({names[tag] for tag in np.unique(tags)}))


def _messages_of_tags(cell: Any, row: int, owner: object) -> list[list[str]]:
    """Return the tags of each message of one user."""
    if not isinstance(cell, list | tuple | np.ndarray):
        if pd.api.types.is_scalar(cell) and pd.isna(cell):
            return []
        raise _no_tags(cell, row, owner)
    messages = []
    for message in cell:
        if not isinstance(message, list | tuple | np.ndarray) or not all(
            isinstance(tag, str) for tag in message
        ):
            raise _no_tags(message, row, owner)
        messages.append(list(message))
    return messages


def _no_tags(given: Any, row: int, owner: object) -> SourceError:
    return SourceError(
        f"{type(owner).__name__}, row {row}: the tags of a user must be a list with "
        "one list of str for each message, or None or NaN for no text; got "
        f"{given!r:.60} ({type(given).__name__})"
    )


def tag_text(text: TokenMessages, tagger: Tagger) -> TokenMessages:
    """Tag the words of every message, in place of any tags the text has."""
    found: list[str] = []
    for user in range(len(text)):
        for words in text[user]:
            tags = list(tagger(words))
            if len(tags) != len(words) or not all(isinstance(t, str) for t in tags):
                msg = (
                    f"row {user}: the tagger must give one tag, a str, for each of the "
                    f"{len(words)} words {words!r:.60}; it gave {tags!r:.60}"
                )
                raise SourceError(msg)
            found += tags
    names = sorted(set(found))
    number = {name: position for position, name in enumerate(names)}
    return TokenMessages(
        text.ids,
        text.message_starts,
        text.user_starts,
        text.vocabulary,
        tags=np.array([number[tag] for tag in found], np.int16),
        tag_names=names,
    )
