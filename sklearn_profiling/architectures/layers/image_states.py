"""States of images by a vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.layers.images import FlatImages

__all__ = ["ImageStates"]


class ImageStates(nn.Module):
    """Scale pixels, bring images to the size of a vision transformer, and read them.

    Parameters
    ----------
    model : Module
        With the interface of Hugging Face's ViT: from `pixel_values` to
        `last_hidden_state`, whose first state is that of [CLS].
    size : tuple of int
        Height and width of the images that the model reads.
    mean, deviation : sequence of float
        Of each channel, of pixels from 0 to 1.
    patches : bool, default=False
        Whether to give the states of all patches instead of that of [CLS].
    """

    def __init__(
        self,
        model: nn.Module,
        size: tuple[int, int],
        mean: Sequence[float],
        deviation: Sequence[float],
        *,
        patches: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.size = tuple(size)
        self.patches = patches
        self.register_buffer("mean", torch.tensor(list(mean))[:, None, None])
        self.register_buffer("deviation", torch.tensor(list(deviation))[:, None, None])
        self.mean: Tensor
        self.deviation: Tensor

    def forward(self, images: FlatImages) -> Tensor:
        """Compute states.

        Parameters
        ----------
        images : FlatImages
            Bytes.

        Returns
        -------
        Tensor, shape (n_images, n_states, n_features)
            One state an image, or one a patch.
        """
        pixels = images.pixels.to(self.mean.dtype) / 255.0
        if tuple(pixels.shape[2:]) != self.size:
            pixels = functional.interpolate(
                pixels, self.size, mode="bilinear", align_corners=False, antialias=True
            )
        model: Any = self.model
        read = model(pixel_values=(pixels - self.mean) / self.deviation)
        states: Tensor = read.last_hidden_state
        return states[:, 1:] if self.patches else states[:, :1]
