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

from sklearn_profiling.architectures.layers.flat_text import FlatText, WordEmbedding
from sklearn_profiling.architectures.layers.randomness import Dropout, SourceDropout

__all__ = [
    "Bucket",
    "BucketedLSTM",
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

    A bucket of n sequences, the longest of T words, is taken to cost
    ``T * (n + step_cost)``; of all ways to cut the sorted lengths, the cheapest is
    found by dynamic programming. Buckets of more than 64 sequences are then split.

    Parameters
    ----------
    lengths : Tensor of int64, shape (n_sequences,)
        Words of each sequence, at least 1.
    step_cost : int, default=4
        Cost of a time step beside its sequences; 0 gives each length its own bucket.

    Returns
    -------
    list of Tensor of int64
        Numbers of the sequences in each bucket, the shortest sequences first; together
        each sequence once.
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

    Parameters
    ----------
    text : FlatText
        Messages of a batch.
    level : {"user", "message"}
        Whether all messages of a user are one sequence, or each message is one.
    max_words : int or None
        Words of a sequence after which it is cut off; None keeps all.

    Returns
    -------
    list of Bucket
        The sequences; positions count the words of the batch, gaps left out.
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
    """An LSTM and the average of its outputs over all words of a user.

    Parameters
    ----------
    n_dimensions : int
        Length of a word vector.
    n_hidden : int
        Units of the LSTM: length of a user's vector.
    dropout : float
        Probability of dropout on the entries of word vectors.
    """

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
        """Read the words of each user.

        Parameters
        ----------
        vectors : Tensor, shape (n_words, n_dimensions)
            Vectors of all words of a batch.
        buckets : sequence of Bucket
            Where the sequences lie among them.
        n_users : int
            Users in the batch.

        Returns
        -------
        Tensor, shape (n_users, n_hidden)
            h of eq. 7, averaged over the time steps of all sequences of a user; zero
            for users without words.
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

    Parameters
    ----------
    embedding : WordEmbedding
        Word vectors.
    n_lstms : int
        Number of LSTMs.
    n_hidden : int
        Units of each LSTM.
    level : {"user", "message"}
        Whether all messages of a user are one sequence, or each message is one.
    max_words : int or None
        Words of a sequence after which it is cut off; None keeps all.
    word_dropout : float
        Probability of dropout on the entries of word vectors, drawn for each LSTM.
    source_dropout : float
        Probability that training hides the text of a user.
    """

    def __init__(
        self,
        embedding: WordEmbedding,
        n_lstms: int,
        *,
        n_hidden: int,
        level: Literal["user", "message"],
        max_words: int | None,
        word_dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.level: Literal["user", "message"] = level
        self.max_words = max_words
        self.n_features = n_hidden
        n_dimensions = embedding.table.shape[1]
        self.lstms = nn.ModuleList(
            BucketedLSTM(n_dimensions, n_hidden, word_dropout) for _ in range(n_lstms)
        )
        self.stand_ins = nn.ParameterList(
            nn.Parameter(torch.zeros(n_hidden)) for _ in range(n_lstms)
        )
        self.hide = SourceDropout(source_dropout)

    def forward(self, text: FlatText, present: Tensor) -> list[Tensor]:
        """Read the text of each user.

        Parameters
        ----------
        text : FlatText
            Messages of a batch.
        present : Tensor of bool, shape (n_users,)
            Whether each user has the text; who has not gets a learned stand-in.

        Returns
        -------
        list of Tensor, shape (n_users, n_hidden)
            What each LSTM makes of it.
        """
        buckets = word_buckets(text, self.level, self.max_words)
        vectors = self.embedding(text.ids[text.is_word])
        use = self.hide(present).unsqueeze(-1)
        return [
            torch.where(use, lstm(vectors, buckets, text.n_users), stand_in)
            for lstm, stand_in in zip(self.lstms, self.stand_ins, strict=True)
        ]


def dense(n_inputs: int, n_outputs: int, dropout: float) -> nn.Sequential:
    """Make a dense layer with ReLU, and dropout behind it (eq. 8 and 9).

    Parameters
    ----------
    n_inputs, n_outputs : int
        Units that it reads and gives.
    dropout : float
        Probability of dropout.

    Returns
    -------
    Sequential
        The layers.
    """
    return nn.Sequential(nn.Linear(n_inputs, n_outputs), nn.ReLU(), Dropout(dropout))


def glorot_uniform(module: nn.Module) -> None:
    """Draw all dense and LSTM layers of a module uniformly, by the size of each matrix.

    A matrix of r rows and c columns is drawn from U(-a, a), a = sqrt(6 / (r + c));
    those of the four gates of an LSTM one by one. Biases become zero.

    Parameters
    ----------
    module : Module
        Changed in place.
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
