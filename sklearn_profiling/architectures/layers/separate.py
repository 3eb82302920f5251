"""Several architectures side by side that share nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["SeparateTasks"]


class SeparateTasks(nn.Module):
    """One architecture a task: what multi-task learning is compared with.

    Trained together under a sum of losses they learn as if trained alone, since no
    parameter is shared. Each gives the logits of its task alone.
    """

    def __init__(self, architectures: Iterable[nn.Module]) -> None:
        super().__init__()
        self.architectures = nn.ModuleList(architectures)
        self.gap = max(getattr(net, "gap", 0) for net in self.architectures)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Logits (n_users, n_classes) of each task, each from its own architecture."""
        return tuple(net(sources, present)[0] for net in self.architectures)
