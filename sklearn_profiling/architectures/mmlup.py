"""MMLUP and Text-CNN: words, images and vectors of a user to the logits of each task.

Zhu et al., "MMLUP: Multi-Source & Multi-Task Learning for User Profiles in Social
Network", Computers, Materials & Continua 61(3), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.image_set import (
    ImageSetEncoder,
    SmallImageCNN,
)
from sklearn_profiling.architectures.layers.randomness import Dropout
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    ScaledEncoder,
    SourceBatch,
    SourceDescription,
    VectorEncoder,
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    FlatText,
    MessageAttention,
)

__all__ = ["MMLUP", "TaskHeads", "TextCNN", "TextEncoder", "dense_stack"]


class TextEncoder(ScaledEncoder):
    """Deep Text-CNN with attention over messages: text of a user to one vector.

    Parameters have the names and meanings of :class:`MMLUP`'s.
    """

    def __init__(
        self,
        source: SourceDescription,
        *,
        attention: Literal["softmax", "raw"] | None,
        n_filters: int,
        kernel_sizes: Sequence[int],
        n_filters_second: int,
        kernel_size_second: int,
        n_attention: int,
        n_dimensions: int,
        trainable_vectors: bool,
        word_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__(n_filters_second)
        self.embedding = word_embedding(
            source, n_dimensions, trainable=trainable_vectors
        )
        self.word_dropout = Dropout(word_dropout)
        self.dropout = Dropout(dropout)
        self.convolution = DeepTextConvolution(
            self.embedding.table.shape[1],
            n_filters,
            kernel_sizes,
            n_filters_second,
            kernel_size_second,
        )
        self.attention = MessageAttention(n_filters_second, n_attention, attention)

    def messages(self, text: FlatText) -> Tensor:
        """Encode each message on its own, h_T: (n_messages, n_features)."""
        words = self.word_dropout(self.embedding(text.ids))
        vectors: Tensor = self.convolution(words, text)
        return vectors

    def message_weights(self, text: FlatText) -> Tensor:
        """Attention weight of each message: (n_messages,)."""
        return self.attention.weights(
            self.messages(text), text.message_users, text.n_users
        )

    def forward(self, text: FlatText) -> Tensor:
        """Encode the text of each user, m: (n_users, n_features), standardised."""
        joined: Tensor = self.attention(
            self.messages(text), text.message_users, text.n_users
        )
        vectors: Tensor = self.dropout(self.standardise(joined))
        return vectors


def dense_stack(n_inputs: int, n_hidden: Sequence[int], n_outputs: int) -> nn.Module:
    """Dense layers with ReLU, and a linear layer behind them (eq. 7 and 8)."""
    layers: list[nn.Module] = []
    for units in n_hidden:
        layers += [nn.Linear(n_inputs, units), nn.ReLU()]
        n_inputs = units
    return nn.Sequential(*layers, nn.Linear(n_inputs, n_outputs))


class TaskHeads(nn.Module):
    """A shared layer, then one stack of dense layers a task (eq. 7 to 9)."""

    def __init__(
        self,
        n_inputs: int,
        n_shared: int,
        n_hidden: Sequence[int],
        n_classes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.shared = nn.Linear(n_inputs, n_shared)
        self.tasks = nn.ModuleList(
            dense_stack(n_shared, n_hidden, n) for n in n_classes
        )
        self.dropout = Dropout(dropout)

    def forward(self, joined: Tensor) -> tuple[Tensor, ...]:
        """Classify joined sources (n_users, n_inputs): (n_users, n_classes) a task."""
        shared = self.dropout(torch.relu(self.shared(joined)))  # (n_users, n_shared)
        return tuple(head(shared) for head in self.tasks)


class MMLUP(nn.Module):
    """Sources -> encoders -> concatenation -> shared layer -> one head a task.

    Texts go through :class:`TextEncoder`, bags of images through a small CNN with
    attention over the images of a user, vectors are centred and scaled.

    Parameters
    ----------
    sources : sequence of SourceDescription
        The sources to join.
    n_classes : sequence of int
        Number of classes of each task.
    attention : {"softmax", "raw"} or None
        Weights of messages and images; None averages them.
    n_filters : int
        Feature maps of each filter width in the first convolution of text.
    kernel_sizes : sequence of int
        Filter widths of the first convolution, in words, odd.
    n_filters_second : int
        Feature maps of the second convolution: features of a text.
    kernel_size_second : int
        Filter width of the second convolution, odd.
    n_attention : int
        Hidden units of the attention score.
    n_shared : int
        Units of the shared layer.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_dimensions : int
        Embedding dimension of words for a text that brings no vectors.
    trainable_vectors : bool
        Whether training changes the word vectors that a text brings.
    dropout : float
        On the vector of each source, but for a text alone, and on the shared layer.
    word_dropout : float
        On the entries of word vectors.
    source_dropout : float
        Probability that training hides a source of a user.
    n_filters_image : sequence of int, default=()
        Feature maps of the convolutions of images.
    n_features_image : int, default=64
        Features of an image.

    Attributes
    ----------
    gap : int
        Zeros that have to lie between two messages of a text.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        attention: Literal["softmax", "raw"] | None,
        n_filters: int,
        kernel_sizes: Sequence[int],
        n_filters_second: int,
        kernel_size_second: int,
        n_attention: int,
        n_shared: int,
        n_hidden: Sequence[int],
        n_dimensions: int,
        trainable_vectors: bool,
        dropout: float,
        word_dropout: float,
        source_dropout: float,
        n_filters_image: Sequence[int] = (),
        n_features_image: int = 64,
    ) -> None:
        super().__init__()
        self.gap = max([*kernel_sizes, kernel_size_second]) // 2

        def encoder(source: SourceDescription) -> nn.Module:
            if source.kind == "text":
                return TextEncoder(
                    source,
                    attention=attention,
                    n_filters=n_filters,
                    kernel_sizes=kernel_sizes,
                    n_filters_second=n_filters_second,
                    kernel_size_second=kernel_size_second,
                    n_attention=n_attention,
                    n_dimensions=n_dimensions,
                    trainable_vectors=trainable_vectors,
                    word_dropout=word_dropout,
                    dropout=dropout if len(sources) > 1 else 0.0,
                )
            if source.kind == "images":
                cnn = SmallImageCNN(
                    source.image_shape[0], n_filters_image, n_features_image
                )
                return ImageSetEncoder(
                    source, cnn, attention=attention, n_attention=n_attention
                )
            return VectorEncoder(source.mean, source.scale, dropout)

        self.sources = JoinedSources(
            {source.name: encoder(source) for source in sources}, source_dropout
        )
        self.heads = TaskHeads(
            self.sources.n_features, n_shared, n_hidden, n_classes, dropout
        )

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        logits: tuple[Tensor, ...] = self.heads(self.sources(sources, present))
        return logits


class TextCNN(MMLUP):
    """Text -> deep Text-CNN -> dense layer -> one head a task.

    The paper compares with nets "of the same structure" that read text alone, so this
    is :class:`MMLUP` on one source, with its parameters; the classifier builds it
    without attention and one net a task.
    """
