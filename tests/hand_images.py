"""Bags of images by hand: laid out for nets, and convolved slowly in numpy."""

from __future__ import annotations

import numpy as np
import torch

from sklearn_profiling.architectures.layers.images import FlatImages


def make_images(counts, shape=(3, 8, 8), seed=0) -> FlatImages:
    """Random bytes for users with these numbers of images."""
    drawn = np.random.RandomState(seed).randint(0, 256, (sum(counts), *shape))
    users = np.repeat(np.arange(len(counts)), counts)
    return FlatImages(
        torch.from_numpy(drawn.astype(np.uint8)), torch.from_numpy(users), len(counts)
    )


def slow_convolution(volume, weight, bias):
    """Convolution 2x3x3 of (n_maps, depth, height, width), zeros around and after."""
    _, depth, height, width = volume.shape
    padded = np.pad(volume, ((0, 0), (0, 1), (1, 1), (1, 1)))
    found = np.zeros((len(weight), depth, height, width))
    for k in range(len(weight)):
        for d in range(depth):
            for i in range(height):
                for j in range(width):
                    seen = padded[:, d : d + 2, i : i + 3, j : j + 3]
                    found[k, d, i, j] = (seen * weight[k]).sum() + bias[k]
    return found


def slow_maximum(volume, depth):
    """Maxima over depth x 2 x 2; at an odd end over what there is."""
    n_maps, *sizes = volume.shape
    steps = (depth, 2, 2)
    found = np.zeros((n_maps, *(-(-n // s) for n, s in zip(sizes, steps, strict=True))))
    for d, i, j in np.ndindex(found.shape[1:]):
        block = volume[
            :,
            d * depth : (d + 1) * depth,
            i * 2 : i * 2 + 2,
            j * 2 : j * 2 + 2,
        ]
        found[:, d, i, j] = block.max(axis=(1, 2, 3))
    return found
