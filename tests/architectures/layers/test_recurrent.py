"""LSTMs in length buckets: the cuts, the equations, and that the cuts do not matter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hand_lstm import read_users
from hand_sources import text_source
from hand_text import lay_out, random_users
from torch import nn

from sklearn_profiling.architectures.layers import recurrent
from sklearn_profiling.architectures.layers.recurrent import (
    BucketedLSTM,
    RecurrentText,
    dense,
    glorot_uniform,
    length_buckets,
    word_buckets,
)
from sklearn_profiling.training.net import set_generator

N_WORDS = 9
USERS = [[[0, 1, 2], [3]], [[4, 5]], [], [[6], [7, 8, 0, 1], [2]], [[1]]]


def make_text(level="user", max_words=None, n_lstms=2, seed=0, **params):
    torch.manual_seed(seed)
    source = text_source(N_WORDS, torch.randn(N_WORDS, 3))
    text = RecurrentText(
        source,
        n_lstms,
        level=level,
        max_words=max_words,
        n_hidden=4,
        n_dimensions=3,
        trainable_vectors=True,
        **{"word_dropout": 0.0, "source_dropout": 0.0, **params},
    )
    with torch.no_grad():
        for missing in text.missing:
            missing.normal_()
        for lstm in text.lstms:
            lstm.lstm.bias_hh_l0.zero_()
    return text


def read(text, users, gap=0):
    wrote = torch.tensor([bool(user) for user in users])
    return text(lay_out(users, gap, N_WORDS), wrote)


# -- buckets -------------------------------------------------------------------


def cost(buckets, lengths, step_cost):
    return sum(int(lengths[b].max()) * (len(b) + step_cost) for b in buckets)


def cheapest(lengths, step_cost):
    """Least cost over all ways to cut the sorted lengths."""
    ordered = sorted(lengths.tolist())
    n = len(ordered)
    return min(
        sum(
            ordered[end - 1] * (end - begin + step_cost)
            for begin, end in itertools.pairwise([0, *cuts, n])
        )
        for k in range(n)
        for cuts in itertools.combinations(range(1, n), k)
    )


@pytest.mark.parametrize("step_cost", [0, 1, 4, 30])
def test_the_cuts_are_the_cheapest(step_cost):
    generator = np.random.default_rng(step_cost)
    for _ in range(20):
        lengths = torch.tensor(generator.integers(1, 30, generator.integers(1, 9)))
        buckets = length_buckets(lengths, step_cost)
        assert sorted(torch.cat(buckets).tolist()) == list(range(len(lengths)))
        longest = [int(lengths[b].max()) for b in buckets]
        assert longest == sorted(longest)
        assert cost(buckets, lengths, step_cost) == cheapest(lengths, step_cost)


def test_few_costly_steps_or_no_padding():
    lengths = torch.tensor([5, 2, 9, 2, 5])
    assert [b.tolist() for b in length_buckets(lengths, 0)] == [[1, 3], [0, 4], [2]]
    assert [b.tolist() for b in length_buckets(lengths, 999)] == [[1, 3, 0, 4, 2]]
    assert length_buckets(lengths[:0]) == []


def test_many_sequences_are_split():
    buckets = length_buckets(torch.full((150,), 3))
    assert [len(b) for b in buckets] == [64, 64, 22]
    assert torch.cat(buckets).tolist() == list(range(150))


@pytest.mark.parametrize("gap", [0, 2])
def test_sequences_of_a_batch(gap, monkeypatch):
    monkeypatch.setattr(recurrent.length_buckets, "__defaults__", (999,))
    text = lay_out(USERS, gap, N_WORDS)
    (users,) = word_buckets(text, "user", None)
    # users 4, 1, 0 and 3 by length; words are numbered over the whole batch
    assert users.users.tolist() == [4, 1, 0, 3]
    assert users.is_real.sum(dim=0).tolist() == [1, 2, 4, 6]
    assert users.positions[:, 2].tolist() == [0, 1, 2, 3, 3, 3]
    assert users.positions[:, 3].tolist() == [6, 7, 8, 9, 10, 11]
    (messages,) = word_buckets(text, "message", None)
    assert messages.users.tolist() == [0, 3, 3, 4, 1, 0, 3]
    assert messages.is_real.sum(dim=0).tolist() == [1, 1, 1, 1, 2, 3, 4]
    assert messages.positions[:, 0].tolist() == [3, 3, 3, 3]
    (short,) = word_buckets(text, "user", 2)
    assert sorted(short.positions.T.tolist()) == [[0, 1], [4, 5], [6, 7], [12, 12]]
    assert word_buckets(lay_out([[], []], gap, N_WORDS), "user", None) == []
    assert word_buckets(lay_out([[], []], gap, N_WORDS), "message", None) == []


# -- the LSTM ------------------------------------------------------------------


@pytest.mark.parametrize("level", ["user", "message"])
@pytest.mark.parametrize("max_words", [None, 2])
def test_it_is_its_equations(level, max_words):
    text = make_text(level, max_words)
    state = {name: value.numpy() for name, value in text.state_dict().items()}
    for number, found in enumerate(read(text, USERS, gap=1)):
        wanted = read_users(state, USERS, "", number, level, max_words)
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=1e-6)


def test_levels_and_lengths_differ():
    whole = read(make_text("user"), USERS)[0]
    fresh = read(make_text("message"), USERS)[0]
    short = read(make_text("user", 2), USERS)[0]
    # users 0 and 3 wrote several messages, the others one or none
    for other in (fresh, short):
        changed = (whole - other).abs().amax(dim=1) > 1e-3
        assert changed.tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("level", ["user", "message"])
def test_buckets_and_company_change_nothing(level, monkeypatch):
    text = make_text(level).double()
    users = random_users(np.random.default_rng(3), 12, N_WORDS)

    def outputs_and_gradients():
        text.zero_grad()
        outputs = read(text, users)
        sum((each**2).sum() for each in outputs).backward()
        return [*outputs, *(p.grad for p in text.parameters() if p.requires_grad)]

    found = []
    for step_cost, most in [(4, 64), (0, 64), (999, 64), (4, 1), (4, 2)]:
        monkeypatch.setattr(recurrent.length_buckets, "__defaults__", (step_cost,))
        monkeypatch.setattr(recurrent, "_MOST_SEQUENCES", most)
        found.append([each.detach().clone() for each in outputs_and_gradients()])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
    together = found[0][0]
    for user in range(len(users)):
        alone = read(text, [users[user]])[0]
        torch.testing.assert_close(alone[0], together[user], rtol=0, atol=1e-12)


def test_without_words_the_average_is_zero_and_the_embedding_serves():
    lstm = BucketedLSTM(3, 4, 0.0)
    assert lstm(torch.zeros(0, 3), [], 2).tolist() == [[0.0] * 4] * 2
    text = make_text()
    for missing, outputs in zip(text.missing, read(text, [[], [[0]]]), strict=True):
        assert torch.equal(outputs[0], missing)
        assert not torch.equal(outputs[1], missing)


def test_dropout_is_drawn_for_each_lstm_in_training_alone():
    text = make_text(word_dropout=0.5)
    text.lstms[1].load_state_dict(text.lstms[0].state_dict())
    set_generator(text, torch.Generator().manual_seed(0))
    first, second = read(text, USERS)
    assert not torch.equal(first[[0, 1, 3, 4]], second[[0, 1, 3, 4]])
    text.eval()
    first, second = read(text, USERS)
    assert torch.equal(first[[0, 1, 3, 4]], second[[0, 1, 3, 4]])


def test_training_hides_texts_from_all_lstms_at_once():
    text = make_text(source_dropout=0.5)
    set_generator(text, torch.Generator().manual_seed(0))
    hidden = [
        (outputs == missing).all(dim=1)
        for missing, outputs in zip(text.missing, read(text, [[[0]]] * 40), strict=True)
    ]
    assert torch.equal(*hidden)
    assert 10 < hidden[0].sum() < 30
    text.eval()
    assert not (read(text, [[[0]]] * 40)[0] == text.missing[0]).all(dim=1).any()


# -- parameters ----------------------------------------------------------------


def test_each_gate_is_drawn_by_the_size_of_its_matrix():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(30, 50), nn.LSTM(60, 40))
    glorot_uniform(net)
    bound = (6 / 80) ** 0.5
    assert 0.95 * bound < net[0].weight.abs().max() <= bound
    for name, columns in {"weight_ih_l0": 60, "weight_hh_l0": 40}.items():
        bound = (6 / (40 + columns)) ** 0.5
        for gate in getattr(net[1], name).chunk(4):
            assert 0.95 * bound < gate.abs().max() <= bound
            assert gate.mean().abs() < 0.1 * bound
    biases = [net[0].bias, net[1].bias_ih_l0, net[1].bias_hh_l0]
    assert all(bias.abs().sum() == 0 for bias in biases)


def test_a_gate_has_one_bias():
    lstm = BucketedLSTM(3, 4, 0.0).lstm
    learned = {name for name, p in lstm.named_parameters() if p.requires_grad}
    assert learned == {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0"}


def test_a_dense_layer_drops_behind_its_relu():
    layer = dense(2, 3, 0.5)
    with torch.no_grad():
        layer[0].weight.fill_(1.0)
        layer[0].bias.copy_(torch.tensor([0.0, -9.0, 1.0]))
    values = torch.tensor([[1.0, 2.0]])
    assert layer.eval()(values).tolist() == [[3.0, 0.0, 4.0]]
    set_generator(layer, torch.Generator().manual_seed(0))
    drawn = torch.cat([layer.train()(values) for _ in range(30)])
    assert set(drawn[:, 0].tolist()) == {0.0, 6.0}
