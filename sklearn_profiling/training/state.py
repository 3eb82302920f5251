"""The parameters of a net as plain numpy arrays; which are one; are they numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

__all__ = [
    "Shared",
    "is_finite",
    "load_net_state",
    "load_numpy_state",
    "net_state",
    "share_parameters",
    "shared_parameters",
    "state_as_numpy",
]

Shared = Mapping[str, str] | None
"""Names of parameters that are one, each after the first with that one's name."""


def is_finite(module: nn.Module) -> bool:
    """Whether every parameter is a finite number."""
    # The sum needs no mask as large as the table of words. That of 16 bits might not
    # fit into them.
    return all(
        bool(p.sum(dtype=torch.float32 if p.itemsize == 2 else None).isfinite())
        for p in module.parameters()
    )


def shared_parameters(module: nn.Module) -> dict[str, str]:
    """Map further names of parameters that have several to the first."""
    first: dict[int, str] = {}
    return {
        name: first[id(value)]
        for name, value in module.named_parameters(remove_duplicate=False)
        if first.setdefault(id(value), name) != name
    }


def share_parameters(module: nn.Module, shared: Shared) -> None:
    """Give parameters one tensor where `shared` says so, and nowhere else.

    None leaves them as they are. A configuration does not decide it: transformers
    loads the head of a T5 apart from its embeddings where a folder holds both.
    """
    if shared is None:
        return
    for name in shared_parameters(module).keys() - shared.keys():
        value = module.get_parameter(name)
        own = nn.Parameter(value.detach().clone(), requires_grad=value.requires_grad)
        _set_parameter(module, name, own)
    for name, first in shared.items():
        _set_parameter(module, name, module.get_parameter(first))


def _set_parameter(module: nn.Module, name: str, value: nn.Parameter) -> None:
    owner, _, own = name.rpartition(".")
    setattr(module.get_submodule(owner), own, value)


def state_as_numpy(module: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Copy a module's parameters and buffers to numpy; what is shared, once."""
    shared = shared_parameters(module)
    return {
        name: _bits(tensor.detach().cpu()).numpy().copy()
        for name, tensor in module.state_dict().items()
        if name not in shared
    }


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """Bfloat16, which numpy does not know, as integers."""
    return tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor


def load_numpy_state(module: nn.Module, state: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put a state made by :func:`state_as_numpy` back.

    The same parameters must share tensors, as :func:`share_parameters` lets them.
    """
    # Copied, since an array that comes from a memory map is read-only.
    tensors = {name: torch.tensor(np.array(array)) for name, array in state.items()}
    for name, tensor in module.state_dict().items():
        if tensor.dtype == torch.bfloat16 and name in tensors:
            tensors[name] = tensors[name].view(torch.bfloat16)
    for name, first in shared_parameters(module).items():
        tensors[name] = tensors[first]
    module.load_state_dict(tensors)


def net_state(net: Any) -> dict[str, Any]:
    """Copy what a trained net of skorch knows to numpy: module and loss."""
    return {
        "module": state_as_numpy(net.module_),
        "shared": shared_parameters(net.module_),
        "loss": state_as_numpy(net.criterion_),
    }


def load_net_state(net: Any, state: Mapping[str, Any]) -> None:
    """Put a state made by :func:`net_state` back into a net that shares the same."""
    load_numpy_state(net.module_, state["module"])
    load_numpy_state(net.criterion_, state["loss"])
