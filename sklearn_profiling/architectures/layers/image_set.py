"""Bags of images as sets: every image on its own, then attention over the bag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d

from sklearn_profiling.architectures.layers.attention import MessageAttention
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import ScaledEncoder

__all__ = ["GivenImageEncoder", "ImageSetEncoder", "SmallImageCNN"]


class SmallImageCNN(nn.Module):
    """Convolutions 3x3 with maxima over 2x2, then one dense layer.

    Parameters
    ----------
    n_channels : int
        Channels of an image.
    n_filters : sequence of int
        Feature maps of each convolution.
    n_features : int
        Length of an image's vector.
    """

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
        """Encode images.

        Parameters
        ----------
        pixels : Tensor of float, shape (n_images, n_channels, height, width)
            Scaled images of any size.

        Returns
        -------
        Tensor, shape (n_images, n_features)
            One vector an image, not negative.
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
    user's output; its dropout draws from torch's global generator and stays off.

    Parameters
    ----------
    encoder : Module
        From floats (n_images, n_channels, height, width) to (n_images, n_features).
    image_shape : tuple of int
        Channels, height and width of the images to come.
    frozen : bool
        Whether training leaves its parameters alone.

    Raises
    ------
    ValueError
        If the module gives anything but one vector an image.
    """

    def __init__(
        self, encoder: nn.Module, image_shape: tuple[int, ...], *, frozen: bool
    ) -> None:
        super().__init__()
        self.encoder = encoder.eval()
        parameter = next(encoder.parameters(), torch.zeros(()))
        probe = torch.zeros(
            (2, *image_shape), dtype=parameter.dtype, device=parameter.device
        )
        with torch.no_grad():
            found = encoder(probe)
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 2:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found)
            msg = (
                "an encoder must turn images of shape (n_images, "
                f"{', '.join(map(str, image_shape))}) into a tensor (n_images, "
                f"n_features); for 2 images it gave {shape}"
            )
            raise ValueError(msg)
        self.n_features = found.shape[1]
        for each in encoder.parameters():
            each.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> GivenImageEncoder:
        """Set the mode of the shell; the module inside stays in evaluation mode.

        Parameters
        ----------
        mode : bool, default=True
            As for any module.

        Returns
        -------
        GivenImageEncoder
            The module itself.
        """
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, pixels: Tensor) -> Tensor:
        """Encode images.

        Parameters
        ----------
        pixels : Tensor of float, shape (n_images, n_channels, height, width)
            Scaled images.

        Returns
        -------
        Tensor, shape (n_images, n_features)
            What the module makes of them.
        """
        vectors: Tensor = self.encoder(pixels)
        return vectors


class ImageSetEncoder(ScaledEncoder):
    """One encoder for all images, and attention over the bag: images to one vector.

    Parameters
    ----------
    read : Module
        Makes scaled images of what the batch holds: :class:`PixelScale` or
        :class:`RowImages`.
    encoder : Module
        From (n_images, n_channels, height, width) to (n_images, n_features); its
        ``n_features`` says how many.
    attention : {"softmax", "raw", None}
        See :class:`MessageAttention`.
    n_attention : int
        Hidden size of the attention score.
    """

    def __init__(
        self,
        read: nn.Module,
        encoder: nn.Module,
        *,
        attention: Literal["softmax", "raw"] | None,
        n_attention: int,
    ) -> None:
        # Torch types attributes of a module as tensors or modules; this is a number.
        super().__init__(int(encoder.n_features))  # type: ignore[arg-type]
        self.read = read
        self.encoder = encoder
        self.attention = MessageAttention(self.n_features, n_attention, attention)

    def images(self, source: FlatImages | Tensor) -> tuple[Tensor, FlatImages]:
        """Encode each image on its own.

        Parameters
        ----------
        source : FlatImages or Tensor
            What the batch holds.

        Returns
        -------
        vectors : Tensor, shape (n_images, n_features)
            One vector an image.
        images : FlatImages
            The images, scaled.
        """
        images: FlatImages = self.read(source)
        if not images.n_images:
            return self.mean.new_zeros(0, self.n_features), images
        return self.encoder(images.pixels), images

    def image_weights(self, source: FlatImages | Tensor) -> Tensor:
        """Attention weight of each image.

        Parameters
        ----------
        source : FlatImages or Tensor
            What the batch holds.

        Returns
        -------
        Tensor, shape (n_images,)
            The weights.
        """
        vectors, images = self.images(source)
        return self.attention.weights(vectors, images.image_users, images.n_users)

    def forward(self, source: FlatImages | Tensor) -> Tensor:
        """Encode the images of each user.

        Parameters
        ----------
        source : FlatImages or Tensor
            What the batch holds.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            One vector a user, standardised by :meth:`set_scale`.
        """
        vectors, images = self.images(source)
        joined = self.attention(vectors, images.image_users, images.n_users)
        return self.standardise(joined)
