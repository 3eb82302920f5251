"""Text and images in a common space, each beside what they have in common (COOPNet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators._token_rows import TokenRows
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.pooling import average_into_units
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    ScaledEncoder,
    SourceBatch,
)
from sklearn_profiling.architectures.layers.text import FlatText
from sklearn_profiling.architectures.mmlup import dense_stack

__all__ = ["COOPNet", "MeanImageStates", "MeanTextStates", "TextFrame"]


class TextFrame(NamedTuple):
    """How the words of a text become the tokens of an encoder.

    Attributes
    ----------
    before, after : list of int
        Tokens that begin and end every text.
    pad : int
        What fills rows.
    offset : int
        What to add to the ids of words to get those of tokens.
    """

    before: list[int]
    after: list[int]
    pad: int
    offset: int


class _GivenModel(ScaledEncoder):
    """Base of encoders around a model that always works in evaluation mode.

    The dropout of such models draws from torch's global generator.
    """

    def __init__(self, model: nn.Module, n_features: int) -> None:
        super().__init__(n_features)
        self.model = model.eval()

    def train(self, mode: bool = True) -> _GivenModel:
        """Set the mode of the shell; the model inside stays in evaluation mode.

        Parameters
        ----------
        mode : bool, default=True
            As for any module.

        Returns
        -------
        Module
            The module itself.
        """
        super().train(mode)
        self.model.eval()
        return self


class MeanTextStates(_GivenModel):
    """Average of the states that an encoder gives for the tokens of a user.

    Parameters
    ----------
    model : Module
        With the interface of Hugging Face's encoders (BERT, encoder of T5).
    frame : TextFrame
        From words to tokens.
    max_tokens : int
        Tokens to read of a user, with those of the frame.
    """

    def __init__(self, model: nn.Module, frame: TextFrame, max_tokens: int) -> None:
        config: Any = model.config
        super().__init__(model, int(config.hidden_size))
        self.frame = frame
        self.room = max_tokens - len(frame.before) - len(frame.after)

    def _rows(self, text: FlatText) -> tuple[TokenRows, Tensor]:
        """Tokens of those who wrote something, and who that is."""
        users = torch.repeat_interleave(text.message_users, text.segment_lengths[::2])
        ids = text.ids + self.frame.offset
        words = TokenRows(ids, users, text.n_users).first(self.room)
        wrote = torch.bincount(words.users, minlength=text.n_users) > 0
        n_users = int(wrote.sum())
        rows = TokenRows.empty(n_users, ids.device)
        middle = words._replace(
            users=(wrote.cumsum(0) - 1)[words.users], n_users=n_users
        )
        everybody = torch.arange(n_users, device=ids.device)
        for tokens in (*self.frame.before, None, *self.frame.after):
            same = middle
            if tokens is not None:
                filled = torch.full_like(everybody, tokens)
                same = TokenRows(filled, everybody, n_users)
            rows = rows.join(same)
        return rows, wrote

    def forward(self, text: FlatText) -> Tensor:
        """Encode the text of each user.

        Parameters
        ----------
        text : FlatText
            Messages of a batch.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            Averages, standardised by :meth:`set_scale`.
        """
        rows, wrote = self._rows(text)
        vectors = self.mean.new_zeros(text.n_users, self.n_features)
        if rows.n_users:
            ids, is_token = rows.padded(self.frame.pad)
            read = self.model(input_ids=ids, attention_mask=is_token.long())
            there = is_token.unsqueeze(2)
            states = (read.last_hidden_state * there).sum(dim=1) / there.sum(dim=1)
            vectors[wrote] = states.to(vectors.dtype)
        return self.standardise(vectors)


class MeanImageStates(_GivenModel):
    """Average of the states of a user's images.

    Parameters
    ----------
    model : ImageStates
        One state an image.
    """

    def __init__(self, model: ImageStates) -> None:
        vision: Any = model.model
        super().__init__(model, int(vision.config.hidden_size))

    def forward(self, images: FlatImages) -> Tensor:
        """Encode the images of each user.

        Parameters
        ----------
        images : FlatImages
            Bytes.

        Returns
        -------
        Tensor, shape (n_users, n_features)
            Averages, standardised by :meth:`set_scale`.
        """
        vectors = self.mean.new_zeros(images.n_users, self.n_features)
        if images.n_images:
            states = self.model(images).squeeze(1).to(vectors.dtype)
            counts = torch.bincount(images.image_users, minlength=images.n_users)
            vectors = average_into_units(states, counts, 1).squeeze(1)
        return self.standardise(vectors)


class COOPNet(nn.Module):
    """Sources -> a common space -> each source beside it -> one head a task.

    ``c = mean_s tanh(x_s W_s + b_s)`` and ``r_s = relu([x_s; c] V_s + d_s)`` for the
    vector x_s of each source; the heads read all ``r_s``.

    Parameters
    ----------
    sources : JoinedSources
        Encoders of the sources.
    n_common : int
        Units of the common space, and of what joins a source with it.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on what the heads read.
    """

    def __init__(
        self,
        sources: JoinedSources,
        *,
        n_common: int,
        n_hidden: Sequence[int],
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.sources = sources
        # Torch types attributes of a module as tensors or modules; this is a number.
        sizes = [int(encoder.n_features) for encoder in sources.encoders]  # type: ignore[arg-type]
        self.common = nn.ModuleList(nn.Linear(size, n_common) for size in sizes)
        self.joined = nn.ModuleList(
            nn.Linear(size + n_common, n_common) for size in sizes
        )
        self.heads = nn.ModuleList(
            dense_stack(len(sizes) * n_common, n_hidden, n) for n in n_classes
        )
        self.dropout = Dropout(dropout)

    def represent(self, parts: Sequence[Tensor]) -> Tensor:
        """Join each source with what all have in common.

        Parameters
        ----------
        parts : sequence of Tensor, shape (n_users, n_features of the source)
            Vectors of the sources.

        Returns
        -------
        Tensor, shape (n_users, n_sources * n_common)
            What the heads read.
        """
        spaces = [
            torch.tanh(layer(part))
            for layer, part in zip(self.common, parts, strict=True)
        ]
        common = torch.stack(spaces).mean(dim=0)
        joined = [
            torch.relu(layer(torch.cat([part, common], dim=1)))
            for layer, part in zip(self.joined, parts, strict=True)
        ]
        return torch.cat(joined, dim=1)

    def forward(
        self,
        sources: Mapping[str, SourceBatch],
        present: Mapping[str, Tensor],
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText or FlatImages
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        shared = self.dropout(self.represent(self.sources.parts(sources, present)))
        return tuple(head(shared) for head in self.heads)
