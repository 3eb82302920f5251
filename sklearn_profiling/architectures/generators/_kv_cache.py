"""The KV cache of a decoder's attention to states, shared by several texts of a user.

Works on the caches that Hugging Face's sequence-to-sequence models give and take.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_profiling.architectures.generators._tokens import TokenRows

__all__ = [
    "RepeatedLayer",
    "cache_name",
    "cache_states",
    "score_answers",
    "select_rows",
    "widened",
]

_ROWS_AT_ONCE = 256
"""Answers to score at a time: each takes the states of its user once more."""
_TOKENS_AT_ONCE = 2048
"""Tokens of answers at a time: each takes a row of logits, one for each word."""


class RepeatedLayer:
    """Keys and values of one layer's attention to states, `times` rows of each user.

    Both are (n_users, n_heads, n_states, n_features), and repeated when they are read,
    so that only one layer's repeated keys and values are held at a time.
    """

    def __init__(self, keys: Tensor, values: Tensor, times: int) -> None:
        self._keys = keys
        self._values = values
        self.times = times

    @property
    def keys(self) -> Tensor:
        """Keys, shape (n_users * times, n_heads, n_states, n_features)."""
        return self._repeated(self._keys)

    @property
    def values(self) -> Tensor:
        """Values, of the same shape."""
        return self._repeated(self._values)

    def _repeated(self, given: Tensor) -> Tensor:
        return given if self.times == 1 else given.repeat_interleave(self.times, dim=0)

    def get_seq_length(self) -> int:
        """Tell the number of states."""
        return int(self._keys.shape[2])

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Do nothing: a beam takes the place of another one of the same user."""


def cache_name(model: Any) -> str:
    """Tell what a model calls its cache: "past_key_values" before transformers 5.24."""
    known = inspect.signature(model.forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def cache_states(model: Any, states: Tensor, is_state: Tensor, start: int) -> Any:
    """Compute the decoder's cache of states (n_users, n_states, n_features).

    It holds no token yet; `start` may be any token.
    """
    found = model(
        encoder_outputs=(states,),
        attention_mask=is_state.long(),
        decoder_input_ids=torch.full((len(states), 1), start, device=states.device),
        use_cache=True,
    )
    cache = getattr(found, cache_name(model))
    cache.crop(-1)
    return cache


def select_rows(cache: Any, rows: Tensor, times: int, *, at_once: bool = False) -> Any:
    """Choose users (n_chosen,) from a cache, `times` rows of each; it stays as it is.

    `at_once` repeats the states now, for many steps, instead of in each.
    """
    found = copy.copy(cache)
    for name in ("self_attention_cache", "cross_attention_cache"):
        part = copy.copy(getattr(cache, name))
        part.layers = [copy.copy(layer) for layer in part.layers]
        setattr(found, name, part)
    found.is_updated = dict(cache.is_updated)
    each = rows.repeat_interleave(times)
    for layer in found.self_attention_cache.layers:
        layer.keys, layer.values = layer.keys[each], layer.values[each]
    if at_once:
        rows, times = each, 1
    found.cross_attention_cache.layers = [
        RepeatedLayer(layer.keys[rows], layer.values[rows], times)
        for layer in found.cross_attention_cache.layers
    ]
    return found


def score_answers(
    model: Any,
    cache: Any,
    is_state: Tensor,
    prefixes: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    *,
    normalise_length: bool,
) -> Tensor:
    """Log-probability of each answer after the prefix of each user.

    (n_users, n_answers); the mean over the tokens of an answer if `normalise_length`,
    else the sum. States and prefixes are computed once a user, not once an answer.
    Users whose prefixes are equally long go together, so that none is padded.
    """
    by_length: dict[int, list[int]] = {}
    for user, row in enumerate(prefixes):
        by_length.setdefault(len(row), []).append(user)
    tokens = TokenRows.from_lists([list(each) for each in answers], is_state.device)
    written, is_token = tokens.padded(0)
    most = min(_ROWS_AT_ONCE, _TOKENS_AT_ONCE // written.shape[1])
    step = max(1, most // len(answers))
    order, parts = [], []
    for users in by_length.values():
        for start in range(0, len(users), step):
            chosen = users[start : start + step]
            rows = torch.tensor(chosen, device=is_state.device)
            prefix = torch.tensor(
                [list(prefixes[k]) for k in chosen], device=rows.device
            )
            own = select_rows(cache, rows, 1)
            each = _log_likelihoods(model, own, is_state[rows], prefix, written)
            order += chosen
            parts.append((each * is_token).sum(dim=2))
    back = torch.tensor(order, device=is_state.device).argsort()
    scores = torch.cat(parts)[back]
    return scores / is_token.sum(dim=1) if normalise_length else scores


def _log_likelihoods(
    model: Any, cache: Any, is_state: Tensor, prefix: Tensor, written: Tensor
) -> Tensor:
    """Of each token of each answer, shape (n_users, n_answers, n_tokens)."""
    n_users, n_answers = len(prefix), len(written)
    logits = _next_logits(model, cache, is_state, prefix)[:, -1]
    first = logits.log_softmax(dim=1)[:, written[:, 0]].unsqueeze(2)
    if written.shape[1] == 1:
        return first
    everybody = torch.arange(n_users, device=prefix.device)
    logits = _next_logits(
        model,
        select_rows(cache, everybody, n_answers),
        is_state.repeat_interleave(n_answers, dim=0),
        written[:, :-1].repeat(n_users, 1),
    )
    costs = functional.cross_entropy(
        logits.flatten(0, 1),
        written[:, 1:].repeat(n_users, 1).flatten(),
        reduction="none",
    )
    return torch.cat([first, -costs.reshape(n_users, n_answers, -1)], dim=2)


def _next_logits(model: Any, cache: Any, is_state: Tensor, tokens: Tensor) -> Tensor:
    """Logits of what follows each token; the cache takes the tokens in."""
    # The cache holds what is read of the states; only their shape counts.
    nothing = is_state.new_zeros((1, 1, 1), dtype=model.dtype)
    states = nothing.expand(*is_state.shape, model.config.hidden_size)
    logits: Tensor = model(
        encoder_outputs=(states,),
        attention_mask=is_state.long(),
        decoder_input_ids=tokens,
        use_cache=True,
        **{cache_name(model): cache},
    ).logits
    return widened(logits)


def widened(logits: Tensor) -> Tensor:
    """Logits in 32 bits at least, in which probabilities are computed."""
    return logits.float() if logits.itemsize == 2 else logits
