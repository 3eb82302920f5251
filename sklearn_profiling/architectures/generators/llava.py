"""LLaVA: a profile written by a decoder that reads images as tokens before text.

Liu et al., "Improved Baselines with Visual Instruction Tuning", CVPR 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators._tokens import ProfileDescription
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.architectures.generators.profile_generator import (
    image_source,
)
from sklearn_profiling.architectures.layers.sources import SourceDescription

__all__ = ["LLaVA", "ProjectedImages"]


class ProjectedImages(nn.Module):
    """Bring states of images to vectors of tokens, and put them before the text.

    ``W_2 GELU(W_1 h + b_1) + b_2`` of each state h, both layers as long as the vector
    of a token (LLaVA 1.5).
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(n_image, n_text), nn.GELU(), nn.Linear(n_text, n_text)
        )

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Put images (n_users, n_states, n_image) behind the first token of a text.

        Gives vectors (n_users, n_states + n_tokens, n_text) and their mask; the first
        of `text` (n_users, n_tokens, n_text) starts the prompt.
        """
        vectors = torch.cat([text[:, :1], self.project(images), text[:, 1:]], dim=1)
        there = torch.cat([is_token[:, :1], is_image, is_token[:, 1:]], dim=1)
        return vectors, there


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
    ) -> None:
        images = None
        if image_model is not None:
            images = ImageStates(image_model, image_source(sources), patches=True)
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
            self.fusion = ProjectedImages(language.hidden_size, images.n_features)
