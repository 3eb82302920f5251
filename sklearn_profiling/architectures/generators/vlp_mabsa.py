"""A profile written from text with regions of images among its tokens (VLP-MABSA)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    ProfileInputs,
)

__all__ = ["VLPMABSA", "RegionTokens"]

PADDING, TOKEN, REGION, MARK = range(4)
"""Kinds of states: what stands in a row of the encoder."""


class RegionTokens(nn.Module):
    """Put regions of images between two marks before the tokens of a text.

    Parameters
    ----------
    n_text : int
        Length of a token's vector.
    n_image : int
        Length of a region's state; a linear layer brings it to that of a token.
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_image, n_text)
        self.marks = nn.Parameter(torch.empty(2, n_text).normal_(std=0.02))

    def forward(
        self, tokens: Tensor, is_token: Tensor, regions: Tensor, is_region: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Join regions and tokens.

        Parameters
        ----------
        tokens : Tensor, shape (n_users, n_tokens, n_text)
            Vectors of the text's tokens.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            False where padded.
        regions : Tensor, shape (n_users, n_regions, n_image)
            States of the regions of a user's images.
        is_region : Tensor of bool, shape (n_users, n_regions)
            False where padded.

        Returns
        -------
        vectors : Tensor, shape (n_users, n_states, n_text)
            A mark, regions, a mark and tokens, without gaps; tokens alone of a user
            without regions. Padding is at the end.
        kinds : Tensor of int64, shape (n_users, n_states)
            0 padding, 1 token, 2 region, 3 mark.
        """
        marks = self.marks.expand(len(tokens), -1, -1)
        begin, end = marks[:, :1], marks[:, 1:]
        vectors = torch.cat([begin, self.project(regions), end, tokens], dim=1)
        mark = is_region.any(dim=1, keepdim=True) * MARK
        kinds = torch.cat([mark, is_region * REGION, mark, is_token * TOKEN], dim=1)
        # Positions count from the left, so that those of others must not shift them.
        order = (kinds == PADDING).int().argsort(dim=1, stable=True)
        order = order[:, : int((kinds != PADDING).sum(dim=1).max())]
        rows = order.unsqueeze(2).expand(-1, -1, vectors.shape[2])
        return vectors.gather(1, rows), kinds.gather(1, order)


class VLPMABSA(ProfileGenerator):
    """Encoder of regions and text at once, decoder of profiles.

    Parameters
    ----------
    language_model : Module
        Encoder and decoder with the interface of Hugging Face's sequence-to-sequence
        models (BART, T5).
    image_encoder : Module or None
        From FlatImages to the states of the regions of each image; None reads no image.
    fusion : Module or None
        The :class:`RegionTokens`; goes with `image_encoder`.
    ids : TokenIds
        Ids of the language model.
    questions : sequence of Question
        What to ask about each task, in the order of the profile.
    sources : mapping of {"text", "captions", "images"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens of text to read of a user, with the one that ends it; the regions of
        images come on top.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.
    """

    def read(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states of the encoder.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        kinds : Tensor of int64, shape (n_users, n_states)
            0 padding, 1 token, 2 region, 3 mark.
        """
        ids, is_token = self._read_text(inputs)
        model: Any = self.language_model
        encoder = model.get_encoder()
        vectors, kinds = encoder.get_input_embeddings()(ids), is_token * TOKEN
        seen = self.image_states(inputs.images)
        if seen is not None:
            vectors, kinds = self._join(vectors, is_token, *seen)
        read = encoder(inputs_embeds=vectors, attention_mask=(kinds != PADDING).long())
        return read.last_hidden_state, kinds

    def _join(
        self, tokens: Tensor, is_token: Tensor, regions: Tensor, is_region: Tensor
    ) -> tuple[Tensor, Tensor]:
        fusion: Any = self.fusion
        joined: tuple[Tensor, Tensor] = fusion(tokens, is_token, regions, is_region)
        return joined

    def encode(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states that the decoder reads.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States of regions, marks and tokens.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        states, kinds = self.read(inputs)
        return states, kinds != PADDING
