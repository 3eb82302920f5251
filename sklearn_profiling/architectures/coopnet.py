"""COOPNet: text and images in a common space, each beside what they have in common.

Li et al., "COOPNet: Multi-Modal Cooperative Gender Prediction in Social Media User
Profiling", ICASSP 2021.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.generators._image_states import ImageStates
from sklearn_profiling.architectures.generators._tokens import TokenRows
from sklearn_profiling.architectures.layers.heads import dense_stack
from sklearn_profiling.architectures.layers.images import FlatImages
from sklearn_profiling.architectures.layers.pooling import average_into_units
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    ScaledEncoder,
    SourceBatch,
    SourceDescription,
)
from sklearn_profiling.architectures.layers.text import FlatText

__all__ = ["COOPNet", "MeanImageStates", "MeanTextStates", "TextFrame"]


class TextFrame(NamedTuple):
    """How the words of a text become the tokens of an encoder.

    Tokens `before` and `after` begin and end every text, `pad` is padding, and `offset`
    is added to the ids of words.
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
        """Set the mode of the shell; the model inside stays in evaluation mode."""
        super().train(mode)
        self.model.eval()
        return self


class MeanTextStates(_GivenModel):
    """Average of the states that an encoder gives for the tokens of a user.

    `model` has the interface of Hugging Face's encoders (BERT, encoder of T5); it reads
    `max_tokens` of a user, with those of the frame, or as many as it has positions for.
    """

    def __init__(self, model: nn.Module, frame: TextFrame, max_tokens: int) -> None:
        config: Any = model.config
        super().__init__(model, int(config.hidden_size))
        self.frame = frame
        most = _n_positions(model)
        max_tokens = int(min(max_tokens, most or max_tokens))
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
        """Encode the text of each user: (n_users, n_features), standardised."""
        rows, wrote = self._rows(text)
        vectors = self.mean.new_zeros(text.n_users, self.n_features)
        if rows.n_users:
            ids, is_token = rows.padded(self.frame.pad)  # (n_wrote, n_tokens)
            read = self.model(input_ids=ids, attention_mask=is_token.long())
            there = is_token.unsqueeze(2)  # (n_wrote, n_tokens, 1)
            states = (read.last_hidden_state * there).sum(dim=1) / there.sum(dim=1)
            vectors[wrote] = states.to(vectors.dtype)
        return self.standardise(vectors)


def _n_positions(model: Any) -> int | None:
    """Tokens that an encoder has positions for; None if there is no limit."""
    most: int | None = getattr(model.config, "max_position_embeddings", None)
    tables = getattr(model, "embeddings", None)
    positions: Any = getattr(tables, "position_embeddings", None)
    if most and getattr(positions, "padding_idx", None) is not None:
        # RoBERTa counts positions from the one behind padding.
        most -= positions.padding_idx + 1
    return most


class MeanImageStates(_GivenModel):
    """Average of the states of a user's images, of which `model` gives one each."""

    def __init__(self, model: ImageStates) -> None:
        super().__init__(model, model.n_features)

    def forward(self, images: FlatImages) -> Tensor:
        """Encode the images of each user: (n_users, n_features), standardised."""
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
    sources : sequence of SourceDescription
        A text, images, or both; mean and scale of the images are those of the pixels
        that `image_model` expects.
    n_classes : sequence of int
        Number of classes of each task.
    language_model : Module or None
        Encoder with the interface of Hugging Face's encoders; None without text.
    image_model : Module or None
        Vision transformer with the interface of Hugging Face's ViT; None without
        images.
    frame : TextFrame or None
        From words to the tokens of the language model; None without text.
    max_tokens : int
        Tokens of text to read of a user, with those of the frame.
    n_common : int
        Units of the common space, and of what joins a source with it.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    dropout : float
        Probability of dropout on what the heads read.
    source_dropout : float
        Probability that training hides a source of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        language_model: nn.Module | None,
        image_model: nn.Module | None,
        frame: TextFrame | None,
        max_tokens: int,
        n_common: int,
        n_hidden: Sequence[int],
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()

        def encoder(source: SourceDescription) -> nn.Module:
            if source.kind == "images":
                vision = cast("nn.Module", image_model)
                return MeanImageStates(ImageStates(vision, source))
            language = cast("nn.Module", language_model)
            return MeanTextStates(language, cast("TextFrame", frame), max_tokens)

        encoders = {source.name: encoder(source) for source in sources}
        self.sources = JoinedSources(encoders, source_dropout)
        # Torch types attributes of a module as tensors or modules; this is a number.
        sizes = [int(encoder.n_features) for encoder in encoders.values()]  # type: ignore[arg-type]
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
        common = torch.stack(spaces).mean(dim=0)  # (n_users, n_common)
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
