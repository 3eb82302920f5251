"""Random layers that draw from a generator of their own.

Torch's dropout draws from the global generator: two nets trained in two threads would
change each other's results. Without a generator from the training loop it serves here.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["Dropout", "RandomLayer", "SourceDropout"]


class RandomLayer(nn.Module):
    """Base of layers that need random numbers in training."""

    def __init__(self, probability: float = 0.0) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None

    def _keep(self, like: Tensor, shape: tuple[int, ...], probability: float) -> Tensor:
        # Drawn on the generator's device, which is the CPU, so that a seed means the
        # same on every device. Sixteen bits an entry, four of them out of one draw.
        device = "cpu" if self.generator is None else self.generator.device
        n_entries = math.prod(shape)
        words = torch.empty(-(-n_entries // 4), dtype=torch.int64, device=device)
        words.random_(-(2**63), None, generator=self.generator)
        drawn = words.view(torch.int16)[:n_entries].view(shape)
        return (drawn >= round(probability * 2**16) - 2**15).to(like.device)

    def __getstate__(self) -> dict[str, object]:
        # Generators cannot be pickled; the training loop hands out a new one.
        return {**self.__dict__, "generator": None}


class Dropout(RandomLayer):
    """Set each entry to zero with some probability in [0, 1) and scale up the rest."""

    def forward(self, values: Tensor) -> Tensor:
        """Drop entries of any tensor in training, pass them in evaluation."""
        if not self.training or self.probability == 0.0:
            return values
        keep = self._keep(values, tuple(values.shape), self.probability)
        return values * (keep.to(values.dtype) / (1.0 - self.probability))


class SourceDropout(RandomLayer):
    """Hide a source of some users, so that its missing-source embedding is learned."""

    def forward(self, present: Tensor) -> Tensor:
        """Which of (n_users,) have the source and are not hidden: bool (n_users,)."""
        if not self.training or self.probability == 0.0:
            return present
        return present & self._keep(present, tuple(present.shape), self.probability)
