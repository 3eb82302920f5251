"""Beam search: the profiles that a generator finds most likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sklearn_profiling._optional import import_optional
from sklearn_profiling.architectures.generators._kv_cache import (
    read_states,
    shared_memory,
)
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    TokenIds,
)
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.net import ProfileNet

__all__ = [
    "continue_texts",
    "generate_texts",
    "search",
    "search_settings",
    "text_of_row",
]


def generate_texts(
    net: ProfileNet,
    dataset: UserDataset,
    decode: Callable[[Sequence[int]], str],
    *,
    n_beams: int,
    max_new_tokens: int,
) -> list[str]:
    """Write the profiles of all users.

    Parameters
    ----------
    net : ProfileNet
        A trained net around a :class:`ProfileGenerator`.
    dataset : UserDataset
        Users.
    decode : callable
        From token ids to text.
    n_beams : int
        Beams of the search; 1 takes the most likely token each time.
    max_new_tokens : int
        Where to stop at the latest.

    Returns
    -------
    list of str
        One text a user, valid or not.
    """
    module: ProfileGenerator = net.module_
    how = search_settings(module.ids, n_beams, max_new_tokens)
    module.eval()
    texts: list[str] = []
    with torch.inference_mode():
        for users, _ in net.get_iterator(dataset, training=False):
            batch = users.to(net.device)
            states, is_state = module.encode(module.inputs(batch.sources))
            found = search(module, states, is_state, how)
            texts += [text_of_row(row, decode, module) for row in found[:, 1:].tolist()]
    return texts


def search_settings(ids: TokenIds, n_beams: int, max_new_tokens: int) -> Any:
    """Say how to search.

    Parameters
    ----------
    ids : TokenIds
        Ids of the language model.
    n_beams : int
        Beams.
    max_new_tokens : int
        Where to stop at the latest.

    Returns
    -------
    transformers.GenerationConfig
        The settings.
    """
    package = import_optional(
        "transformers", extra="multimodal", purpose="Generating profiles"
    )
    return package.GenerationConfig(
        num_beams=n_beams,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=ids.pad,
        eos_token_id=ids.end,
        decoder_start_token_id=ids.start,
    )


def search(
    module: ProfileGenerator, states: Tensor, is_state: Tensor, how: Any
) -> Tensor:
    """Search for the most likely text after some states.

    Parameters
    ----------
    module : ProfileGenerator
        The generator.
    states : Tensor, shape (n_users, n_states, n_features)
        What its ``encode`` gives.
    is_state : Tensor of bool, shape (n_users, n_states)
        False where padded.
    how : transformers.GenerationConfig
        Beams and lengths.

    Returns
    -------
    Tensor of int64, shape (n_users, n_tokens)
        Tokens, after the one that starts a text.

    Notes
    -----
    Finds what the model's own ``generate`` finds. The attention to the states is
    prepared once a user, and not put in another order with the beams.
    """
    outputs = import_optional(
        "transformers.modeling_outputs", extra="multimodal", purpose="Generation"
    )
    model: Any = module.language_model
    memory = read_states(model, states, is_state, module.ids.start)
    everybody = torch.arange(len(states), device=states.device)
    found: Tensor = model.generate(
        # Made anew each time: the search repeats the states in place.
        encoder_outputs=outputs.BaseModelOutput(last_hidden_state=states),
        attention_mask=is_state.long(),
        past_key_values=shared_memory(memory, everybody, how.num_beams, at_once=True),
        generation_config=how,
    )
    return found


def text_of_row(
    row: list[int], decode: Callable[[Sequence[int]], str], module: ProfileGenerator
) -> str:
    """Decode what was written before the end.

    Parameters
    ----------
    row : list of int
        Tokens.
    decode : callable
        From token ids to text.
    module : ProfileGenerator
        Whose ids they are.

    Returns
    -------
    str
        The text.
    """
    if module.ids.end in row:
        row = row[: row.index(module.ids.end)]
    return decode([k for k in row if k != module.ids.pad])


def continue_texts(
    net: ProfileNet,
    dataset: UserDataset,
    decode: Callable[[Sequence[int]], str],
    *,
    n_beams: int,
    max_new_tokens: int,
) -> list[str]:
    """Write the profiles of all users.

    Parameters
    ----------
    net : ProfileNet
        A trained net around a :class:`CausalLM`.
    dataset : UserDataset
        Users.
    decode : callable
        From token ids to text.
    n_beams : int
        Beams of the search; 1 takes the most likely token each time.
    max_new_tokens : int
        Where to stop at the latest.

    Returns
    -------
    list of str
        One text a user, valid or not; without the prompt.
    """
    package = import_optional(
        "transformers", extra="multimodal", purpose="Generating profiles"
    )
    module: CausalLM = net.module_
    model: Any = module.language_model
    ids = module.ids
    how = package.GenerationConfig(
        num_beams=n_beams,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=ids.pad,
        eos_token_id=ids.end,
        bos_token_id=ids.start,
    )
    module.eval()
    texts: list[str] = []
    with torch.inference_mode():
        for users, _ in net.get_iterator(dataset, training=False):
            batch = users.to(net.device)
            states, is_state = module.encode(module.inputs(batch.sources))
            found = model.generate(
                inputs_embeds=states,
                attention_mask=is_state.long(),
                generation_config=how,
            )
            for row in found.tolist():
                written = row[: row.index(ids.end)] if ids.end in row else row
                texts.append(decode([k for k in written if k != ids.pad]))
    return texts
