"""Sparsemax: its definition, its Jacobian, its limits, what takes no part."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from sklearn_profiling.architectures.layers.sparsemax import sparsemax


def scores(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def by_definition(row):
    """The closest point of the simplex, found among all supports."""
    best, shortest = None, np.inf
    for size in range(1, len(row) + 1):
        for support in map(list, itertools.combinations(range(len(row)), size)):
            point = np.zeros(len(row))
            point[support] = row[support] - (row[support].sum() - 1) / size
            distance = ((point - row) ** 2).sum()
            if (point >= 0).all() and distance < shortest:
                best, shortest = point, distance
    return best


def test_by_hand():
    # sorted 2, 1.5, 0: 1 + 2 * 1.5 > 3.5, 1 + 0 < 3.5; tau = 2.5 / 2
    found = sparsemax(torch.tensor([0.0, 2.0, 1.5]))
    assert found.tolist() == [0.0, 0.75, 0.25]


def test_it_is_the_closest_point_of_the_simplex():
    z = 1.5 * scores(40, 5)
    found = sparsemax(z)
    for row, weights in zip(z.numpy(), found.numpy(), strict=True):
        np.testing.assert_allclose(weights, by_definition(row), atol=1e-12)
    assert 1 < (found > 0).sum(dim=1).double().mean() < 4


def test_limits():
    z = scores(3, 6)
    third = torch.full((3, 6), 1 / 6, dtype=torch.float64)
    # Scores that hardly differ: equal weights, as the softmax gives them.
    torch.testing.assert_close(sparsemax(1e-9 * z), third, rtol=0, atol=1e-8)
    torch.testing.assert_close(
        sparsemax(1e-9 * z), torch.softmax(1e-9 * z, -1), rtol=0, atol=1e-8
    )
    # Scores far apart: all weight on the largest, in the softmax nearly so.
    certain = torch.nn.functional.one_hot(z.argmax(-1), 6).double()
    assert torch.equal(sparsemax(1e3 * z), certain)
    torch.testing.assert_close(torch.softmax(1e3 * z, -1), certain, rtol=0, atol=1e-6)
    # Of two, a clipped line: (1 + t) / 2.
    t = torch.linspace(-2, 2, 9, dtype=torch.float64)
    pair = torch.stack([t, torch.zeros_like(t)], dim=-1)
    assert torch.equal(sparsemax(pair)[:, 0], ((1 + t) / 2).clamp(0, 1))


def test_only_differences_matter_even_of_large_scores():
    z = scores(4, 5).float()
    torch.testing.assert_close(sparsemax(z + 4096.0), sparsemax(z), rtol=0, atol=2e-3)
    assert torch.allclose(sparsemax(z + 4096.0).sum(-1), torch.ones(4))


def test_every_dimension():
    z = scores(3, 4, 2)
    for dim in (0, 1, 2, -2):
        moved = sparsemax(z.movedim(dim, -1)).movedim(-1, dim)
        assert torch.equal(sparsemax(z, dim=dim), moved)


def test_masked_entries_are_as_if_they_were_not_there():
    z = scores(2, 3, 5)
    mask = torch.tensor([True, False, True, True, False])
    found = sparsemax(z, mask)
    assert torch.equal(found[..., mask], sparsemax(z[..., mask]))
    assert not found[..., ~mask].any()


def test_a_row_in_which_nothing_takes_part_is_zero():
    z = scores(3, 4).requires_grad_()
    mask = torch.tensor([[True], [False], [True]]).expand(3, 4)
    found = sparsemax(z, mask)
    assert found.sum(dim=1).tolist() == pytest.approx([1.0, 0.0, 1.0])
    (found * scores(3, 4, seed=1)).sum().backward()
    assert torch.isfinite(z.grad).all()
    assert not z.grad[1].any()
    # Minus infinity is a mask as well, and the other rows do not notice.
    assert torch.equal(sparsemax(z.detach().masked_fill(~mask, -torch.inf)), found)
    assert torch.equal(found[[0, 2]], sparsemax(z[[0, 2]]))


@pytest.mark.parametrize("dim", [0, -1])
def test_gradients(dim):
    # Away from the borders of the support, where the gradient jumps.
    z = 2 * scores(4, 5, seed=2)
    mask = scores(4, 5, seed=3) > -0.8
    mask[1] = False
    z.requires_grad_()

    def masked(values):
        return sparsemax(values, mask, dim)

    assert torch.autograd.gradcheck(masked, (z,))
    assert torch.autograd.gradgradcheck(masked, (z,))


def test_the_jacobian_is_that_of_the_paper():
    z = torch.tensor([0.3, 0.1, -2.0, 0.2], dtype=torch.float64)
    s = torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.equal((sparsemax(z) > 0).double(), s)
    found = torch.autograd.functional.jacobian(sparsemax, z)
    torch.testing.assert_close(found, torch.diag(s) - torch.outer(s, s) / 3)


def test_half_precision_is_computed_with_32_bits():
    z = scores(6, 300).to(torch.bfloat16).requires_grad_()
    found = sparsemax(z)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, sparsemax(z.float()).to(torch.bfloat16))
    (found * z.detach()).sum().backward()
    assert z.grad.dtype == torch.bfloat16


def test_no_entries_at_all():
    assert sparsemax(torch.zeros(0, 3)).shape == (0, 3)
    assert sparsemax(torch.zeros(3, 0)).shape == (3, 0)
