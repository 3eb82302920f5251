"""Convolutions over bags: torch's own on each bag alone, and order and cut of bags."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_images import make_images, slow_convolution, slow_maximum
from torch.nn.functional import conv3d, max_pool3d, pad

from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.volume import (
    BagOrder,
    VolumeConvolution,
    bag_maximum,
)


@pytest.fixture(autouse=True)
def _own_generator():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def maps_of(images):
    return images.pixels.double().permute(0, 2, 3, 1) / 255


def alone(layer, maps):
    """Torch's volumes on the maps of one user."""
    volume = maps.permute(3, 0, 1, 2)[None]
    weight, bias = layer.convolution.weight, layer.convolution.bias
    found = conv3d(pad(volume, (0, 0, 0, 0, 0, 1)), weight, bias, padding=(0, 1, 1))
    if layer.pool:
        size = (2 if layer.pool == "volume" else 1, 2, 2)
        found = max_pool3d(found, size, ceil_mode=True)
    return torch.relu(found)[0].permute(1, 2, 3, 0)


@pytest.mark.parametrize("pool", ["volume", "image", None])
@pytest.mark.parametrize("size", [(8, 8), (5, 7), (1, 3), (1, 1)])
def test_bags_of_any_size_are_what_they_are_alone(pool, size):
    counts = [3, 0, 1, 4, 2, 11]
    images = make_images(counts, (2, *size))
    layer = VolumeConvolution(2, 4, pool).double()
    torch.nn.init.normal_(layer.convolution.bias)
    maps, users = layer(maps_of(images), images.image_users)
    for user, count in enumerate(counts):
        if count:
            expected = alone(layer, maps_of(images)[images.image_users == user])
            torch.testing.assert_close(maps[users == user], expected)
        assert len(maps[users == user]) == (
            -(-count // 2) if pool == "volume" else count
        )


@pytest.mark.parametrize("pool", ["volume", "image", None])
def test_a_case_by_hand(pool):
    images = make_images([3], (2, 4, 5))
    layer = VolumeConvolution(2, 2, pool).double()
    torch.nn.init.normal_(layer.convolution.bias)
    weight, bias = (p.detach().numpy() for p in layer.convolution.parameters())
    volume = images.pixels.numpy().transpose(1, 0, 2, 3) / 255
    by_hand = slow_convolution(volume, weight, bias)
    if pool:
        by_hand = slow_maximum(by_hand, 2 if pool == "volume" else 1)
    found, _ = layer(maps_of(images), images.image_users)
    np.testing.assert_allclose(
        found.detach().numpy().transpose(3, 0, 1, 2),
        np.maximum(by_hand, 0),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("pool", ["volume", "image", None])
def test_gradients(pool):
    images = make_images([3, 2], (1, 3, 4))
    layer = VolumeConvolution(1, 2, pool).double()
    maps = maps_of(images).requires_grad_()

    def function(values, weight, bias):
        found, _ = torch.func.functional_call(
            layer,
            {"convolution.weight": weight, "convolution.bias": bias},
            (values, images.image_users),
        )
        return found

    convolution = layer.convolution
    assert torch.autograd.gradcheck(
        function, (maps, convolution.weight, convolution.bias)
    )


def test_the_start_keeps_the_size_of_what_passes():
    layer = VolumeConvolution(16, 64, None)
    maps, users = (
        torch.relu(torch.randn(20, 9, 9, 16)),
        torch.zeros(20, dtype=torch.int64),
    )
    found, _ = layer(maps, users)
    assert 0.5 < found.square().mean() / maps.square().mean() < 2
    assert not layer.convolution.bias.any()


# -- order and cut -------------------------------------------------------------


def test_what_is_too_many_is_cut():
    images = make_images([4, 0, 1, 3])
    cut = BagOrder(2, "given")(images)
    assert cut.image_users.tolist() == [0, 0, 2, 3, 3]
    assert cut.pixels.equal(images.pixels[[0, 1, 4, 5, 6]])
    assert BagOrder(4, "given")(images) is images
    # in evaluation the order is the given one
    assert BagOrder(4, "random").eval()(images) is images


def test_a_random_order_stays_with_the_user_and_comes_from_the_generator():
    images = make_images([6, 1, 5])
    order = BagOrder(11, "random")
    order.generator = torch.Generator().manual_seed(3)
    state = torch.get_rng_state()
    once, again = order(images), order(images)
    assert torch.get_rng_state().equal(state)
    order.generator.manual_seed(3)
    assert order(images).pixels.equal(once.pixels)
    assert not again.pixels.equal(once.pixels)
    assert once.image_users.tolist() == images.image_users.tolist()
    for user in range(3):
        of_user = images.image_users == user
        before = sorted(images.pixels[of_user].flatten(1).tolist())
        assert sorted(once.pixels[of_user].flatten(1).tolist()) == before
    # without a generator the global one serves; every image has its turn
    first = BagOrder(1, "random")
    seen = {first(images).pixels[0, 0, 0, :3].numpy().tobytes() for _ in range(60)}
    assert len(seen) == 6


def test_maxima_of_bags():
    values = torch.tensor([[1.0, 5.0], [2.0, 0.0], [3.0, 4.0]])
    users = torch.tensor([0, 0, 2])
    assert bag_maximum(values, users, 4).tolist() == [[2, 5], [0, 0], [3, 4], [0, 0]]
    nothing = FlatImages(torch.zeros(0, 1, 1, 1), torch.zeros(0, dtype=torch.int64), 2)
    assert BagOrder(3, "random")(nothing).n_images == 0
    assert bag_maximum(values[:0], nothing.image_users, 2).tolist() == [[0, 0]] * 2
