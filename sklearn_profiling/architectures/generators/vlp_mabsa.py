"""VLP-MABSA and AoM: profiles written from text and patches of images.

Ling, Yu and Xia, "Vision-Language Pre-Training for Multimodal Aspect-Based Sentiment
Analysis", ACL 2022. Zhou et al., "AoM: Detecting Aspect-oriented Information for
Multimodal Aspect-Based Sentiment Analysis", Findings of ACL 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    ProfileInputs,
    TokenRows,
)
from sklearn_profiling.architectures.generators.profile_generator import (
    BaseGenerator,
    encoder_room,
    image_source,
    n_positions,
)
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.exceptions import SourceError

__all__ = ["VLPMABSA", "AoM", "AttributeAttention", "PatchTokens", "SimilarityGraph"]


PADDING, TOKEN, PATCH, MARK = range(4)
"""Kinds of states of the encoder."""

_N_MARKS = 2
_LEAST_TEXT = 2
"""A token, and the one that ends the text."""


class PatchTokens(nn.Module):
    """Put patches of images between two learned marks before the tokens of a text."""

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_image, n_text)
        self.marks = nn.Parameter(torch.empty(2, n_text).normal_(std=0.02))

    def forward(
        self, tokens: Tensor, is_token: Tensor, patches: Tensor, is_patch: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Join tokens (n_users, n_tokens, d) and patches (n_users, n_patches, n_image).

        Gives vectors (n_users, n_states, d), a mark, patches, a mark and tokens
        without gaps, or tokens alone of a user without patches, and their kinds
        (n_users, n_states): 0 padding, at the end, 1 token, 2 patch, 3 mark.
        """
        marks = self.marks.expand(len(tokens), -1, -1)  # (n_users, 2, n_text)
        begin, end = marks[:, :1], marks[:, 1:]
        vectors = torch.cat([begin, self.project(patches), end, tokens], dim=1)
        mark = is_patch.any(dim=1, keepdim=True) * MARK
        kinds = torch.cat([mark, is_patch * PATCH, mark, is_token * TOKEN], dim=1)
        # Positions count from the left, so that those of others must not shift them.
        order = (kinds == PADDING).int().argsort(dim=1, stable=True)
        order = order[:, : int((kinds != PADDING).sum(dim=1).max())]
        rows = order.unsqueeze(2).expand(-1, -1, vectors.shape[2])
        return vectors.gather(1, rows), kinds.gather(1, order)


def _room_beside_patches(
    language_model: nn.Module, n_patches: int, max_images: int | None, max_tokens: int
) -> int:
    """Tokens of text that have positions beside `max_images` images."""
    most = n_positions(language_model)
    if most is None:
        return max_tokens
    if max_images is None:
        msg = (
            f"the language model reads at most {most} tokens and patches; parameter "
            "max_images must be a number, not None"
        )
        raise SourceError(msg)
    free = most - max_images * n_patches - _N_MARKS
    if free < _LEAST_TEXT:
        msg = (
            f"max_images={max_images} images of {n_patches} patches leave no room for "
            f"text; the language model reads at most {most} tokens and patches. Lower "
            "max_images or patch_grid"
        )
        raise SourceError(msg)
    return min(max_tokens, free)


