"""PCNN and bow-CNN: the whole net by hand, on a few users."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_regions import convolve
from hand_text import lay_out

from sklearn_profiling.architectures import PCNN, BowCNN
from sklearn_profiling.architectures.layers.regions import (
    RegionConvolution,
    RegionEmbedding,
    RegionEncoder,
)
from sklearn_profiling.architectures.layers.sources import JoinedSources

USERS = [[[0, 1, 2], [3, 0]], [], [[4]], [[1, 1, 1], [1], [1, 2, 3, 4, 0]]]
N_WORDS, N_NODES, N_UNITS = 5, 3, 2


def make(architecture, sizes):
    torch.manual_seed(0)
    layers = [
        RegionConvolution(
            RegionEmbedding(N_WORDS, size, N_NODES, ordered=False),
            size=size,
            stride=2,
            variable_stride=True,
            n_units=N_UNITS,
        )
        for size in sizes
    ]
    encoder = RegionEncoder(torch.arange(N_WORDS), layers)
    sources = JoinedSources({"text": encoder}, 0.0)
    net = architecture(sources, n_classes=[2, 4], dropout=0.5).double()
    for name, parameter in net.named_parameters():
        if "bias" in name or "stand_ins" in name:
            torch.nn.init.normal_(parameter)
    return net, layers


def logits_of(net, users):
    present = torch.tensor([bool(user) for user in users])
    return net({"text": lay_out(users, 0, N_WORDS)}, {"text": present})


@pytest.mark.parametrize(
    ("architecture", "sizes"), [(BowCNN, [3]), (PCNN, [2, 3]), (PCNN, [1, 4, 20])]
)
def test_logits_by_hand(architecture, sizes):
    net, layers = make(architecture, sizes)
    net.eval()
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    rows = []
    for user in USERS:
        words = [word for message in user for word in message]
        units = [
            convolve(
                words,
                layer.embedding.words.table.detach().numpy()[:-1],
                layer.embedding.bias.detach().numpy(),
                size=layer.size,
                stride=2,
                variable=True,
                ordered=False,
                n_units=N_UNITS,
            )
            for layer in layers
        ]
        rows.append(np.concatenate(units) if user else state["sources.stand_ins.0"])
    for task, scores in enumerate(logits_of(net, USERS)):
        weight = state[f"heads.tasks.{task}.0.weight"]
        expected = np.array(rows) @ weight.T + state[f"heads.tasks.{task}.0.bias"]
        np.testing.assert_allclose(scores.detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("architecture", "sizes"), [(BowCNN, [3]), (PCNN, [2, 3])])
def test_gradients_reach_every_parameter(architecture, sizes):
    net, _ = make(architecture, sizes)
    net.eval()
    sum(scores.square().sum() for scores in logits_of(net, USERS)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_hides_pooling_units_in_training():
    net, _ = make(BowCNN, [3])
    torch.manual_seed(1)
    first, second = logits_of(net, USERS)[0], logits_of(net, USERS)[0]
    assert not torch.equal(first, second)
    net.eval()
    assert torch.equal(logits_of(net, USERS)[0], logits_of(net, USERS)[0])
