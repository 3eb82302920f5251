"""Text of a batch laid end to end, and the layers that read it.

The words of all messages stand in one sequence, with gaps of zeros as wide as half the
widest filter: a convolution gives what it would give message by message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.row_convolution import row_convolution

__all__ = ["DeepTextConvolution", "FlatText", "MessageAttention", "WordEmbedding"]


class FlatText(NamedTuple):
    """Messages of a batch of users, end to end, with gaps between them."""

    ids: Tensor  # int64 (n_positions,): words; in gaps the size of the vocabulary
    is_word: Tensor  # bool (n_positions,): False in gaps
    segment_lengths: Tensor  # int64 (2 * n_messages - 1,): message, gap, ..., message
    message_users: Tensor  # int64 (n_messages,): row of the user, non-decreasing
    n_users: int  # with or without messages

    @property
    def n_messages(self) -> int:
        """Number of messages of all users."""
        return len(self.message_users)

    def to(self, device: torch.device | str) -> FlatText:
        """Copy to a device."""
        ids, is_word, lengths, users = (part.to(device) for part in self[:4])
        return FlatText(ids, is_word, lengths, users, self.n_users)


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
        self.n_dimensions = n_dimensions
        if trainable or vectors is None:
            self.table: Tensor = nn.Parameter(table)
        else:
            self.register_buffer("table", table)

    def forward(self, ids: Tensor) -> Tensor:
        """Look ids (...) up: vectors (..., n_dimensions)."""
        # padding_idx keeps the gap's vector at zero: it gets no gradient.
        return nn.functional.embedding(ids, self.table, padding_idx=self.gap_id)


def message_maximum(values: Tensor, segment_lengths: Tensor) -> Tensor:
    """Maximum of (n_positions, n_features) over the words of each message, not gaps."""
    maxima: Tensor = torch.segment_reduce(
        values.contiguous(), "max", lengths=segment_lengths, axis=0
    )
    return maxima[::2]  # (n_messages, n_features)


class DeepTextConvolution(nn.Module):
    """Two convolutions and a maximum: words of a message to one vector (eq. 2 and 3).

    Filter widths are in words and odd, since an even filter has no centre.
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
        # Words that a filter sees to either side: zeros that it needs between messages.
        self.gap = max(widths) // 2
        self.n_features = n_filters_second
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
        """Encode vectors (n_positions, n_dimensions): (n_messages, n_features) >= 0."""
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
        return message_maximum(maps, text.segment_lengths)


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

    By softmax over a user's messages, by the "raw" score as the paper prints it, or by
    None, the average.
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
