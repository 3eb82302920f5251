"""Gates of sources, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sklearn_profiling.architectures.layers.vectors import VectorEncoder
from sklearn_profiling.architectures.multimodal_cnn3d import GatedSources


@pytest.fixture
def layer():
    encoders = {
        name: VectorEncoder(torch.zeros(3), torch.ones(3), 0.0) for name in "ab"
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GatedSources(encoders, 0.0, n_gated=2).double()


def users(n_users=4):
    generator = torch.Generator().manual_seed(1)
    sources = {
        name: torch.randn(n_users, 3, generator=generator).double() for name in "ab"
    }
    present = {name: torch.ones(n_users, dtype=torch.bool) for name in "ab"}
    present["a"][1] = False
    return sources, present


def test_gates_by_hand(layer):
    with torch.no_grad():
        layer.scores.copy_(torch.tensor([1.0, -2.0]))
        layer.missing[0].copy_(torch.tensor([3.0, -1.0, 2.0]))
    sources, present = users()
    found = layer(sources, present)
    assert found.shape == (4, layer.n_features) == (4, 4)
    columns = []
    for k, name in enumerate("ab"):
        values = sources[name].numpy().copy()
        if name == "a":
            values[1] = [3, -1, 2]
        weight, bias = (p.detach().numpy() for p in layer.dense[k].parameters())
        gate = 1 / (1 + np.exp(-[1.0, -2.0][k]))
        columns.append(gate * np.maximum(values @ weight.T + bias, 0))
    np.testing.assert_allclose(found.detach(), np.hstack(columns), atol=1e-12)
    np.testing.assert_allclose(
        layer.gates().detach(), 1 / (1 + np.exp([-1.0, 2.0])), atol=1e-12
    )


def test_gradients_reach_all_but_the_gates(layer):
    layer(*users(20)).square().sum().backward()
    for name, parameter in layer.named_parameters():
        if name == "scores":
            assert parameter.grad is None
        elif name != "missing.1":  # nobody lacks b
            assert parameter.grad.abs().sum() > 0, name


def test_a_gate_that_is_shut_hides_its_source(layer):
    with torch.no_grad():
        layer.scores.copy_(torch.tensor([-50.0, 50.0]))
    sources, present = users()
    found = layer(sources, present)
    assert found[:, :2].abs().max() < 1e-15
    other = layer({**sources, "a": torch.ones(4, 3).double()}, present)
    torch.testing.assert_close(other, found, rtol=0, atol=1e-15)
