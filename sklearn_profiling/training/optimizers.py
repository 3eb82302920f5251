"""Optimizers that torch does not have in this form."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["Adam", "FusedAdagrad"]


class Adam(torch.optim.Adam):
    """Adam, and plain gradient descent for parameters whose gradients are sparse.

    Adam keeps moments of every entry and moves all of them in every step.
    """

    def step(self, closure: Any = None) -> Any:
        """Make one step; rows of a table that no user of the batch has stay."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is not None and gradient.is_sparse:
                    with torch.no_grad():
                        parameter.add_(gradient, alpha=-group["lr"])
                    parameter.grad = None
        super().step()
        return loss


class FusedAdagrad(torch.optim.Adagrad):
    """Adagrad in its fused form on the CPU, where the plain form copies each table.

    Older versions of torch have the fused form for the CPU alone.
    """

    def __init__(self, params: Any, lr: float, weight_decay: float = 0.0) -> None:
        groups = [
            group if isinstance(group, dict) else {"params": [group]}
            for group in params
        ]
        on_cpu = all(p.device.type == "cpu" for g in groups for p in g["params"])
        super().__init__(
            groups, lr=lr, weight_decay=weight_decay, fused=True if on_cpu else None
        )
