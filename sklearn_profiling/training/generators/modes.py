"""Training modes of the unified framework: which inputs of a user are hidden."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sklearn_profiling.architectures.generators._tokens import ProfileInputs, TokenRows
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.generators.tokens import ProfileTokens

__all__ = [
    "FusionMode",
    "MaskedImageMode",
    "MaskedProfileMode",
    "TextMode",
    "TrainingMode",
    "make_modes",
]


class TrainingMode(ABC):
    """Hides a part of the inputs of a batch; what is drawn is drawn on the CPU."""

    needs_images = False

    @abstractmethod
    def __call__(
        self, inputs: ProfileInputs, labels: LabelBatch, generator: torch.Generator
    ) -> ProfileInputs:
        """Hide a part of the inputs of users with these labels."""


class FusionMode(TrainingMode):
    """Reviews with images, or captions: what prediction reads too."""

    def __call__(
        self,
        inputs: ProfileInputs,
        labels: LabelBatch,  # noqa: ARG002 - the signature of all modes
        generator: torch.Generator,  # noqa: ARG002 - the signature of all modes
    ) -> ProfileInputs:
        """Hide nothing."""
        return inputs


class TextMode(TrainingMode):
    """Reviews alone."""

    def __call__(
        self,
        inputs: ProfileInputs,
        labels: LabelBatch,  # noqa: ARG002 - the signature of all modes
        generator: torch.Generator,  # noqa: ARG002 - the signature of all modes
    ) -> ProfileInputs:
        """Hide images and captions."""
        nothing = TokenRows.empty(inputs.n_users, inputs.captions.ids.device)
        return ProfileInputs(inputs.reviews, nothing, inputs.profile, None)


class MaskedImageMode(TrainingMode):
    """Reviews with images of which some pixels are black, or captions with masks.

    `probability` is that of each pixel to be black, in all its channels, and of each
    token of a caption to be `mask_id`.
    """

    needs_images = True

    def __init__(self, probability: float, mask_id: int) -> None:
        self.probability = probability
        self.mask_id = mask_id

    def __call__(
        self,
        inputs: ProfileInputs,
        labels: LabelBatch,  # noqa: ARG002 - the signature of all modes
        generator: torch.Generator,
    ) -> ProfileInputs:
        """Hide pixels and tokens."""
        images, captions = inputs.images, inputs.captions
        if images is not None:
            n_images, _, height, width = images.pixels.shape
            hide = self._draw((n_images, 1, height, width), generator)
            pixels = images.pixels.masked_fill(hide.to(images.pixels.device), 0)
            images = FlatImages(pixels, images.image_users, images.n_users)
        hide = self._draw((len(captions.ids),), generator).to(captions.ids.device)
        captions = captions._replace(ids=captions.ids.masked_fill(hide, self.mask_id))
        return ProfileInputs(inputs.reviews, captions, inputs.profile, images)

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.rand(shape, generator=generator) < self.probability


class MaskedProfileMode(TrainingMode):
    """Images, or captions, with the user's own profile, each value perhaps masked."""

    needs_images = True

    def __init__(self, probability: float, tokens: ProfileTokens) -> None:
        self.probability = probability
        self.tokens = tokens

    def __call__(
        self, inputs: ProfileInputs, labels: LabelBatch, generator: torch.Generator
    ) -> ProfileInputs:
        """Hide the reviews and show the rest of the profile."""
        drawn = torch.rand(tuple(labels.codes.shape), generator=generator)
        profile = self.tokens.masked(labels, drawn < self.probability)
        device = inputs.reviews.ids.device
        profile = profile._replace(
            ids=profile.ids.to(device), users=profile.users.to(device)
        )
        nothing = TokenRows.empty(inputs.n_users, device)
        return ProfileInputs(nothing, inputs.captions, profile, inputs.images)


def make_modes(
    names: Sequence[str],
    tokens: ProfileTokens,
    probabilities: Mapping[str, float],
    *,
    has_images: bool,
) -> dict[str, TrainingMode]:
    """Build the modes that can be trained, with the probabilities of the masked ones.

    Without images those that mask them are left out, and the text mode, which would
    be the fusion mode again, where that is there.
    """
    image = MaskedImageMode(probabilities["masked_image"], tokens.ids.mask)
    profile = MaskedProfileMode(probabilities["masked_profile"], tokens)
    every: dict[str, TrainingMode] = {
        "fusion": FusionMode(),
        "text": TextMode(),
        "masked_image": image,
        "masked_profile": profile,
    }
    modes = {name: every[name] for name in names}
    if has_images:
        return modes
    modes = {name: mode for name, mode in modes.items() if not mode.needs_images}
    if "fusion" in modes:
        modes.pop("text", None)
    return modes or {"fusion": every["fusion"]}
