"""LINE in closed form: factorise the matrix that the descent converges to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from sklearn_profiling._config import config_context
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.sources.network._expansion import read_only
from sklearn_profiling.sources.network._line_svd_kernels import multiply_rows

Floats = npt.NDArray[np.float32]

OVERSAMPLING = 16
POWER_ITERATIONS = 4
_ROWS_PER_TASK = 1024
_ROWS_PER_DENSE_TASK = 8192


@dataclass(frozen=True)
class SpectralSettings:
    """Settings of the factorisation."""

    n_dimensions: int
    n_negatives: int
    seed: int
    n_threads: int


def log_proximity(adjacency: Any, n_negatives: int) -> Any:
    """Build max(log(vol(G) D^-1 A D^-1) - log `n_negatives`, 0), sparse float32."""
    data = np.log(adjacency.data)
    out_degrees = np.asarray(adjacency.sum(axis=1), dtype=np.float64).ravel()
    in_degrees = np.asarray(adjacency.sum(axis=0), dtype=np.float64).ravel()
    shift = np.log(out_degrees.sum() / n_negatives)
    with np.errstate(divide="ignore"):
        of_rows = (np.log(out_degrees) - shift).astype(np.float32)
        of_columns = np.log(in_degrees).astype(np.float32)
    data -= np.repeat(of_rows, np.diff(adjacency.indptr))
    data -= of_columns[adjacency.indices]
    np.maximum(data, 0, out=data)
    matrix: Any = sparse.csr_array(
        (data, adjacency.indices, adjacency.indptr), shape=adjacency.shape
    )
    if (data == 0).any():
        # The index arrays are the network's own and must not be changed.
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    return matrix


def normalised_adjacency(adjacency: Any) -> Any:
    """Build D^-1/2 A D^-1/2 of symmetric weights, sparse float32."""
    degrees = np.asarray(adjacency.sum(axis=1), dtype=np.float64).ravel()
    scale = np.zeros(len(degrees), dtype=np.float32)
    scale[degrees > 0] = degrees[degrees > 0] ** -0.5
    data = adjacency.data * scale[adjacency.indices]
    data *= np.repeat(scale, np.diff(adjacency.indptr))
    return sparse.csr_array(
        (data, adjacency.indices, adjacency.indptr), shape=adjacency.shape
    )


def embed_spectral(adjacency: Any, settings: SpectralSettings, *, order: str) -> Floats:
    """Embed a network: float32 vectors (n_users, n_dimensions), zeros beyond the rank.

    Second order takes the largest singular values of the log-proximity, first order the
    largest positive eigenvalues of the normalised adjacency.
    """
    if order == "first":
        matrix = turned = normalised_adjacency(adjacency)
    else:
        matrix = log_proximity(adjacency, settings.n_negatives)
        if matrix.nnz == 0:
            # A small dense network: no link stands out by a factor of b.
            matrix = log_proximity(adjacency, 1)
        turned = matrix.T.tocsr()
    generator = np.random.default_rng(settings.seed)
    # One thread of BLAS: its sums would depend on the number of threads.
    with (
        config_context(deterministic=True),
        fixed_threads(),
        ThreadPoolExecutor(max_workers=settings.n_threads) as pool,
    ):
        product = Products(pool)
        basis = _range_of(matrix, turned, settings.n_dimensions, generator, product)
        if order == "first":
            gram = product.turned(basis, product(matrix, basis))
        else:
            projected = product(turned, basis)
            gram = product.turned(projected, projected, np.float64)
        embedding = product.dense(
            basis, leading_directions(gram, settings.n_dimensions, order=order)
        )
    return fixed_width(_fixed_signs(embedding), settings.n_dimensions)


def leading_directions(
    gram: npt.NDArray[np.float64], n_dimensions: int, *, order: str
) -> Floats:
    """Return the scaled directions within a basis, (width, n_dimensions at the most).

    For first order, `gram` is the matrix in the basis; for second, that of the products
    of its transpose with the basis.
    """
    values, vectors = linalg.eigh(gram)
    if order == "second":
        values = np.sqrt(np.maximum(values, 0))
    kept = np.argsort(values)[::-1][:n_dimensions]
    scale = np.sqrt(np.maximum(values[kept], 0))
    scaled: Floats = (vectors[:, kept] * scale).astype(np.float32)
    return scaled


class Products:
    """Products of tall matrices, rows shared between threads.

    Rows are cut alike for any number of threads, and sums taken in their order.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, matrix: Any, dense: Floats) -> Floats:
        n_rows = matrix.shape[0]
        dense = np.ascontiguousarray(dense)
        result = np.empty((n_rows, dense.shape[1]), dtype=np.float32)

        # Read-only always, or each mixture would be compiled on its own.
        parts = [
            read_only(part) for part in (matrix.indptr, matrix.indices, matrix.data)
        ]

        def run(first: int) -> None:
            last = min(first + _ROWS_PER_TASK, n_rows)
            multiply_rows(*parts, dense, result, first, last)

        list(self._pool.map(run, range(0, n_rows, _ROWS_PER_TASK)))
        return result

    def dense(self, tall: Floats, small: Floats) -> Floats:
        """Multiply (n, k) and (k, m)."""
        result = np.empty((len(tall), small.shape[1]), dtype=np.float32)

        def run(rows: slice) -> None:
            np.matmul(tall[rows], small, out=result[rows])

        list(self._pool.map(run, _tasks(len(tall))))
        return result

    def turned(self, first: Floats, second: Floats, dtype: Any = np.float32) -> Any:
        """Multiply (n, k) turned and (n, m), both taken as `dtype`: float64."""

        def run(rows: slice) -> Any:
            right = second[rows].astype(dtype, copy=False)
            # numpy computes half of it where both are one array.
            left = right if first is second else first[rows].astype(dtype, copy=False)
            return left.T @ right

        total = np.zeros((first.shape[1], second.shape[1]))
        for part in self._pool.map(run, _tasks(len(first))):
            total += part
        return total


