"""More neighbours for users who have few: by hand, and against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

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
