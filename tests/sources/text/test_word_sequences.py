"""Counts of pairs and of n-grams, against lists."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.sources.text._word_sequences import (
    WordSequences,
    pair_counts,
    sort_rows,
)


@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (4, 1), (4, 0), (0, 3)])
def test_pairs_are_counted_in_order(shape):
    rng = np.random.default_rng(0)
    n_pairs = 20 if min(shape) else 0
    rows, columns = (rng.integers(max(size, 1), size=n_pairs) for size in shape)
    expected = np.zeros(shape)
    np.add.at(expected, (rows, columns), 1)
    counts = pair_counts(rows, columns, shape)
    np.testing.assert_array_equal(counts.toarray(), expected)
    assert counts.dtype == np.float32
    assert counts.indices.dtype == np.int32
    given, counts.has_canonical_format = counts.has_canonical_format, None
    del counts._has_canonical_format  # so that scipy looks
    assert given
    assert counts.has_canonical_format


def test_rows_are_sorted_as_by_scipy():
    rng = np.random.default_rng(0)
    first, second = (
        sparse.csr_array(rng.integers(3, size=(6, 6)).astype(np.float32))
        for _ in range(2)
    )
    product = first @ second
    assert not product.has_sorted_indices
    expected = product.copy()
    expected.sort_indices()
    sort_rows(product)
    for name in ("indices", "indptr", "data"):
        found, wanted = getattr(product, name), getattr(expected, name)
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    assert product.has_sorted_indices


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_sequences_of_new_users_are_counted_as_in_lists(longest):
    """Some words begin no sequence that is kept, and others are new."""
    rng = np.random.default_rng(1)

    def draw(letters):
        return [
            [list(rng.choice(list(letters), rng.integers(1, 6))) for _ in range(3)]
            for _ in range(8)
        ]

    sequences = WordSequences(longest)
    learned = sequences.learn(TokenMessages.from_lists(draw("abcd")), 1)
    kept = np.flatnonzero(rng.random(learned.shape[1]) < 0.4)
    sequences.keep(kept)
    names = sequences.names()
    users = draw("abcdef")
    expected = []
    for user in users:
        written = Counter(
            " ".join(message[start : start + length])
            for message in user
            for length in range(1, longest + 1)
            for start in range(len(message) - length + 1)
        )
        expected.append([written[name] for name in names])
    counts = sequences.count(TokenMessages.from_lists(users))
    np.testing.assert_array_equal(counts.toarray(), expected)
