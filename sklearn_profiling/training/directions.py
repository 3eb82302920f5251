"""Vectors that training starts from: those of words, and of columns of sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.training.inputs import Sources

__all__ = ["initial_vectors", "leading_directions"]

Floats = npt.NDArray[np.floating[Any]]

_POWER_ITERATIONS = 3

_LEAST = 1e-5
"""Singular values below this share of the largest are rounding errors."""


def initial_vectors(
    sources: Sources, weights: npt.NDArray[np.float64], n: int, seed: int
) -> dict[str, Floats | None]:
    """Vectors that texts bring, and `n` directions of sparse rows; None for others."""
    vectors: dict[str, Floats | None] = dict.fromkeys(sources)
    for name, source in sources.items():
        if isinstance(source, TokenMessages):
            vectors[name] = source.vocabulary.vectors
        elif sparse.issparse(source):
            vectors[name] = leading_directions(source, weights, n, seed)
    return vectors


@fixed_threads()
def leading_directions(
    rows: sparse.csr_array, weights: npt.NDArray[np.float64], n: int, seed: int
) -> Floats:
    """Find right singular vectors (n_columns, n) of rows of users, in their precision.

    All are divided by one number, so that the columns of the product with the rows have
    variance 1 on average; zeros beyond the rank.
    """
    table = np.zeros((rows.shape[1], n), dtype=rows.dtype)
    there = np.diff(rows.indptr) > 0
    n_found = min(n, int(there.sum()), rows.shape[1])
    if not n_found:
        return table
    shares = weights[there] / weights[there].sum()
    weighted = rows[there]
    mean = shares @ weighted
    factors = np.sqrt(shares).astype(rows.dtype)
    weighted.data *= np.repeat(factors, np.diff(weighted.indptr))
    _, sizes, directions = randomized_svd(
        weighted,
        n_found,
        n_iter=_POWER_ITERATIONS,
        transpose=False,
        flip_sign=False,
        random_state=seed,
    )
    # The largest entry of each is positive.
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(n_found), largest])[:, None]
    known = sizes > _LEAST * sizes[0]
    if known.any():
        variances = sizes[known] ** 2 - (directions[known] @ mean) ** 2
        # Where all rows are alike, what varies is rounding.
        if variances.mean() > _LEAST * sizes[0] ** 2:
            scale = np.sqrt(variances.mean())
            table[:, : known.sum()] = directions[known].T / scale
    return table
