"""Learn the gates of sources on users who teach the net nothing else.

On the users a net is trained on, any noise helps to overfit, so that gates
trained along with the net stay open. A trial net is trained on most users; then the
gates, and nothing but the gates, are fitted to a validation set, where noise does harm.
A second trial starts from the gates of the first, so that closed sources no longer
disturb it.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.layers.offset import OffsetLogits, without_offset
from sklearn_profiling.architectures.multimodal_cnn3d import GatedSources
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.batches import Batch, LabelBatch, UserDataset
from sklearn_profiling.training.held_out import hold_out_at_random
from sklearn_profiling.training.net import TrainingPlan, make_net, train

__all__ = ["learn_gates"]

_ROUNDS = 2
"""Trials, each with the gates that those before have found."""

_LEARNING_RATE = 0.1
"""Of Adam for the gates."""

_STEPS = 150
"""Steps of the gates: enough to close one that is half open."""

_L1_PENALTY = 0.005
"""On the gates: closes a source that neither helps nor harms the net."""

_THRESHOLD = 0.1
"""Gates below this share of the widest are closed, because a net compensates for a
small gate by larger weights."""

_OPEN = 30.0
"""Score of a gate that is open up to rounding, and yet finite."""


@fixed_threads()
def learn_gates(
    module: nn.Module,
    dataset: UserDataset,
    plan: TrainingPlan,
    *,
    n_tasks: int,
    fraction: float,
    epochs: int,
) -> Tensor:
    """Find how far the gate of each source should be open: scores (n_sources,).

    Trial nets are trained for `epochs` on all but a validation set, a `fraction` of the
    users, on which the gates are fitted. With one source or no validation set all gates
    are open. `module` itself stays as it is.
    """
    n_validation = int(fraction * len(dataset))
    n_sources = len(_gated(module).scores)
    gates = torch.ones(n_sources)
    if n_sources == 1 or n_validation == 0:
        return _scores_of(gates)
    labels = cast("EncodedLabels", dataset.labels)
    parts = hold_out_at_random(labels, n_validation, plan.seed)
    if not len(parts[0]):  # all users are one person
        return _scores_of(gates)
    rest, validation = (dataset.take(rows) for rows in parts)
    quiet = replace(
        plan, callbacks=[], early_stopping=False, verbose=0, max_epochs=epochs
    )
    for _ in range(_ROUNDS):
        trial = copy.deepcopy(module)
        _gated(trial).scores.copy_(_scores_of(gates))
        net = make_net(trial, n_tasks, quiet)
        train(net, rest, quiet, epochs=epochs)
        gates = gates * _best_gates(net, validation, n_tasks)
        # Scaling all gates alike only changes the confidence of the net.
        gates = gates / gates.max()
        gates[gates < _THRESHOLD] = 0.0
    return _scores_of(gates)


def _best_gates(net: Any, validation: UserDataset, n_tasks: int) -> Tensor:
    """Weigh the sources of a trained net so that the validation loss is least."""
    module = net.module_.eval()
    gated = _gated(module)
    heads = cast("Any", without_offset(module)).heads
    batches = []
    with torch.no_grad():
        for start in range(0, len(validation), net.batch_size):
            rows = range(start, min(start + net.batch_size, len(validation)))
            batch, labels = cast(
                "tuple[Batch, LabelBatch]", validation.__getitems__(rows)
            )
            batch = batch.to(net.device)
            vectors = gated.vectors(batch.sources, batch.present)
            share = len(rows) / len(validation)
            offset = _offset_of(module, batch, n_tasks)
            batches.append((vectors, offset, labels, share))
    before = gated.gates()
    scores = torch.zeros_like(before, requires_grad=True)
    # An over- or underconfident net is no reason to move a gate.
    log_temperature = torch.zeros_like(before[0], requires_grad=True)
    optimizer = torch.optim.Adam([scores, log_temperature], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        gates = torch.sigmoid(scores)
        cost = _L1_PENALTY * gates.sum()
        for vectors, offset, labels, share in batches:
            logits = heads(gated.weigh(vectors, before * gates))
            scaled = [
                torch.exp(log_temperature) * (each + added)
                for each, added in zip(logits, offset, strict=True)
            ]
            cost = cost + share * net.get_loss(scaled, labels)
        scores.grad, log_temperature.grad = torch.autograd.grad(
            cost, [scores, log_temperature]
        )
        optimizer.step()
    return torch.sigmoid(scores.detach().cpu())


def _offset_of(module: nn.Module, batch: Batch, n_tasks: int) -> list[Tensor | float]:
    """Sum the log-odds that are added to each task: (n_users, n_classes), or zero."""
    if not isinstance(module, OffsetLogits):
        return [0.0] * n_tasks
    each = module.offsets(batch.sources, batch.present)
    return [sum(parts) for parts in zip(*each, strict=True)]


def _gated(module: nn.Module) -> GatedSources:
    return next(m for m in module.modules() if isinstance(m, GatedSources))


def _scores_of(gates: Tensor) -> Tensor:
    return torch.logit(gates).clamp(-_OPEN, _OPEN)
