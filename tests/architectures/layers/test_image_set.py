"""Sets of images: by hand, order means nothing, encoders of the user's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_images import make_images
from hand_sources import image_source
from torch import nn

from sklearn_profiling.architectures.layers.image_set import (
    GivenImageEncoder,
    ImageSetEncoder,
    SmallImageCNN,
)


@pytest.fixture(autouse=True)
def _own_generator():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


class Colours(nn.Module):
    """Mean of each channel: an encoder whose result is known."""

    def forward(self, pixels):
        return pixels.mean(dim=(2, 3))


def encoder(attention="softmax", inner=None, shape=(3, 8, 8)):
    inner = inner or SmallImageCNN(shape[0], (4, 6), 5)
    return ImageSetEncoder(
        image_source(shape, dtype=torch.float64), inner, attention, 3
    ).double()


@pytest.mark.parametrize("attention", ["softmax", "raw", None])
def test_a_case_by_hand(attention):
    given = GivenImageEncoder(Colours(), (3, 8, 8), frozen=False)
    assert given.n_features == 3
    layer = encoder(attention, given)
    images = make_images([3, 0, 1])
    means = images.pixels.numpy().mean(axis=(2, 3)) / 255
    if attention:
        hidden = layer.attention.hidden
        weight, bias = (p.detach().numpy() for p in hidden.parameters())
        scores = np.tanh(means @ weight.T + bias)
        scores = scores @ layer.attention.score.weight.detach().numpy()[0]
    else:
        scores = np.zeros(4)
    alpha = scores
    if attention != "raw":
        alpha = np.exp(scores)
        alpha[:3] /= alpha[:3].sum()
        alpha[3] = 1
    by_hand = [alpha[:3] @ means[:3], np.zeros(3), alpha[3] * means[3]]
    found = layer(images).detach().numpy()
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=1e-12)
    weights = layer.image_weights(images).detach().numpy()
    np.testing.assert_allclose(weights, alpha, rtol=0, atol=1e-12)
    layer.set_scale(torch.ones(3), torch.tensor([2.0, 0.0, 1.0]))
    np.testing.assert_allclose(
        layer(images).detach().numpy(), (found - 1) / [2, 1, 1], rtol=0, atol=1e-12
    )


def test_the_order_of_images_means_nothing():
    layer = encoder()
    images = make_images([5])
    order = torch.tensor([3, 0, 4, 2, 1])
    turned = images._replace(pixels=images.pixels[order])
    torch.testing.assert_close(layer(turned), layer(images), rtol=0, atol=1e-12)
    torch.testing.assert_close(
        layer.image_weights(turned), layer.image_weights(images)[order]
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 16, 16), (1, 1, 9), (2, 5, 3)])
def test_images_of_any_size(shape):
    layer = encoder(shape=shape)
    images = make_images([2, 0, 1], shape)
    assert layer(images).shape == (3, 5)
    nobody = images.take(torch.zeros(0, dtype=torch.int64))
    assert not layer(nobody).any()
    assert layer.image_weights(nobody).shape == (0,)


def test_gradients_reach_every_parameter():
    layer = encoder()
    layer(make_images([4, 2])).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


# -- encoders of the user's ----------------------------------------------------


def given_net():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def test_a_given_encoder_stays_in_evaluation_mode():
    inner = given_net()
    layer = GivenImageEncoder(inner, (3, 8, 8), frozen=False)
    assert layer.n_features == 4
    layer.train()
    assert layer.training
    assert not any(module.training for module in inner.modules())
    pixels = torch.rand(3, 3, 8, 8)
    before = {name: value.clone() for name, value in inner.state_dict().items()}
    state = torch.get_rng_state()
    alone = layer(pixels[:1])
    torch.testing.assert_close(layer(pixels)[:1], alone)
    assert torch.get_rng_state().equal(state)
    for name, value in inner.state_dict().items():
        assert value.equal(before[name]), name
    assert all(parameter.requires_grad for parameter in inner.parameters())
    frozen = GivenImageEncoder(inner, (3, 8, 8), frozen=True)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


class Torn(nn.Module):
    def __init__(self, result):
        super().__init__()
        self.result = result

    def forward(self, pixels):
        return self.result(pixels)


@pytest.mark.parametrize(
    ("result", "shape"),
    [
        (lambda pixels: pixels, r"\(2, 3, 8, 8\)"),
        (lambda pixels: pixels.sum(dim=(1, 2, 3)), r"\(2,\)"),
        (lambda pixels: pixels[:1, :, 0, 0], r"\(1, 3\)"),
        (lambda pixels: [pixels], "<class 'list'>"),
    ],
)
def test_an_encoder_gives_one_vector_an_image(result, shape):
    message = (
        rf"\(n_images, 3, 8, 8\) into .* n_features\); for 2 images it gave {shape}"
    )
    with pytest.raises(ValueError, match=message):
        GivenImageEncoder(Torn(result), (3, 8, 8), frozen=False)
