"""A profile written by a decoder alone (LLaMA, GLM), as the continuation of a text."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.architectures.generators._kv_cache import cache_name, widened
from sklearn_profiling.architectures.generators._tokens import (
    ProfileDescription,
    ProfileInputs,
    TaskPrompt,
    TokenRows,
)
from sklearn_profiling.architectures.generators.profile_generator import (
    BaseGenerator,
    n_positions,
)
from sklearn_profiling.architectures.layers.sources import SourceDescription
from sklearn_profiling.exceptions import SourceError

__all__ = ["CausalLM", "PromptCache"]

_ROWS_AT_ONCE = 128
"""Answers to score at a time: each takes the prompt of its user once more."""


class PromptCache(NamedTuple):
    """KV cache of a decoder that has read the prompts of users.

    `cache` has the interface of Hugging Face's caches; `is_state` (n_users, n_states)
    is False where padded.
    """

    cache: Any
    is_state: Tensor

    def repeated(self, users: Tensor) -> PromptCache:
        """Choose users (n_rows,), also several times, into a cache of its own."""
        cache = copy.copy(self.cache)
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        cache.batch_select_indices(users)
        return PromptCache(cache, self.is_state[users])


def _prompt_room(
    language_model: nn.Module,
    profile: ProfileDescription,
    max_tokens: int,
    n_image_tokens: int,
) -> int:
    """Tokens of the prompt that have positions beside images and profile."""
    most = n_positions(language_model)
    if most is None:
        return max_tokens
    room = min(max_tokens, most - profile.longest - n_image_tokens)
    if room <= profile.around.n_tokens:
        msg = (
            f"the language model reads {most} tokens; the longest profile takes "
            f"{profile.longest} of them and images {n_image_tokens}, so that no text "
            "would be read. Take another model, fewer images or fewer classes"
        )
        raise SourceError(msg)
    return room


class CausalLM(BaseGenerator):
    """Decoder that reads the text of a user and writes the profile after it.

    Its states are the vectors of tokens, on the right of a table, so that what is
    written follows without a gap.

    Parameters
    ----------
    sources, n_classes : as in ProfileGenerator
        What is read, and the classes.
    language_model : Module
        Decoder with the interface of Hugging Face's models for causal language
        modelling (LLaMA, GLM, GPT-2), whose attention keeps a KV cache.
    profile : ProfileDescription
        How profiles are written, and the tokens around the text, at least one behind.
    captions, max_tokens, scoring : as in ProfileGenerator
        The tokens that begin and end the prompt are among the `max_tokens`.
    n_image_tokens : int, default=0
        Tokens that images take before the text at the most.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],  # noqa: ARG002 - as for all architectures
        *,
        language_model: nn.Module,
        profile: ProfileDescription,
        captions: str | None,
        max_tokens: int,
        scoring: Literal["sum", "mean"],
        n_image_tokens: int = 0,
    ) -> None:
        super().__init__(
            sources,
            language_model=language_model,
            profile=profile,
            captions=captions,
            max_tokens=_prompt_room(
                language_model, profile, max_tokens, n_image_tokens
            ),
            scoring=scoring,
        )
        model: Any = language_model
        self._known = {*inspect.signature(model.forward).parameters}

    def freezable(self) -> dict[str, list[nn.Parameter]]:
        """List the parameters of the parts that may be frozen.

        Returns
        -------
        dict of str to list of Parameter
            The table of tokens; all but it, LoRA and what turns states into logits; and
            the encoder of images.
        """
        model: Any = self.language_model
        table = {*map(id, model.get_input_embeddings().parameters())}
        body = [
            value
            for name, value in model.base_model.named_parameters()
            if "lora_" not in name and id(value) not in table
        ]
        return {
            "embeddings": [p for p in model.parameters() if id(p) in table],
            "layers": body,
            "image_encoder": self._image_parameters(),
        }

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
        ids, is_token = self._read_text(inputs)  # (n_users, n_tokens)
        states = self._prompt_vectors(ids, inputs)
        order = is_token.long().argsort(dim=1, stable=True)
        moved = states.gather(1, order.unsqueeze(2).expand_as(states))
        return moved, is_token.gather(1, order)

    def _prompt_vectors(self, ids: Tensor, inputs: ProfileInputs) -> Tensor:  # noqa: ARG002 - images, for LLaVA
        """Vectors of the tokens of prompts: (n_users, n_tokens, n_features)."""
        return self._vectors(ids)

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
            Log-probabilities.
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
            use_cache=use_cache,
            **{cache_name(model): cache},
            **{name: value for name, value in options.items() if name in self._known},
        )
        found.logits = found.logits[:, -n_last:]
        return found

    def fill_cache(self, states: Tensor, is_state: Tensor) -> PromptCache:
        """Read the prompts once, for several answers to each.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.

        Returns
        -------
        PromptCache
            Keys and values of the prompts.
        """
        found = self._run(states, is_state, 1)
        cache = getattr(found, cache_name(self.language_model))
        return PromptCache(cache, is_state)

    def answer_scores(
        self,
        states: Tensor,
        is_state: Tensor,
        prefixes: list[list[int]],
        prompt: TaskPrompt,
        cache: Any = None,
    ) -> Tensor:
        """Score each answer after the prefix of each user.

        Parameters
        ----------
        states : Tensor, shape (n_users, n_states, n_features)
            What :meth:`encode` gives.
        is_state : Tensor of bool, shape (n_users, n_states)
            False where padded.
        prefixes : list of list of int
            Tokens before the answer, for each user; at least one.
        prompt : TaskPrompt
            The answers.
        cache : PromptCache, default=None
            What :meth:`fill_cache` gives, if it was called before.

        Returns
        -------
        Tensor, shape (n_users, n_answers)
            Sum, or mean, of the log-probabilities of its tokens.
        """
        prompts: PromptCache = cache or self.fill_cache(states, is_state)
        answers, device = prompt.answers, states.device
        lengths = torch.tensor([len(answer) for answer in answers], device=device)
        step = max(1, _ROWS_AT_ONCE // len(answers))
        parts = []
        for start in range(0, len(prefixes), step):
            some = prefixes[start : start + step]
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
            # One row a user, one column an answer.
            scores = (each * is_answer).sum(dim=1).reshape(-1, len(answers))
            parts.append(scores / lengths if self.normalise_length else scores)
        return torch.cat(parts)

    def _likely_after(self, prompts: PromptCache, written: Tensor) -> Tensor:
        """Of each token but the first, shape (n_rows, n_written - 1)."""
        before = written[:, :-1]
        new = torch.ones_like(before, dtype=torch.bool)
        there = torch.cat([prompts.is_state, new], dim=1)
        found = self._run(self._vectors(before), there, before.shape[1], prompts.cache)
        return _likely(found.logits, written[:, 1:])


def _likely(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probabilities of tokens, in their shape."""
    costs = functional.cross_entropy(
        widened(logits).flatten(0, 1), tokens.flatten(), reduction="none"
    )
    return -costs.reshape(tokens.shape)
