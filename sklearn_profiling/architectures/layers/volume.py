"""3-D convolutions over bags of images, without padding.

A filter of depth 2 sees an image and the next one of the same bag, and zeros after the
last. So each image is laid beside its follower, and one convolution over all pairs of
a batch gives what a padded volume per user would, whatever the sizes of the bags.

Maps are kept as (n_images, height, width, n_channels): rows can then be gathered
without moving channels, and convolutions of this layout are the quicker ones.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.randomness import RandomLayer

__all__ = ["BagOrder", "VolumeConvolution", "bag_maximum"]


class BagOrder(RandomLayer):
    """Put the images of each user in order and leave out what is too many.

    Parameters
    ----------
    n_images : int
        Images of a user to keep: the first ones of the order.
    order : {"given", "random"}
        As they come, or, in training, drawn anew for every batch.
    """

    def __init__(self, n_images: int, order: Literal["given", "random"]) -> None:
        super().__init__()
        self.n_images = n_images
        self.order = order

    def forward(self, images: FlatImages) -> FlatImages:
        """Order and cut.

        Parameters
        ----------
        images : FlatImages
            Bags of any size.

        Returns
        -------
        FlatImages
            Bags of at most `n_images` images.
        """
        if self.training and self.order == "random":
            device = "cpu" if self.generator is None else self.generator.device
            keys = torch.rand(
                images.n_images,
                generator=self.generator,
                device=device,
                dtype=torch.float64,
            )
            users = images.image_users
            images = images.take(torch.argsort(users + keys.to(users.device)))
        first = images.positions() < self.n_images
        return images if bool(first.all()) else images.take(first)


class VolumeConvolution(nn.Module):
    """Convolution 2x3x3, maximum, ReLU, over bags of images.

    Height and width are padded by one on either side, depth by one at its end; maxima
    take what there is at an odd end, so that no image is lost.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Feature maps before and after.
    pool : {"volume", "image", None}
        Maximum over 2x2x2, over 1x2x2, or none.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, pool: Literal["volume", "image"] | None
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(n_inputs, n_outputs, (2, 3, 3), padding=(0, 1, 1))
        self.pool = pool
        # Torch's own start shrinks what passes a ReLU, and seven layers of it leave
        # nothing of a difference between users.
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]

    def forward(self, maps: Tensor, users: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve.

        Parameters
        ----------
        maps : Tensor, shape (n_images, height, width, n_inputs)
            At least one.
        users : Tensor of int64, shape (n_images,)
            User of each, never falling.

        Returns
        -------
        maps : Tensor, shape (n_images_left, height_left, width_left, n_outputs)
            Not negative.
        users : Tensor of int64, shape (n_images_left,)
            User of each.
        """
        n_images = len(users)
        images = torch.arange(n_images, device=users.device)
        follows = torch.zeros(n_images, dtype=torch.bool, device=users.device)
        follows[:-1] = users[1:] == users[:-1]
        # The image of zeros behind the last one stands after the end of every bag.
        after = torch.where(follows, images + 1, n_images)
        pairs = torch.cat([maps, torch.zeros_like(maps[:1])]).index_select(
            0, torch.stack([images, after], dim=1).flatten()
        )
        pairs = pairs.view(n_images, 2, *maps.shape[1:])
        found = self.convolution(pairs.permute(0, 4, 1, 2, 3)).squeeze(2)
        if self.pool is not None:
            # Maxima first: the ReLU after them gives the same and has less to do.
            found = max_pool2d(found, 2, ceil_mode=True)
        maps = found.permute(0, 2, 3, 1)  # (n_images, height, width, n_outputs)
        if self.pool == "volume":
            starts = torch.cat([images[:1], torch.where(follows, 0, images + 1)[:-1]])
            even = (images - starts.cummax(0).values) % 2 == 0
            chosen = images[even]
            partners = torch.where(follows, images + 1, images)[even]
            maps = torch.maximum(
                maps.index_select(0, chosen), maps.index_select(0, partners)
            )
            users = users[even]
        return torch.relu(maps), users


def bag_maximum(values: Tensor, users: Tensor, n_users: int) -> Tensor:
    """Take the maximum over what is left of each bag.

    Parameters
    ----------
    values : Tensor, shape (n_images, n_features)
        Not negative.
    users : Tensor of int64, shape (n_images,)
        User of each.
    n_users : int
        Number of users.

    Returns
    -------
    Tensor, shape (n_users, n_features)
        The maxima; zeros for a user without images.
    """
    zeros = values.new_zeros(n_users, values.shape[1])
    rows = users.unsqueeze(1).expand_as(values)
    return zeros.scatter_reduce(0, rows, values, "amax")
