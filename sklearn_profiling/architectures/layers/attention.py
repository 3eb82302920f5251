"""Attention over the messages of each user."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["MessageAttention", "segment_softmax", "segment_sum"]


def segment_sum(values: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """Sum rows that belong together.

    Parameters
    ----------
    values : Tensor, shape (n_rows,) or (n_rows, n_features)
        Rows.
    segments : Tensor of int64, shape (n_rows,)
        Segment of each row.
    n_segments : int
        Number of segments.

    Returns
    -------
    Tensor, shape (n_segments,) or (n_segments, n_features)
        Sums; zero for a segment without rows.
    """
    sums = values.new_zeros((n_segments, *values.shape[1:]))
    return sums.index_add(0, segments, values)


def segment_softmax(scores: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """Softmax among the rows of each segment.

    Parameters
    ----------
    scores : Tensor, shape (n_rows,)
        Scores.
    segments : Tensor of int64, shape (n_rows,)
        Segment of each row.
    n_segments : int
        Number of segments.

    Returns
    -------
    Tensor, shape (n_rows,)
        Weights that sum to 1 in each segment.
    """
    largest = scores.new_full((n_segments,), -torch.inf)
    largest = largest.scatter_reduce(0, segments, scores.detach(), "amax")
    weights = torch.exp(scores - largest[segments])
    return weights / segment_sum(weights, segments, n_segments)[segments]


class MessageAttention(nn.Module):
    """Weigh the messages of a user and sum them (eq. 4 and 5).

    Parameters
    ----------
    n_features : int
        Length of a message's vector.
    n_hidden : int
        Size of the hidden layer of the score.
    mode : {"softmax", "raw", None}
        Softmax over a user's messages, the bare score as the paper prints it, or None
        for the average (without attention).
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
        """Weight of each message.

        Parameters
        ----------
        messages : Tensor, shape (n_messages, n_features)
            Vectors of messages.
        users : Tensor of int64, shape (n_messages,)
            User of each message.
        n_users : int
            Number of users.

        Returns
        -------
        Tensor, shape (n_messages,)
            The weights: alpha of eq. 4.
        """
        if self.mode is None:
            counts = torch.bincount(users, minlength=n_users).to(messages.dtype)
            return 1.0 / counts[users]
        scores: Tensor = self.score(torch.tanh(self.hidden(messages))).squeeze(-1)
        scores = scores.to(messages.dtype)
        if self.mode == "raw":
            return scores
        return segment_softmax(scores, users, n_users)

    def forward(self, messages: Tensor, users: Tensor, n_users: int) -> Tensor:
        """Join the messages of each user.

        Parameters
        ----------
        messages : Tensor, shape (n_messages, n_features)
            Vectors of messages.
        users : Tensor of int64, shape (n_messages,)
            User of each message.
        n_users : int
            Number of users.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            Weighted sums; zero for users without messages.
        """
        weights = self.weights(messages, users, n_users)
        return segment_sum(weights.unsqueeze(-1) * messages, users, n_users)
