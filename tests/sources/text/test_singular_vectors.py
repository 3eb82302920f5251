"""Singular vectors against those of the dense matrix, scikit-learn's, and few ranks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from sklearn_profiling.sources.text import _singular_vectors as module
from sklearn_profiling.sources.text._singular_vectors import right_singular_vectors


def draw(n_rows, n_columns, seed=0):
    """Rows of few entries, of which some columns have many."""
    rng = np.random.default_rng(seed)
    columns = (n_columns * rng.random((n_rows, 12)) ** 3).astype(int)
    rows = np.zeros((n_rows, n_columns), np.float32)
    rows[np.arange(n_rows)[:, None], columns] = rng.random(columns.shape) + 0.5
    return rows


@pytest.fixture
def blocks_of_four(monkeypatch):
    """No matrix is so small that it is decomposed as a whole."""
    monkeypatch.setattr(module, "_BLOCK", 4)
    monkeypatch.setattr(module, "_LEAST_BLOCKS", 11)


@pytest.mark.parametrize("shape", [(70, 130), (130, 70)])
@pytest.mark.parametrize("whole", [True, False])
def test_the_largest_of_the_dense_matrix(shape, whole, request):
    if not whole:
        request.getfixturevalue("blocks_of_four")
    rows = draw(*shape)
    directions, values = right_singular_vectors(sparse.csr_array(rows), 3, 0)
    assert directions.dtype == np.float32
    _, expected, right = np.linalg.svd(rows, full_matrices=False)
    np.testing.assert_allclose(values, expected[:3], rtol=1e-4)
    np.testing.assert_allclose(np.abs(directions @ right[:3].T), np.eye(3), atol=1e-2)
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-5)


@pytest.mark.parametrize("shape", [(60, 90), (90, 60)])
@pytest.mark.parametrize("whole", [True, False])
def test_directions_beyond_the_rank_are_zero(shape, whole, request):
    """Two kinds of rows alone, and one row that shares nothing with the others."""
    if not whole:
        request.getfixturevalue("blocks_of_four")
    kinds = draw(2, shape[1] - 1)
    rows = np.zeros(shape, np.float32)
    rows[:-1, :-1] = kinds[np.arange(shape[0] - 1) % 2]
    rows[-1, -1] = 3.0
    directions, values = right_singular_vectors(sparse.csr_array(rows), 5, 0)
    np.testing.assert_allclose(
        values, np.linalg.svd(rows, compute_uv=False)[:5], rtol=1e-4, atol=1e-3
    )
    assert not directions[3:].any()
    product = directions @ directions.T
    np.testing.assert_allclose(product, np.diag([1, 1, 1, 0, 0]), atol=1e-5)


def test_more_variance_than_scikit_learns_power_iterations():
    rows = sparse.csr_array(draw(700, 900))
    directions, _ = right_singular_vectors(rows, 60, 0)
    theirs = TruncatedSVD(60, random_state=0).fit(rows).components_
    ours, other = (np.linalg.norm(rows @ each.T) for each in (directions, theirs))
    assert ours > 1.002 * other
    again, _ = right_singular_vectors(rows, 60, 0)
    np.testing.assert_array_equal(again, directions)
