"""Base of the transformers that run a frozen vision model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Final

import numpy as np
import torch
from joblib import Memory
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from torch import Tensor
from torch.nn import functional

from sklearn_profiling._image_models import refuse_patches
from sklearn_profiling._store import digest_of
from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.sources.images.bags import ImageBagTransformer
from sklearn_profiling.sources.pretrained._model import MODEL_CONSTRAINTS, LocalModel
from sklearn_profiling.sources.pretrained._pixels import stored_pixel_scale

__all__ = ["VISION_CONSTRAINTS", "VisionModel"]

_CHANNELS: Final = 3
_DEFAULT_SIZE: Final = 224

VISION_CONSTRAINTS: Final[dict[str, list[Any]]] = {
    **MODEL_CONSTRAINTS,
    "size": [tuple, list, None],
    "image_mean": [tuple, list, None],
    "image_std": [tuple, list, None],
    "max_images": [Interval(Integral, 1, None, closed="left"), None],
}


class VisionModel(LocalModel):
    """Base of the transformers that run a frozen vision model."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = VISION_CONSTRAINTS

    size: tuple[int, int] | None
    image_mean: Sequence[float] | None
    image_std: Sequence[float] | None
    max_images: int | None
    memory: str | os.PathLike[str] | Memory | None

    def _fit_pixels(self, config: Any) -> None:
        """Find the size and the normalisation of pixels that the model expects."""
        vision = getattr(config, "vision_config", getattr(config, "encoder", config))
        refuse_patches(vision, type(self).__name__)
        size = self.size or getattr(vision, "image_size", None) or _DEFAULT_SIZE
        pair = (size, size) if isinstance(size, int) else tuple(size)
        if len(pair) != 2 or not all(
            isinstance(s, int | np.integer) and s > 0 for s in pair
        ):
            msg = f"size must be (height, width), both from 1 up; got {size!r}"
            raise ValueError(msg)
        self.size_ = (int(pair[0]), int(pair[1]))
        mean, std = self.image_mean, self.image_std
        if mean is None or std is None:
            name = type(self).__name__
            stored = stored_pixel_scale(self.model, name, _CHANNELS)
            mean, std = mean or stored[0], std or stored[1]
        self.image_mean_ = _three("image_mean", mean)
        self.image_std_ = _three("image_std", std)
        if not all(each > 0 for each in self.image_std_):  # nor missing
            if self.image_std is None:
                msg = (
                    f"{type(self).__name__}: the settings of {str(self.model)!r:.60} "
                    f"lead to deviations of {self.image_std_}, which must be above 0; "
                    "give image_mean and image_std"
                )
                raise SourceError(msg)
            msg = f"image_std must be above 0; got {self.image_std!r}"
            raise ValueError(msg)

    def _read_bags(self, X: Any) -> ImageBags:
        """Decode a column of images, or take bags as they are."""
        self._validate_params()
        if not isinstance(X, ImageBags):
            return ImageBagTransformer(
                size=self.size_, max_images=self.max_images, memory=self.memory
            ).transform(X)
        if X.image_shape[0] not in (1, _CHANNELS):
            msg = (
                f"{type(self).__name__} takes grey or RGB images; got "
                f"{X.image_shape[0]} channels"
            )
            raise SourceError(msg)
        return X

    def _distinct(self, bags: ImageBags) -> tuple[list[bytes], list[int], list[Any]]:
        """Return digest and place of the different images, and each user's own."""
        shape = str(bags.image_shape).encode()
        numbers: dict[bytes, int] = {}
        places: list[int] = []
        users = []
        for user in range(len(bags)):
            first, end = bags.user_starts[user : user + 2]
            if self.max_images is not None:
                end = min(end, first + self.max_images)
            own = []
            for place in range(first, end):
                digest = digest_of(shape + bags.pixels[place].tobytes())
                if digest not in numbers:
                    numbers[digest] = len(places)
                    places.append(place)
                own.append(numbers[digest])
            users.append(own)
        return list(numbers), places, users

    def _prepared(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Scale uint8 (n_images, 1 or 3, height, width) for the model, on its device.

        The result has the shape (n_images, 3, *size_).
        """
        images = torch.from_numpy(np.array(pixels)).to(self._torch_device)
        values = images.float().expand(-1, _CHANNELS, -1, -1) / 255
        if tuple(values.shape[2:]) != self.size_:
            values = functional.interpolate(
                values, self.size_, mode="bilinear", antialias=True
            )
        mean, std = (
            torch.tensor(three, device=values.device).reshape(1, _CHANNELS, 1, 1)
            for three in (self.image_mean_, self.image_std_)
        )
        return ((values - mean) / std).to(self._torch_dtype)

    def _key(self) -> dict[str, Any]:
        """Return everything but the images that decides the output."""
        return {
            **self._computed_by(),
            "kind": type(self).__name__,
            "size": self.size_,
            "mean": self.image_mean_,
            "std": self.image_std_,
        }

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        return tags


def _three(parameter: str, values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) != _CHANNELS:
        msg = f"{parameter} must hold a number for red, green and blue; got {values!r}"
        raise ValueError(msg)
    red, green, blue = map(float, values)
    return red, green, blue
