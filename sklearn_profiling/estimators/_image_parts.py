"""Parts shared by estimators that read images."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from sklearn_profiling.architectures.layers.images import PixelScale, RowImages
from sklearn_profiling.architectures.layers.sources import VectorEncoder
from sklearn_profiling.estimators._statistics import Statistics
from sklearn_profiling.training.inputs import SourceSpec

__all__: list[str] = []


def image_reader(
    spec: SourceSpec, statistics: Statistics
) -> tuple[nn.Module, tuple[Any, ...]]:
    """Build what makes scaled images of a source.

    Parameters
    ----------
    spec : SourceSpec
        What ``fit`` saw: images, or vectors whose rows are read as images.
    statistics : tuple of ndarray
        Mean and deviation of the channels or columns on the training users.

    Returns
    -------
    reader : Module
        From what a batch holds to images.
    image_shape : tuple of int
        Channels, height and width of the images it gives.
    """
    mean, scale = (torch.tensor(part) for part in statistics)
    if spec.kind == "images":
        return PixelScale(mean, scale), spec.image_shape
    return RowImages(VectorEncoder(mean, scale, 0.0)), (1, 1, spec.n_features)
