"""A linear model of the words of texts, trained as a part of a net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.randomness import Dropout, SourceDropout
from sklearn_profiling.architectures.layers.sources import (
    SourceBatch,
    SourceDescription,
)
from sklearn_profiling.architectures.layers.text import FlatText, segment_sum

__all__ = ["TABLES", "TABLE_OPTIONS", "BagLogits", "BagOfWords"]

TABLES = "*bags.*.table"
"""Names of the tables among the parameters of a net."""

TABLE_OPTIONS = {"eps": 1.0}
"""Of Adam for the tables: far above their gradients, so that a row moves by its mean
gradient. Divided by their deviation, steps of rare words are as large as those of
frequent ones, and the training users are memorised in a few epochs."""

N_BUCKETS = 2**16
"""Rows that sequences of each number of words, from two on, share by a hash."""

SCALE = 200.0
"""Length of the weights of a user: a step of the table changes the logits by its square
times the learning rate, which makes a rate of 0.001 one of 40 for unit rows."""

PAIRS = 0.3
"""Length of the weights of pairs of words beside that of words, and so on."""

_MULTIPLIER = 1_000_003
_MODULUS = 2**31 - 1


class BagOfWords(nn.Module):
    """Words and short sequences of words of a user to outputs, by a linear map.

    The weight of a sequence is (1 + log count) x idf, as in tf-idf. The weights of a
    user have one length for each number of words. Users without text get zeros.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary; a word has a row of its own.
    n_outputs : int
        Columns to give.
    longest : int
        Longest sequence of words, within a message.
    dropout, source_dropout : float
        Probabilities that training hides a sequence of a user, and all of them.
    """

    def __init__(
        self,
        n_words: int,
        n_outputs: int,
        *,
        longest: int,
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        self.n_words = n_words
        self.longest = longest
        n_rows = n_words + (longest - 1) * N_BUCKETS
        self.table = nn.Parameter(torch.zeros(n_rows, n_outputs))
        self.idf = nn.Parameter(torch.ones(n_rows), requires_grad=False)
        self.dropout = Dropout(dropout)
        self.hide = SourceDropout(source_dropout)

    def counts(self, text: FlatText) -> tuple[Tensor, Tensor, Tensor]:
        """Count sequences: user, row of the table and count, each (n_distinct,)."""
        n_rows = len(self.table)
        segments = torch.arange(len(text.segment_lengths), device=text.ids.device)
        # Messages are the even segments, gaps the odd ones.
        messages = torch.repeat_interleave(segments >> 1, text.segment_lengths)
        ids, messages = text.ids[text.is_word], messages[text.is_word]  # (n_words,)
        users = text.message_users[messages]
        keys = [users * n_rows + ids]
        hashed = ids
        for length in range(2, self.longest + 1):
            hashed = (hashed[:-1] * _MULTIPLIER + ids[length - 1 :]) % _MODULUS
            # Multiplied once more, or neighbours would keep their order in buckets.
            buckets = hashed * _MULTIPLIER % _MODULUS % N_BUCKETS
            rows = self.n_words + (length - 2) * N_BUCKETS + buckets
            n_starts = len(hashed)
            inside = messages[length - 1 :] == messages[:n_starts]
            keys.append((users[:n_starts] * n_rows + rows)[inside])
        ordered = _sorted(torch.cat(keys))
        distinct, counts = torch.unique_consecutive(ordered, return_counts=True)
        users = distinct // n_rows
        return users, distinct - users * n_rows, counts

    def set_shares(self, shares: Tensor) -> None:
        """Set idf from the share of users with each row (n_rows,); 0 if nobody."""
        idf = 1.0 - torch.log(torch.where(shares > 0, shares, 1.0))
        self.idf.copy_(torch.where(shares > 0, idf, 0.0))

    def weights(self, text: FlatText) -> tuple[Tensor, Tensor, Tensor]:
        """Weigh sequences: user, row of the table and weight, each (n_distinct,)."""
        users, rows, counts = self.counts(text)
        weights = (1.0 + torch.log(counts.to(self.idf.dtype))) * self.idf[rows]
        longer = ((rows - self.n_words) // N_BUCKETS + 1).clamp(min=0)
        kinds = users * self.longest + longer
        squares = segment_sum(weights.square(), kinds, text.n_users * self.longest)
        # Of users none of whose words training has seen, all weights are zero.
        lengths = torch.where(squares > 0, squares, 1.0).sqrt()
        factors = SCALE * PAIRS ** longer.to(weights.dtype)
        return users, rows, factors * weights / lengths[kinds]

    def forward(self, text: FlatText) -> Tensor:
        """Map the text of each user: (n_users, n_outputs)."""
        users, rows, weights = self.weights(text)
        numbers = torch.arange(text.n_users, device=users.device)
        shown = self.hide(torch.ones_like(numbers, dtype=torch.bool))
        outputs: Tensor = nn.functional.embedding_bag(
            rows,
            self.table,
            torch.searchsorted(users, numbers),
            per_sample_weights=self.dropout(weights) * shown[users],
            mode="sum",
        )
        return outputs


def _sorted(keys: Tensor) -> Tensor:
    """Sort whole numbers, in place on a CPU: numpy is ten times as fast as torch."""
    if keys.device.type != "cpu":
        return keys.sort().values
    keys.numpy().sort()  # of the same memory
    return keys


class BagLogits(nn.Module):
    """A bag of words of each text, added to the logits of all tasks; zero at first."""

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        longest: int,
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()
        texts = [source for source in sources if source.kind == "text" and longest]
        self.names = [text.name for text in texts]
        self.n_classes = list(n_classes)
        self.bags = nn.ModuleList(
            BagOfWords(
                text.n_words,
                sum(n_classes),
                longest=longest,
                dropout=dropout,
                source_dropout=source_dropout if len(sources) > 1 else 0.0,
            )
            for text in texts
        )

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
        logits: Sequence[Tensor],
    ) -> tuple[Tensor, ...]:
        """Add to the logits of each task: (n_users, n_classes) a task."""
        for name, bag in zip(self.names, self.bags, strict=True):
            # A text may be hidden from the net though it is there.
            added = bag(sources[name]) * present[name].unsqueeze(1)
            parts = torch.split(added, self.n_classes, dim=1)
            logits = [one + part for one, part in zip(logits, parts, strict=True)]
        return tuple(logits)
