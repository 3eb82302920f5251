"""The largest singular values of sparse rows and their directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

__all__ = ["right_singular_vectors"]

Floats = NDArray[np.float32]

_BLOCK = 40
"""Vectors multiplied at a time: a row of them stays in cache beside many others."""
_LEAST_BLOCKS = 12
_VECTORS_PER_DIRECTION = 2.1
"""Size of the basis: it keeps more of the variance than five power iterations do."""
_MOST_RUNS = 5


def right_singular_vectors(
    rows: sparse.csr_array, n_directions: int, seed: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Find the directions (n_directions, n_columns) of the largest singular values.

    By a block Lanczos process with a random start on the smaller side of the rows, or
    from all products of these where they are few. Directions whose singular value is
    below a thousandth of the largest, where rounding begins, may be zero.
    """
    turned = rows.T.tocsr()
    is_wide = rows.shape[0] <= rows.shape[1]
    short, long = (rows, turned) if is_wide else (turned, rows)
    n_blocks = math.ceil(n_directions * _VECTORS_PER_DIRECTION / _BLOCK)
    n_blocks = max(n_blocks, _LEAST_BLOCKS)
    left: NDArray[Any]
    if short.shape[0] <= n_blocks * _BLOCK:
        gram = (short.astype(np.float64) @ long.astype(np.float64)).toarray()
        values, left = _largest(gram, n_directions)
        is_there = values > 1e-12 * values[0]
    else:
        generator = np.random.default_rng(seed)
        start = generator.standard_normal((short.shape[1], _BLOCK), np.float32)
        basis, gram = _krylov_basis(short, long, short @ start, n_blocks)
        values, vectors = _largest(gram, n_directions)
        left = basis @ vectors.astype(np.float32)
        is_there = values > 1e-6 * values[0]
    singular = np.sqrt(np.where(is_there, values, 0.0))
    # Before the last product, since afterwards the vectors are long.
    scale = np.where(is_there, _signs(left), 0.0)
    if is_wide:
        scale /= np.where(is_there, singular, 1.0)
    left = np.ascontiguousarray(left * scale, np.float32)
    directions: Floats = (long @ left if is_wide else left).T
    return directions, singular


def _largest(
    gram: NDArray[np.float64], n_directions: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest eigenvalues and their vectors, (n, n_directions)."""
    size = len(gram)
    values, vectors = linalg.eigh(gram, subset_by_index=[size - n_directions, size - 1])
    return values[::-1], vectors[:, ::-1]


def _krylov_basis(
    short: sparse.csr_array, long: sparse.csr_array, block: Floats, n_blocks: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Multiply a block by short @ long again and again; keep what is new each time.

    Returns an orthonormal basis of all (n, size), and short @ long within it.
    """
    size = n_blocks * _BLOCK
    basis = np.empty((short.shape[0], size), np.float32, order="F")
    gram = np.empty((size, size))
    for begin in range(0, size, _BLOCK):
        end = begin + _BLOCK
        new = _orthonormal(block, basis[:, :begin])
        basis[:, begin:end] = new
        block = short @ (long @ np.ascontiguousarray(new))
        known = basis[:, :end]
        inside = known.T @ block
        gram[:end, begin:end], gram[begin:end, :end] = inside, inside.T
        block -= known @ inside
    return basis, gram


def _orthonormal(block: Floats, known: Floats) -> Floats:
    """Return an orthonormal basis of a block that is nearly free of known columns.

    Where the rank is exhausted it is rounding alone, which takes another run.
    """
    for _ in range(_MOST_RUNS):
        block = linalg.qr(block, mode="economic")[0]
        overlap = known.T @ block
        block = block - known @ overlap
        if np.abs(overlap).max(initial=0) < 1e-3:
            break
    return block


def _signs(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the sign of the largest entry of each column."""
    largest = np.abs(vectors).argmax(axis=0)
    signs: NDArray[Any] = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return signs
