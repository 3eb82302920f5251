"""One long sequence gives what every message gives alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_text import lay_out, random_users
from torch.nn.functional import conv1d

from sklearn_profiling.architectures.layers.convolution import (
    DeepTextConvolution,
    message_maximum,
)

N_WORDS = 20


def make(kernel_sizes=(1, 3, 5), second=3, seed=0):
    torch.manual_seed(seed)
    layer = DeepTextConvolution(4, 3, kernel_sizes, second, 6).double()
    table = torch.randn(N_WORDS + 1, 4, dtype=torch.float64)
    table[-1] = 0.0
    return layer, table


def alone(layer, words):
    """Convolve one message by itself: eq. 2 and 3 with torch's plain function."""
    sequence = words.t().unsqueeze(0)
    maps = [
        conv1d(sequence, part.weight, part.bias, padding=part.weight.shape[-1] // 2)
        for part in layer.first
    ]
    second = layer.second
    maps = conv1d(
        torch.relu(torch.cat(maps, dim=1)),
        second.weight,
        second.bias,
        padding=second.weight.shape[-1] // 2,
    )
    return torch.relu(maps).amax(dim=2).squeeze(0)


def messages_alone(layer, table, users):
    return torch.stack([alone(layer, table[m]) for user in users for m in user])


@pytest.mark.parametrize(
    ("kernel_sizes", "second", "reach"),
    [((1,), 1, 0), ((3,), 1, 1), ((1, 3, 5), 3, 2), ((1, 3), 7, 3), ((9, 5), 5, 4)],
)
def test_each_message_is_encoded_as_if_alone(kernel_sizes, second, reach):
    layer, table = make(kernel_sizes, second)
    assert layer.reach == reach
    users = random_users(np.random.default_rng(1), 8, N_WORDS)
    for gap in (reach, reach + 2):
        text = lay_out(users, gap, N_WORDS)
        found = layer(table[text.ids], text)
        torch.testing.assert_close(
            found, messages_alone(layer, table, users), rtol=0, atol=1e-12
        )


def test_gradients_are_those_of_each_message_alone():
    layer, table = make()
    users = random_users(np.random.default_rng(2), 6, N_WORDS)
    text = lay_out(users, layer.reach, N_WORDS)
    weights = torch.randn(text.n_messages, 6, dtype=torch.float64)
    gradients = []
    for run in (
        lambda t: layer(t[text.ids], text),
        lambda t: messages_alone(layer, t, users),
    ):
        learned = table.clone().requires_grad_()
        layer.zero_grad()
        (run(learned) * weights).sum().backward()
        parts = [learned.grad[:-1], *(p.grad for p in layer.parameters())]
        gradients.append([part.clone() for part in parts])
    for one, other in zip(*gradients, strict=True):
        assert one.abs().sum() > 0
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_the_gap_and_the_mask_are_both_needed():
    layer, table = make()
    users = random_users(np.random.default_rng(1), 8, N_WORDS)
    right = messages_alone(layer, table, users)

    narrow = lay_out(users, layer.reach - 1, N_WORDS)
    assert (layer(table[narrow.ids], narrow) - right).abs().max() > 1e-3

    text = lay_out(users, layer.reach, N_WORDS)
    unmasked = text._replace(is_word=torch.ones_like(text.is_word))
    assert (layer(table[unmasked.ids], unmasked) - right).abs().max() > 1e-3


def test_by_hand():
    layer = DeepTextConvolution(1, 1, [3], 1, 1).double()
    with torch.no_grad():
        layer.first[0].weight.copy_(torch.tensor([[[1.0, 10.0, 100.0]]]))
        layer.first[0].bias.fill_(0.5)
        layer.second.weight.fill_(2.0)
        layer.second.bias.fill_(-1.0)
    text = lay_out([[[0, 1]], [[1]]], gap=1, n_words=2)
    table = torch.tensor([[1.0], [2.0], [0.0]], dtype=torch.float64)
    # 10 * 1 + 100 * 2 + 0.5 and 1 + 20 + 0.5; 20.5; then 2 x - 1.
    assert layer(table[text.ids], text).tolist() == [[420.0], [40.0]]


def test_maximum_leaves_gaps_out():
    values = torch.tensor([[-3.0, 1.0], [-2.0, 0.0], [9.0, 9.0], [-1.0, -5.0]])
    lengths = torch.tensor([2, 1, 1])
    assert message_maximum(values, lengths).tolist() == [[-2.0, 1.0], [-1.0, -5.0]]
    # Filters of width one need no gap at all.
    lengths = torch.tensor([3, 0, 1])
    assert message_maximum(values, lengths).tolist() == [[9.0, 9.0], [-1.0, -5.0]]


def test_nobody_wrote_anything():
    layer, table = make()
    text = lay_out([[], []], layer.reach, N_WORDS)
    encoded = layer(table[text.ids], text)
    assert encoded.shape == (0, 6)
    assert encoded.dtype == torch.float64


def test_sixteen_bits_are_close():
    layer, table = make()
    layer, table = layer.float(), table.float()
    users = random_users(np.random.default_rng(3), 8, N_WORDS)
    text = lay_out(users, layer.reach, N_WORDS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = layer(table[text.ids], text)
    assert rough.dtype == torch.float32
    exact = layer(table[text.ids], text)
    assert 0 < (rough - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(
    ("kernel_sizes", "second"), [((3, 2), 1), ((3,), 4), ((0,), 1), ((-1,), 1)]
)
def test_widths_without_a_centre(kernel_sizes, second):
    with pytest.raises(ValueError, match=r"must be odd and at least 1; got \["):
        DeepTextConvolution(4, 3, kernel_sizes, second, 6)
