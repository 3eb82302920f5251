"""Equal parts of each user's rows, and responses of length below one."""

from __future__ import annotations

import math

import pytest
import torch

from sklearn_profiling.architectures.layers.pooling import (
    average_into_units,
    normalise_response,
)


def test_by_hand():
    values = torch.arange(7.0, dtype=torch.float64).unsqueeze(1) ** 2
    counts = torch.tensor([5, 0, 2])
    units = average_into_units(values, counts, 2).squeeze(2)
    # rows 0, 1 and 2, 3, 4 of the first user; no row; one row for each unit
    assert units[0].tolist() == [0.5, pytest.approx(29 / 3)]
    assert units[1:].tolist() == [[0.0, 0.0], [25.0, 36.0]]


@pytest.mark.parametrize("n_rows", range(1, 30))
def test_parts_are_equal_and_cover_all_rows(n_rows):
    values = torch.eye(n_rows, dtype=torch.float64)
    units = average_into_units(values, torch.tensor([n_rows]), 10)[0]
    assert units.shape == (10, n_rows)
    torch.testing.assert_close(units.sum(dim=1), units.new_ones(10))
    sizes = (units > 0).sum(dim=1)
    if n_rows >= 10:
        assert (units > 0).sum(dim=0).tolist() == [1] * n_rows
        assert sizes.max() - sizes.min() <= 1
    else:
        assert sizes.tolist() == [1] * 10
        assert (units.sum(dim=0) > 0).all()


def test_nobody_has_rows():
    units = average_into_units(torch.zeros(0, 3), torch.tensor([0, 0]), 4)
    assert units.tolist() == torch.zeros(2, 4, 3).tolist()
    assert average_into_units(torch.zeros(0, 3), torch.tensor([0])[:0], 4).numel() == 0


def test_gradient_of_averages():
    values = torch.randn(9, 2, dtype=torch.float64, requires_grad=True)
    counts = torch.tensor([2, 0, 7])
    assert torch.autograd.gradcheck(lambda v: average_into_units(v, counts, 3), values)


def test_responses():
    values = torch.tensor([[3.0, 4.0], [0.0, 0.0], [300.0, 400.0]])
    scaled = normalise_response(values)
    assert scaled[0].tolist() == pytest.approx([3 / math.sqrt(26), 4 / math.sqrt(26)])
    assert scaled[1].tolist() == [0.0, 0.0]
    assert 0.999 < scaled[2].norm() < 1
