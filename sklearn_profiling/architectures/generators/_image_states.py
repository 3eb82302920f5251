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
    grid : int or None, default=None
        Rows and columns of regions that the states of patches are averaged to, if there
        are more patches than that; None leaves them as they are.
    """

    def __init__(
        self,
        model: nn.Module,
        size: tuple[int, int],
        mean: Sequence[float],
        deviation: Sequence[float],
        *,
        patches: bool = False,
        grid: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.size = tuple(size)
        self.patches = patches
        self.register_buffer("mean", torch.tensor(list(mean))[:, None, None])
        self.register_buffer("deviation", torch.tensor(list(deviation))[:, None, None])
        self.mean: Tensor
        self.deviation: Tensor
        regions = None
        if grid is not None:
            vision: Any = model
            rows, columns = (length // vision.config.patch_size for length in size)
            regions = torch.kron(_averages(rows, grid), _averages(columns, grid))
        self.register_buffer("regions", regions, persistent=False)
        self.regions: Tensor | None

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
        if self.regions is not None:
            # Whatever stands before the patches is no patch.
            return self.regions @ states[:, -self.regions.shape[1] :]
        return states[:, 1:] if self.patches else states[:, :1]


def _averages(n_from: int, n_most: int) -> Tensor:
    """Weights (n_to, n_from) that average neighbours to at most n_most values."""
    n_to = min(n_from, n_most)
    rows = torch.arange(n_to).unsqueeze(1)
    steps = torch.arange(n_from)
    # The last step of a row is that of its end, rounded up.
    inside = (steps >= rows * n_from // n_to) & (steps * n_to < (rows + 1) * n_from)
    return inside / inside.sum(dim=1, keepdim=True)
