"""The closed form against dense algebra."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling.sources.network import _line_svd
from sklearn_profiling.sources.network._line_svd import (
    Products,
    SpectralSettings,
    embed_spectral,
    log_proximity,
    normalised_adjacency,
    orthonormalise,
)


@pytest.fixture
def products():
    with ThreadPoolExecutor(2) as pool:
        yield Products(pool)


def random_graph(n_users=60, density=0.2, seed=0, directed=False):
    rng = np.random.default_rng(seed)
    dense = np.triu(rng.random((n_users, n_users)) < density, 1) * rng.uniform(
        0.5, 2, (n_users, n_users)
    )
    if directed:
        dense = dense[rng.permutation(n_users)][:, rng.permutation(n_users)]
        np.fill_diagonal(dense, 0)
    else:
        dense = dense + dense.T
    return sparse.csr_array(dense, dtype=np.float32)


def dense_log_proximity(adjacency, b):
    a = adjacency.toarray().astype(float)
    rows, columns = a.sum(axis=1), a.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.log(a.sum() * a / rows[:, None] / columns[None, :]) - np.log(b)
    return np.where(a > 0, np.maximum(m, 0), 0)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("b", [1, 5])
def test_log_proximity(directed, b):
    adjacency = random_graph(directed=directed)
    before = adjacency.copy()
    built = log_proximity(adjacency, b)
    dense = dense_log_proximity(adjacency, b)
    np.testing.assert_allclose(built.toarray(), dense, atol=1e-5)
    assert (built.data > 0).all()
    np.testing.assert_array_equal(adjacency.toarray(), before.toarray())
    np.testing.assert_array_equal(adjacency.indices, before.indices)


def test_log_proximity_shares_the_networks_indices_where_it_can():
    pair = sparse.csr_array(np.kron(np.eye(8), [[0, 1], [1, 0]]), dtype=np.float32)
    assert log_proximity(pair, 1).nnz == 16


def test_normalised_adjacency():
    adjacency = random_graph()
    dense = adjacency.toarray()
    root = np.sqrt(dense.sum(axis=1))
    np.testing.assert_allclose(
        normalised_adjacency(adjacency).toarray(),
        dense / root[:, None] / root[None, :],
        atol=1e-6,
    )


@pytest.mark.parametrize("directed", [False, True])
def test_second_order_against_dense_svd(directed):
    adjacency = random_graph(directed=directed)
    u, s, _ = np.linalg.svd(dense_log_proximity(adjacency, 1))
    vectors = embed_spectral(adjacency, SpectralSettings(60, 1, 0, 1), order="second")
    expected = u * np.sqrt(s)
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=2e-3)
    few = embed_spectral(adjacency, SpectralSettings(5, 1, 0, 1), order="second")
    np.testing.assert_allclose(np.linalg.norm(few, axis=0) ** 2, s[:5], rtol=0.02)


def test_first_order_against_dense_eigenvalues():
    adjacency = random_graph()
    values, vectors = np.linalg.eigh(normalised_adjacency(adjacency).toarray())
    kept = values > 0
    expected = (vectors[:, kept] * values[kept]) @ vectors[:, kept].T
    found = embed_spectral(adjacency, SpectralSettings(60, 1, 0, 1), order="first")
    np.testing.assert_allclose(found @ found.T, expected, atol=2e-3)
    # The largest eigenvalue is 1, and its vector the root of the degrees.
    root = np.sqrt(adjacency.sum(axis=1))
    np.testing.assert_allclose(
        np.abs(found[:, 0]), root / np.linalg.norm(root), atol=1e-4
    )


@pytest.mark.parametrize("order", ["first", "second"])
def test_same_bits_for_any_number_of_threads(order, monkeypatch):
    monkeypatch.setattr(_line_svd, "_ROWS_PER_DENSE_TASK", 700)
    adjacency = random_graph(3000, 0.002)
    results = [
        embed_spectral(adjacency, SpectralSettings(16, 5, 0, n), order=order)
        for n in (1, 2, 4)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_more_components_than_users_are_zeros():
    pair = sparse.csr_array(np.array([[0, 1], [1, 0]]), dtype=np.float32)
    vectors = embed_spectral(pair, SpectralSettings(5, 1, 0, 1), order="second")
    assert vectors.shape == (2, 5)
    np.testing.assert_array_equal(vectors[:, 2:], 0)


def test_orthonormalise(products, monkeypatch):
    monkeypatch.setattr(_line_svd, "_ROWS_PER_DENSE_TASK", 70)
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(500, 20)).astype(np.float32)
    columns[:, 1] *= 50
    basis = orthonormalise(columns, products)
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-5)
    np.testing.assert_allclose(basis @ (basis.T @ columns), columns, atol=1e-3)


@pytest.mark.parametrize("fill", ["copies", "nearly", "zeros"])
def test_orthonormalise_dependent_columns(fill, products):
    rng = np.random.default_rng(0)
    columns = np.zeros((100, 6), dtype=np.float32)
    if fill != "zeros":
        columns[:] = rng.normal(size=(100, 1))
    if fill == "nearly":
        columns += 1e-6 * rng.normal(size=columns.shape).astype(np.float32)
    basis = orthonormalise(columns, products)
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-4)
