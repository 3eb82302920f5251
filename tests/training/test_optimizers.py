"""Adam beside tables whose gradients are sparse."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from sklearn_profiling.training.optimizers import Adam


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_dense_parameters_move_as_under_adam(weight_decay):
    found = []
    for kind in (Adam, torch.optim.Adam):
        parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
        optimizer = kind([parameter], lr=0.1, weight_decay=weight_decay)

        def loss(parameter=parameter, optimizer=optimizer):
            optimizer.zero_grad()
            value = (parameter**3).sum()
            value.backward()
            return value

        found.append(([optimizer.step(loss).item() for _ in range(5)], parameter))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_tables_move_along_their_gradient_where_it_has_rows():
    table = torch.nn.Parameter(torch.ones(4, 2))
    unused = torch.nn.Parameter(torch.ones(1))
    optimizer = Adam([table, unused], lr=0.5)
    rows = torch.tensor([[1, 3, 1]])
    functional.embedding_bag(rows, table, mode="sum", sparse=True).sum().backward()
    assert optimizer.step() is None
    assert table.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.5, 0.5]]
    assert table.grad is None
    assert unused.item() == 1.0
    assert not optimizer.state
