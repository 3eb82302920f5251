"""Directions of sparse rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sklearn_profiling.training.directions import leading_directions


def rows():
    random = np.random.RandomState(0)
    dense = random.rand(60, 25) * (random.rand(60, 25) < 0.3)
    dense[:, :5] *= np.linspace(30, 10, 5)
    dense[4] = 0
    return sparse.csr_array(dense)


def test_they_are_the_singular_vectors_of_one_scale():
    X = rows()
    there = np.diff(X.indptr) > 0
    found = leading_directions(X, np.ones(60), 4, 0)
    assert found.shape == (25, 4)
    assert found.dtype == X.dtype
    assert leading_directions(X.astype(np.float32), np.ones(60), 4, 0).dtype == "f4"
    _, _, expected = np.linalg.svd(X.toarray())
    unit = found / np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(np.abs(np.sum(unit * expected[:4].T, axis=0)), 1, 1e-4)
    assert (unit[np.abs(unit).argmax(axis=0), np.arange(4)] > 0).all()
    # about their mean, over the users who have rows
    product = X[there] @ found
    np.testing.assert_allclose(product.var(axis=0).mean(), 1, rtol=1e-4)
    np.testing.assert_allclose(
        np.linalg.norm(found, axis=0), np.linalg.norm(found[:, 0]), rtol=1e-4
    )


def test_weights_are_repeated_users():
    times = np.random.RandomState(1).randint(1, 4, 60)
    weighted = leading_directions(rows(), times.astype(float), 3, 0)
    repeated = rows()[np.repeat(np.arange(60), times)]
    again = leading_directions(repeated, np.ones(times.sum()), 3, 0)
    np.testing.assert_allclose(weighted, again, atol=1e-4)


def test_zeros_beyond_the_rank():
    random = np.random.RandomState(0)
    low = sparse.csr_array(random.rand(20, 2) @ random.rand(2, 9))
    found = leading_directions(low, np.ones(20), 5, 0)
    assert (found[:, 2:] == 0).all()
    assert (np.linalg.norm(found[:, :2], axis=0) > 0).all()
    wide = leading_directions(rows()[:3], np.ones(3), 8, 0)
    assert (np.linalg.norm(wide, axis=0) > 0).tolist() == [True] * 3 + [False] * 5


@pytest.mark.parametrize(
    "X",
    [
        sparse.csr_array((6, 4)),
        sparse.csr_array(np.tile([1.0, 0.0, 2.0, 3.0], (6, 1))),
        sparse.csr_array(
            (np.zeros(6), (np.arange(6), np.zeros(6, dtype=int))), shape=(6, 4)
        ),
    ],
    ids=["no entries", "all users alike", "zeros that are stored"],
)
def test_none_where_nothing_varies(X):
    assert (leading_directions(X, np.ones(6), 2, 0) == 0).all()
