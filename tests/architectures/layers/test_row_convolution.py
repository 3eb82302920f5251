"""A convolution along rows is torch's convolution along columns."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv1d

from sklearn_profiling.architectures.layers.row_convolution import row_convolution


def by_torch(rows, weights, bias):
    columns = rows.t().unsqueeze(0)
    maps = [conv1d(columns, each, padding=each.shape[-1] // 2) for each in weights]
    return torch.cat(maps, dim=1).squeeze(0).t() + bias


def drawn(n_rows, widths, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return values.requires_grad_()

    weights = [draw(2, 3, width) for width in widths]
    return draw(n_rows, 3), weights, draw(2 * len(widths))


@pytest.mark.parametrize("widths", [(1,), (3,), (1, 3), (3, 3, 5), (1, 9)])
@pytest.mark.parametrize("n_rows", [1, 2, 4, 11])
def test_values_and_gradients_are_those_of_torch(widths, n_rows):
    rows, weights, bias = drawn(n_rows, widths)
    found = []
    for convolve in (row_convolution, by_torch):
        values = convolve(rows, weights, bias)
        leaves = [rows, *weights, bias]
        found.append([values, *torch.autograd.grad(values.square().sum(), leaves)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_only_what_is_asked_for_has_a_gradient():
    rows, weights, bias = drawn(5, (1, 3))
    row_convolution(rows.detach(), weights, bias.detach()).sum().backward()
    assert all(each.grad.abs().sum() > 0 for each in weights)
    assert rows.grad is None
    assert bias.grad is None
    weights = [each.detach() for each in weights]
    row_convolution(rows, weights, bias.detach()).sum().backward()
    assert rows.grad.abs().sum() > 0


def test_autocast_computes_in_sixteen_bits():
    rows, weights, bias = drawn(50, (1, 3))
    floats = [rows.float(), [each.float() for each in weights], bias.float()]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = row_convolution(*floats)
    assert rough.dtype == torch.bfloat16
    exact = row_convolution(*floats)
    assert exact.dtype == torch.float32
    assert 0 < (rough.float() - exact).abs().max() < 0.02 * exact.abs().max()
    rough.float().sum().backward()
    assert weights[0].grad.dtype == torch.float64
