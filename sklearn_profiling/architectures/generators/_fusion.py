"""States of text and images as one: what the decoder of a profile generator reads."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.sparsemax import sparsemax

__all__ = ["ConcatenatedStates", "SelectiveAttention", "TextGuidedAttention"]

States = tuple[Tensor, Tensor]


class ConcatenatedStates(nn.Module):
    """Append the states of images to those of the text (eq. 3).

    Parameters
    ----------
    n_text : int
        Length of a text state.
    n_image : int
        Length of an image state; a linear layer brings it to that of the text.
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_image, n_text)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Join the states.

        Parameters
        ----------
        text : Tensor, shape (n_users, n_tokens, n_text)
            States of the text.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            False where padded.
        images : Tensor, shape (n_users, n_images, n_image)
            States of the images.
        is_image : Tensor of bool, shape (n_users, n_images)
            False where a user has fewer images.

        Returns
        -------
        states : Tensor, shape (n_users, n_tokens + n_images, n_text)
            Both; those of the text are not changed.
        is_state : Tensor of bool, shape (n_users, n_tokens + n_images)
            False where there is nothing to read.
        """
        states = torch.cat([text, self.project(images)], dim=1)
        return states, torch.cat([is_token, is_image], dim=1)


class TextGuidedAttention(nn.Module):
    """Add to each text state what the images say about it (eq. 6 to 8).

    ``H = H_txt + IF(img) * tanh(H_txt W_T + H_img W_I) * H_img`` with ``H_img =
    FFN(sparsemax(H_txt K^T / sqrt(d)) V)``; keys and values are the image states.

    Parameters
    ----------
    n_text : int
        Length d of a text state.
    n_image : int
        Length of an image state; a linear layer brings it to that of the text.
    n_hidden : int
        Units of the feed-forward layer.
    """

    def __init__(self, n_text: int, n_image: int, n_hidden: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_image, n_text)
        self.feed_forward = nn.Sequential(
            nn.Linear(n_text, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_text)
        )
        # Without a constant, so that the gate of nothing is shut.
        self.gate_text = nn.Linear(n_text, n_text, bias=False)
        self.gate_image = nn.Linear(n_text, n_text, bias=False)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Join the states.

        Parameters
        ----------
        text : Tensor, shape (n_users, n_tokens, n_text)
            States of the text.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            False where padded.
        images : Tensor, shape (n_users, n_images, n_image)
            States of the images.
        is_image : Tensor of bool, shape (n_users, n_images)
            False where a user has fewer images.

        Returns
        -------
        states : Tensor, shape (n_users, n_tokens, n_text)
            Fused states; of a user without images those of the text, bit by bit.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            As given.
        """
        keys = self.project(images)
        scores = text @ keys.transpose(1, 2) / math.sqrt(text.shape[2])
        weights = sparsemax(scores, is_image.unsqueeze(1))
        seen = self.feed_forward(weights @ keys)
        gate = torch.tanh(self.gate_text(text) + self.gate_image(seen))
        there = is_image.any(dim=1)[:, None, None]
        return torch.where(there, text + gate * seen, text), is_token


class SelectiveAttention(nn.Module):
    """Mix each text state with what it attends to in the images (Li et al. 2022).

    ``H = (1 - g) H_txt + g H_att`` with ``H_att = softmax(Q K^T / sqrt(d)) V`` of one
    head and ``g = sigmoid([H_att; H_txt] W)``; Q are the text states, K and V the image
    states, usually those of patches.

    Parameters
    ----------
    n_text : int
        Length d of a text state.
    n_image : int
        Length of an image state.
    """

    def __init__(self, n_text: int, n_image: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_text, n_text)
        self.key = nn.Linear(n_image, n_text)
        self.value = nn.Linear(n_image, n_text)
        self.gate = nn.Linear(2 * n_text, n_text)

    def forward(
        self, text: Tensor, is_token: Tensor, images: Tensor, is_image: Tensor
    ) -> States:
        """Join the states.

        Parameters
        ----------
        text : Tensor, shape (n_users, n_tokens, n_text)
            States of the text.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            False where padded.
        images : Tensor, shape (n_users, n_images, n_image)
            States of the images.
        is_image : Tensor of bool, shape (n_users, n_images)
            False where a user has fewer images.

        Returns
        -------
        states : Tensor, shape (n_users, n_tokens, n_text)
            Fused states; of a user without images those of the text, bit by bit.
        is_token : Tensor of bool, shape (n_users, n_tokens)
            As given.
        """
        scores = self.query(text) @ self.key(images).transpose(1, 2)
        scores = scores / math.sqrt(text.shape[2])
        there = is_image.any(dim=1)[:, None, None]
        # Where there is no image at all nothing is masked, or softmax would be NaN,
        # and what comes of it is thrown away below.
        hidden = ~is_image.unsqueeze(1) & there
        weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=2)
        seen = weights @ self.value(images)
        gate = torch.sigmoid(self.gate(torch.cat([seen, text], dim=2)))
        return torch.where(there, (1 - gate) * text + gate * seen, text), is_token
