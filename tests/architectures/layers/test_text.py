"""Text laid end to end: words, convolutions and attention, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_text import lay_out, random_users
from torch.nn.functional import conv1d

from sklearn_profiling.architectures.layers.row_convolution import row_convolution
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    FlatText,
    MessageAttention,
    WordEmbedding,
    message_maximum,
    segment_softmax,
    segment_sum,
)

VECTORS = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)


def test_given_vectors_and_a_zero_for_gaps():
    embedding = WordEmbedding(2, 2, VECTORS)
    assert embedding.gap_id == 2
    found = embedding(torch.tensor([1, 2, 0]))
    assert found.tolist() == [[3.0, 4.0], [0.0, 0.0], [1.0, 2.0]]
    assert found.dtype == torch.float64
    assert list(embedding.parameters()) == []
    assert "table" in embedding.state_dict()
    assert embedding.table.data_ptr() != VECTORS.data_ptr()


def test_without_vectors_they_are_random_of_length_about_one():
    torch.manual_seed(0)
    embedding = WordEmbedding(4000, 25)
    assert [p.shape for p in embedding.parameters()] == [(4001, 25)]
    squares = embedding.table[:-1].square().sum(dim=1)
    assert squares.mean().item() == pytest.approx(1.0, abs=0.02)
    assert embedding.table[-1].abs().sum() == 0


@pytest.mark.parametrize("vectors", [None, VECTORS])
def test_the_gap_stays_zero_while_words_learn(vectors):
    embedding = WordEmbedding(2, 2, vectors, trainable=True)
    before = embedding.table.detach().clone()
    optimizer = torch.optim.Adam(embedding.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (embedding(torch.tensor([0, 2, 2, 0])) - 1.0).square().sum().backward()
        assert embedding.table.grad[2].abs().sum() == 0
        optimizer.step()
    assert embedding.table[2].tolist() == [0.0, 0.0]
    assert not torch.equal(embedding.table[0], before[0])


def test_text_moves_as_a_whole():
    text = lay_out([[[0, 1], [1]], []], gap=1, n_words=2)
    moved = text.to("meta")
    assert isinstance(moved, FlatText)
    assert all(part.device.type == "meta" for part in moved[:4])
    assert (moved.n_users, moved.n_messages) == (2, 2)
    assert text.ids.tolist() == [0, 1, 2, 1]


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


N_WORDS = 20


def make(kernel_sizes=(1, 3, 5), second=3, seed=0):
    torch.manual_seed(seed)
    layer = DeepTextConvolution(4, 3, kernel_sizes, 6, second).double()
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
    assert layer.gap == reach
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
    text = lay_out(users, layer.gap, N_WORDS)
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

    narrow = lay_out(users, layer.gap - 1, N_WORDS)
    assert (layer(table[narrow.ids], narrow) - right).abs().max() > 1e-3

    text = lay_out(users, layer.gap, N_WORDS)
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
    text = lay_out([[], []], layer.gap, N_WORDS)
    encoded = layer(table[text.ids], text)
    assert encoded.shape == (0, 6)
    assert encoded.dtype == torch.float64


def test_sixteen_bits_are_close():
    layer, table = make()
    layer, table = layer.float(), table.float()
    users = random_users(np.random.default_rng(3), 8, N_WORDS)
    text = lay_out(users, layer.gap, N_WORDS)
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
        DeepTextConvolution(4, 3, kernel_sizes, 6, second)


USERS = torch.tensor([0, 0, 0, 2, 3, 3])
N_USERS = 5


def messages(seed=0):
    torch.manual_seed(seed)
    return torch.randn(6, 4, dtype=torch.float64)


def test_segment_sum_by_hand():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    segments = torch.tensor([0, 2, 0])
    assert segment_sum(values, segments, 4).tolist() == [
        [6.0, 8.0], [0.0, 0.0], [3.0, 4.0], [0.0, 0.0],
    ]  # fmt: skip
    assert segment_sum(values[:, 0], segments, 3).tolist() == [6.0, 0.0, 3.0]


def test_segment_softmax_is_a_softmax_a_segment():
    scores = messages()[:, 0].requires_grad_()
    weights = segment_softmax(scores, USERS, N_USERS)
    for user in range(N_USERS):
        torch.testing.assert_close(
            weights[user == USERS], torch.softmax(scores[user == USERS], dim=0)
        )
    assert torch.autograd.gradcheck(
        lambda s: segment_softmax(s, USERS, N_USERS), (scores,)
    )


def test_large_scores_do_not_overflow():
    scores = torch.tensor([1e4, 1e4, -1e4, -1e4, 88.0, 800.0])
    weights = segment_softmax(scores, USERS, N_USERS)
    assert weights.tolist() == [0.5, 0.5, 0.0, 1.0, 0.0, 1.0]
    assert segment_softmax(scores[:0], USERS[:0], 2).shape == (0,)


@pytest.mark.parametrize("mode", ["softmax", "raw", None])
def test_each_mode_by_hand(mode):
    torch.manual_seed(1)
    layer = MessageAttention(4, 3, mode).double()
    given = messages()
    joined = layer(given, USERS, N_USERS)
    wanted = torch.zeros(N_USERS, 4, dtype=torch.float64)
    for user in range(N_USERS):
        own = given[user == USERS]
        if not len(own):
            continue
        if mode is None:
            wanted[user] = own.mean(dim=0)
            continue
        hidden = torch.tanh(own @ layer.hidden.weight.t() + layer.hidden.bias)
        scores = hidden @ layer.score.weight[0]
        alpha = torch.softmax(scores, dim=0) if mode == "softmax" else scores
        wanted[user] = alpha @ own
    torch.testing.assert_close(joined, wanted, rtol=0, atol=1e-12)
    assert joined[[1, 4]].abs().sum() == 0


def test_weights_sum_to_one_but_for_bare_scores():
    given = messages()
    for mode in ("softmax", None):
        weights = MessageAttention(4, 3, mode).double().weights(given, USERS, N_USERS)
        sums = segment_sum(weights, USERS, N_USERS)
        np.testing.assert_allclose(sums.detach().numpy(), [1, 0, 1, 1, 0])
    torch.manual_seed(0)
    raw = MessageAttention(4, 3, "raw").double().weights(given, USERS, N_USERS)
    assert (raw < 0).any()


def test_the_average_has_no_parameters():
    assert list(MessageAttention(4, 3, None).parameters()) == []
    names = [name for name, _ in MessageAttention(4, 3, "raw").named_parameters()]
    assert names == ["hidden.weight", "hidden.bias", "score.weight"]


def test_without_messages():
    layer = MessageAttention(4, 3, "softmax")
    none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    assert layer(*none, 3).tolist() == [[0.0] * 4] * 3
