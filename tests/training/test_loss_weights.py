"""Weights of the tasks' losses, however they are given."""

from __future__ import annotations

import numpy as np
import pytest

from sklearn_profiling.exceptions import TargetError
from sklearn_profiling.training.losses import resolve_loss_weights

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
