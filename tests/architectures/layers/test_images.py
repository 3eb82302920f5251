"""Images of a batch: whose they are, and the scale of their pixels."""

from __future__ import annotations

import numpy as np
import torch
from hand_images import make_images

from sklearn_profiling.architectures.layers.images import (
    FlatImages,
    PixelScale,
    RowImages,
)
from sklearn_profiling.architectures.layers.vectors import VectorEncoder


def test_images_of_each_user_are_counted():
    images = make_images([2, 0, 3, 1])
    assert images.n_images == 6
    assert images.positions().tolist() == [0, 1, 0, 1, 2, 0]
    part = images.take(torch.tensor([1, 2, 5]))
    assert part.image_users.tolist() == [0, 2, 3]
    assert part.n_users == 4
    assert part.pixels.equal(images.pixels[[1, 2, 5]])
    assert images.to("meta").pixels.device.type == "meta"


def test_pixels_have_mean_zero_and_deviation_one_by_channel():
    images = make_images([4, 3], (2, 5, 6))
    pixels = images.pixels.numpy() / 255
    mean, scale = pixels.mean(axis=(0, 2, 3)), pixels.std(axis=(0, 2, 3))
    scaled = PixelScale(torch.tensor(mean), torch.tensor(scale))(images)
    assert scaled.pixels.dtype == torch.float64
    found = scaled.pixels.numpy()
    np.testing.assert_allclose(found.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), 1)
    by_hand = (pixels - mean[:, None, None]) / scale[:, None, None]
    np.testing.assert_allclose(found, by_hand)
    assert scaled.image_users is images.image_users


def test_channels_of_one_colour_stay_finite():
    black = FlatImages(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1), 1)
    assert PixelScale(torch.zeros(1), torch.zeros(1))(black).pixels.tolist() == [
        [[[0, 0], [0, 0]]]
    ]


def test_rows_are_images_of_one_line():
    rows = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    encoder = VectorEncoder(rows.mean(dim=0), rows.std(dim=0, correction=0), 0.0)
    images = RowImages(encoder)(rows)
    assert images.pixels.shape == (2, 1, 1, 3)
    assert images.pixels[:, 0, 0].equal(encoder(rows))
    assert images.image_users.tolist() == [0, 1]
    assert images.n_users == 2
