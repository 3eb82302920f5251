"""The factors of log-odds with which a net begins: those of the least log loss.

Experts on one text tell much the same, and their sum is too certain; the factors share
the evidence between them, as a logistic regression without intercept does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.layers.offset import OffsetLogits
from sklearn_profiling.targets import EncodedLabels
from sklearn_profiling.training.batches import UserDataset

__all__ = ["begin_at_best_factors", "best_factors"]

Floats = npt.NDArray[np.float64]

_LARGEST = 2.0
"""Log-odds of other users have their scale already; more would be chance."""
_PENALTY = 1e-3
"""Of factors that differ from equal shares: decides where experts are the same."""


@fixed_threads()
def begin_at_best_factors(
    module: OffsetLogits, dataset: UserDataset, labels: EncodedLabels
) -> None:
    """Set the factors of the log-odds of training users, task by task."""
    ends = np.cumsum(module.n_classes)[:-1]
    odds = [
        np.split(np.nan_to_num(np.asarray(dataset.sources[name], float)), ends, axis=1)
        for name in module.names
    ]
    factors = np.ones((len(module.names), len(module.n_classes)))
    for task, n_classes in enumerate(module.n_classes):
        rows = np.flatnonzero(labels.codes[:, task] >= 0)
        if not len(rows):
            continue
        sets = labels.members.get(task)
        truth = (
            np.eye(n_classes)[labels.codes[rows, task]] if sets is None else sets[rows]
        )
        factors[:, task] = best_factors(
            np.stack([each[task][rows] for each in odds]),
            truth.astype(float),
            dataset.weights.loss[rows, task],
            of_sets=sets is not None,
        )
    module.begin_at(torch.from_numpy(factors))


def best_factors(
    odds: Floats,
    truth: Floats,
    weights: Floats,
    *,
    of_sets: bool,
    bounds: tuple[float, float] = (0.0, _LARGEST),
) -> Floats:
    """Find factors (n_experts,) of the sum with the least weighted log loss.

    `odds` is (n_experts, n_users, n_classes), `truth` the same users' 0 and 1.
    """
    share = np.full(len(odds), 1 / len(odds))
    weights = weights / weights.sum()

    def loss(factors: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(factors, odds, axes=1)  # (n_users, n_classes)
        if of_sets:
            each = np.logaddexp(0, logits) - truth * logits
            likely = expit(logits)
        else:
            logs = log_softmax(logits, axis=1)
            each, likely = -truth * logs, np.exp(logs)
        wrong = weights[:, None] * (likely - truth)
        far = factors - share
        value = weights @ each.sum(axis=1) + _PENALTY * far @ far
        slope = (odds * wrong).sum(axis=(1, 2)) + 2 * _PENALTY * far
        return float(value), slope

    found = minimize(
        loss, share, jac=True, method="L-BFGS-B", bounds=[bounds] * len(odds)
    )
    best: Floats = found.x
    return best
