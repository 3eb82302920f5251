"""States of images, or of their patches, by a vision transformer."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling._image_models import (
    image_state,
    n_before_patches,
    patch_states,
)
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.exceptions import SourceError

__all__ = ["ImageStates", "LayerChoice"]


class LayerChoice(NamedTuple):
    """Layers of which states are read, as places in ``hidden_states``, side by side.

    `without_first` leaves out the first state of each, which is that of [CLS] in CLIP.
    """

    layers: tuple[int, ...]
    without_first: bool


class ImageStates(nn.Module):
    """Scale pixels, bring images to the size of a vision transformer, and read them.

    `model` has the interface of Hugging Face's ViT: from `pixel_values` to
    `last_hidden_state`. It gives the state of each image, which is that of [CLS] or of
    a learned pooler, the states of all patches, those of patches averaged to at most
    `grid` rows and columns, or those of the layers of `choice`. `source` holds the mean
    and deviation of channels that the model expects, of pixels from 0 to 1.
    """

    def __init__(
        self,
        model: nn.Module,
        source: SourceDescription,
        *,
        patches: bool = False,
        grid: int | None = None,
        choice: LayerChoice | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.choice = choice
        config: Any = model.config
        if not n_before_patches(model) and not hasattr(model, "head"):
            msg = (
                f"an image model of type {config.model_type!r} has neither [CLS] nor a "
                "learned pooler; take one that has, as ViT, DeiT, BEiT, DINOv2, CLIP "
                "and SigLIP, or PretrainedImageVectors(pooling='mean') as a source"
            )
            raise SourceError(msg)
        n_layers = 1 if choice is None else len(choice.layers)
        self.n_features = n_layers * int(config.hidden_size)
        self.size = _pair(config.image_size)
        self.patches = patches or grid is not None
        self.register_buffer("mean", source.mean.float()[:, None, None])
        self.register_buffer("deviation", source.scale.float()[:, None, None])
        self.mean: Tensor
        self.deviation: Tensor
        averages = None
        if grid is not None:
            rows, columns = self._patch_grid()
            averages = torch.kron(_averages(rows, grid), _averages(columns, grid))
        self.register_buffer("averages", averages, persistent=False)
        self.averages: Tensor | None

    def _patch_grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        model: Any = self.model
        height, width = _pair(model.config.patch_size)
        return self.size[0] // height, self.size[1] // width

    @property
    def n_states(self) -> int:
        """Number of states of an image."""
        if self.averages is not None:
            return len(self.averages)
        if self.choice is None and not self.patches:
            return 1
        rows, columns = self._patch_grid()
        if self.choice is None:
            return rows * columns
        before = n_before_patches(self.model) - self.choice.without_first
        return before + rows * columns

    def forward(self, images: FlatImages) -> Tensor:
        """Read bytes: (n_images, n_states, n_features)."""
        pixels = images.pixels.to(self.mean.dtype) / 255.0
        if tuple(pixels.shape[2:]) != self.size:
            pixels = functional.interpolate(
                pixels, self.size, mode="bilinear", align_corners=False, antialias=True
            )
        model: Any = self.model
        scaled = (pixels - self.mean) / self.deviation
        if self.choice is not None:
            read = model(pixel_values=scaled, output_hidden_states=True).hidden_states
            first = int(self.choice.without_first)
            chosen = [read[layer][:, first:] for layer in self.choice.layers]
            return torch.cat(chosen, dim=2)
        read = model(pixel_values=scaled)
        if not self.patches:
            return cast("Tensor", image_state(model, read)).unsqueeze(1)
        states = patch_states(model, read)  # (n_images, n_patches, n_features)
        return states if self.averages is None else self.averages @ states


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _averages(n_from: int, n_most: int) -> Tensor:
    """Weights (n_to, n_from) that average neighbours to at most n_most values."""
    n_to = min(n_from, n_most)
    rows = torch.arange(n_to).unsqueeze(1)
    steps = torch.arange(n_from)
    # The last step of a row is that of its end, rounded up.
    inside = (steps >= rows * n_from // n_to) & (steps * n_to < (rows + 1) * n_from)
    return inside / inside.sum(dim=1, keepdim=True)
