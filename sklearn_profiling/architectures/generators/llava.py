"""LLaVA: a profile written by a decoder that reads images as tokens before text.

Liu et al., "Improved Baselines with Visual Instruction Tuning", CVPR 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators._image_states import (
    ImageStates,
    LayerChoice,
)
from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    ProfileInputs,
)
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.architectures.generators.profile_generator import (
    image_source,
)
from sklearn_profiling.architectures.layers.sources import SourceDescription

__all__ = ["LLaVA", "ProjectedImages"]


_IMAGE = -1
"""Stands for a state of an image among the ids of tokens."""


class ProjectedImages(nn.Module):
    """Bring states of images to vectors of tokens.

    ``W_2 GELU(W_1 h + b_1) + b_2`` of each state h, both layers as long as the vector
    of a token (LLaVA 1.5).
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(n_image, n_text), nn.GELU(), nn.Linear(n_text, n_text)
        )

    def forward(self, states: Tensor) -> Tensor:
        """Project states (n_images, n_states, n_image) to (.., .., n_text)."""
        projected: Tensor = self.project(states)
        return projected


class LLaVA(CausalLM):
    """Decoder that reads images and text of a user and writes the profile after them.

    Parameters
    ----------
    sources, n_classes, language_model : as in CausalLM
        What is read, the classes, and the decoder.
    image_model : Module or None
        Vision transformer with the interface of Hugging Face's ViT, of which the states
        of patches are read; None without images.
    profile, captions, max_tokens, scoring : as in CausalLM
        The states of patches are not among the `max_tokens`.
    max_images : int
        Images to read of a user.
    projector : Module or None, default=None
        From states of images to vectors of tokens; None is a new one of two layers.
    choice : LayerChoice or None, default=None
        Which states of `image_model` are read; None takes the last ones of patches.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        language_model: nn.Module,
        image_model: nn.Module | None,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
        max_images: int,
        projector: nn.Module | None = None,
        choice: LayerChoice | None = None,
    ) -> None:
        images = None
        if image_model is not None:
            images = ImageStates(
                image_model, image_source(sources), patches=True, choice=choice
            )
        super().__init__(
            sources,
            n_classes,
            language_model=language_model,
            profile=profile,
            captions=captions,
            max_tokens=max_tokens,
            scoring=scoring,
            n_image_tokens=0 if images is None else max_images * images.n_states,
        )
        if images is not None:
            language: Any = language_model.config
            self.image_encoder = images
            self.fusion = projector or ProjectedImages(
                language.hidden_size, images.n_features
            )
            self.n_states = images.n_states

    def _openings(self, inputs: ProfileInputs) -> list[list[int]]:
        """Tokens before the text of each user, with a place for each state."""
        images = inputs.images
        if self.image_encoder is None or images is None:
            return super()._openings(inputs)
        counts = torch.bincount(images.image_users, minlength=inputs.n_users)
        image = [_IMAGE] * self.n_states
        rows = []
        for count in counts.tolist():
            *before, last = self.around.openings[count]
            rows.append([k for part in before for k in (*part, *image)] + list(last))
        return rows

    def _prompt_vectors(self, ids: Tensor, inputs: ProfileInputs) -> Tensor:
        images = inputs.images
        is_image = ids == _IMAGE  # (n_users, n_tokens)
        vectors = self._vectors(ids.masked_fill(is_image, self.ids.pad))
        if self.fusion is None or images is None or not images.n_images:
            return vectors
        # States of users and images in the order of their places.
        seen = self.fusion(cast("nn.Module", self.image_encoder)(images))
        return vectors.masked_scatter(is_image.unsqueeze(2), seen.to(vectors.dtype))
