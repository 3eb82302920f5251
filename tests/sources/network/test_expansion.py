"""More neighbours for users who have few: by hand, and against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling.sources.network import _expansion
from sklearn_profiling.sources.network._expansion import expand_low_degrees


def csr(dense):
    return sparse.csr_array(np.asarray(dense), dtype=np.float32)


# 0 -2- 1, 1 -1- 2, 1 -3- 3, 4 alone
CHAIN = csr(
    [[0, 2, 0, 0, 0], [2, 0, 1, 3, 0], [0, 1, 0, 0, 0], [0, 3, 0, 0, 0], [0] * 5]
)


def test_by_hand():
    expanded = expand_low_degrees(CHAIN, 2, directed=True).toarray()
    # d_1 = 6. User 0 has room for one: 3 at 2 * 3 / 6, before 2 at 2 * 1 / 6.
    assert expanded[0].tolist() == [0, 2, 0, 1, 0]
    # User 2: 3 at 1 * 3 / 6; user 3: 0 at 3 * 2 / 6.
    assert expanded[2].tolist() == [0, 1, 0, 0.5, 0]
    assert expanded[3].tolist() == [1, 3, 0, 0, 0]
    assert expanded[1].tolist() == CHAIN.toarray()[1].tolist()
    assert expanded[4].tolist() == [0] * 5


def test_undirected_stays_symmetric():
    expanded = expand_low_degrees(CHAIN, 2, directed=False).toarray()
    np.testing.assert_array_equal(expanded, expanded.T)
    assert expanded[3].tolist() == [1, 3, 0.5, 0, 0]


@pytest.mark.parametrize("directed", [True, False])
def test_without_a_bound_it_is_the_two_step_walk(directed):
    rng = np.random.default_rng(0)
    dense = (rng.random((30, 30)) < 0.1) * rng.uniform(0.5, 2, (30, 30))
    np.fill_diagonal(dense, 0)
    if not directed:
        dense = np.triu(dense) + np.triu(dense).T
    strengths = dense.sum(axis=1)
    share = np.divide(
        dense,
        strengths[:, None],
        where=strengths[:, None] > 0,
        out=np.zeros_like(dense),
    )
    two = dense @ share
    two[dense > 0] = 0
    np.fill_diagonal(two, 0)
    if not directed:
        two = np.maximum(two, two.T)
    expanded = expand_low_degrees(csr(dense), 1000, directed=directed)
    np.testing.assert_allclose(expanded.toarray(), dense + two, rtol=1e-5)
    assert expanded.has_sorted_indices


@pytest.mark.parametrize("graph", [csr(1 - np.eye(3)), csr([[0, 1], [1, 0]])])
def test_nothing_to_add_changes_nothing(graph):
    assert expand_low_degrees(graph, 5, directed=False) is graph


def drawn(n_users, density, whole_weights):
    rng = np.random.default_rng(1)
    dense = rng.random((n_users, n_users)) < density
    weights = rng.integers(1, 3, dense.shape) if whole_weights else 1
    dense = np.triu(dense * weights, 1).astype(np.float32)
    return dense + dense.T


@pytest.mark.parametrize("threshold", [2, 9, 40])
@pytest.mark.parametrize("whole_weights", [True, False])
def test_the_heaviest_win_and_of_equals_the_first_met(threshold, whole_weights):
    dense = drawn(80, 0.06, whole_weights)
    expanded = expand_low_degrees(csr(dense), threshold, directed=True, n_threads=3)
    strengths = dense.sum(axis=1)
    for user, row in enumerate(dense):
        scores: dict[int, np.float32] = {}
        for friend in np.flatnonzero(row):
            share = row[friend] / strengths[friend]
            for other in np.flatnonzero(dense[friend]):
                gain = share * dense[friend, other]
                scores[other] = scores.get(other, np.float32(0)) + gain
        strangers = [k for k in scores if k != user and not row[k]]
        room = max(threshold - np.count_nonzero(row), 0)
        best = sorted(strangers, key=lambda k: -scores[k])[:room]
        added = np.setdiff1d(expanded[[user]].indices, np.flatnonzero(row))
        assert added.tolist() == sorted(best)
        assert expanded[[user]].toarray()[0, best].tolist() == [scores[k] for k in best]


def test_long_lists_are_looked_at_in_part(monkeypatch):
    """A hub of 200 users who know nobody else."""
    dense = np.zeros((201, 201), dtype=np.float32)
    dense[0, 1:] = dense[1:, 0] = 1
    whole = expand_low_degrees(csr(dense), 10, directed=True).toarray()
    # Whoever comes first in the hub's list.
    assert np.flatnonzero(whole[200]).tolist() == list(range(10))
    monkeypatch.setattr(_expansion, "_STEPS", 0)
    monkeypatch.setattr(_expansion, "_STEPS_PER_ARC", 10)
    part = expand_low_degrees(csr(dense), 10, directed=True)
    # 400 arcs allow 4,000 steps, so 20 for each of the 200 users.
    assert _longest(dense, 10) == 20
    assert (np.diff(part.indptr)[1:] == 10).all()
    assert set(part.data) == {np.float32(1), np.float32(1 / 200)}
    spread = np.bincount(part.indices, minlength=201)[1:]
    assert (spread > 0).all()
    assert spread.max() < 30
    shared = expand_low_degrees(csr(dense), 10, directed=True, n_threads=2)
    assert (shared != part).nnz == 0


def _longest(dense, threshold):
    matrix = csr(dense)
    room = np.maximum(threshold - np.diff(matrix.indptr), 0)
    starts = np.append(0, np.cumsum(room)).astype(np.int64)
    return _expansion._longest_list(matrix.indptr, matrix.indices, starts)
