"""From joined sources to the logits of each task."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["TaskHeads"]


class TaskHeads(nn.Module):
    """One stack of dense layers a task (eq. 7 to 9, before the softmax).

    Parameters
    ----------
    n_inputs : int
        Length of the shared representation.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    """

    def __init__(
        self, n_inputs: int, n_hidden: Sequence[int], n_classes: Sequence[int]
    ) -> None:
        super().__init__()
        self.tasks = nn.ModuleList()
        for n_outputs in n_classes:
            layers: list[nn.Module] = []
            width = n_inputs
            for units in n_hidden:
                layers += [nn.Linear(width, units), nn.ReLU()]
                width = units
            self.tasks.append(nn.Sequential(*layers, nn.Linear(width, n_outputs)))

    def forward(self, shared: Tensor) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        shared : Tensor, shape (n_users, n_inputs)
            Shared representation.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        return tuple(head(shared) for head in self.tasks)
