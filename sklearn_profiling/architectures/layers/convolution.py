"""Convolutions over flat text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.flat_text import FlatText
from sklearn_profiling.architectures.layers.row_convolution import row_convolution

__all__ = ["DeepTextConvolution", "message_maximum"]


def message_maximum(values: Tensor, segment_lengths: Tensor) -> Tensor:
    """Take the maximum over the words of each message.

    Parameters
    ----------
    values : Tensor, shape (n_positions, n_features)
        One row a word or gap position.
    segment_lengths : Tensor of int64, shape (2 * n_messages - 1,)
        Lengths of message, gap, message, ..., message; all above zero but for gaps.

    Returns
    -------
    Tensor, shape (n_messages, n_features)
        The maxima; positions in gaps do not count.
    """
    maxima: Tensor = torch.segment_reduce(
        values.contiguous(), "max", lengths=segment_lengths, axis=0
    )
    return maxima[::2]


class DeepTextConvolution(nn.Module):
    """Two convolutions and a maximum: words of a message to one vector (eq. 2 and 3).

    Parameters
    ----------
    n_dimensions : int
        Length of a word vector.
    n_filters : int
        Feature maps of each width in the first convolution.
    kernel_sizes : sequence of int
        Odd filter widths, in words, of the first convolution.
    second_kernel_size : int
        Odd filter width of the second convolution.
    n_features : int
        Feature maps of the second convolution: length of a message's vector.

    Attributes
    ----------
    reach : int
        Words that a filter sees to either side; the gap must be at least as long.

    Raises
    ------
    ValueError
        If a filter width is even, since such a filter has no centre.
    """

    def __init__(
        self,
        n_dimensions: int,
        n_filters: int,
        kernel_sizes: Sequence[int],
        second_kernel_size: int,
        n_features: int,
    ) -> None:
        super().__init__()
        widths = [*kernel_sizes, second_kernel_size]
        if any(width < 1 or width % 2 == 0 for width in widths):
            msg = f"filter widths must be odd and at least 1; got {widths}"
            raise ValueError(msg)
        self.reach = max(widths) // 2
        self.n_features = n_features
        self.first = nn.ModuleList(
            nn.Conv1d(n_dimensions, n_filters, width, padding=width // 2)
            for width in kernel_sizes
        )
        self.second = nn.Conv1d(
            n_filters * len(kernel_sizes),
            n_features,
            second_kernel_size,
            padding=second_kernel_size // 2,
        )

    def forward(self, vectors: Tensor, text: FlatText) -> Tensor:
        """Encode messages.

        Parameters
        ----------
        vectors : Tensor, shape (n_positions, n_dimensions)
            Word vectors, zero in gaps.
        text : FlatText
            Where messages and gaps lie.

        Returns
        -------
        Tensor, shape (n_messages, n_features)
            One vector a message, not negative.
        """
        if text.n_messages == 0:
            return vectors.new_zeros(0, self.n_features)
        filters: list[Any] = list(self.first)
        order = sorted(range(len(filters)), key=lambda k: filters[k].kernel_size[0])
        weights = [filters[k].weight for k in order]
        bias = torch.cat([filters[k].bias for k in order])
        maps = torch.relu_(row_convolution(vectors, weights, bias))
        # In a gap a filter that reaches a word, or the bias alone, gives more than
        # zero; the second convolution must see zeros there, as beside a lone message.
        maps = maps * text.is_word.to(maps.dtype).unsqueeze(1)
        # The maps lie in the order of the widths, so its weights have to as well.
        second: Any = self.second
        blocks = torch.chunk(second.weight, len(filters), dim=1)
        weight = torch.cat([blocks[k] for k in order], dim=1)
        maps = torch.relu_(row_convolution(maps, [weight], second.bias))
        # Autocast leaves 16 bits here, which the segment maximum does not take.
        if maps.dtype == torch.bfloat16:
            maps = maps.float()
        return message_maximum(maps, text.segment_lengths)  # (n_messages, n_features)
