"""Adagrad in its fused form where torch has it."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["FusedAdagrad"]


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
