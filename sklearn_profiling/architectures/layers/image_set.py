"""Bags of images as sets: every image on its own, then attention over the bag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d

from sklearn_profiling.architectures.layers.images import (
    FlatImages,
    PixelScale,
    RowImages,
)
from sklearn_profiling.architectures.layers.sources import (
    ScaledEncoder,
    SourceDescription,
)
from sklearn_profiling.architectures.layers.text import MessageAttention
from sklearn_profiling.architectures.layers.vectors import VectorEncoder

__all__ = [
    "GivenImageEncoder",
    "ImageSetEncoder",
    "SmallImageCNN",
    "image_reader",
    "image_shape",
]


def image_reader(source: SourceDescription) -> nn.Module:
    """Layer from what a batch holds, images or vectors, to scaled FlatImages."""
    if source.kind == "images":
        return PixelScale(source.mean, source.scale)
    return RowImages(VectorEncoder(source.mean, source.scale, 0.0))


def image_shape(source: SourceDescription) -> tuple[int, ...]:
    """Channels, height and width of what :func:`image_reader` gives."""
    if source.kind == "images":
        return source.image_shape
    return (1, 1, source.n_features)


class SmallImageCNN(nn.Module):
    """Convolutions 3x3 with maxima over 2x2, then one dense layer."""

    def __init__(
        self, n_channels: int, n_filters: Sequence[int], n_features: int
    ) -> None:
        super().__init__()
        widths = [n_channels, *n_filters]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1)
            for before, after in zip(widths, n_filters, strict=False)
        )
        self.dense = nn.Linear(4 * widths[-1], n_features)
        self.n_features = n_features

    def forward(self, pixels: Tensor) -> Tensor:
        """Encode scaled (n_images, n_channels, height, width): (n_images, n_features).

        The result is not negative.
        """
        maps = pixels
        for convolution in self.convolutions:
            # The maximum before the ReLU gives the same for a quarter of the work.
            maps = torch.relu(max_pool2d(convolution(maps), 2, ceil_mode=True))
        quarters = adaptive_avg_pool2d(maps, 2)  # (n_images, n_filters, 2, 2)
        return torch.relu(self.dense(quarters.flatten(1)))


class GivenImageEncoder(nn.Module):
    """A module of the user's, always in evaluation mode.

    Its batch statistics stay as they came, or the other users of a batch would change a
    user's output; its dropout draws from torch's global generator and stays off. It has
    to turn (n_images, *shape) into (n_images, n_features), or ValueError is raised.
    """

    def __init__(
        self, encoder: nn.Module, shape: tuple[int, ...], *, frozen: bool
    ) -> None:
        super().__init__()
        self.encoder = encoder.eval()
        parameter = next(encoder.parameters(), torch.zeros(()))
        probe = torch.zeros((2, *shape), dtype=parameter.dtype, device=parameter.device)
        with torch.no_grad():
            found = encoder(probe)
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 2:
            given = tuple(found.shape) if isinstance(found, Tensor) else type(found)
            msg = (
                "an encoder must turn images of shape (n_images, "
                f"{', '.join(map(str, shape))}) into a tensor (n_images, "
                f"n_features); for 2 images it gave {given}"
            )
            raise ValueError(msg)
        self.n_features = found.shape[1]
        for each in encoder.parameters():
            each.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> GivenImageEncoder:
        """Set the mode of the shell; the module inside stays in evaluation mode."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, pixels: Tensor) -> Tensor:
        """Scaled (n_images, n_channels, height, width) to (n_images, n_features)."""
        vectors: Tensor = self.encoder(pixels)
        return vectors


class ImageSetEncoder(ScaledEncoder):
    """One encoder for all images, and attention over the bag: images to one vector.

    `encoder` maps (n_images, n_channels, height, width) to (n_images, n_features).
    """

    def __init__(
        self,
        source: SourceDescription,
        encoder: nn.Module,
        attention: Literal["softmax", "raw"] | None,
        n_attention: int,
        *,
        reader: nn.Module | None = None,
    ) -> None:
        # Torch types attributes of a module as tensors or modules; this is a number.
        super().__init__(int(encoder.n_features))  # type: ignore[arg-type]
        self.read = image_reader(source) if reader is None else reader
        self.encoder = encoder
        self.attention = MessageAttention(self.n_features, n_attention, attention)

    def images(self, source: FlatImages | Tensor) -> tuple[Tensor, FlatImages]:
        """Scale the images and encode each on its own: (n_images, n_features)."""
        images: FlatImages = self.read(source)
        if not images.n_images:
            return self.mean.new_zeros(0, self.n_features), images
        return self.encoder(images.pixels), images

    def image_weights(self, source: FlatImages | Tensor) -> Tensor:
        """Attention weight of each image: (n_images,)."""
        vectors, images = self.images(source)
        return self.attention.weights(vectors, images.image_users, images.n_users)

    def forward(self, source: FlatImages | Tensor) -> Tensor:
        """Encode the images of each user: (n_users, n_features), standardised."""
        vectors, images = self.images(source)
        joined = self.attention(vectors, images.image_users, images.n_users)
        return self.standardise(joined)
