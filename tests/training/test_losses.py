"""Losses of tasks by hand: missing labels, weights, sets, learned weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.training.batches import LabelBatch
from sklearn_profiling.training.losses import (
    MultiTaskLoss,
    resolve_loss_weights,
    task_losses,
)

LOGITS = [
    torch.tensor([[1.0, 3.0], [0.5, 0.0], [2.0, 2.0]], dtype=torch.float64),
    torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.0, -1.0, 5.0]]).double(),
]


def batch(codes, weights=(1.0, 1.0, 1.0), members=None):
    of_users = torch.tensor(weights, dtype=torch.float64)
    return LabelBatch(
        torch.tensor(codes),
        {t: torch.tensor(m).double() for t, m in (members or {}).items()},
        of_users if of_users.ndim == 2 else of_users[:, None].repeat(1, 2),
    )


def entropy(task, user, label):
    """Cross-entropy of one user by its definition."""
    scores = LOGITS[task][user].numpy()
    return np.log(np.exp(scores).sum()) - scores[label]


def test_each_task_is_averaged_over_its_labelled_users():
    losses = task_losses(LOGITS, batch([[1, 2], [-1, 0], [0, -1]]))
    wanted = [
        (entropy(0, 0, 1) + entropy(0, 2, 0)) / 2,
        (entropy(1, 0, 2) + entropy(1, 1, 0)) / 2,
    ]
    np.testing.assert_allclose([loss.item() for loss in losses], wanted, rtol=1e-12)


def test_weights_of_users():
    losses = task_losses(LOGITS, batch([[1, 2], [-1, 0], [0, -1]], (3.0, 2.0, 1.0)))
    wanted = [
        (3 * entropy(0, 0, 1) + entropy(0, 2, 0)) / 4,
        (3 * entropy(1, 0, 2) + 2 * entropy(1, 1, 0)) / 5,
    ]
    np.testing.assert_allclose([loss.item() for loss in losses], wanted, rtol=1e-12)


def test_integer_weights_are_repetitions():
    weighted = task_losses(LOGITS, batch([[1, 2], [0, 0], [0, -1]], (2.0, 0.0, 3.0)))
    rows = [0, 0, 2, 2, 2]
    repeated = task_losses(
        [task[rows] for task in LOGITS],
        batch([[1, 2], [1, 2], [0, -1], [0, -1], [0, -1]], [1.0] * 5),
    )
    torch.testing.assert_close(weighted, repeated)


def test_sets_cost_one_binary_decision_a_class():
    members = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    labels = batch([[1, 0], [1, -1], [1, 0]], members={1: members})
    found = task_losses(LOGITS, labels)[1].item()
    each = []
    for user in (0, 2):
        p = 1 / (1 + np.exp(-LOGITS[1][user].numpy()))
        inside = np.array(members[user])
        each.append(-(inside * np.log(p) + (1 - inside) * np.log(1 - p)).sum())
    assert found == pytest.approx(np.mean(each), rel=1e-12)


@pytest.mark.parametrize("members", [None, {1: [[0.0] * 3] * 3}])
@pytest.mark.parametrize("weights", [[1.0, 2.0], None])
def test_a_task_without_labels_costs_and_moves_nothing(members, weights):
    logits = [task.clone().requires_grad_() for task in LOGITS]
    loss = MultiTaskLoss(weights, 2).double()
    none = loss(logits, batch([[-1, -1]] * 3, members=members))
    assert none.item() == 0.0
    none.backward()
    assert all(task.grad.abs().sum() == 0 for task in logits)
    if weights is None:
        assert loss.log_variances.grad.tolist() == [0.0, 0.0]
    # The other task goes on as if alone.
    half = loss(logits, batch([[1, -1], [0, -1], [0, -1]], members=members))
    half.backward()
    assert torch.isfinite(half)
    assert logits[0].grad.abs().sum() > 0
    assert logits[1].grad.abs().sum() == 0


def test_users_of_weight_zero_cost_nothing():
    losses = task_losses(LOGITS, batch([[1, 2]] * 3, (0.0, 0.0, 0.0)))
    assert [loss.item() for loss in losses] == [0.0, 0.0]


def test_fixed_weights_of_tasks():
    labels = batch([[1, 2], [-1, 0], [0, 1]])
    one, two = task_losses(LOGITS, labels)
    loss = MultiTaskLoss([3.0, 0.1], 2).double()
    assert loss(LOGITS, labels).item() == pytest.approx((3 * one + 0.1 * two).item())
    # 0.1 itself, not the nearest in single precision.
    assert loss.weights.tolist() == [3.0, 0.1]
    assert list(loss.parameters()) == []
    assert MultiTaskLoss([1.0], 1).float()(LOGITS[:1], labels).dtype == torch.float64


def test_learned_weights_by_their_formula():
    labels = batch([[1, 2], [-1, 0], [0, 1]])
    losses = [loss.item() for loss in task_losses(LOGITS, labels)]
    loss = MultiTaskLoss(None, 2).double()
    assert loss.log_variances.tolist() == [-0.5, -0.5]
    with torch.no_grad():
        loss.log_variances.copy_(torch.tensor([0.3, -1.0]))
    s = loss.log_variances.detach().numpy()
    wanted = (np.exp(-s) * losses / 2 + s / 2).sum()
    found = loss(LOGITS, labels)
    assert found.item() == pytest.approx(wanted, rel=1e-12)
    found.backward()
    np.testing.assert_allclose(
        loss.log_variances.grad, (1 - np.exp(-s) * losses) / 2, rtol=1e-12
    )


def test_the_best_learned_weight_is_the_loss_itself():
    """The formula is least where exp(s) is the loss of the task."""
    labels = batch([[1, 2], [-1, 0], [0, 1]])
    losses = torch.stack(task_losses(LOGITS, labels))
    loss = MultiTaskLoss(None, 2).double()
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss(LOGITS, labels).backward()
        optimizer.step()
    torch.testing.assert_close(
        loss.log_variances.detach().exp(), losses, rtol=1e-3, atol=0
    )


TASKS = ["gender", "age"]


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        (None, [1.0, 1.0]),
        ("uncertainty", None),
        ("paper", [1.0, 3.0]),
        ({"age": 2}, [1.0, 2.0]),
        ({}, [1.0, 1.0]),
        ([0, 0.5], [0.0, 0.5]),
        (np.array([2, 1]), [2.0, 1.0]),
    ],
)
def test_one_weight_a_task(given, weights):
    assert resolve_loss_weights(given, TASKS) == weights


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("kendall", "'paper', 'uncertainty' or None; got 'kendall'"),
        ({"sex": 1.0}, r"names \['sex'\], which are none of the tasks"),
        ([1.0], r"must hold 2 weights of at least 0.*got \[1.0\]"),
        ([1.0, -1.0], "at least 0"),
        ([1.0, float("nan")], "at least 0"),
        ([1.0, float("inf")], "at least 0"),
        ([1.0, "much"], "at least 0"),
        ({"age": None}, "at least 0"),
    ],
)
def test_what_fits_no_tasks_is_refused(given, message):
    with pytest.raises(TargetError, match=message):
        resolve_loss_weights(given, TASKS)
