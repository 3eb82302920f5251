"""Images of a batch laid end to end, and what brings their pixels to one scale.

No bag is padded: the images of all users stand in one tensor, and a vector says whose
each is. What joins the images of a user works on runs of equal users.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["FlatImages", "PixelScale", "RowImages"]


class FlatImages(NamedTuple):
    """Images of a batch of users, end to end.

    Attributes
    ----------
    pixels : Tensor, shape (n_images, n_channels, height, width)
        uint8 as they come from the data, floats after :class:`PixelScale`.
    image_users : Tensor of int64, shape (n_images,)
        Row of the user each image belongs to, non-decreasing.
    n_users : int
        Number of users in the batch, with or without images.
    """

    pixels: Tensor
    image_users: Tensor
    n_users: int

    @property
    def n_images(self) -> int:
        """Number of images of all users."""
        return len(self.image_users)

    def positions(self) -> Tensor:
        """Place of each image among its user's, from 0: int64 (n_images,)."""
        counts = torch.bincount(self.image_users, minlength=self.n_users)
        starts = counts.cumsum(0) - counts
        everywhere = torch.arange(self.n_images, device=self.image_users.device)
        return everywhere - starts[self.image_users]

    def take(self, images: Tensor) -> FlatImages:
        """Choose images by number or mask, such that their users do not fall."""
        return FlatImages(self.pixels[images], self.image_users[images], self.n_users)

    def to(self, device: torch.device | str) -> FlatImages:
        """Copy to a device."""
        return FlatImages(
            self.pixels.to(device), self.image_users.to(device), self.n_users
        )


class PixelScale(nn.Module):
    """From bytes to floats of mean 0 and deviation 1 in each channel.

    `mean` and `scale` (n_channels,) are those of the training images, of pixels from 0
    to 1; a scale of 0 is taken as 1.
    """

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer(
            "scale", torch.where(scale > 0, scale, torch.ones_like(scale))
        )
        self.mean: Tensor
        self.scale: Tensor

    def forward(self, images: FlatImages) -> FlatImages:
        """Scale bytes to the precision of the scale."""
        factor = 1.0 / (255.0 * self.scale)
        shift = self.mean / self.scale
        pixels = images.pixels.to(self.mean.dtype)
        pixels = pixels * factor[:, None, None] - shift[:, None, None]
        return images._replace(pixels=pixels)


class RowImages(nn.Module):
    """Read each row of a dense source as one image of one channel and one line.

    `scale` brings rows to one scale, as a VectorEncoder does.
    """

    def __init__(self, scale: nn.Module) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, rows: Tensor) -> FlatImages:
        """Rows (n_users, n_features) to an image of (1, 1, n_features) a user."""
        users = torch.arange(len(rows), device=rows.device)
        return FlatImages(self.scale(rows)[:, None, None, :], users, len(rows))
