"""A bound on the tensors that are made while a model file is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["BoundedTensors"]

# Parameters of 16 bits are made, initialised in 32 bits and brought to their kind.
_MOST_PER_BYTE: Final = 2
_ALWAYS: Final = 1 << 26
# Else a file could ask for any number of small layers.
_LEAST: Final = 1 << 13


class BoundedTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuse tensors of many more numbers than arrays of `n_bytes` in all can fill."""

    def __init__(self, n_bytes: int, n_arrays: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        of_small_layers = 4 * _LEAST * n_arrays
        self._left = max(_ALWAYS, _MOST_PER_BYTE * n_bytes, of_small_layers)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count the numbers that an operation makes before it runs."""
        del types
        named = dict(kwargs or {})
        self._left -= _count_made(func, args, named)
        if self._left < 0:
            msg = "it states sizes of layers that its arrays cannot fill"
            raise ValueError(msg)
        return func(*args, **named)


def _count_made(func: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    """Return a bound of the numbers of a result; 0 of a view, or in place."""
    schema = func._schema  # noqa: SLF001 - the only description there is
    if any(part.alias_info is not None for part in schema.returns):
        return 0
    if torch.device(named.get("device") or "cpu").type == "meta":
        return 0
    names = (argument.name for argument in schema.arguments)
    given = {**dict(zip(names, args, strict=False)), **named}
    return max(
        _LEAST,
        _count_given(given.values()),
        _count_spread(given.values()),
        _count_asked(given),
    )


def _count_given(values: Iterable[Any]) -> int:
    """Count the numbers of the tensors among arguments."""
    return sum(
        value.numel()
        if isinstance(value, torch.Tensor)
        else _count_given(value)
        if isinstance(value, list | tuple)
        else 0
        for value in values
    )


def _count_spread(values: Iterable[Any]) -> int:
    """Count the numbers that tensors make which are spread over one another."""
    shapes = [each.shape[::-1] for each in values if isinstance(each, torch.Tensor)]
    return math.prod(max(sizes) for sizes in zip_longest(*shapes, fillvalue=1))


def _count_asked(given: Mapping[str, Any]) -> int:
    """Count the numbers that arguments of sizes ask for."""
    ends = given.get("end", 0) - given.get("start", 0)
    span = float(abs(ends / given.get("step", 1)))
    n_of_shape: int = math.prod(given.get("size", ()))
    n_steps: int = given.get("steps", 0)
    n_of_square: int = given.get("n", 0) * given.get("m", given.get("n", 0))
    return max(n_of_shape, n_steps, n_of_square, math.ceil(span))