class VLPMABSA(BaseGenerator):
    """Encoder of patches and text at once, decoder of profiles.

    Parameters
    ----------
    sources, n_classes, language_model, image_model : as in ProfileGenerator
        What is read, the classes, and the models.
    profile, captions, max_tokens, scoring : as in ProfileGenerator
        The patches of images are not among the `max_tokens`.
    max_images : int or None
        Images to read of a user; may be None if the language model reads texts of any
        length.
    patch_grid : int
        Rows and columns that the patches of an image are averaged to, if it has more.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],  # noqa: ARG002 - as for all architectures
        *,
        language_model: nn.Module,
        image_model: nn.Module | None,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
        max_images: int | None,
        patch_grid: int,
    ) -> None:
        super().__init__(
            sources,
            language_model=language_model,
            profile=profile,
            captions=captions,
            max_tokens=encoder_room(language_model, profile, max_tokens),
            scoring=scoring,
        )
        if image_model is not None:
            images = ImageStates(image_model, image_source(sources), grid=patch_grid)
            language: Any = language_model.config
            self.image_encoder = images
            self.fusion = PatchTokens(language.hidden_size, images.n_features)
            self.max_tokens = _room_beside_patches(
                language_model, images.n_states, max_images, self.max_tokens
            )

    def read(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states of the encoder, and their kinds.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        kinds : Tensor of int64, shape (n_users, n_states)
            0 padding, 1 token, 2 patch, 3 mark.
        """
        ids, is_token = self._read_text(inputs)  # (n_users, n_tokens)
        model: Any = self.language_model
        encoder = model.get_encoder()
        vectors, kinds = encoder.get_input_embeddings()(ids), is_token * TOKEN
        seen = self.image_states(inputs.images)
        if self.fusion is not None and seen is not None:
            vectors, kinds = self.fusion(vectors, is_token, *seen)
        read = encoder(inputs_embeds=vectors, attention_mask=(kinds != PADDING).long())
        return read.last_hidden_state, kinds

    def encode(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states of patches, marks and tokens, and their mask.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States that the decoder reads.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        states, kinds = self.read(inputs)
        return states, kinds != PADDING


_OPEN = 2.0
"""Initial bias of the gate: the decoder first reads nearly what the encoder gave."""


class AttributeAttention(nn.Module):
    """Mix each state with the attributes that it attends to.

    ``H = g h + (1 - g) h_A`` with ``h_A = sum_i w_i a_i``, ``w = softmax_i(v tanh(h W_H
    + a_i W_A))`` and ``g = sigmoid([h; h_A] W + b)``; b is 2 at first.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.state = nn.Linear(n_features, n_features)
        self.attribute = nn.Linear(n_features, n_features, bias=False)
        self.score = nn.Linear(n_features, 1, bias=False)
        self.gate = nn.Linear(2 * n_features, n_features)
        nn.init.constant_(self.gate.bias, _OPEN)

    def forward(self, states: Tensor, attributes: Tensor) -> Tensor:
        """Mix states (n_users, n_states, d) with attributes (n_tasks, d)."""
        both = self.state(states).unsqueeze(2) + self.attribute(attributes)
        # From (n_users, n_states, n_tasks, d) to (n_users, n_states, n_tasks).
        scores = self.score(torch.tanh(both)).squeeze(3)
        weights = torch.softmax(scores, dim=2)
        seen = weights @ attributes  # (n_users, n_states, d)
        gate = torch.sigmoid(self.gate(torch.cat([states, seen], dim=2)))
        return gate * states + (1 - gate) * seen


class SimilarityGraph(nn.Module):
    """Two layers of graph convolution over the similarity of tokens and patches.

    ``G_l = relu(D^-1 A G_(l-1) W_l + b_l)``; A holds 1 between a state and itself, and
    between a token and a patch of one user the cosine of their states, 0 if negative.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n_features, n_features) for _ in range(2))

    def edges(self, states: Tensor, kinds: Tensor) -> Tensor:
        """Weights of edges, (n_users, n_states, n_states); each row adds up to 1."""
        unit = functional.normalize(states, dim=2)
        similar = (unit @ unit.transpose(1, 2)).clamp(min=0)
        across = (kinds == TOKEN).unsqueeze(2) & (kinds == PATCH).unsqueeze(1)
        across = across | across.transpose(1, 2)
        itself = torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
        edges = similar * across + itself
        return edges / edges.sum(dim=2, keepdim=True)

    def forward(self, states: Tensor, kinds: Tensor) -> Tensor:
        """Pass states from patches to tokens, and back: (n_users, n_states, d).

        `kinds` (n_users, n_states) are those of :class:`PatchTokens`.
        """
        edges = self.edges(states, kinds)
        for layer in self.layers:
            states = torch.relu(layer(edges @ states))
        return states


class AoM(VLPMABSA):
    """Encoder of patches and text, attention to attributes, graph, decoder of profiles.

    Parameters
    ----------
    sources, n_classes, language_model, image_model : as in VLPMABSA
        What is read, the classes, and the models.
    profile : ProfileDescription
        How profiles are written; the prefixes of the tasks name the attributes.
    captions, max_tokens, scoring, max_images, patch_grid : as in VLPMABSA
        How much of texts and images is read, and how answers are scored.
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
        max_images: int | None,
        patch_grid: int,
    ) -> None:
        super().__init__(
            sources,
            n_classes,
            language_model=language_model,
            image_model=image_model,
            profile=profile,
            captions=captions,
            max_tokens=max_tokens,
            scoring=scoring,
            max_images=max_images,
            patch_grid=patch_grid,
        )
        model: Any = language_model
        n_features = model.get_input_embeddings().embedding_dim
        self.attention = AttributeAttention(n_features)
        self.graph = SimilarityGraph(n_features)

    def attributes(self) -> Tensor:
        """Read the names of the attributes.

        Returns
        -------
        Tensor, shape (n_tasks, n_features)
            Averages of the encoder's states of their tokens.
        """
        names = [prompt.prefix for prompt in self.prompts]
        rows = TokenRows.from_lists(names, next(self.parameters()).device)
        ids, is_token = rows.first(self.max_tokens).padded(self.ids.pad)
        model: Any = self.language_model
        read = model.get_encoder()(input_ids=ids, attention_mask=is_token.long())
        there = is_token.unsqueeze(2)  # (n_tasks, n_tokens, 1)
        means: Tensor = (read.last_hidden_state * there).sum(dim=1) / there.sum(dim=1)
        return means

    def encode(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Compute the states after attention and graph, and their mask.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            States that the decoder reads.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        """
        states, kinds = self.read(inputs)
        states = self.attention(states, self.attributes())
        return states + self.graph(states, kinds), kinds != PADDING
