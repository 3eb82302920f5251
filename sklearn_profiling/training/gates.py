"""Learn the gates of sources on users who teach the net nothing else.

On the users a net is trained on, any noise helps to learn them by heart, so that gates
trained along with the net stay open. A trial net is trained on most users; then the
gates, and nothing but the gates, are fitted to users held out, on whom noise does harm.
A second trial begins with what the first has shut, and reads the rest the better.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.gates import GatedSources
from sklearn_profiling.training.batches import Batch, LabelBatch, UserDataset
from sklearn_profiling.training.net import TrainingPlan, make_net, train

__all__ = ["learn_gates"]

_ROUNDS = 2
"""Trials, each with the gates that those before have found."""

_PACE = 0.1
"""Learning rate of Adam for the gates."""

_STEPS = 150
"""Steps of the gates: enough to go from half open to shut."""

_PRICE = 0.005
"""Of a gate that is open, in what the gates minimise: what neither helps nor harms the
net is shut."""

_SHUT = 0.1
"""A gate less open than this share of the widest is closed: a net makes up for a gate
that is nearly shut by larger weights."""

_OPEN = 30.0
"""Score of a gate that is open up to rounding, and yet finite."""


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
        Passes of each trial net over the others.

    Returns
    -------
    Tensor, shape (n_sources,)
        Scores of the gates, the widest of them open. All are where there is but one
        source, or no user to hold out.
    """
    n_held_out = int(fraction * len(dataset))
    n_sources = len(_gated(module).scores)
    gates = torch.ones(n_sources)
    if n_sources == 1 or n_held_out == 0:
        return _scores_of(gates)
    order = np.random.RandomState(plan.seed).permutation(len(dataset))
    held_out, rest = (
        dataset.take(np.sort(rows)) for rows in (order[:n_held_out], order[n_held_out:])
    )
    quiet = replace(
        plan, callbacks=[], early_stopping=False, verbose=0, max_epochs=epochs
    )
    for _ in range(_ROUNDS):
        trial = copy.deepcopy(module)
        _gated(trial).scores.copy_(_scores_of(gates))
        net = make_net(trial, n_tasks, quiet)
        train(net, rest, quiet, epochs=epochs)
        gates = gates * _best_gates(net, held_out)
        # Shutting all gates alike only makes an overconfident net less so.
        gates = gates / gates.max()
        gates[gates < _SHUT] = 0.0
    return _scores_of(gates)


def _best_gates(net: Any, held_out: UserDataset) -> Tensor:
    """Weigh the sources of a trained net so that users held out cost the least."""
    module = net.module_.eval()
    gated = _gated(module)
    batches = []
    with torch.no_grad():
        for start in range(0, len(held_out), net.batch_size):
            rows = range(start, min(start + net.batch_size, len(held_out)))
            batch, labels = cast(
                "tuple[Batch, LabelBatch]", held_out.__getitems__(rows)
            )
            batch = batch.to(net.device)
            vectors = gated.vectors(batch.sources, batch.present)
            batches.append((vectors, labels, len(rows) / len(held_out)))
    before = gated.gates()
    scores = torch.zeros_like(before, requires_grad=True)
    # A net too sure of itself, or not sure enough, is no reason to move a gate.
    sureness = torch.zeros_like(before[0], requires_grad=True)
    optimizer = torch.optim.Adam([scores, sureness], lr=_PACE)
    for _ in range(_STEPS):
        gates = torch.sigmoid(scores)
        cost = _PRICE * gates.sum()
        for vectors, labels, share in batches:
            logits = module.classify(gated.weigh(vectors, before * gates))
            scaled = [torch.exp(sureness) * each for each in logits]
            cost = cost + share * net.get_loss(scaled, labels)
        scores.grad, sureness.grad = torch.autograd.grad(cost, [scores, sureness])
        optimizer.step()
    return torch.sigmoid(scores.detach().cpu())


def _gated(module: nn.Module) -> GatedSources:
    return next(m for m in module.modules() if isinstance(m, GatedSources))


def _scores_of(gates: Tensor) -> Tensor:
    return torch.logit(gates).clamp(-_OPEN, _OPEN)
