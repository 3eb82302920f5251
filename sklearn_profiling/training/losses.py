"""The loss of several tasks: each averaged over its labelled users, then weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.training.batches import LabelBatch

__all__ = ["MultiTaskLoss", "task_losses", "user_losses"]


def user_losses(scores: Tensor, labels: LabelBatch, task: int) -> tuple[Tensor, Tensor]:
    """Cross-entropy of one task for each labelled user, and the weights of the labels.

    Takes logits (n_users, n_classes); gives (n_labelled,) twice.
    """
    codes = labels.codes[:, task]
    labelled = codes >= 0
    if task in labels.members:
        each = functional.binary_cross_entropy_with_logits(
            scores[labelled], labels.members[task][labelled], reduction="none"
        ).sum(dim=1)
    else:
        each = functional.cross_entropy(
            scores[labelled], codes[labelled], reduction="none"
        )
    return each, labels.weights[labelled, task]


def task_losses(logits: Sequence[Tensor], labels: LabelBatch) -> list[Tensor]:
    """Cross-entropy of each task (eq. 10), averaged over the users labelled for it.

    The mean is weighted: the sum of weights times losses by the sum of weights.
    Takes logits (n_users, n_classes) a task; set-valued tasks by binary cross-entropy,
    summed over classes. 0 for a task without a labelled user in the batch. Users who
    are a part of a batch add their part to the mean over the whole batch.
    """
    losses = []
    for task, scores in enumerate(logits):
        each, weights = user_losses(scores, labels, task)
        whole = labels.whole
        if whole is not None:
            weights_of_all = whole.weights[whole.codes[:, task] >= 0, task]
        else:
            weights_of_all = weights
        total = weights_of_all.sum()
        # Dividing by 1 where nobody is labelled keeps the loss 0 and its gradient too.
        losses.append((each * weights).sum() / torch.where(total > 0, total, 1.0))
    return losses


class MultiTaskLoss(nn.Module):
    """Weighted sum of the tasks' losses (eq. 11), fixed or learned weights.

    `weights` are C of eq. 11. None learns them from the uncertainty of each task: the
    sum of ``exp(-s) L / 2 + s / 2`` with s = -0.5 initially (Kendall et al. 2018).
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
        """Compute the loss of a batch."""
        losses = torch.stack(task_losses(logits, labels))
        whole = labels.whole or labels
        share = len(labels.codes) / len(whole.codes)
        return self.combine(losses, (whole.codes >= 0).any(dim=0), share)

    def combine(self, losses: Tensor, labelled: Tensor, share: float = 1.0) -> Tensor:
        """Weigh the losses (n_tasks,) and add them up.

        `labelled` (n_tasks,) says which tasks have a label in the batch; `share` is the
        part of the batch's users that the losses are of.
        """
        if not self.learned:
            return (self.weights.to(losses.dtype) * losses).sum()
        s = self.log_variances
        # A task without a label in this batch says nothing of its uncertainty.
        each = losses / (2.0 * torch.exp(s)) + share * s / 2.0
        return torch.where(labelled, each, torch.zeros_like(each)).sum()


def resolve_loss_weights(given: Any, tasks: list[str]) -> list[float] | None:
    """Turn the parameter ``loss_weights`` into one weight a task; None if learned."""
    if given is None:
        return [1.0] * len(tasks)
    if isinstance(given, str):
        return _named_weights(given, tasks)
    if isinstance(given, Mapping):
        unknown = [task for task in given if task not in tasks]
        if unknown:
            msg = f"loss_weights names {unknown}, which are none of the tasks {tasks}"
            raise TargetError(msg)
        given = [given.get(task, 1.0) for task in tasks]
    try:
        weights = [float(weight) for weight in given]
    except (TypeError, ValueError):
        weights = []
    usable = all(np.isfinite(weight) and weight >= 0 for weight in weights)
    if len(weights) != len(tasks) or not usable:
        msg = (
            f"loss_weights must hold {len(tasks)} weights of at least 0, one a "
            f"task; got {list(given)}"
        )
        raise TargetError(msg)
    return weights


def _named_weights(name: str, tasks: list[str]) -> list[float] | None:
    if name == "uncertainty":
        return None
    if name == "paper":
        return [3.0 if task == "age" else 1.0 for task in tasks]
    msg = (
        "loss_weights must be a mapping, a sequence, 'paper', 'uncertainty' or "
        f"None; got {name!r}"
    )
    raise TargetError(msg)
