"""Log-odds of other classifiers, added to the logits of an architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["OffsetLogits", "without_offset"]


class OffsetLogits(nn.Module):
    """An architecture whose logits are corrections of those of other classifiers.

    logits = factor x log-odds + share x architecture, with one learned factor for each
    source of log-odds and task. Users without the source get no offset. The share of a
    task, 1 at first, is set after training.

    Parameters
    ----------
    architecture : Module
        Takes the sources of a batch and gives the logits of each task.
    names : sequence of str
        Sources (n_users, sum of `n_classes`) of log-odds, one task after the other.
    n_classes : sequence of int
        Number of classes of each task.
    """

    def __init__(
        self, architecture: nn.Module, names: Sequence[str], n_classes: Sequence[int]
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.names = list(names)
        self.n_classes = list(n_classes)
        self.gap = int(getattr(architecture, "gap", 0))
        # A list, since torch forbids dots in the keys of a ParameterDict.
        self.factors = nn.ParameterList(
            nn.Parameter(torch.ones(len(self.n_classes))) for _ in self.names
        )
        self.register_buffer("shares", torch.ones(len(self.n_classes)))
        self.shares: Tensor

    def begin_at(self, factors: Tensor) -> None:
        """Set the factors (n_names, n_tasks); they are 1 without it."""
        with torch.no_grad():
            for own, given in zip(self.factors, factors, strict=True):
                own.copy_(given)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits, as the architecture does: (n_users, n_classes) a task."""
        of_net = self.architecture(sources, present)
        logits = tuple(k * part for k, part in zip(self.shares, of_net, strict=True))
        for offset in self.offsets(sources, present):
            logits = tuple(a + b for a, b in zip(logits, offset, strict=True))
        return logits

    def offsets(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> Iterator[tuple[Tensor, ...]]:
        """Yield what each source of log-odds adds: (n_users, n_classes) a task."""
        for name, factors in zip(self.names, self.factors, strict=True):
            there = present[name].unsqueeze(-1)
            # log-odds are a dense source, which the estimator has checked
            odds: Tensor = torch.where(there, sources[name], 0.0)  # type: ignore[arg-type]
            parts = torch.split(odds, self.n_classes, dim=1)
            yield tuple(k * part for k, part in zip(factors, parts, strict=True))


def without_offset(module: nn.Module) -> nn.Module:
    """Find the architecture of a module that may add log-odds to its logits."""
    return module.architecture if isinstance(module, OffsetLogits) else module
