"""VLP-MABSA with attention to attributes and a graph over similarity (AoM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileInputs,
    Question,
    TokenIds,
)
from sklearn_profiling.architectures.generators.vlp_mabsa import (
    PADDING,
    REGION,
    TOKEN,
    VLPMABSA,
)

__all__ = ["AoM", "AttributeAttention", "SimilarityGraph"]

_OPEN = 2.0
"""Where the gate begins: the decoder first reads nearly what the encoder gave."""


class AttributeAttention(nn.Module):
    """Mix each state with the attributes that it attends to.

    ``H = g h + (1 - g) h_A`` with ``h_A = sum_i w_i a_i``, ``w = softmax_i(v tanh(h W_H
    + a_i W_A))`` and ``g = sigmoid([h; h_A] W + b)``; b begins at 2.

    Parameters
    ----------
    n_features : int
        Length of a state, and of an attribute's vector.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.state = nn.Linear(n_features, n_features)
        self.attribute = nn.Linear(n_features, n_features, bias=False)
        self.score = nn.Linear(n_features, 1, bias=False)
        self.gate = nn.Linear(2 * n_features, n_features)
        nn.init.constant_(self.gate.bias, _OPEN)

    def forward(self, states: Tensor, attributes: Tensor) -> Tensor:
        """Look for attributes in states.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        attributes : Tensor, shape (n_attributes, n_features)
            Vectors of the attributes, the same for all users.

        Returns
        -------
        Tensor, shape (n_users, n_states, n_features)
            Mixed states.
        """
        both = self.state(states).unsqueeze(2) + self.attribute(attributes)
        scores = self.score(torch.tanh(both)).squeeze(3)  # (n_users, n_states, n_tasks)
        weights = torch.softmax(scores, dim=2)
        seen = weights @ attributes
        gate = torch.sigmoid(self.gate(torch.cat([states, seen], dim=2)))
        return gate * states + (1 - gate) * seen


class SimilarityGraph(nn.Module):
    """Two layers of graph convolution over the similarity of tokens and regions.

    ``G_l = relu(D^-1 A G_(l-1) W_l + b_l)``; A holds 1 between a state and itself, and
    between a token and a region of one user the cosine of their states, 0 if negative.

    Parameters
    ----------
    n_features : int
        Length of a state.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n_features, n_features) for _ in range(2))

    def edges(self, states: Tensor, kinds: Tensor) -> Tensor:
        """Weigh the edges of the graph.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        kinds : Tensor of int64, shape (n_users, n_states)
            0 padding, 1 token, 2 region, 3 mark.

        Returns
        -------
        Tensor, shape (n_users, n_states, n_states)
            Weights, of which each row adds up to 1.
        """
        unit = functional.normalize(states, dim=2)
        similar = (unit @ unit.transpose(1, 2)).clamp(min=0)
        across = (kinds == TOKEN).unsqueeze(2) & (kinds == REGION).unsqueeze(1)
        across = across | across.transpose(1, 2)
        itself = torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
        edges = similar * across + itself
        return edges / edges.sum(dim=2, keepdim=True)

    def forward(self, states: Tensor, kinds: Tensor) -> Tensor:
        """Carry what regions say to tokens, and back.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            States.
        kinds : Tensor of int64, shape (n_users, n_states)
            0 padding, 1 token, 2 region, 3 mark.

        Returns
        -------
        Tensor, shape (n_users, n_states, n_features)
            States of the second layer.
        """
        edges = self.edges(states, kinds)
        for layer in self.layers:
            states = torch.relu(layer(edges @ states))
        return states


class AoM(VLPMABSA):
    """Encoder of regions and text, attention to attributes, graph, decoder of profiles.

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
        What to ask about each task, in the order of the profile. Their headers name the
        attributes.
    sources : mapping of {"text", "captions", "images"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens of text to read of a user, with the one that ends it; the regions of
        images come on top.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.
    """

    def __init__(
        self,
        language_model: nn.Module,
        image_encoder: nn.Module | None,
        fusion: nn.Module | None,
        *,
        ids: TokenIds,
        questions: Sequence[Question],
        sources: Mapping[str, str],
        max_tokens: int,
        normalise_length: bool,
    ) -> None:
        super().__init__(
            language_model,
            image_encoder,
            fusion,
            ids=ids,
            questions=questions,
            sources=sources,
            max_tokens=max_tokens,
            normalise_length=normalise_length,
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
        headers = [question.header for question in self.questions]
        rows = TokenRows.from_lists(headers, next(self.parameters()).device)
        ids, is_token = rows.first(self.max_tokens).padded(self.ids.pad)
        model: Any = self.language_model
        read = model.get_encoder()(input_ids=ids, attention_mask=is_token.long())
        there = is_token.unsqueeze(2)
        names: Tensor = (read.last_hidden_state * there).sum(dim=1) / there.sum(dim=1)
        return names

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
        states = self.attention(states, self.attributes())
        return states + self.graph(states, kinds), kinds != PADDING
