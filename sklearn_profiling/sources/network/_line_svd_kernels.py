"""Compiled sparse products of LINE's closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sklearn_profiling.sources._prefetch import prefetch_for_write

# Entries to look ahead, whose rows are asked for, and numbers per cache line.
_AHEAD = 16
_LINE = 16


@njit(nogil=True, cache=True, fastmath=True)
def multiply_rows(
    indptr: Any,
    indices: Any,
    weights: Any,
    dense: Any,
    product: Any,
    first: int,
    last: int,
) -> None:
    """Write rows ``first:last`` of a sparse matrix times a dense one.

    Every row is summed by one thread in the order of the matrix, so the bits do not
    depend on how rows are shared out.
    """
    width = dense.shape[1]
    total = np.empty(width, dtype=np.float32)
    end = indptr[last]
    for row in range(first, last):
        total[:] = np.float32(0.0)
        for place in range(indptr[row], indptr[row + 1]):
            if place + _AHEAD < end:
                start = np.int64(indices[place + _AHEAD]) * width
                for d in range(start, start + width, _LINE):
                    prefetch_for_write(dense, d)
            weight = weights[place]
            other = dense[indices[place]]
            for d in range(width):
                total[d] += weight * other[d]
        product[row] = total
