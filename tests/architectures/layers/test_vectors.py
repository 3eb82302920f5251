"""Dense and sparse sources by hand."""

from __future__ import annotations

import numpy as np
import torch
from hand_sources import sparse_source
from scipy import sparse

from sklearn_profiling.architectures.layers.vectors import SparseEncoder, VectorEncoder
from sklearn_profiling.training.batches import flatten_rows
from sklearn_profiling.training.statistics import source_statistics

DENSE = np.array([[1.0, 0, 3, 0], [0, 2, 0, 0], [4, 0, 0, 5], [0, 1, 1, 0]])
ROWS = sparse.csr_array(DENSE)
TABLE = torch.tensor(np.random.RandomState(0).randn(4, 2))


def encoder(dropout=0.0, vectors=TABLE):
    mean, scale = map(torch.tensor, source_statistics(ROWS, np.ones(4)))
    return SparseEncoder(sparse_source(mean, scale, vectors), 2, dropout).double()


def flat(rows=ROWS):
    return flatten_rows(rows, torch.float64)


def test_the_product_begins_as_that_with_the_vectors_about_their_mean():
    expected = (DENSE - DENSE.mean(axis=0)) @ TABLE.numpy()
    torch.testing.assert_close(encoder()(flat()), torch.tensor(expected))


def test_as_the_encoder_of_the_dense_product():
    product = torch.tensor(DENSE) @ TABLE
    mean, scale = product.mean(dim=0), product.std(dim=0, correction=0)
    dense = VectorEncoder(mean, scale, 0.0)
    size = scale.square().mean().sqrt()
    sparse_form = encoder(vectors=TABLE / size)
    torch.testing.assert_close(sparse_form(flat()), dense(product))


def test_gradients_are_sparse_and_right():
    module = encoder()
    weights = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    (module(flat(ROWS[[0, 1]])) * weights).sum().backward()
    gradient = module.table.grad
    assert gradient.is_sparse
    expected = DENSE[:2].T @ weights.numpy() * module.factor.item()
    torch.testing.assert_close(gradient.to_dense(), torch.tensor(expected))


def test_a_step_moves_rows_of_length_one_alike_whatever_their_scale():
    moved = []
    for scale in (1.0, 100.0):
        mean, deviation = map(torch.tensor, source_statistics(ROWS * scale, np.ones(4)))
        source = sparse_source(mean, deviation)
        module = SparseEncoder(source, 2, 0.0).double()
        rows = flat(ROWS * scale)
        assert (module(rows) == 0).all()
        module(rows).sum().backward()
        with torch.no_grad():
            module.table.sub_(module.table.grad.to_dense())
        moved.append(module(rows).detach())
    torch.testing.assert_close(*moved)
    squares = (DENSE @ DENSE.sum(axis=0)) / (DENSE**2).sum(axis=1).mean()
    torch.testing.assert_close(
        moved[0][:, 0], torch.tensor(-SparseEncoder.learning_rate * squares)
    )


def test_rows_without_entries():
    module = SparseEncoder(sparse_source(torch.zeros(3), torch.zeros(3)), 2, 0.5)
    found = module.train()(flatten_rows(sparse.csr_array((2, 3)), torch.float32))
    assert found.tolist() == [[0.0, 0.0], [0.0, 0.0]]
