"""The parameters of a net as plain numpy arrays, and whether they are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

__all__ = ["is_finite", "load_numpy_state", "state_as_numpy"]


def is_finite(module: nn.Module) -> bool:
    """Whether every parameter is a finite number."""
    # The sum needs no mask as large as the table of words.
    return all(bool(p.sum().isfinite()) for p in module.parameters())


def state_as_numpy(module: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Copy a module's parameters and buffers to numpy."""
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in module.state_dict().items()
    }


def load_numpy_state(module: nn.Module, state: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put a state made by :func:`state_as_numpy` back."""
    # Copied, since an array that comes from a memory map is read-only.
    tensors = {name: torch.tensor(np.array(array)) for name, array in state.items()}
    module.load_state_dict(tensors)
