"""A profile written by a decoder alone, which goes on where the text ends."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    ProfileInputs,
    Question,
    TokenIds,
)

__all__ = ["CausalLM", "ReadPrompts"]

_ROWS_AT_ONCE = 128
"""Answers to score at a time: each takes the prompt of its user once more."""


class ReadPrompts(NamedTuple):
    """What a decoder remembers of the prompts that it has read.

    Attributes
    ----------
    cache : Cache
        Keys and values, with the interface of Hugging Face's caches.
    is_state : Tensor of bool, shape (n_users, n_states)
        False where padded.
    """

    cache: Any
    is_state: Tensor

    def repeated(self, users: Tensor) -> ReadPrompts:
        """Choose users, also several times.

        Parameters
        ----------
        users : Tensor of int64, shape (n_rows,)
            Rows of users.

        Returns
        -------
        ReadPrompts
            Their prompts, in a cache of its own.
        """
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        cache.batch_select_indices(users)
        return ReadPrompts(cache, self.is_state[users])


class CausalLM(ProfileGenerator):
    """Decoder that reads the text of a user and writes the profile after it.

    :class:`ProfileGenerator` without an encoder: its states are the vectors of tokens,
    on the right of a table, so that what is written follows without a gap.

    Parameters
    ----------
    language_model : Module
        Decoder with the interface of Hugging Face's models for causal language
        modelling (LLaMA, GLM, GPT-2), whose attention keeps a cache.
    image_encoder : Module or None
        From FlatImages to the states of each image; None reads no image.
    fusion : Module or None
        Puts what comes of images into the prompt; goes with `image_encoder`.
    ids : TokenIds
        Ids of the language model.
    questions : sequence of Question
        What to ask about each task, in the order of the profile.
    sources : mapping of {"text", "captions", "images"} to str
        Names of the sources to read.
    max_tokens : int
        Tokens of text to read of a user, with those that begin and end the prompt.
    normalise_length : bool
        Whether the score of an answer is the mean over its tokens, not the sum.
    request : sequence of int
        Tokens that end the prompt, at least one.
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
        request: Sequence[int],
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
        self.request = list(request)
        model: Any = language_model
        self._known = {*inspect.signature(model.forward).parameters}

    def _read_text(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Ids and mask of shape (n_users, n_tokens): start, text, request."""
        device = inputs.reviews.ids.device
        room = max(0, self.max_tokens - 1 - len(self.request))
        text = self._fitting_text(inputs, room)
        start = TokenRows.from_lists([[self.ids.start]] * inputs.n_users, device)
        request = TokenRows.from_lists([self.request] * inputs.n_users, device)
        return start.join(text).join(request).padded(self.ids.pad)

    def encode(self, inputs: ProfileInputs) -> tuple[Tensor, Tensor]:
        """Look up the vectors of the prompts.

        Parameters
        ----------
        inputs : ProfileInputs
            What to read.

        Returns
        -------
        states : Tensor, shape (n_users, n_states, n_features)
            Vectors of the tokens, and of images where there are any.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded, which is on the left.
        """
        ids, is_token = self._read_text(inputs)
        states, seen = self._vectors(ids), self.image_states(inputs.images)
        if self.fusion is not None and seen is not None:
            states, is_token = self.fusion(states, is_token, *seen)
        order = is_token.long().argsort(dim=1, stable=True)
        moved = states.gather(1, order.unsqueeze(2).expand_as(states))
        return moved, is_token.gather(1, order)

    def _vectors(self, ids: Tensor) -> Tensor:
        model: Any = self.language_model
        vectors: Tensor = model.get_input_embeddings()(ids)
        return vectors

    def token_log_likelihoods(
        self, states: Tensor, is_state: Tensor, written: Tensor
    ) -> Tensor:
        """Compute how likely each token of a text is after those before it.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        written : Tensor of int64, shape (n_users, n_written)
            Tokens.

        Returns
        -------
        Tensor, shape (n_users, n_written)
            Logarithms of probabilities.
        """
        before = written[:, :-1]
        vectors = torch.cat([states, self._vectors(before)], dim=1)
        there = torch.cat([is_state, torch.ones_like(before, dtype=torch.bool)], dim=1)
        logits = self._run(vectors, there, written.shape[1], use_cache=False).logits
        return _likely(logits, written)

    def _run(
        self,
        vectors: Tensor,
        there: Tensor,
        n_last: int,
        cache: Any = None,
        *,
        use_cache: bool = True,
    ) -> Any:
        """Run the decoder; its logits are those of the last tokens alone."""
        n_new = vectors.shape[1]
        positions = (there.long().cumsum(dim=1) - 1).clamp(min=0)[:, -n_new:]
        options = {"position_ids": positions, "logits_to_keep": n_last}
        model: Any = self.language_model
        found = model(
            inputs_embeds=vectors,
            attention_mask=there.long(),
            past_key_values=cache,
            use_cache=use_cache,
            **{name: value for name, value in options.items() if name in self._known},
        )
        found.logits = found.logits[:, -n_last:]
        return found

    def _remember(self, states: Tensor, is_state: Tensor) -> ReadPrompts:
        """Read the prompts once, for several answers to each."""
        found = self._run(states, is_state, 1)
        return ReadPrompts(found.past_key_values, is_state)

    def answer_scores(
        self,
        states: Tensor,
        is_state: Tensor,
        said: list[list[int]],
        question: Question,
        memory: Any = None,
    ) -> Tensor:
        """Score each answer to a question.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        said : list of list of int
            Tokens before the answer, for each user; at least one.
        question : Question
            The answers.
        memory : ReadPrompts, default=None
            What the decoder remembers of the prompts, if it has read them before.

        Returns
        -------
        Tensor, shape (n_users, n_answers)
            Sum, or mean, of the logarithms of the probabilities of its tokens.
        """
        prompts: ReadPrompts = memory or self._remember(states, is_state)
        answers, device = question.answers, states.device
        lengths = torch.tensor([len(answer) for answer in answers], device=device)
        step = max(1, _ROWS_AT_ONCE // len(answers))
        parts = []
        for start in range(0, len(said), step):
            some = said[start : start + step]
            rows = [row + answer for row in some for answer in answers]
            tokens, is_token = TokenRows.from_lists(rows, device).padded(self.ids.pad)
            users = torch.arange(start, start + len(some), device=device)
            each = self._likely_after(
                prompts.repeated(users.repeat_interleave(len(answers))), tokens
            )
            n_answer = lengths.repeat(len(some)).unsqueeze(1)
            n_row = is_token.sum(dim=1, keepdim=True)
            steps = torch.arange(1, tokens.shape[1], device=device)
            is_answer = (steps >= n_row - n_answer) & is_token[:, 1:]
            scores = (each * is_answer).sum(dim=1).reshape(-1, len(answers))
            parts.append(scores / lengths if self.normalise_length else scores)
        return torch.cat(parts)

    def _likely_after(self, prompts: ReadPrompts, written: Tensor) -> Tensor:
        """Of each token but the first, shape (n_rows, n_written - 1)."""
        before = written[:, :-1]
        new = torch.ones_like(before, dtype=torch.bool)
        there = torch.cat([prompts.is_state, new], dim=1)
        found = self._run(self._vectors(before), there, before.shape[1], prompts.cache)
        return _likely(found.logits, written[:, 1:])


def _likely(logits: Tensor, tokens: Tensor) -> Tensor:
    """Logarithms of the probabilities of tokens, in their shape."""
    costs = functional.cross_entropy(
        logits.flatten(0, 1), tokens.flatten(), reduction="none"
    )
    return -costs.reshape(tokens.shape)
