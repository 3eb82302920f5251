"""Text of a batch as one sequence, and its words as vectors.

The messages of all users lie end to end with a gap of zeros between them. A convolution
whose filters reach no further than the gap sees each message as if it stood alone, so
one long sequence gives what padding every message would, without the padding.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["FlatText", "WordEmbedding"]


class FlatText(NamedTuple):
    """Messages of a batch of users, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (n_positions,)
        Word ids; in the gaps the number of words in the vocabulary.
    is_word : Tensor of bool, shape (n_positions,)
        False in the gaps.
    segment_lengths : Tensor of int64, shape (2 * n_messages - 1,)
        Lengths of message, gap, message, ..., message; empty without messages.
    message_users : Tensor of int64, shape (n_messages,)
        Row of the user who wrote each message, never falling.
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
        """Copy to a device.

        Parameters
        ----------
        device : torch.device or str
            Where to.

        Returns
        -------
        FlatText
            The same text there.
        """
        return FlatText(
            self.ids.to(device),
            self.is_word.to(device),
            self.segment_lengths.to(device),
            self.message_users.to(device),
            self.n_users,
        )


class WordEmbedding(nn.Module):
    """Word vectors, given or learned, with a zero vector for gaps.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary.
    n_dimensions : int
        Length of a vector.
    vectors : Tensor of shape (n_words, n_dimensions), default=None
        Given vectors; None begins with small random ones.
    trainable : bool, default=False
        Whether training changes the vectors. Without given vectors it always does.
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
        """Look vectors up.

        Parameters
        ----------
        ids : Tensor of int64, shape (n_positions,)
            Word ids, `n_words` in gaps.

        Returns
        -------
        Tensor, shape (n_positions, n_dimensions)
            Vectors, zero in gaps.
        """
        # padding_idx keeps the gap's vector at zero: it gets no gradient.
        return nn.functional.embedding(ids, self.table, padding_idx=self.gap_id)
