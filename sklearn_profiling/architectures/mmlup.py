"""MMLUP: words, images and vectors of a user to the logits of each task.

Zhu et al., "MMLUP: Multi-Source & Multi-Task Learning for User Profiles in Social
Network", Computers, Materials & Continua 61(3), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor, nn

from sklearn_profiling.architectures.layers.bag import BagLogits
from sklearn_profiling.architectures.layers.heads import TaskHeads
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
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    FlatText,
    MessageAttention,
    WordEmbedding,
)
from sklearn_profiling.architectures.layers.vectors import SparseEncoder, VectorEncoder

__all__ = ["MMLUP", "TextEncoder"]


class TextEncoder(ScaledEncoder):
    """Deep Text-CNN with attention over messages: text of a user to one vector."""

    def __init__(
        self,
        embedding: WordEmbedding,
        convolution: DeepTextConvolution,
        attention: MessageAttention,
        *,
        word_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__(convolution.n_features)
        self.embedding = embedding
        self.convolution = convolution
        self.attention = attention
        self.gap = convolution.gap
        self.word_dropout = Dropout(word_dropout)
        self.dropout = Dropout(dropout)

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
        messages = self.messages(text)
        joined = self.attention(messages, text.message_users, text.n_users)
        vectors: Tensor = self.dropout(self.standardise(joined))
        return vectors


class MMLUP(nn.Module):
    """Sources -> encoders -> concatenation -> shared layer -> one head a task.

    Texts go through a deep Text-CNN, bags of images through a small CNN, both with
    attention; vectors are centred and scaled, sparse rows multiplied by a table. Bags
    of the words of texts may be added to the logits.

    Parameters
    ----------
    sources : sequence of SourceDescription
        The sources to join.
    n_classes : sequence of int
        Number of classes of each task.
    attention : {"softmax", "raw"} or None
        This and all others as for
        :class:`~sklearn_profiling.estimators.MMLUPClassifier`.
    kernel_sizes, n_hidden, n_filters_image : sequence of int
        Odd filter widths, units of the heads, feature maps of the CNN of images.
    n_filters, n_filters_second, kernel_size_second, n_attention : int
        Of the convolutions and the attention of texts.
    n_shared, n_dimensions, n_features_image, n_features_sparse : int
        Of the shared layer, of word vectors to learn, of images and of sparse sources.
    trainable_vectors : bool
        Whether training changes the word vectors that a text brings.
    dropout, word_dropout, source_dropout : float
        Probabilities.
    bag_of_words : int
        Longest sequence of words in the bags; 0 for no bags.
    bag_dropout : float
        Probability that training hides a sequence of a user from a bag.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        attention: Literal["softmax", "raw"] | None,
        kernel_sizes: Sequence[int],
        n_hidden: Sequence[int],
        n_filters_image: Sequence[int] = (),
        n_filters: int,
        n_filters_second: int,
        kernel_size_second: int,
        n_attention: int,
        n_shared: int,
        n_dimensions: int,
        n_features_image: int = 64,
        n_features_sparse: int = 64,
        trainable_vectors: bool,
        dropout: float,
        word_dropout: float,
        source_dropout: float,
        bag_of_words: int = 0,
        bag_dropout: float = 0.0,
    ) -> None:
        super().__init__()

        def encoder(source: SourceDescription) -> nn.Module:
            if source.kind == "vectors":
                return VectorEncoder(source.mean, source.scale, dropout)
            if source.kind == "sparse":
                return SparseEncoder(source, n_features_sparse, dropout)
            if source.kind == "images":
                n_channels, *_ = source.image_shape
                cnn = SmallImageCNN(n_channels, n_filters_image, n_features_image)
                return ImageSetEncoder(source, cnn, attention, n_attention)
            words = word_embedding(source, n_dimensions, trainable=trainable_vectors)
            return TextEncoder(
                words,
                DeepTextConvolution(
                    words.n_dimensions,
                    n_filters,
                    kernel_sizes,
                    n_filters_second,
                    kernel_size_second,
                ),
                MessageAttention(n_filters_second, n_attention, attention),
                word_dropout=word_dropout,
                dropout=dropout if len(sources) > 1 else 0.0,
            )

        encoders = {source.name: encoder(source) for source in sources}
        # Zeros that have to lie between two messages of a text.
        self.gap = max(getattr(each, "gap", 0) for each in encoders.values())
        self.sources = JoinedSources(encoders, source_dropout)
        n_joined = self.sources.n_features
        self.heads = TaskHeads(n_joined, n_shared, n_hidden, n_classes, dropout)
        self.bags = BagLogits(
            sources,
            n_classes,
            longest=bag_of_words,
            dropout=bag_dropout,
            source_dropout=source_dropout,
        )

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        """Compute logits.

        Parameters
        ----------
        sources : mapping of str to FlatText, FlatImages, FlatRows or Tensor
            The sources of a batch.
        present : mapping of str to Tensor of bool, shape (n_users,)
            Whether each user has the source.

        Returns
        -------
        tuple of Tensor, shape (n_users, n_classes)
            Logits, one tensor a task.
        """
        logits = self.heads(self.sources(sources, present))
        added: tuple[Tensor, ...] = self.bags(sources, present, logits)
        return added
