r"""Memory that training a decoder with LoRA takes, computed from shapes.

    python benchmarks/speed/generator_memory.py
    python benchmarks/speed/generator_memory.py --tokens 2048 --rank 16

A LLaMA with 7 billion parameters is built on torch's device "meta", which has shapes
and no numbers, with the parameters that are not trained in bfloat16 and LoRA in 32
bits, as ``CausalLMProfileClassifier(lora={}, frozen_dtype="bfloat16")`` holds it.
Activations are what autograd keeps of a forward pass: with checkpointing the input of
each layer, and what one layer keeps while its gradient is computed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from transformers import LlamaConfig, LlamaForCausalLM

from sklearn_profiling.training.generators.lora import add_lora

GIB = 2**30
LLAMA_7B: dict[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 4096,
}


def _address(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - no other without data


class Kept:
    """Bytes that autograd keeps, each storage once and parameters not at all."""

    def __init__(self, module: nn.Module) -> None:
        self.storages: dict[int, torch.Tensor] = {}
        self._parameters = {_address(p) for p in module.parameters()}

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        """Count a tensor that autograd keeps."""
        key = _address(tensor)
        if key not in self._parameters:
            # Held, so that no later storage gets the same address.
            self.storages[key] = tensor
        return tensor

    @property
    def n_bytes(self) -> int:
        """All that is kept."""
        return sum(t.untyped_storage().nbytes() for t in self.storages.values())


def build(
    settings: dict[str, Any], rank: int, half: torch.dtype = torch.bfloat16
) -> Any:
    """Build a decoder with LoRA, without numbers."""
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**settings))
        add_lora(model, {"rank": rank}, "memory")
    for value in model.parameters():
        if not value.requires_grad:
            value.data = value.data.to(half)
    return model.train()


def kept_bytes(
    model: Any, n_users: int, n_tokens: int, n_written: int, half: torch.dtype
) -> int:
    """Count what autograd keeps of one forward pass, up to the loss of a profile."""
    config = model.config
    with torch.device("meta"):
        shape = n_users, n_tokens, config.hidden_size
        # With a gradient, so that the first layer keeps as much as the others.
        vectors = torch.zeros(shape, dtype=half, requires_grad=True)
        mask = torch.ones(n_users, 1, n_tokens, n_tokens, dtype=torch.bool)
        labels = torch.zeros(n_users, n_written, dtype=torch.int64)
        kept = Kept(model)
        with saved_tensors_hooks(kept.pack, lambda tensor: tensor):
            logits = model(
                inputs_embeds=vectors,
                # Of four dimensions, since others are looked into.
                attention_mask=mask,
                use_cache=False,
                logits_to_keep=n_written,
            ).logits
            nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
    return kept.n_bytes


def memory(
    *,
    settings: dict[str, Any] = LLAMA_7B,
    rank: int = 8,
    n_users: int = 1,
    n_tokens: int = 1024,
    n_written: int = 64,
    checkpointing: bool = True,
) -> dict[str, int]:
    """Bytes by what they are for."""
    half = torch.bfloat16
    model = build(settings, rank)
    frozen = [p for p in model.parameters() if not p.requires_grad]
    trained = [p for p in model.parameters() if p.requires_grad]
    adapters = sum(p.numel() * p.itemsize for p in trained)
    found = {
        "weights, 16 bits": sum(p.numel() * p.itemsize for p in frozen),
        "adapters, 32 bits": adapters,
        "gradients of adapters": adapters,
        "Adam, two moments": 2 * adapters,
    }
    shape = (n_users, n_tokens, n_written, half)
    if not checkpointing:
        found["activations"] = kept_bytes(model, *shape)
        return found
    # What a layer keeps: the difference that one more makes.
    one, two = (
        kept_bytes(build({**settings, "num_hidden_layers": n}, rank), *shape)
        for n in (1, 2)
    )
    config = model.config
    n_inputs = config.num_hidden_layers * n_users * n_tokens * config.hidden_size
    found["inputs of layers"] = n_inputs * half.itemsize
    found["one layer, recomputed"] = two - one
    found["logits and the last norm"] = 2 * one - two
    return found


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=1, help="computed at a time")
    parser.add_argument(
        "--tokens", type=int, default=1024, help="of prompt and profile"
    )
    parser.add_argument("--written", type=int, default=64, help="of the profile")
    parser.add_argument("--rank", type=int, default=8, help="of LoRA")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    for checkpointing in (True, False):
        found = memory(
            rank=given.rank,
            n_users=given.users,
            n_tokens=given.tokens,
            n_written=given.written,
            checkpointing=checkpointing,
        )
        print(f"\n{'with' if checkpointing else 'without'} gradient checkpointing")
        for name, n_bytes in {**found, "sum": sum(found.values())}.items():
            print(f"{name:32}{n_bytes / GIB:8.2f} GiB")


if __name__ == "__main__":
    main()
