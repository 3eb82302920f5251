"""Beam search: the profiles that a generator finds most likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sklearn_profiling._optional import import_optional
from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.generators._kv_cache import (
    cache_name,
    cache_states,
    select_rows,
)
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.architectures.generators.profile_generator import BaseGenerator
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.generators.net import GeneratorNet

__all__ = ["generate_texts", "search"]


@fixed_threads()
def generate_texts(
    net: GeneratorNet,
    dataset: UserDataset,
    decode: Callable[[Sequence[int]], str],
    *,
    n_beams: int,
) -> list[str]:
    """Write the profiles of all users, valid or not; `decode` turns ids into text.

    One beam takes the most likely token each time.
    """
    package = import_optional(
        "transformers", extra="multimodal", purpose="Generating profiles"
    )
    module: BaseGenerator = net.module_
    ids = module.ids
    how = package.GenerationConfig(
        num_beams=n_beams,
        max_new_tokens=net.tokens.longest_text + (ids.begin is not None),
        do_sample=False,
        pad_token_id=ids.pad,
        eos_token_id=ids.end,
        bos_token_id=ids.start,
        decoder_start_token_id=ids.start,
        forced_bos_token_id=ids.begin,
    )

    def text(row: list[int]) -> str:
        written = row[: row.index(ids.end)] if ids.end in row else row
        return decode([k for k in written if k != ids.pad])

    module.eval()
    profiles: list[str] = []
    with torch.inference_mode(), net.computing():
        for users, _ in net.get_iterator(dataset, training=False):
            inputs = module.inputs(users.to(net.device).sources)
            found = [
                search(module, *module.encode(reading), how).tolist()
                for reading in module.readings(inputs)
            ]
            profiles += [
                net.tokens.profile([text(row) for row in rows])
                for rows in zip(*found, strict=True)
            ]
    return profiles


def search(module: BaseGenerator, states: Tensor, is_state: Tensor, how: Any) -> Tensor:
    """Search for the most likely text after states: int64 (n_users, n_tokens).

    Finds what the model's own ``generate`` finds. An encoder's states are prepared for
    attention once a user, and not put in another order with the beams.
    """
    model: Any = module.language_model
    if isinstance(module, CausalLM):
        continued: Tensor = model.generate(
            inputs_embeds=states,
            attention_mask=is_state.long(),
            generation_config=how,
        )
        return continued
    outputs = import_optional(
        "transformers.modeling_outputs", extra="multimodal", purpose="Generation"
    )
    cache = cache_states(model, states, is_state, module.ids.start)
    everybody = torch.arange(len(states), device=states.device)
    cache = select_rows(cache, everybody, how.num_beams, at_once=True)
    found: Tensor = model.generate(
        # A new object each time: the search repeats the states in place.
        encoder_outputs=outputs.BaseModelOutput(last_hidden_state=states),
        attention_mask=is_state.long(),
        generation_config=how,
        **{cache_name(model): cache},
    )
    return found[:, len(module.ids.given) :]
