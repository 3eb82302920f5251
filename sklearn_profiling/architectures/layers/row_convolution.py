"""Convolution along rows, as a sum of matrix products: ``Conv1d`` for flat text.

A sequence laid out with one row a position needs no transposition to be convolved: each
tap of the filters is a product of the rows, shifted, with a matrix. For the narrow
filters of text nets that takes half the time of the general convolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["row_convolution", "working_dtype"]


def working_dtype(values: Tensor) -> torch.dtype:
    """Precision in which products are computed: that of autocast where it is on."""
    kind = values.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return values.dtype


def row_convolution(rows: Tensor, weights: Sequence[Tensor], bias: Tensor) -> Tensor:
    """Convolve rows (n_positions, n_inputs) with filters of one or several odd widths.

    `weights` are filters as Conv1d has them, (n_outputs, n_inputs, width), narrowest
    first; what they find stands side by side, (n_positions, sum of n_outputs).
    """
    dtype = working_dtype(rows)
    widest = weights[-1].shape[-1]
    padded = [
        torch.nn.functional.pad(each, [(widest - each.shape[-1]) // 2] * 2)
        for each in weights
    ]
    filters = torch.cat(padded)  # (sum of n_outputs, n_inputs, width)
    taps = filters.permute(2, 1, 0).contiguous().to(dtype)
    # A tap far from the centre serves the wider filters alone: the last columns.
    narrower = [
        sum(len(each) for each in weights if each.shape[-1] // 2 < abs(step))
        for step in range(-(widest // 2), widest // 2 + 1)
    ]
    with torch.autocast(rows.device.type, enabled=False):
        convolve: Any = _RowConvolution.apply
        found: Tensor = convolve(rows.to(dtype), taps, bias.to(dtype), narrower)
    return found


class _RowConvolution(torch.autograd.Function):
    """The products, accumulated in place; what autograd would do needs copies."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, taps: Tensor, bias: Tensor, narrower: list[int]
    ) -> Tensor:
        ctx.save_for_backward(rows, taps)
        ctx.narrower = narrower
        found = torch.addmm(bias, rows, taps[len(taps) // 2])
        for tap, to, of in _shifts(len(taps), len(rows)):
            start = narrower[tap]
            found[to, start:].addmm_(rows[of], taps[tap][:, start:])
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        rows, taps = ctx.saved_tensors
        (gradient,) = gradients
        needs_rows, needs_taps, needs_bias, _ = ctx.needs_input_grad
        centre = len(taps) // 2
        of_rows = of_taps = of_bias = None
        if needs_rows:
            of_rows = gradient @ taps[centre].t()
            for tap, to, of in _shifts(len(taps), len(rows)):
                start = ctx.narrower[tap]
                of_rows[of].addmm_(gradient[to, start:], taps[tap][:, start:].t())
        if needs_taps:
            of_taps = torch.zeros_like(taps)
            torch.mm(rows.t(), gradient, out=of_taps[centre])
            for tap, to, of in _shifts(len(taps), len(rows)):
                start = ctx.narrower[tap]
                of_taps[tap][:, start:] = rows[of].t() @ gradient[to, start:]
        if needs_bias:
            of_bias = gradient.sum(dim=0)
        return of_rows, of_taps, of_bias, None


def _shifts(n_taps: int, n_rows: int) -> Iterator[tuple[int, slice, slice]]:
    """Iterate over the taps beside the centre: tap, rows to write, rows to read."""
    for tap in range(n_taps):
        step = tap - n_taps // 2
        if step and abs(step) < n_rows:
            to = slice(max(0, -step), min(n_rows, n_rows - step))
            yield tap, to, slice(to.start + step, to.stop + step)
