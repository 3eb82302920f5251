"""The loss of several tasks: each averaged over its labelled users, then weighed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.training.batches import LabelBatch

__all__ = ["MultiTaskLoss", "task_losses"]


def task_losses(logits: Sequence[Tensor], labels: LabelBatch) -> list[Tensor]:
    """Cross-entropy of each task (eq. 10), averaged over the users labelled for it.

    Parameters
    ----------
    logits : sequence of Tensor, shape (n_users, n_classes)
        One tensor a task.
    labels : LabelBatch
        Labels, some missing; set-valued tasks by binary cross-entropy, summed over
        classes.

    Returns
    -------
    list of Tensor, shape ()
        One loss a task; 0 for a task without a labelled user in the batch.
    """
    losses = []
    for task, scores in enumerate(logits):
        codes = labels.codes[:, task]
        labelled = codes >= 0
        weights = labels.weights[labelled]
        if task in labels.members:
            each = functional.binary_cross_entropy_with_logits(
                scores[labelled], labels.members[task][labelled], reduction="none"
            ).sum(dim=1)
        else:
            each = functional.cross_entropy(
                scores[labelled], codes[labelled], reduction="none"
            )
        total = weights.sum()
        # Dividing by 1 where nobody is labelled keeps the loss 0 and its gradient too.
        losses.append((each * weights).sum() / torch.where(total > 0, total, 1.0))
    return losses


class MultiTaskLoss(nn.Module):
    """Weighted sum of the tasks' losses (eq. 11), fixed or learned weights.

    Parameters
    ----------
    weights : sequence of float or None
        Weight of each task: C of eq. 11. None learns them from the uncertainty of each
        task: the sum of ``exp(-s) L / 2 + s / 2`` with s = -0.5 at first (Kendall et
        al. 2018).
    n_tasks : int
        Number of tasks.
    """

    def __init__(self, weights: Sequence[float] | None, n_tasks: int) -> None:
        super().__init__()
        self.learned = weights is None
        if weights is None:
            self.log_variances = nn.Parameter(torch.full((n_tasks,), -0.5))
        else:
            # In double precision until the net is cast to its own.
            self.register_buffer(
                "weights", torch.tensor(list(weights), dtype=torch.float64)
            )
            self.weights: Tensor

    def forward(self, logits: Sequence[Tensor], labels: LabelBatch) -> Tensor:
        """Compute the loss of a batch.

        Parameters
        ----------
        logits : sequence of Tensor, shape (n_users, n_classes)
            One tensor a task.
        labels : LabelBatch
            Labels.

        Returns
        -------
        Tensor, shape ()
            The loss.
        """
        losses = torch.stack(task_losses(logits, labels))
        return self.combine(losses, (labels.codes >= 0).any(dim=0))

    def combine(self, losses: Tensor, labelled: Tensor, share: float = 1.0) -> Tensor:
        """Weigh the losses of the tasks and add them up.

        Parameters
        ----------
        losses : Tensor, shape (n_tasks,)
            One loss a task.
        labelled : Tensor of bool, shape (n_tasks,)
            Whether the batch holds a label of the task.
        share : float, default=1.0
            Share of the batch that the losses come from, where it is computed in parts
            whose losses add up.

        Returns
        -------
        Tensor, shape ()
            The loss.
        """
        if not self.learned:
            return (self.weights.to(losses.dtype) * losses).sum()
        s = self.log_variances
        # A task without a label in this batch says nothing of its uncertainty.
        each = losses / (2.0 * torch.exp(s)) + share * s / 2.0
        return torch.where(labelled, each, torch.zeros_like(each)).sum()