def _tasks(n_rows: int) -> list[slice]:
    step = _ROWS_PER_DENSE_TASK
    return [slice(start, start + step) for start in range(0, n_rows, step)]


def _range_of(
    matrix: Any,
    turned: Any,
    n_dimensions: int,
    generator: np.random.Generator,
    product: Products,
) -> Floats:
    """Find an orthonormal basis of the dominant range, by power iterations."""
    n_users = matrix.shape[0]
    width = min(n_dimensions + OVERSAMPLING, n_users)
    basis = generator.standard_normal((n_users, width), dtype=np.float32)
    basis = product(matrix, basis)
    for _ in range(POWER_ITERATIONS):
        # Between products once is enough: it keeps columns from falling together.
        basis = orthonormalise(basis, product, n_runs=1)
        basis = orthonormalise(product(turned, basis), product, n_runs=1)
        basis = product(matrix, basis)
    return orthonormalise(basis, product)


def orthonormalise(columns: Floats, product: Products, n_runs: int = 2) -> Floats:
    """Return an orthonormal basis of columns (n_users, width) by CholeskyQR.

    A second run brings it to single precision. Columns that depend on each other are
    left to Householder QR.
    """
    for _ in range(n_runs):
        gram = product.turned(columns, columns)
        try:
            upper = linalg.cholesky(gram)
            inverse = linalg.solve_triangular(upper, np.eye(len(upper)))
        except linalg.LinAlgError:
            return np.linalg.qr(columns)[0]
        if not np.isfinite(inverse).all() or np.abs(inverse).max() > 1e3 * np.abs(
            np.diag(inverse)
        ).min() * len(upper):
            return np.linalg.qr(columns)[0]
        columns = product.dense(columns, inverse.astype(np.float32))
    return columns


def _fixed_signs(vectors: Floats) -> Floats:
    """Turn each column so that its largest entry is positive."""
    rows = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[rows, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1, signs).astype(np.float32)


def fixed_width(vectors: Floats, width: int) -> Floats:
    """Append columns of zeros up to a width."""
    lacking = width - vectors.shape[1]
    return np.pad(vectors, ((0, 0), (0, lacking))) if lacking else vectors
