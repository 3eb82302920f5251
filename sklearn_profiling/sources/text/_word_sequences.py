"""N-grams of words as numbers: counted by user, never written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sklearn_profiling.containers import TokenMessages, Vocabulary

__all__ = ["Level", "Longs", "WordSequences", "pair_counts", "sort_rows"]

Longs = NDArray[np.int64]


def pair_counts(
    rows: Longs, columns: NDArray[np.integer[Any]], shape: tuple[int, int]
) -> sparse.csr_array:
    """Count pairs of row and column: csr (n_rows, n_columns), rows sorted."""
    # Keys of one number are sorted ten times as fast as row by row.
    keys = rows.astype(np.int64)
    keys *= shape[1]
    keys += columns
    keys.sort()
    new = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    firsts = np.flatnonzero(new)
    distinct = keys[firsts]
    number = sparse.get_index_dtype(maxval=max(len(distinct), shape[1]))
    starts = np.searchsorted(distinct, np.arange(shape[0] + 1) * shape[1])
    counts = sparse.csr_array(
        (
            np.diff(firsts, append=len(keys)).astype(np.float32),
            (distinct % max(shape[1], 1)).astype(number),
            starts.astype(number),
        ),
        shape=shape,
    )
    counts.has_canonical_format = True
    return counts


def sort_rows(rows: sparse.csr_array) -> None:
    """Sort rows by their distinct columns, in place; scipy takes ten times as long."""
    keys = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)) * rows.shape[1]
    order = np.argsort(keys + rows.indices)
    rows.indices, rows.data = rows.indices[order], rows.data[order]
    rows.has_sorted_indices = True


class Level(NamedTuple):
    """Sequences of one length: sorted keys, and the column of each, -1 for none."""

    keys: Longs
    columns: Longs


class WordSequences:
    """Sequences of one to `longest` words.

    A longer sequence is a pair of a shorter one and a word, so each has a key of one
    number: sequence x number of words + word.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def learn(self, text: TokenMessages, min_users: int) -> sparse.csr_array:
        """Count all sequences of words that `min_users` wrote: csr (n_users, n)."""
        used = np.flatnonzero(text.word_counts())
        words = text.vocabulary.words
        self._words = Vocabulary([words[word] for word in used])
        self._levels: list[Level] = []
        parts: list[sparse.csr_array] = []
        n_columns = 0
        writers = text.word_users()
        ids = self._words.encode(words).astype(np.int64)
        begun = _Begun(text, ids, ids)
        for length in range(1, self._longest + 1):
            if length == 1:
                known, columns = np.arange(len(used)), begun.numbers
            else:
                keys = begun.lengthen(len(used))
                known, columns = np.unique(keys, return_inverse=True)
            counts = pair_counts(
                writers[begun.places], columns, (len(text), len(known))
            )
            users = np.bincount(counts.indices, minlength=len(known))
            frequent = users >= (1 if length == 1 else min_users)
            begun.keep((np.cumsum(frequent) - 1)[columns], frequent[columns])
            known = known[frequent]
            self._levels.append(Level(known, n_columns + np.arange(len(known))))
            n_columns += len(known)
            parts.append(counts if frequent.all() else counts[:, frequent])
        self._n_columns = n_columns
        return sparse.csr_array(sparse.hstack(parts, format="csr"))

    @classmethod
    def of(
        cls,
        longest: int,
        sequences: Sequence[tuple[int, ...]],
        words: Sequence[str],
    ) -> WordSequences:
        """Count given sequences of numbers of words, as sorted after :meth:`learn`."""
        made = cls(longest)
        used = sorted({number for sequence in sequences for number in sequence})
        made._words = Vocabulary([words[number] for number in used])
        made._n_columns = len(sequences)
        made._levels = []
        rank = {number: place for place, number in enumerate(used)}
        column = {sequence: place for place, sequence in enumerate(sequences)}
        before: dict[tuple[int, ...], int] = {(): 0}
        for length in range(1, longest + 1):
            begun = {each[:length] for each in sequences if len(each) >= length}
            level = sorted(begun)
            keys = [before[each[:-1]] * len(used) + rank[each[-1]] for each in level]
            columns = [column.get(each, -1) for each in level]
            made._levels.append(
                Level(np.array(keys, np.int64), np.array(columns, np.int64))
            )
            before = {each: place for place, each in enumerate(level)}
        return made

    def numbered(self, numbers: Mapping[str, int]) -> list[tuple[int, ...]]:
        """Return the sequences of :meth:`learn` with words as numbers, by column."""
        own = [numbers[word] for word in self._words.words]
        found: list[tuple[int, ...]] = []
        shorter: list[tuple[int, ...]] = [()]
        for keys, _ in self._levels:
            pairs = zip(*np.divmod(keys, len(own)), strict=True)
            shorter = [(*shorter[first], own[last]) for first, last in pairs]
            found += shorter
        return found

    def keep(self, columns: Longs) -> None:
        """Keep some columns of :meth:`learn`, in this order, and forget the others."""
        n_words = len(self._words)
        place = np.full(self._n_columns, -1)
        place[columns] = np.arange(len(columns))
        # From the longest on, since longer sequences begin with shorter ones.
        chosen: list[Longs] = []
        begun = np.zeros(0, np.int64)
        for level in reversed(self._levels):
            needed = place[level.columns] >= 0
            needed[begun] = True
            chosen.insert(0, np.flatnonzero(needed))
            begun = level.keys[chosen[0]] // n_words
        pairs = zip(self._levels, chosen, strict=True)
        kept = [
            Level(keys[those], place[before[those]]) for (keys, before), those in pairs
        ]
        used = np.unique(np.concatenate([keys % n_words for keys, _ in kept]))
        self._words = Vocabulary([self._words.words[word] for word in used])
        self._n_columns = len(columns)
        self._levels = []
        shorter = np.zeros(1, np.int64)
        for (keys, places), those in zip(kept, chosen, strict=True):
            first, last = np.divmod(keys, n_words)
            number = np.searchsorted(shorter, first) * len(used)
            self._levels.append(Level(number + np.searchsorted(used, last), places))
            shorter = those

    def count(self, text: TokenMessages) -> sparse.csr_array:
        """Count the sequences that are kept: csr (n_users, n_kept)."""
        rows, columns = [], []
        writers = text.word_users()
        first = self._levels[0]
        ids = self._words.encode(text.vocabulary.words).astype(np.int64)
        begun = _Begun(text, ids, _find(first.keys, ids))
        for level in self._levels:
            if level is not first:
                found = _find(level.keys, begun.lengthen(len(self._words)))
                begun.keep(found, found >= 0)
            column = level.columns[begun.numbers]
            rows.append(writers[begun.places[column >= 0]])
            columns.append(column[column >= 0])
        return pair_counts(
            np.concatenate(rows),
            np.concatenate(columns),
            (len(text), self._n_columns),
        )

    def names(self) -> list[str]:
        """Return the sequences that are kept, words with blanks between."""
        words = self._words.words
        names = [""] * self._n_columns
        shorter: list[str] = []
        for level in self._levels:
            if shorter:
                pairs = zip(*np.divmod(level.keys, len(words)), strict=True)
                shorter = [f"{shorter[first]} {words[last]}" for first, last in pairs]
            else:
                shorter = [words[key] for key in level.keys]
            for column, name in zip(level.columns.tolist(), shorter, strict=True):
                if column >= 0:
                    names[column] = name
        return names

    def in_order(self) -> Longs:
        """Return the columns in the order of their names: word by word."""
        ranks = np.empty(len(self._words), np.int64)
        words = self._words.words
        ranks[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
        parts = np.full((self._n_columns, self._longest), -1)
        shorter = np.zeros((0, 0), np.int64)
        for length, (keys, columns) in enumerate(self._levels, 1):
            first, last = np.divmod(keys, len(words))
            own = ranks[last][:, None]
            shorter = own if length == 1 else np.hstack([shorter[first], own])
            parts[columns, :length] = shorter
        return np.lexsort(parts.T[::-1])


class _Begun:
    """Sequences of known words in a text, one word longer at each step.

    `places` are the words that they begin with, `numbers` what each is among those of
    its length.
    """

    def __init__(self, text: TokenMessages, ids: Longs, numbers: Longs) -> None:
        """Begin with single words: `ids` and `numbers` of a vocabulary, -1 for none."""
        self._ids = ids[text.ids]
        self._ends = np.repeat(text.message_starts[1:], np.diff(text.message_starts))
        self._length = 1
        everywhere = numbers[text.ids]
        self.places = np.flatnonzero(everywhere >= 0)
        self.numbers = everywhere[self.places]

    def lengthen(self, n_words: int) -> Longs:
        """Add the next word, if it is known and in the message; return the keys."""
        last = self.places + self._length
        self._length += 1
        inside = last < self._ends[self.places]
        inside[inside] = self._ids[last[inside]] >= 0
        self.keep(self.numbers, inside)
        return self.numbers * n_words + self._ids[last[inside]]

    def keep(self, numbers: Longs, there: NDArray[np.bool_]) -> None:
        """Keep some sequences, by their numbers among those of their length."""
        self.places, self.numbers = self.places[there], numbers[there]


def _find(keys: Longs, wanted: Longs) -> Longs:
    """Find numbers among sorted keys, 0 or more: their positions, -1 for none."""
    if not len(keys):
        return np.full(len(wanted), -1)
    # In order, so that what is looked at next is in cache: a third of the time.
    order = np.argsort(wanted)
    found = np.empty_like(order)
    found[order] = np.searchsorted(keys, wanted[order])
    found = found.clip(max=len(keys) - 1)
    return np.where(keys[found] == wanted, found, -1)
