"""3D-CNN: sizes and counts derived by hand, a case by hand, bags that do not mix."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hand_images import make_images, slow_convolution, slow_maximum, unscaled

from sklearn_profiling.architectures import CNN3D
from sklearn_profiling.architectures.cnn3d import VOLUME_MODELS, VolumeEncoder
from sklearn_profiling.architectures.layers.sources import JoinedSources


@pytest.fixture(autouse=True)
def _own_generator():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def encoder(shape, **parameters):
    settings = {
        "variant": 1,
        "n_filters": None,
        "n_images": 11,
        "image_order": "given",
        **parameters,
    }
    return VolumeEncoder(unscaled(shape[0], torch.float32), shape, **settings)


def net(images):
    return CNN3D(
        JoinedSources({"images": images}, 0.0),
        n_shared=256,
        n_hidden=(128,),
        n_classes=(2, 6, 8),
        dropout=0.0,
    )


# Weights 18 x before x after and biases of the convolutions; derived by hand.
COUNTS = {
    1: [1_760, 36_928, 147_584, 590_080],
    2: [3_520, 147_584, 590_080, 1_179_904, 2_359_808, 4_719_104, 4_719_104],
}
# Depth and height of what is left of 11 x 64 x 64 after each.
LEFT = {
    1: [(6, 32), (3, 16), (2, 8), (1, 4)],
    2: [(6, 32), (3, 16), (3, 16), (2, 8), (2, 8), (2, 4), (2, 2)],
}


@pytest.mark.parametrize(
    ("variant", "n_features", "n_parameters"),
    # convolutions + 256 (n_features + 1) + 3 * 128 * 257 + 16 * 129 + a stand-in
    [(1, 256 * 4 * 4, 1_930_032), (2, 512 * 2 * 2, 14_346_448)],
)
def test_sizes_and_counts_of_the_papers_input(variant, n_features, n_parameters):
    images = encoder((3, 64, 64), variant=variant)
    assert images.n_features == n_features
    convolutions = [layer.convolution for layer in images.layers]
    assert [sum(p.numel() for p in c.parameters()) for c in convolutions] == COUNTS[
        variant
    ]
    assert {c.kernel_size for c in convolutions} == {(2, 3, 3)}
    whole = net(images)
    assert sum(p.numel() for p in whole.parameters()) == n_parameters
    maps, users = torch.zeros(11, 64, 64, 3), torch.zeros(11, dtype=torch.int64)
    for layer, convolution, (depth, side) in zip(
        images.layers, convolutions, LEFT[variant], strict=True
    ):
        maps, users = layer(maps, users)
        assert maps.shape == (depth, side, side, convolution.out_channels)
    assert maps[0].numel() == n_features
    with torch.inference_mode():
        batch = {"images": make_images([11, 11], (3, 64, 64))}
        logits = whole(batch, {"images": torch.tensor([True, True])})
    assert [tuple(scores.shape) for scores in logits] == [(2, 2), (2, 6), (2, 8)]


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 1, 7), (1, 1, 1), (2, 9, 5)])
@pytest.mark.parametrize("depth", [1, 2, 5, 11, 40])
def test_any_size_and_depth(variant, shape, depth):
    images = encoder(shape, variant=variant, n_filters=2, n_images=depth)
    found = images(make_images([depth, 0, 1], shape))
    assert found.shape == (3, images.n_features)
    assert not found[1].any()


@pytest.mark.parametrize("variant", [1, 2])
def test_a_case_by_hand(variant):
    images = encoder((2, 6, 5), variant=variant, n_filters=1).double()
    for layer in images.layers:
        torch.nn.init.normal_(layer.convolution.bias, std=0.1)
    batch = make_images([5, 3], (2, 6, 5))
    found = images(batch).detach().numpy()
    for user in range(2):
        pixels = batch.pixels[batch.image_users == user].numpy() / 255
        volume = pixels.transpose(1, 0, 2, 3)
        for layer in images.layers:
            weight, bias = (p.detach().numpy() for p in layer.convolution.parameters())
            volume = np.maximum(slow_convolution(volume, weight, bias), 0)
            if layer.pool:
                volume = slow_maximum(volume, 2 if layer.pool == "volume" else 1)
        by_hand = volume.max(axis=1).transpose(1, 2, 0).ravel()
        np.testing.assert_allclose(found[user], by_hand, rtol=0, atol=1e-9)
        assert (by_hand > 0).any()


@pytest.mark.parametrize("variant", [1, 2])
def test_a_user_alone_is_the_user_in_company(variant):
    images = encoder((3, 8, 8), variant=variant, n_filters=4).double().eval()
    counts = [3, 11, 0, 1, 7, 2]
    batch = make_images(counts)
    together = images(batch)
    for user in range(len(counts)):
        mine = batch.take(batch.image_users == user)
        mine = mine._replace(image_users=torch.zeros(counts[user]).long(), n_users=1)
        torch.testing.assert_close(images(mine)[0], together[user], rtol=0, atol=1e-12)
    # an image of black is not the same as none
    black = mine._replace(
        pixels=torch.cat([mine.pixels, torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]),
        image_users=torch.zeros(3, dtype=torch.int64),
    )
    images.layers[0].convolution.bias.data.fill_(0.5)
    assert not torch.allclose(images(black), images(mine))


@pytest.mark.parametrize("variant", [1, 2])
def test_gradients_reach_every_parameter(variant):
    whole = net(encoder((3, 16, 16), variant=variant, n_filters=4)).double()
    present = {"images": torch.tensor([True, True, False])}
    logits = whole({"images": make_images([5, 2, 0], (3, 16, 16))}, present)
    sum(scores.square().sum() for scores in logits).backward()
    for name, parameter in whole.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_filters_keep_their_proportion():
    for variant, widths in {1: [3, 6, 12, 24], 2: [3, 6, 12, 12, 24, 24, 24]}.items():
        images = encoder((1, 8, 8), variant=variant, n_filters=3)
        assert [layer.convolution.out_channels for layer in images.layers] == widths
    assert [model.n_filters for model in VOLUME_MODELS.values()] == [32, 64]
