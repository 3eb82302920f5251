"""What a decoder remembers of the states that it reads, shared by several texts.

Works on the caches that Hugging Face's sequence-to-sequence models give and take.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sklearn_profiling.architectures.generators._token_rows import TokenRows

__all__ = ["SharedStates", "read_states", "score_answers", "shared_memory"]

_ROWS_AT_ONCE = 256
"""Answers to score at a time: each takes the states of its user once more."""
_TOKENS_AT_ONCE = 2048
"""Tokens of answers at a time: each takes a row of logits, one for each word."""


class SharedStates:
    """Keys and values of one layer's attention to states, the same for several rows.

    Parameters
    ----------
    keys, values : Tensor, shape (n_users, n_heads, n_states, n_features)
        Those of each user.
    times : int
        Rows of each user, next to each other.

    Notes
    -----
    Repeated when they are read, so that those of one layer alone take memory.
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
        """Do nothing: a beam takes the place of another one of the same user.

        Parameters
        ----------
        beam_idx : Tensor of int64
            Not used.
        """


def read_states(model: Any, states: Tensor, is_state: Tensor, start: int) -> Any:
    """Compute keys and values of the decoder's attention to states.

    Parameters
    ----------
    model : Module
        Encoder and decoder.
    states : Tensor, shape (n_users, n_states, n_features)
        States of the users.
    is_state : Tensor of bool, shape (n_users, n_states)
        False where padded.
    start : int
        A token; which one makes no difference.

    Returns
    -------
    Cache
        Cache that holds the states of each user and no token yet.
    """
    memory = model(
        encoder_outputs=(states,),
        attention_mask=is_state.long(),
        decoder_input_ids=torch.full((len(states), 1), start, device=states.device),
        use_cache=True,
    ).past_key_values
    memory.crop(-1)
    return memory


def shared_memory(
    memory: Any, rows: Tensor, times: int, *, at_once: bool = False
) -> Any:
    """Choose users from a cache, several rows each.

    Parameters
    ----------
    memory : Cache
        What :func:`read_states` gives, perhaps with tokens; left as it is.
    rows : Tensor of int64, shape (n_chosen,)
        Users.
    times : int
        Rows of each.
    at_once : bool, default=False
        Whether to repeat the states now, for many steps, instead of in each.

    Returns
    -------
    Cache
        Cache of n_chosen * times rows.
    """
    found = copy.copy(memory)
    for name in ("self_attention_cache", "cross_attention_cache"):
        part = copy.copy(getattr(memory, name))
        part.layers = [copy.copy(layer) for layer in part.layers]
        setattr(found, name, part)
    found.is_updated = dict(memory.is_updated)
    each = rows.repeat_interleave(times)
    for layer in found.self_attention_cache.layers:
        layer.keys, layer.values = layer.keys[each], layer.values[each]
    if at_once:
        rows, times = each, 1
    found.cross_attention_cache.layers = [
        SharedStates(layer.keys[rows], layer.values[rows], times)
        for layer in found.cross_attention_cache.layers
    ]
    return found


def score_answers(
    model: Any,
    memory: Any,
    is_state: Tensor,
    before: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    *,
    normalise_length: bool,
) -> Tensor:
    """Compute how likely each of some answers is after what was said.

    Parameters
    ----------
    model : Module
        Encoder and decoder.
    memory : Cache
        What :func:`read_states` gives.
    is_state : Tensor of bool, shape (n_users, n_states)
        False where padded.
    before : sequence of sequence of int
        Tokens before the answer, for each user, with the one that starts all.
    answers : sequence of sequence of int
        Tokens of each answer, at least one.
    normalise_length : bool
        Whether to take the mean over the tokens of an answer, not the sum.

    Returns
    -------
    Tensor, shape (n_users, n_answers)
        Logarithms of probabilities.

    Notes
    -----
    The states and what was said before are computed once a user, not once an answer.
    Users of whom equally many tokens were said go together, so that no token before an
    answer is padding.
    """
    by_length: dict[int, list[int]] = {}
    for user, row in enumerate(before):
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
            said = torch.tensor([list(before[k]) for k in chosen], device=rows.device)
            heard = shared_memory(memory, rows, 1)
            each = _log_likelihoods(model, heard, is_state[rows], said, written)
            order += chosen
            parts.append((each * is_token).sum(dim=2))
    back = torch.tensor(order, device=is_state.device).argsort()
    scores = torch.cat(parts)[back]
    return scores / is_token.sum(dim=1) if normalise_length else scores


def _log_likelihoods(
    model: Any, memory: Any, is_state: Tensor, said: Tensor, written: Tensor
) -> Tensor:
    """Of each token of each answer, shape (n_users, n_answers, n_tokens)."""
    n_users, n_answers = len(said), len(written)
    logits = _next_logits(model, memory, is_state, said)[:, -1]
    first = logits.log_softmax(dim=1)[:, written[:, 0]].unsqueeze(2)
    if written.shape[1] == 1:
        return first
    everybody = torch.arange(n_users, device=said.device)
    logits = _next_logits(
        model,
        shared_memory(memory, everybody, n_answers),
        is_state.repeat_interleave(n_answers, dim=0),
        written[:, :-1].repeat(n_users, 1),
    )
    costs = functional.cross_entropy(
        logits.flatten(0, 1),
        written[:, 1:].repeat(n_users, 1).flatten(),
        reduction="none",
    )
    return torch.cat([first, -costs.reshape(n_users, n_answers, -1)], dim=2)


def _next_logits(model: Any, memory: Any, is_state: Tensor, tokens: Tensor) -> Tensor:
    """Logits of what follows each token; the memory takes the tokens in."""
    # The memory holds what is read of the states; only their shape counts.
    nothing = is_state.new_zeros((1, 1, 1), dtype=model.dtype)
    states = nothing.expand(*is_state.shape, model.config.hidden_size)
    logits: Tensor = model(
        encoder_outputs=(states,),
        attention_mask=is_state.long(),
        decoder_input_ids=tokens,
        past_key_values=memory,
        use_cache=True,
    ).logits
    return logits
