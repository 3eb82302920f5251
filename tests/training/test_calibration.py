"""Text features of mean 0 and deviation 1 on the training users."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_sources import text_source
from torch import nn

from sklearn_profiling.architectures.layers.bag import BagLogits
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    MessageAttention,
)
from sklearn_profiling.architectures.layers.vectors import VectorEncoder
from sklearn_profiling.architectures.mmlup import TextEncoder
from sklearn_profiling.containers import TokenMessages, Vocabulary
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.calibration import calibrate
from sklearn_profiling.training.label_weights import LabelWeights

VOCABULARY = Vocabulary("abcdefgh")


def make_text(n_users, seed=0):
    rng = np.random.default_rng(seed)
    return TokenMessages.from_lists(
        [
            None
            if user % 5 == 4
            else [
                rng.choice(VOCABULARY.words, rng.integers(1, 6)).tolist()
                for _ in range(rng.integers(1, 4))
            ]
            for user in range(n_users)
        ],
        VOCABULARY,
    )


class Net(nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        text = TextEncoder(
            word_embedding(text_source(8, torch.randn(8, 4)), 4, trainable=False),
            DeepTextConvolution(4, 3, (1, 3), 6, 3),
            MessageAttention(6, 3, "softmax"),
            word_dropout=0.0,
            dropout=0.0,
        )
        vectors = VectorEncoder(torch.zeros(2), torch.ones(2), 0.0)
        self.sources = JoinedSources({"text": text, "v": vectors}, 0.5)


@pytest.fixture(autouse=True)
def _own_generator():
    with torch.random.fork_rng():
        yield


def make_dataset(text, weights=None):
    vectors = np.ones((len(text), 2))
    if weights is not None:
        weights = LabelWeights.of_users(np.asarray(weights, dtype=float), 1)
    return UserDataset({"text": text, "v": vectors}, 1, torch.float64, None, weights)


def encode(net, dataset):
    batch, _ = dataset.__getitems__(list(range(len(dataset))))
    with torch.no_grad():
        encoded = net.sources.encoder("text")(batch.sources["text"])
    return encoded[batch.present["text"]].numpy()


def test_mean_zero_and_deviation_one():
    net, dataset = Net().double(), make_dataset(make_text(60))
    bare = encode(net, dataset)
    calibrate(net, dataset, 7, 0)
    made = encode(net, dataset)
    np.testing.assert_allclose(made.mean(axis=0), 0.0, atol=1e-12)
    deviation = bare.std(axis=0)
    floor = 0.1 * deviation.mean()
    varied = deviation > floor
    assert varied.sum() >= 3
    np.testing.assert_allclose(made.std(axis=0)[varied], 1.0, rtol=1e-10)
    np.testing.assert_allclose(
        made.std(axis=0)[~varied], deviation[~varied] / floor, rtol=1e-10, atol=1e-12
    )


def test_features_that_hardly_vary_are_not_blown_up():
    net, dataset = Net().double(), make_dataset(make_text(60))
    with torch.no_grad():
        net.sources.encoder("text").convolution.second.weight[:2] *= 1e-6
    bare = encode(net, dataset)
    calibrate(net, dataset, 60, 0)
    made = encode(net, dataset)
    assert (made.std(axis=0)[:2] < 1e-2).all()
    scale = net.sources.encoder("text").scale.numpy()
    np.testing.assert_allclose(scale[:2], 0.1 * bare.std(axis=0).mean())


def test_the_size_of_batches_and_earlier_scales_do_not_matter():
    nets = [Net().double() for _ in range(3)]
    dataset = make_dataset(make_text(40))
    for net, size in zip(nets, (1, 7, 100), strict=True):
        if size == 7:
            calibrate(net, make_dataset(make_text(20, seed=9)), 10, 0)
        calibrate(net, dataset, size, 0)
    for net in nets[1:]:
        for name in ("mean", "scale"):
            torch.testing.assert_close(
                getattr(net.sources.encoder("text"), name),
                getattr(nets[0].sources.encoder("text"), name),
            )


def test_whole_weights_are_repetitions():
    text = make_text(30)
    weights = np.random.default_rng(1).integers(0, 4, 30)
    one, other = Net().double(), Net().double()
    calibrate(one, make_dataset(text, weights.astype(float)), 8, 0)
    calibrate(other, make_dataset(text[np.repeat(np.arange(30), weights)]), 8, 0)
    for name in ("mean", "scale"):
        torch.testing.assert_close(
            getattr(one.sources.encoder("text"), name),
            getattr(other.sources.encoder("text"), name),
        )


def test_many_users_are_measured_on_a_sample_that_the_seed_chooses():
    text = make_text(700)
    scales = []
    for seed in (0, 0, 1):
        net = Net().double()
        calibrate(net, make_dataset(text), 100, seed)
        scales.append(net.sources.encoder("text").scale.tolist())
    assert scales[0] == scales[1]
    assert scales[0] != scales[2]
    np.testing.assert_allclose(scales[0], scales[2], rtol=0.3)


def test_without_any_text_nothing_changes():
    net = Net().double()
    calibrate(net, make_dataset(TokenMessages.from_lists([None] * 3, VOCABULARY)), 2, 0)
    assert net.sources.encoder("text").mean.tolist() == [0.0] * 6
    assert net.sources.encoder("text").scale.tolist() == [1.0] * 6


def test_one_user_has_no_deviation_and_is_only_centred():
    net = Net().double()
    dataset = make_dataset(make_text(1))
    calibrate(net, dataset, 2, 0)
    assert net.sources.encoder("text").scale.tolist() == [1.0] * 6
    np.testing.assert_allclose(encode(net, dataset), 0.0, atol=1e-15)


def test_every_text_of_every_task_is_calibrated():
    nets = [Net(seed).double() for seed in (0, 1)]
    dataset = make_dataset(make_text(40))
    calibrate(SeparateTasks(nets), dataset, 16, 0)
    for net in nets:
        np.testing.assert_allclose(encode(net, dataset).mean(axis=0), 0, atol=1e-12)
    assert not torch.equal(
        nets[0].sources.encoder("text").mean, nets[1].sources.encoder("text").mean
    )


def test_parameters_and_generators_stay():
    net, dataset = Net().double(), make_dataset(make_text(40))
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    state = torch.get_rng_state()
    calibrate(net, dataset, 16, 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(p, before[name]) for name, p in net.named_parameters())
    # Buffers made in inference mode could not be trained with.
    batch, _ = dataset.__getitems__([0, 1])
    net.sources(batch.sources, batch.present).sum().backward()


@pytest.mark.parametrize("weights", [None, np.tile([1.0, 2.0, 0.5], 14)[:40]])
def test_idf_is_that_of_the_weights_of_users(weights):
    source = text_source(8)
    bags = BagLogits([source], (2,), longest=1, dropout=0.0, source_dropout=0.0)
    dataset = make_dataset(make_text(40)[:40], weights)
    calibrate(bags.double(), dataset, 7, 0)
    weights = np.ones(40) if weights is None else weights
    text = dataset.sources["text"]
    wrote = np.array([np.bincount(text[[u]].ids, minlength=8) > 0 for u in range(40)])
    shares = weights @ wrote / weights[~text.missing].sum()
    expected = np.where(shares > 0, 1 - np.log(np.maximum(shares, 1e-9)), 0.0)
    np.testing.assert_allclose(bags.bags[0].idf, expected)
    nobody = make_dataset(TokenMessages.from_lists([None] * 3, VOCABULARY))
    calibrate(bags, nobody, 2, 0)
    assert bags.bags[0].idf.tolist() == [0.0] * 8
