"""Dense layers from the joined sources of a user to the logits of each task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.randomness import Dropout

__all__ = ["LogitLayer", "TaskHeads", "dense_stack"]


class LogitLayer(nn.Linear):
    """Last layer of an architecture, which gives the logits of a task."""

    def begin_at_zero(self) -> None:
        """Set weights and biases to zero, so that all logits are zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def dense_stack(n_inputs: int, n_hidden: Sequence[int], n_outputs: int) -> nn.Module:
    """Dense layers with ReLU, and a linear layer behind them (eq. 7 and 8)."""
    layers: list[nn.Module] = []
    for units in n_hidden:
        layers += [nn.Linear(n_inputs, units), nn.ReLU()]
        n_inputs = units
    return nn.Sequential(*layers, LogitLayer(n_inputs, n_outputs))


class TaskHeads(nn.Module):
    """A shared layer, then one stack of dense layers a task (eq. 7 to 9)."""

    def __init__(
        self,
        n_inputs: int,
        n_shared: int,
        n_hidden: Sequence[int],
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.shared = nn.Linear(n_inputs, n_shared)
        self.tasks = nn.ModuleList(
            dense_stack(n_shared, n_hidden, n) for n in n_classes
        )
        self.dropout = Dropout(dropout)

    def forward(self, joined: Tensor) -> tuple[Tensor, ...]:
        """Classify joined sources (n_users, n_inputs): (n_users, n_classes) a task."""
        shared = self.dropout(torch.relu(self.shared(joined)))  # (n_users, n_shared)
        return tuple(head(shared) for head in self.tasks)
