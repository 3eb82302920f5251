"""LSTMs over ragged text: sequences of like length run together.

A batch padded to its longest sequence is mostly padding, since lengths are skewed. Here
the sequences are sorted by length and cut into buckets, each padded to its own longest,
where that saves most time. What a user gets does not depend on the cuts: padding comes
after the last word, and only real steps are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.randomness import Dropout, SourceDropout
from sklearn_profiling.architectures.layers.sources import (
    SourceDescription,
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import FlatText, WordEmbedding

__all__ = [
    "Bucket",
    "BucketedLSTM",
    "JoinedText",
    "RecurrentText",
    "dense",
    "glorot_uniform",
    "length_buckets",
    "word_buckets",
]

_STEP_COST = 4
"""What a time step costs, however few sequences take it, in steps of one sequence."""

_MOST_SEQUENCES = 64
"""Sequences in a bucket: more leave the processor's cache (measured: 1.6 times slower
a sequence)."""


class Bucket(NamedTuple):
    """Sequences of like length, padded to the longest of them.

    Attributes
    ----------
    positions : Tensor of int64, shape (n_steps, n_sequences)
        Which word of the batch each step reads; after the end of a sequence its last.
    is_real : Tensor of bool, shape (n_steps, n_sequences)
        False after the end of a sequence.
    users : Tensor of int64, shape (n_sequences,)
        Row of the user whose sequence it is.
    """

    positions: Tensor
    is_real: Tensor
    users: Tensor


def length_buckets(lengths: Tensor, step_cost: int = _STEP_COST) -> list[Tensor]:
    """Split sequences into buckets of like length that take the least time together.

    Returns the numbers of the sequences in each bucket, the shortest sequences first. A
    bucket of n sequences, the longest of T words, is taken to cost
    ``T * (n + step_cost)``; of all ways to cut the sorted lengths, the cheapest is
    found by dynamic programming. Buckets of more than 64 sequences are then split.
    """
    order = torch.argsort(lengths, stable=True)
    sizes, counts = torch.unique_consecutive(lengths[order], return_counts=True)
    before = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    # least[k]: cost of the k smallest lengths; last[k]: where their last bucket begins.
    least = counts.new_zeros(len(sizes) + 1)
    last = [0]
    for k, size in enumerate(sizes.tolist(), start=1):
        cost = least[:k] + size * (before[k] - before[:k] + step_cost)
        last.append(int(cost.argmin()))
        least[k] = cost[last[k]]
    buckets: list[Tensor] = []
    end = len(sizes)
    while end > 0:
        begin = last[end]
        members = order[int(before[begin]) : int(before[end])]
        buckets += reversed(torch.split(members, _MOST_SEQUENCES))
        end = begin
    return buckets[::-1]


def word_buckets(
    text: FlatText, level: Literal["user", "message"], max_words: int | None
) -> list[Bucket]:
    """Cut the text of a batch into sequences and those into buckets.

    All messages of a "user" are one sequence, or each "message" is one; it is cut off
    after `max_words`. Positions count the words of the batch, without gaps.
    """
    device = text.ids.device
    # The cuts are found step by step, which only the CPU does quickly.
    lengths, users = text.segment_lengths[::2].cpu(), text.message_users.cpu()
    if level == "user":
        totals = lengths.new_zeros(text.n_users).index_add(0, users, lengths)
        users = torch.nonzero(totals).squeeze(1)
        lengths = totals[users]
    starts = lengths.cumsum(0) - lengths
    if max_words is not None:
        lengths = lengths.clamp(max=max_words)
    buckets = []
    for chosen in length_buckets(lengths):
        steps = torch.arange(int(lengths[chosen[-1]])).unsqueeze(1)
        positions = starts[chosen] + torch.minimum(steps, lengths[chosen] - 1)
        bucket = positions, steps < lengths[chosen], users[chosen]
        buckets.append(Bucket(*(part.to(device) for part in bucket)))
    return buckets


class BucketedLSTM(nn.Module):
    """An LSTM and the average of its outputs over all words of a user."""

    def __init__(self, n_dimensions: int, n_hidden: int, dropout: float) -> None:
        super().__init__()
        self.n_features = n_hidden
        self.dropout = Dropout(dropout)
        self.lstm = nn.LSTM(n_dimensions, n_hidden)
        # Torch adds two biases to each gate where eq. 1 to 4 have one.
        self.lstm.bias_hh_l0.requires_grad = False

    def forward(
        self, vectors: Tensor, buckets: Sequence[Bucket], n_users: int
    ) -> Tensor:
        """Average h of eq. 7 over all sequences of a user: (n_users, n_hidden).

        `vectors` (n_words, n_dimensions) are those of all words of the batch, among
        which `buckets` lie. Users without words get zeros.
        """
        words = self.dropout(vectors)
        sums = vectors.new_zeros(n_users, self.n_features)
        counts = vectors.new_zeros(n_users, 1)
        for positions, is_real, users in buckets:
            inputs = words.index_select(0, positions.flatten())
            # (n_steps, n_sequences, n_dimensions) -> (n_steps, n_sequences, n_hidden)
            outputs, _ = self.lstm(inputs.unflatten(0, positions.shape))
            real = is_real.unsqueeze(-1).to(sums.dtype)
            sums = sums.index_add(0, users, (outputs.to(sums.dtype) * real).sum(dim=0))
            counts = counts.index_add(0, users, real.sum(dim=0))
        return sums / counts.clamp(min=1)


class RecurrentText(nn.Module):
    """Read one text by several LSTMs side by side, from the same word vectors.

    Dropout on the entries of word vectors is drawn for each LSTM.
    """

    def __init__(
        self,
        source: SourceDescription,
        n_lstms: int,
        *,
        level: Literal["user", "message"],
        max_words: int | None,
        n_hidden: int,
        n_dimensions: int,
        trainable_vectors: bool,
        word_dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = word_embedding(
            source, n_dimensions, trainable=trainable_vectors
        )
        self.level: Literal["user", "message"] = level
        self.max_words = max_words
        self.n_features = n_hidden
        n_inputs = self.embedding.table.shape[1]
        self.lstms = nn.ModuleList(
            BucketedLSTM(n_inputs, n_hidden, word_dropout) for _ in range(n_lstms)
        )
        self.missing = nn.ParameterList(
            nn.Parameter(torch.zeros(n_hidden)) for _ in range(n_lstms)
        )
        self.hide = SourceDropout(source_dropout)

    def forward(self, text: FlatText, present: Tensor) -> list[Tensor]:
        """Read the text of each user: (n_users, n_hidden) of each LSTM.

        Users who are not `present` (n_users,) get the missing-source embedding.
        """
        buckets = word_buckets(text, self.level, self.max_words)
        vectors = self.embedding(text.ids[text.is_word])
        use = self.hide(present).unsqueeze(-1)
        return [
            torch.where(use, lstm(vectors, buckets, text.n_users), missing)
            for lstm, missing in zip(self.lstms, self.missing, strict=True)
        ]


class JoinedText(nn.Module):
    """An LSTM over a text in two sets of word vectors, side by side.

    `own` (n_words, d) begins the set that is trained with this LSTM alone, at random if
    it is None; the other one comes with each call.
    """

    def __init__(
        self,
        source: SourceDescription,
        own: Tensor | None,
        n_shared: int,
        *,
        level: Literal["user", "message"],
        max_words: int | None,
        n_hidden: int,
        n_dimensions: int,
        trainable_vectors: bool,
        word_dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        n_own = n_dimensions if own is None else own.shape[1]
        self.embedding = WordEmbedding(
            source.n_words, n_own, own, trainable=trainable_vectors
        )
        self.level: Literal["user", "message"] = level
        self.max_words = max_words
        self.lstm = BucketedLSTM(n_own + n_shared, n_hidden, word_dropout)
        self.missing = nn.Parameter(torch.zeros(n_hidden))
        self.hide = SourceDropout(source_dropout)

    def forward(self, text: FlatText, present: Tensor, shared: WordEmbedding) -> Tensor:
        """Read the text of each user: (n_users, n_hidden)."""
        buckets = word_buckets(text, self.level, self.max_words)
        ids = text.ids[text.is_word]
        vectors = torch.cat([self.embedding(ids), shared(ids)], dim=1)
        use = self.hide(present).unsqueeze(-1)
        return torch.where(use, self.lstm(vectors, buckets, text.n_users), self.missing)


def dense(n_inputs: int, n_outputs: int, dropout: float) -> nn.Sequential:
    """Dense layer with ReLU, and dropout behind it (eq. 8 and 9)."""
    return nn.Sequential(nn.Linear(n_inputs, n_outputs), nn.ReLU(), Dropout(dropout))


def glorot_uniform(module: nn.Module) -> None:
    """Draw all dense and LSTM layers of a module uniformly, by the size of each matrix.

    A matrix of r rows and c columns is drawn from U(-a, a), a = sqrt(6 / (r + c));
    those of the four gates of an LSTM one by one. Biases become zero.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.LSTM):
            for name, parameter in layer.named_parameters():
                if name.startswith("weight"):
                    for gate in parameter.detach().chunk(4):
                        nn.init.xavier_uniform_(gate)
                else:
                    nn.init.zeros_(parameter)
