"""Nets on bags of images: 3D-CNN (Valdez-Rodriguez et al.), and images as a set."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from sklearn_profiling.architectures.layers.heads import TaskHeads
from sklearn_profiling.architectures.layers.image_set import (
    GivenImageEncoder,
    ImageSetEncoder,
    SmallImageCNN,
    image_reader,
    image_shape,
)
from sklearn_profiling.architectures.layers.images import FlatImages, PixelScale
from sklearn_profiling.architectures.layers.randomness import RandomLayer
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    ScaledEncoder,
    SourceBatch,
    SourceDescription,
)

__all__ = [
    "CNN3D",
    "VOLUME_MODELS",
    "BagOrder",
    "ImageSet",
    "VolumeConvolution",
    "VolumeEncoder",
    "VolumeModel",
    "bag_maximum",
]

Pool = Literal["volume", "image"] | None


class VolumeModel(NamedTuple):
    """Convolutions of one of the paper's models.

    Attributes
    ----------
    n_filters : int
        Feature maps of the first convolution.
    factors : tuple of int
        Feature maps of each convolution, as multiples of those of the first.
    pools : tuple of {"volume", "image", None}
        Maximum after each convolution: over 2x2x2, over 1x2x2, or none.
    """

    n_filters: int
    factors: tuple[int, ...]
    pools: tuple[Pool, ...]


VOLUME_MODELS = {
    1: VolumeModel(32, (1, 2, 4, 8), ("volume", "volume", "volume", "volume")),
    2: VolumeModel(
        64,
        (1, 2, 4, 4, 8, 8, 8),
        ("volume", "volume", None, "volume", None, "image", "image"),
    ),
}


class BagOrder(RandomLayer):
    """Put the images of each user in order and leave out all behind `n_images`.

    The order is as "given" or, in training, "random": drawn anew for every batch.
    """

    def __init__(self, n_images: int, order: Literal["given", "random"]) -> None:
        super().__init__()
        self.n_images = n_images
        self.order = order

    def forward(self, images: FlatImages) -> FlatImages:
        """Bags of any size to bags of at most `n_images`."""
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

    A filter of depth 2 sees an image and the next one of the same bag, and zeros after
    the last. So each image is laid beside its follower, and one convolution over all
    pairs of a batch gives what a padded volume per user would, whatever the sizes of
    the bags. Maps are kept as (n_images, height, width, n_channels): rows can then be
    gathered without moving channels, and convolutions of this layout are quicker.

    Height and width are padded by one on either side, depth by one at its end; maxima
    take what there is at an odd end, so that no image is lost. `pool` is the maximum
    over 2x2x2 ("volume"), over 1x2x2 ("image"), or none.
    """

    def __init__(self, n_inputs: int, n_outputs: int, pool: Pool) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(n_inputs, n_outputs, (2, 3, 3), padding=(0, 1, 1))
        self.pool = pool
        # Torch's own initialisation shrinks what passes a ReLU, and seven layers of it
        # leave nothing of a difference between users.
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")
        # a convolution without bias is not made here
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]

    def forward(self, maps: Tensor, users: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve (n_images, height, width, n_inputs) of `users` (n_images,).

        Returns the maps that are left, with n_outputs, not negative, and their users.
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
    """Maximum of (n_images, n_features), not negative, over each user's; 0 if none."""
    zeros = values.new_zeros(n_users, values.shape[1])
    rows = users.unsqueeze(1).expand_as(values)
    return zeros.scatter_reduce(0, rows, values, "amax")  # (n_users, n_features)


class VolumeEncoder(ScaledEncoder):
    """Convolutions over depth, height and width: a bag of images to one vector.

    Parameters have the names and meanings of :class:`CNN3D`'s.
    """

    def __init__(
        self,
        source: SourceDescription,
        *,
        variant: Literal[1, 2],
        n_filters: int | None,
        n_images: int,
        image_order: Literal["given", "random"],
    ) -> None:
        model = VOLUME_MODELS[variant]
        n_maps, height, width = image_shape(source)
        layers = []
        for factor, pool in zip(model.factors, model.pools, strict=True):
            n_outputs = factor * (n_filters or model.n_filters)
            layers.append(VolumeConvolution(n_maps, n_outputs, pool))
            n_maps = n_outputs
            if pool is not None:
                height, width = -(-height // 2), -(-width // 2)
        super().__init__(n_maps * height * width)
        self.read = image_reader(source)
        self.order = BagOrder(n_images, image_order)
        self.layers = nn.ModuleList(layers)

    def forward(self, source: FlatImages | Tensor) -> Tensor:
        """Encode the images of each user: (n_users, n_features), standardised."""
        images: FlatImages = self.order(self.read(source))
        values = self.mean.new_zeros(0, self.n_features)
        users = images.image_users
        if images.n_images:
            # (n_images, n_channels, height, width) -> (n_images, height, width, ...)
            maps = images.pixels.permute(0, 2, 3, 1).contiguous()
            for layer in self.layers:
                maps, users = layer(maps, users)
            # Autocast leaves 16 bits here, in which maxima of bags are not written.
            values = maps.flatten(1).to(values.dtype)
        return self.standardise(bag_maximum(values, users, images.n_users))


class CNN3D(nn.Module):
    """Images -> 3D-CNN -> dense layer -> one head a task.

    The classification stage, dense layers with ReLU that split into one softmax a task,
    has the shape of :class:`MMLUP`'s.

    Parameters
    ----------
    sources : sequence of SourceDescription
        One source: images, or vectors whose rows are read as images.
    n_classes : sequence of int
        Number of classes of each task.
    variant : {1, 2}
        Model 1 or Model 2.
    n_filters : int or None
        Feature maps of the first convolution; the others keep their proportion to it.
        None is the model's own number.
    n_images : int
        Images of a user to read: the first ones.
    image_order : {"given", "random"}
        The order of a user's images, or one drawn anew for every batch of training.
    n_shared : int
        Units of the dense layer before the heads.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    dropout : float
        On the dense layer before the heads.
    source_dropout : float
        Probability that training hides the images of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        variant: Literal[1, 2],
        n_filters: int | None,
        n_images: int,
        image_order: Literal["given", "random"],
        n_shared: int,
        n_hidden: Sequence[int],
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        (source,) = sources
        volumes = VolumeEncoder(
            source,
            variant=variant,
            n_filters=n_filters,
            n_images=n_images,
            image_order=image_order,
        )
        self.sources = JoinedSources({source.name: volumes}, source_dropout)
        self.heads = TaskHeads(
            volumes.n_features, n_shared, n_hidden, n_classes, dropout
        )

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatImages or Tensor
            The images of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has images.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        logits: tuple[Tensor, ...] = self.heads(self.sources(sources, present))
        return logits


class ImageSet(nn.Module):
    """Images, each encoded on its own -> attention -> dense layer -> one head a task.

    The modern alternative to :class:`CNN3D`; its classification stage is the same, so
    that the two differ in how they read a bag alone.

    Parameters
    ----------
    sources : sequence of SourceDescription
        One source: images, or vectors whose rows are read as images.
    n_classes : sequence of int
        Number of classes of each task.
    encoder : Module or None
        From (n_images, n_channels, height, width), pixels from 0 to 1, to (n_images,
        n_features); copied. None is a small CNN of `n_filters` and `n_features_image`.
    freeze_encoder : bool
        Whether training leaves the parameters of `encoder` alone.
    n_filters : sequence of int
        Feature maps of the convolutions of the small CNN.
    n_features_image : int
        Features that the small CNN makes of an image.
    attention : {"softmax", "raw"} or None
        Weights of images; None averages them.
    n_attention : int
        Hidden units of the attention score.
    n_shared : int
        Units of the dense layer before the heads.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    dropout : float
        On the dense layer before the heads.
    source_dropout : float
        Probability that training hides the images of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        encoder: nn.Module | None,
        freeze_encoder: bool,
        n_filters: Sequence[int],
        n_features_image: int,
        attention: Literal["softmax", "raw"] | None,
        n_attention: int,
        n_shared: int,
        n_hidden: Sequence[int],
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        (source,) = sources
        reader = image_reader(source)
        shape = image_shape(source)
        each: nn.Module
        if encoder is None:
            each = SmallImageCNN(shape[0], n_filters, n_features_image)
        else:
            if isinstance(reader, PixelScale):
                reader = PixelScale(torch.zeros(1), torch.ones(1))
            each = GivenImageEncoder(
                copy.deepcopy(encoder), shape, frozen=freeze_encoder
            )
        images = ImageSetEncoder(source, each, attention, n_attention, reader=reader)
        self.sources = JoinedSources({source.name: images}, source_dropout)
        self.heads = TaskHeads(
            images.n_features, n_shared, n_hidden, n_classes, dropout
        )

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatImages or Tensor
            The images of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has images.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        logits: tuple[Tensor, ...] = self.heads(self.sources(sources, present))
        return logits
