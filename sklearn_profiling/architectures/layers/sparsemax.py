"""Attention weights of which many are exactly zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["sparsemax"]


def sparsemax(scores: Tensor, mask: Tensor | None = None, dim: int = -1) -> Tensor:
    """Project scores onto the probability simplex.

    With the scores z sorted in descending order, ``k = max{k : 1 + k z_(k) > sum_{j<=k}
    z_(j)}`` and ``tau = (sum_{j<=k} z_(j) - 1) / k``, the weights are ``max(z - tau,
    0)``: the point of the simplex that is closest to z.

    Parameters
    ----------
    scores : Tensor of float
        Scores z.
    mask : Tensor of bool, default=None
        True where an entry takes part; of a shape that broadcasts to that of `scores`.
        None lets all take part.
    dim : int, default=-1
        The dimension along which the weights sum to 1.

    Returns
    -------
    Tensor
        Weights, of the shape and dtype of `scores`. Entries that do not take part are
        zero, as are all entries of a row in which none does.

    Notes
    -----
    The gradient is the exact one: with s the indicator of the weights above zero and
    |S| their number, the Jacobian is ``diag(s) - s s^T / |S|``. Where it jumps, at
    scores that lie on the border of the support, it is that of the smaller support.

    Numbers of 16 bits are computed with 32. An entry of minus infinity takes no part.

    References
    ----------
    A. Martins, R. Astudillo. From Softmax to Sparsemax: A Sparse Model of Attention and
    Multi-Label Classification. ICML 2016.

    Examples
    --------
    >>> import torch
    >>> from sklearn_profiling.architectures.layers.sparsemax import sparsemax
    >>> sparsemax(torch.tensor([1.0, 0.5, -1.0]))
    tensor([0.7500, 0.2500, 0.0000])
    """
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    if scores.shape[dim] == 0:
        # No image of any user of a batch: there is nothing to weigh.
        return scores
    weights: Tensor = _Sparsemax.apply(scores, dim)  # type: ignore[no-untyped-call]
    return weights


class _Sparsemax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, dim: int) -> Tensor:
        exact = scores.float() if scores.dtype.itemsize < 4 else scores
        largest = exact.amax(dim, keepdim=True)
        # Only differences matter; sums of large scores would lose their digits.
        shifted = exact - largest.masked_fill(largest == -torch.inf, 0.0)
        ordered = shifted.sort(dim=dim, descending=True).values
        sums = ordered.cumsum(dim)
        shape = [1] * scores.ndim
        shape[dim] = -1
        counts = torch.arange(
            1, scores.shape[dim] + 1, device=scores.device, dtype=exact.dtype
        ).reshape(shape)
        n_support = (1 + counts * ordered > sums).sum(dim, keepdim=True)
        # A row in which nothing takes part has no support, and no weight below.
        total = sums.gather(dim, (n_support - 1).clamp(min=0))
        threshold = torch.where(n_support > 0, (total - 1) / n_support, 0.0)
        weights = (shifted - threshold).clamp(min=0.0)
        ctx.save_for_backward(weights > 0)
        ctx.dim = dim
        return weights.to(scores.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (support,) = ctx.saved_tensors
        inside = torch.where(support, gradient, 0.0)
        n_support = support.sum(ctx.dim, keepdim=True).clamp(min=1)
        mean = inside.sum(ctx.dim, keepdim=True) / n_support
        return torch.where(support, gradient - mean, 0.0), None
