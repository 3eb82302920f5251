"""Users who write each n-gram, counted over text that comes in parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources.text._word_sequences import Longs, WordSequences

__all__ = ["CountedSequences"]

Numbers = tuple[int, ...]


class CountedSequences:
    """How many users write each sequence of one to `longest` words.

    The sequences have the order that they have in one text: that of the words in its
    vocabulary, which is sorted, as those of segmenters, or the same for all parts.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._words: dict[str, int] = {}
        self._sorted = True
        self._users: dict[Numbers, int] = {}

    def add(self, text: TokenMessages) -> None:
        """Count the users of a part of the text."""
        words = text.vocabulary.words
        self._sorted = self._sorted and all(a < b for a, b in pairwise(words))
        for word in words:
            self._words.setdefault(word, len(self._words))
        part = WordSequences(self._longest)
        counts = part.learn(text, 1)
        users = np.bincount(counts.indices, minlength=counts.shape[1])
        for sequence, n_users in zip(
            part.numbered(self._words), users.tolist(), strict=True
        ):
            self._users[sequence] = self._users.get(sequence, 0) + n_users

    def ordered(self) -> tuple[list[Numbers], Longs]:
        """Return the sequences as they are ordered in one text, and their users.

        Their numbers are those of the words in that order.
        """
        rank = {self._words[word]: place for place, word in enumerate(self._order())}
        ranked = {
            tuple([rank[number] for number in sequence]): users
            for sequence, users in self._users.items()
        }
        found = sorted(ranked, key=lambda sequence: (len(sequence), sequence))
        return found, np.array([ranked[each] for each in found], dtype=np.int64)

    def _order(self) -> list[str]:
        return sorted(self._words) if self._sorted else list(self._words)

    def kept(self, sequences: Sequence[Numbers]) -> WordSequences:
        """Return a counter of some sequences, in this order."""
        return WordSequences.of(self._longest, sequences, self._order())
