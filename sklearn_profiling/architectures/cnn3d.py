"""3D-CNN over bags of images (Valdez-Rodriguez et al.), Model 1 and Model 2."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import ScaledEncoder
from sklearn_profiling.architectures.layers.volume import (
    BagOrder,
    VolumeConvolution,
    bag_maximum,
)
from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["CNN3D", "VOLUME_MODELS", "VolumeEncoder", "VolumeModel"]

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


class VolumeEncoder(ScaledEncoder):
    """Convolutions over depth, height and width: a bag of images to one vector.

    Parameters
    ----------
    read : Module
        Makes scaled images of what the batch holds.
    image_shape : tuple of int
        Channels, height and width of an image.
    variant : {1, 2}
        Model 1 or Model 2.
    n_filters : int or None
        Feature maps of the first convolution; the others keep their proportion to it.
        None is the model's own number.
    n_images : int
        Images of a user to read: the first ones.
    image_order : {"given", "random"}
        See :class:`BagOrder`.
    """

    def __init__(
        self,
        read: nn.Module,
        image_shape: tuple[int, ...],
        *,
        variant: Literal[1, 2],
        n_filters: int | None,
        n_images: int,
        image_order: Literal["given", "random"],
    ) -> None:
        model = VOLUME_MODELS[variant]
        n_maps, height, width = image_shape
        layers = []
        for factor, pool in zip(model.factors, model.pools, strict=True):
            n_outputs = factor * (n_filters or model.n_filters)
            layers.append(VolumeConvolution(n_maps, n_outputs, pool))
            n_maps = n_outputs
            if pool is not None:
                height, width = -(-height // 2), -(-width // 2)
        super().__init__(n_maps * height * width)
        self.read = read
        self.order = BagOrder(n_images, image_order)
        self.layers = nn.ModuleList(layers)

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
        images: FlatImages = self.order(self.read(source))
        values = self.mean.new_zeros(0, self.n_features)
        users = images.image_users
        if images.n_images:
            maps = images.pixels.permute(0, 2, 3, 1).contiguous()
            for layer in self.layers:
                maps, users = layer(maps, users)
            # Autocast leaves 16 bits here, in which maxima of bags are not written.
            values = maps.flatten(1).to(values.dtype)
        return self.standardise(bag_maximum(values, users, images.n_users))


class CNN3D(MMLUP):
    """Images -> 3D-CNN -> dense layer -> one head a task.

    The classification stage, dense layers with ReLU that split into one softmax a task,
    has the shape of :class:`MMLUP`'s, so this is that architecture on one source.

    Parameters
    ----------
    sources : JoinedSources
        One :class:`VolumeEncoder`.
    n_shared : int
        Units of the dense layer before the heads.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the dense layer before the heads.
    """
