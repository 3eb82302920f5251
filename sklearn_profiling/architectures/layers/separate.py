"""Several architectures side by side that share nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.sources import SourceBatch

__all__ = ["SeparateTasks"]


class SeparateTasks(nn.Module):
    """One architecture a task: what multi-task learning is compared with.

    Trained together under a sum of losses they learn as if trained alone, since no
    parameter is shared.

    Parameters
    ----------
    architectures : iterable of Module
        One a task; each gives the logits of that task alone.
    """

    def __init__(self, architectures: Iterable[nn.Module]) -> None:
        super().__init__()
        self.architectures = nn.ModuleList(architectures)

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        return tuple(net(sources, present)[0] for net in self.architectures)
