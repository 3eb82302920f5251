"""Text of a batch laid end to end, and the layers that read it.

No message is padded to the length of another: the words of all messages stand in one
sequence, with a gap of zeros between messages as wide as half the widest filter, so
that a convolution over the sequence gives what it would give message by message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

__all__ = [
    "DeepTextConvolution",
    "FlatText",
    "MessageAttention",
    "WordEmbedding",
    "message_maximum",
    "row_convolution",
    "segment_softmax",
    "segment_sum",
    "working_dtype",
]


class FlatText(NamedTuple):
    """Messages of a batch of users, end to end, with gaps between them.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_positions,)
        Word ids; in gaps the number of words of the vocabulary.
    is_word : Tensor of bool, shape (n_positions,)
        False in gaps.
    segment_lengths : Tensor of int64, shape (2 * n_messages - 1,)
        Lengths of message, gap, message, ..., message; a message has a word at least.
    message_users : Tensor of int64, shape (n_messages,)
        Row of the user of each message, never falling.
    n_users : int
        Number of users in the batch, with or without messages.
    """

    ids: Tensor
    is_word: Tensor
    segment_lengths: Tensor
    message_users: Tensor
    n_users: int

    @property
    def n_messages(self) -> int:
        """Number of messages of all users."""
        return len(self.message_users)

    def to(self, device: torch.device | str) -> FlatText:
        """Copy to a device."""
        return FlatText(
            self.ids.to(device),
            self.is_word.to(device),
            self.segment_lengths.to(device),
            self.message_users.to(device),
            self.n_users,
        )


class WordEmbedding(nn.Module):
    """Word vectors, and a vector of zeros for gaps: the row after the last word.

    Without `vectors` (n_words, n_dimensions) the table is drawn at random and trained.
    """

    def __init__(
        self,
        n_words: int,
        n_dimensions: int,
        vectors: Tensor | None = None,
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        table = torch.zeros(n_words + 1, n_dimensions)
        if vectors is None:
            nn.init.normal_(table[:-1], std=n_dimensions**-0.5)
        else:
            table = table.to(vectors.dtype)
            table[:-1] = vectors
        self.gap_id = n_words
        if trainable or vectors is None:
            self.table: Tensor = nn.Parameter(table)
        else:
            self.register_buffer("table", table)

    def forward(self, ids: Tensor) -> Tensor:
        """Look ids (...) up: vectors (..., n_dimensions)."""
        # padding_idx keeps the gap's vector at zero: it gets no gradient.
        return nn.functional.embedding(ids, self.table, padding_idx=self.gap_id)


# -- convolution -----------------------------------------------------------------------


def working_dtype(values: Tensor) -> torch.dtype:
    """Precision in which products are computed: that of autocast where it is on."""
    kind = values.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return values.dtype


def row_convolution(rows: Tensor, weights: Sequence[Tensor], bias: Tensor) -> Tensor:
    """Convolve rows (n_positions, n_inputs) with filters of one or several odd widths.

    `weights` are filters as Conv1d has them, (n_outputs, n_inputs, width), narrowest
    first; what they find stands side by side, (n_positions, sum of n_outputs). Each tap
    is a product of the shifted rows with a matrix: without transposing the sequence,
    narrow filters take half the time of the general convolution.
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


def message_maximum(values: Tensor, segment_lengths: Tensor) -> Tensor:
    """Maximum of (n_positions, n_features) over the words of each message, not gaps."""
    maxima: Tensor = torch.segment_reduce(
        values.contiguous(), "max", lengths=segment_lengths, axis=0
    )
    return maxima[::2]  # (n_messages, n_features)


class DeepTextConvolution(nn.Module):
    """Two convolutions and a maximum: words of a message to one vector (eq. 2 and 3).

    Filter widths are in words and odd, since an even filter has no centre. `reach` is
    the number of words that a filter sees to either side: the gap that it needs.
    """

    def __init__(
        self,
        n_dimensions: int,
        n_filters: int,
        kernel_sizes: Sequence[int],
        n_filters_second: int,
        kernel_size_second: int,
    ) -> None:
        super().__init__()
        widths = [*kernel_sizes, kernel_size_second]
        if any(width < 1 or width % 2 == 0 for width in widths):
            msg = f"filter widths must be odd and at least 1; got {widths}"
            raise ValueError(msg)
        self.reach = max(widths) // 2
        self.first = nn.ModuleList(
            nn.Conv1d(n_dimensions, n_filters, width, padding=width // 2)
            for width in kernel_sizes
        )
        self.second = nn.Conv1d(
            n_filters * len(kernel_sizes),
            n_filters_second,
            kernel_size_second,
            padding=kernel_size_second // 2,
        )

    def forward(self, vectors: Tensor, text: FlatText) -> Tensor:
        """Word vectors (n_positions, n_dimensions), zero in gaps, to messages.

        Returns (n_messages, n_filters_second), not negative.
        """
        if text.n_messages == 0:
            return vectors.new_zeros(0, self.second.out_channels)
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
        return message_maximum(maps, text.segment_lengths)


# -- attention over the messages, or images, of each user ------------------------------


def segment_sum(values: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """Sum the rows of each segment: (n_rows, ...) to (n_segments, ...); 0 if none."""
    sums = values.new_zeros((n_segments, *values.shape[1:]))
    return sums.index_add(0, segments, values)


def segment_softmax(scores: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """Softmax of scores (n_rows,) among the rows of each segment."""
    largest = scores.new_full((n_segments,), -torch.inf)
    largest = largest.scatter_reduce(0, segments, scores.detach(), "amax")
    weights = torch.exp(scores - largest[segments])
    return weights / segment_sum(weights, segments, n_segments)[segments]


class MessageAttention(nn.Module):
    """Weigh the messages of a user and sum them (eq. 4 and 5).

    `mode` is softmax over a user's messages, the "raw" score as the paper prints it, or
    None for the average (without attention).
    """

    def __init__(
        self, n_features: int, n_hidden: int, mode: Literal["softmax", "raw"] | None
    ) -> None:
        super().__init__()
        self.mode = mode
        if mode is not None:
            self.hidden = nn.Linear(n_features, n_hidden)
            self.score = nn.Linear(n_hidden, 1, bias=False)

    def weights(self, messages: Tensor, users: Tensor, n_users: int) -> Tensor:
        """Weight of each of (n_messages, n_features), alpha of eq. 4: (n_messages,)."""
        if self.mode is None:
            counts = torch.bincount(users, minlength=n_users).to(messages.dtype)
            return 1.0 / counts[users]
        scores: Tensor = self.score(torch.tanh(self.hidden(messages))).squeeze(-1)
        scores = scores.to(messages.dtype)
        if self.mode == "raw":
            return scores
        return segment_softmax(scores, users, n_users)

    def forward(self, messages: Tensor, users: Tensor, n_users: int) -> Tensor:
        """Weighted sums (n_users, n_features); zero for users without messages."""
        weights = self.weights(messages, users, n_users)
        return segment_sum(weights.unsqueeze(-1) * messages, users, n_users)
