"""Learn the gates of sources on users who teach the net nothing else.

On the users a net is trained on, any noise helps to learn them by heart, so that gates
trained along with the net stay open. A trial net is trained on most users; in the
second half of its training, when it has learned to read its sources, the gates take a
step of their own after each of its steps, on users held out. What the net does not use,
or only misuses, is shut there.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.gates import GatedSources
from sklearn_profiling.training.batches import Batch, LabelBatch, UserDataset
from sklearn_profiling.training.net import TrainingPlan, make_net, train

__all__ = ["learn_gates"]

_PACE = 0.1
"""Learning rate of Adam for the gates: some hundred steps go from half open to shut."""

_PRICE = 0.04
"""Of a gate that is open, in the loss of the gates' steps: what neither helps nor harms
the net falls slowly."""

_OPEN = 30.0
"""Score of a gate that is open up to rounding, and yet finite."""


class _HeldOutSteps(Callback):
    """After each step of a net, one step of its gates on users held out.

    Parameters
    ----------
    held_out : UserDataset
        Users who do not train the net.
    scores : Parameter
        What opens and shuts the gates.
    seed : int
        Decides the order of the users.
    wait : int
        Epochs of the net before the first step.
    """

    def __init__(
        self, held_out: UserDataset, scores: nn.Parameter, *, seed: int, wait: int
    ) -> None:
        self.held_out = held_out
        self.scores = scores
        self.wait = wait
        self.random = np.random.RandomState(seed)
        self.optimizer = torch.optim.Adam([scores], lr=_PACE)
        self.waiting: list[int] = []

    def on_batch_end(
        self,
        net: Any,
        batch: Any = None,  # noqa: ARG002 - skorch's signature
        training: bool = False,
        **kwargs: Any,  # noqa: ARG002 - skorch's signature
    ) -> None:
        """Take the step.

        Parameters
        ----------
        net : NeuralNet
            The net.
        batch : tuple
            Not used.
        training : bool
            Whether the net took one.
        **kwargs : dict
            Not used.
        """
        if not training or len(net.history) <= self.wait:
            return
        sources, labels = cast(
            "tuple[Batch, LabelBatch]", self.held_out.__getitems__(self._next(net))
        )
        net.module_.eval()
        self.scores.requires_grad = True
        loss = net.get_loss(net.infer(sources), labels)
        loss = loss + _PRICE * torch.sigmoid(self.scores).sum()
        (self.scores.grad,) = torch.autograd.grad(loss, self.scores)
        self.optimizer.step()
        # The net's own steps leave it alone.
        self.scores.grad = None
        self.scores.requires_grad = False

    def _next(self, net: Any) -> list[int]:
        if not self.waiting:
            self.waiting = self.random.permutation(len(self.held_out)).tolist()
        rows = self.waiting[: net.batch_size]
        del self.waiting[: net.batch_size]
        return rows


def learn_gates(
    module: nn.Module,
    dataset: UserDataset,
    plan: TrainingPlan,
    *,
    n_tasks: int,
    fraction: float,
    epochs: int,
) -> Tensor:
    """Find out how far the gate of each source should be open.

    Parameters
    ----------
    module : Module
        An architecture with :class:`GatedSources`, as training will start from it; a
        copy of it is trained.
    dataset : UserDataset
        Training users.
    plan : TrainingPlan
        How to train.
    n_tasks : int
        Number of tasks.
    fraction : float
        Share of the users to hold out, in [0, 1).
    epochs : int
        Passes of the trial net over the others.

    Returns
    -------
    Tensor, shape (n_sources,)
        Scores of the gates, the widest of them open. All are where there is but one
        source, or no user to hold out.
    """
    n_held_out = int(fraction * len(dataset))
    trial = copy.deepcopy(module)
    scores = next(m for m in trial.modules() if isinstance(m, GatedSources)).scores
    if len(scores) == 1 or n_held_out == 0:
        return torch.full_like(scores, _OPEN)
    order = np.random.RandomState(plan.seed).permutation(len(dataset))
    held_out, rest = (
        dataset.take(np.sort(rows)) for rows in (order[:n_held_out], order[n_held_out:])
    )
    quiet = replace(
        plan, callbacks=[], early_stopping=False, verbose=0, max_epochs=epochs
    )
    net = make_net(trial, n_tasks, quiet)
    steps = _HeldOutSteps(held_out, scores, seed=plan.seed, wait=epochs // 2)
    net.callbacks_.append(("gates", steps))
    train(net, rest, quiet, epochs=epochs)
    # Shutting all gates alike only makes an overconfident net less so.
    gates = torch.sigmoid(scores.detach().cpu())
    return torch.logit(gates / gates.max()).clamp(-_OPEN, _OPEN)
