"""Trials of sources on held-out users, by a net that has learned to miss any of them.

Training hides each source of some users, so a trained net can predict without one: a
trial costs a prediction, and no net is trained for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.layers.bag import BagLogits
from sklearn_profiling.architectures.layers.sources import JoinedSources
from sklearn_profiling.training.batches import LabelBatch, UserDataset
from sklearn_profiling.training.losses import user_losses
from sklearn_profiling.training.net import ProfileNet, compute_logits

__all__ = ["LossRise", "UserLosses", "eliminate", "validation_losses"]

Floats = npt.NDArray[np.float64]

_LOG_TEMPERATURES = (-3.0, 3.0)
"""Range of the log-temperatures that are tried."""

_CLEAR = 2.0
"""Standard errors by which the loss of one task has to rise: with one for each of
several tasks, chance alone would keep noise."""


@dataclass(frozen=True)
class LossRise:
    """Rise of the mean loss of each task (n_tasks,), and of their sum.

    Beside each rise stands its standard error over the users.
    """

    means: Floats
    errors: Floats
    total: float
    total_error: float

    @property
    def clear(self) -> npt.NDArray[np.bool_]:
        """Tasks (n_tasks,) whose loss rises by more than chance explains."""
        clear: npt.NDArray[np.bool_] = self.means > _CLEAR * self.errors
        return clear

    @property
    def matters(self) -> bool:
        """Whether the loss rises, of one task clearly or of all together."""
        return bool(self.clear.any()) or self.total > self.total_error


@dataclass(frozen=True)
class UserLosses:
    """Losses (n_users, n_tasks) of users and the weights of their labels, 0 if none."""

    values: Floats
    weights: Floats

    def rise_to(self, other: UserLosses) -> LossRise:
        """Compare with other losses of the same users."""
        shares = self.weights / self.weights.sum(axis=0)
        difference = other.values - self.values
        means = (shares * difference).sum(axis=0)
        # what each user adds to the deviation of a mean
        parts = shares * (difference - means)
        n_labels = (shares > 0).sum(axis=0)
        errors = np.sqrt((parts**2).sum(axis=0) * n_labels / (n_labels - 1))
        n_users = len(shares)
        total_error = np.sqrt((parts.sum(axis=1) ** 2).sum() * n_users / (n_users - 1))
        return LossRise(means, errors, float(means.sum()), float(total_error))


@contextmanager
def _hidden(module: nn.Module, names: Collection[str]) -> Iterator[None]:
    """Hide encoded sources from all users; as an offset they are still read."""

    def hide(_: nn.Module, given: tuple[Any, ...]) -> Any:
        sources, present, *others = given
        shown = {
            name: torch.zeros_like(there) if name in names else there
            for name, there in present.items()
        }
        return sources, shown, *others

    readers = (JoinedSources, BagLogits)
    layers = [layer for layer in module.modules() if isinstance(layer, readers)]
    hooks = [layer.register_forward_pre_hook(hide) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@fixed_threads()
def validation_losses(
    net: ProfileNet, users: UserDataset, hidden: Collection[str] = ()
) -> UserLosses:
    """Compute the losses of users where some sources are hidden from all of them.

    Logits are divided by the temperature that suits each task best, since hiding a
    source makes a net less confident, which alone moves the loss.
    """
    with _hidden(net.module_, hidden):
        logits = compute_logits(net, users)
    labels = cast("LabelBatch", users.labels_of(np.arange(len(users))))
    values = np.zeros(labels.codes.shape)
    for task, scores in enumerate(logits):
        labelled = labels.codes[:, task].numpy() >= 0
        values[labelled, task] = _at_best_temperature(scores, labels, task)
    return UserLosses(values, labels.weights.double().numpy())


def _at_best_temperature(scores: Tensor, labels: LabelBatch, task: int) -> Floats:
    """Losses (n_labelled,) of the labelled users of a task."""

    def losses(log_temperature: float) -> tuple[Tensor, Tensor]:
        return user_losses(scores * float(np.exp(-log_temperature)), labels, task)

    def mean(log_temperature: float) -> float:
        each, weights = losses(log_temperature)
        return float((each * weights).sum() / weights.sum())

    best = minimize_scalar(mean, bounds=_LOG_TEMPERATURES, method="bounded")
    each: Floats = losses(float(best.x))[0].double().numpy()
    return each


@fixed_threads()
def eliminate(
    net: ProfileNet, users: UserDataset, names: Sequence[str]
) -> tuple[list[str], dict[str, LossRise]]:
    """Hide one source after the other, as long as the loss does not rise by it.

    The most harmful come first, and one source is left. Returns the hidden sources in
    this order, and how the loss rises without each source beside those hidden before.
    """
    hidden: list[str] = []
    found: dict[str, LossRise] = {}
    before = validation_losses(net, users)
    while True:
        left = [name for name in names if name not in hidden]
        trials = {n: validation_losses(net, users, [*hidden, n]) for n in left}
        rises = {name: before.rise_to(after) for name, after in trials.items()}
        found.update(rises)
        useless = [name for name in left if not rises[name].matters]
        if not useless or len(left) == 1:
            return hidden, found
        worst = min(useless, key=lambda name: rises[name].total)
        hidden.append(worst)
        before = trials[worst]
