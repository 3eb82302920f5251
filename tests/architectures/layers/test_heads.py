"""Heads of tasks: dense layers, nothing shared."""

from __future__ import annotations

import torch

from sklearn_profiling.architectures.layers.heads import TaskHeads


def test_heads_by_hand():
    torch.manual_seed(0)
    heads = TaskHeads(4, (5, 3), (2, 6)).double()
    shared = torch.randn(7, 4, dtype=torch.float64)
    logits = heads(shared)
    assert [task.shape for task in logits] == [(7, 2), (7, 6)]
    for head, task in zip(heads.tasks, logits, strict=True):
        hidden = shared
        for layer in (head[0], head[2]):
            hidden = (hidden @ layer.weight.t() + layer.bias).clamp(min=0)
        wanted = hidden @ head[4].weight.t() + head[4].bias
        torch.testing.assert_close(task, wanted, rtol=0, atol=1e-12)
        # Logits, not probabilities: some are below zero.
        assert (task < 0).any()


def test_without_hidden_layers_a_head_is_linear():
    heads = TaskHeads(4, (), (2,))
    (logits,) = heads(torch.zeros(1, 4))
    assert torch.equal(logits[0], heads.tasks[0][0].bias)
    assert len(list(heads.parameters())) == 2


def test_a_task_moves_its_own_head_alone():
    heads = TaskHeads(4, (3,), (2, 2))
    heads(torch.ones(2, 4))[0].sum().backward()
    assert all(p.grad is not None for p in heads.tasks[0].parameters())
    assert all(p.grad is None for p in heads.tasks[1].parameters())
