"""Attention over messages: softmax, bare scores and the average."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sklearn_profiling.architectures.layers.attention import (
    MessageAttention,
    segment_softmax,
    segment_sum,
)

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
