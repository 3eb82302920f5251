"""Beam search with a decoder alone: profiles written after a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from sklearn_profiling._optional import import_optional
from sklearn_profiling.architectures.causal_lm import CausalLM
from sklearn_profiling.training.batches import UserDataset
from sklearn_profiling.training.net import ProfileNet

__all__ = ["continue_texts"]


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
