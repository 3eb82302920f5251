"""Random layers: the right share, the right scale, their own generator."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from sklearn_profiling.architectures.layers.randomness import (
    Dropout,
    SourceDropout,
)
from sklearn_profiling.training.net import set_generator


def seeded(layer, seed=0):
    set_generator(layer, torch.Generator().manual_seed(seed))
    return layer


def test_dropout_keeps_the_mean():
    values = torch.full((200, 500), 3.0)
    dropped = seeded(Dropout(0.25))(values)
    assert sorted(dropped.unique().tolist()) == [0.0, 4.0]
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.005)
    assert dropped.mean().item() == pytest.approx(3.0, abs=0.03)


def test_gradients_pass_where_values_do():
    values = torch.ones(100, dtype=torch.float64, requires_grad=True)
    dropped = seeded(Dropout(0.5))(values)
    dropped.sum().backward()
    assert dropped.dtype == torch.float64
    assert torch.equal(values.grad, dropped.detach())
    assert 0 < (values.grad == 0).sum() < 100


def test_hidden_sources_are_a_share_of_those_present():
    present = torch.arange(40_000) % 2 == 0
    used = seeded(SourceDropout(0.3))(present)
    assert used.dtype == torch.bool
    assert not used[~present].any()
    assert used[present].float().mean().item() == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("kind", [Dropout, SourceDropout])
def test_evaluation_and_probability_zero_pass_everything(kind):
    given = torch.ones(50, dtype=torch.bool)
    assert kind(0.9).eval()(given) is given
    assert kind(0.0)(given) is given


@pytest.mark.parametrize("kind", [Dropout, SourceDropout])
def test_the_generator_alone_decides(kind):
    given = torch.ones(200, dtype=torch.bool)
    before = torch.get_rng_state()
    first = seeded(kind(0.5), 3)(given)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert torch.equal(seeded(kind(0.5), 3)(given), first)
    assert not torch.equal(seeded(kind(0.5), 4)(given), first)
    assert torch.equal(torch.get_rng_state(), state)
    torch.set_rng_state(before)


def test_without_a_generator_the_global_one_serves():
    given = torch.ones(200)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = Dropout(0.5)(given)
        torch.manual_seed(5)
        assert torch.equal(Dropout(0.5)(given), first)
        assert not torch.equal(Dropout(0.5)(given), first)


def test_every_random_layer_gets_the_generator_and_gives_it_back():
    net = nn.Sequential(
        nn.Linear(2, 2), nn.Sequential(Dropout(0.1)), SourceDropout(0.1)
    )
    generator = torch.Generator()
    set_generator(net, generator)
    assert net[1][0].generator is net[2].generator is generator
    set_generator(net, None)
    assert net[1][0].generator is None


def test_copies_and_pickles_travel_without_the_generator():
    layer = seeded(Dropout(0.5))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.generator is None
        assert twin.probability == 0.5
    assert layer.generator is not None
