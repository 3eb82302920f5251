"""How much of a net is added to log-odds: what lowers the loss of held-out users.

A net that begins at the log-odds of good experts has little left to learn and overfits
early, in some tasks more than in others. A trial net shows how far it is to be trusted.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.batches import LabelBatch, UserDataset
from sklearn_profiling.training.held_out import hold_out
from sklearn_profiling.training.losses import user_losses
from sklearn_profiling.training.net import (
    TrainingPlan,
    compute_logits,
    make_net,
    train,
)

__all__ = ["learn_shares"]

_LEAST_LABELS = 20
"""Held-out labels of a task from which its share is learned; with fewer it is 1."""


def learn_shares(
    module: OffsetLogits,
    dataset: UserDataset,
    plan: TrainingPlan,
    *,
    fraction: float,
    epochs: int,
) -> Tensor:
    """Find the share of the net in the logits of each task: (n_tasks,), from 0 to 1.

    A copy of the untrained `module` is trained on all but a `fraction` of the users,
    and weighed on these.
    """
    shares = torch.ones(len(module.n_classes))
    known = cast("EncodedLabels", dataset.labels)
    rows, held_out = hold_out(known, fraction, plan.seed)
    enough = (known.codes[held_out] >= 0).sum(axis=0) >= _LEAST_LABELS
    if not enough.any():
        return shares
    quiet = replace(plan, callbacks=[], verbose=0)
    trial = make_net(copy.deepcopy(module), len(shares), quiet)
    train(trial, dataset.take(rows), quiet, epochs=epochs)
    users = dataset.take(held_out)
    labels = cast("LabelBatch", users.labels_of(np.arange(len(users))))
    whole = compute_logits(trial, users)
    trial.module_.shares.zero_()
    offsets = compute_logits(trial, users)
    for task in np.flatnonzero(enough):
        shares[task] = _best_share(offsets[task], whole[task], labels, int(task))
    return shares


def _best_share(offset: Tensor, whole: Tensor, labels: LabelBatch, task: int) -> float:
    """Find the way from `offset` to `whole` (n_users, n_classes) of the least loss."""

    def loss(share: float) -> float:
        each, weights = user_losses(torch.lerp(offset, whole, share), labels, task)
        return float((each * weights).sum() / weights.sum())

    inside = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x
    # The search itself never reaches the ends.
    return min((0.0, float(inside), 1.0), key=loss)
