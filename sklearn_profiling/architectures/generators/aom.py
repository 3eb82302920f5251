"""AoM: VLP-MABSA with attention to attributes and a graph over similarity.

Zhou et al., "AoM: Detecting Aspect-oriented Information for Multimodal Aspect-Based
Sentiment Analysis", Findings of ACL 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    ProfileInputs,
    TokenRows,
)
from sklearn_profiling.architectures.generators.vlp_mabsa import (
    PADDING,
    PATCH,
    TOKEN,
    VLPMABSA,
)
from sklearn_profiling.architectures.layers.sources import SourceDescription

__all__ = ["AoM", "AttributeAttention", "SimilarityGraph"]

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
