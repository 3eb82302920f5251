"""3D-CNN of images beside texts and vectors, with a gate for each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from sklearn_profiling.architectures.cnn3d import VolumeEncoder
from sklearn_profiling.architectures.layers.heads import TaskHeads
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    SourceBatch,
    SourceDescription,
    word_embedding,
)
from sklearn_profiling.architectures.layers.text import (
    DeepTextConvolution,
    MessageAttention,
)
from sklearn_profiling.architectures.layers.vectors import SparseEncoder, VectorEncoder
from sklearn_profiling.architectures.mmlup import TextEncoder

__all__ = ["GatedSources", "MultimodalCNN3D"]


class GatedSources(JoinedSources):
    """Encode every source, bring it to one size, weigh it by its gate, concatenate.

    The gate of a source is the sigmoid of its score: 1 lets everything through and 0
    nothing. Scores get no gradient of the training loss, under which gates of noise
    stay open, since noise helps to overfit; the training loop sets them. Each source is
    brought to `n_gated` units.
    """

    def __init__(
        self, encoders: Mapping[str, nn.Module], source_dropout: float, *, n_gated: int
    ) -> None:
        super().__init__(encoders, source_dropout)
        self.dense = nn.ModuleList(
            nn.Linear(len(missing), n_gated) for missing in self.missing
        )
        self.scores = nn.Parameter(torch.zeros(len(self.names)), requires_grad=False)
        self.n_features = n_gated * len(self.names)

    def gates(self) -> Tensor:
        """How far the gate of each source is open, from 0 to 1: (n_sources,)."""
        return torch.sigmoid(self.scores)

    def forward(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> Tensor:
        """Join the sources of each user: (n_users, n_sources * n_gated)."""
        return self.weigh(self.vectors(sources, present), self.gates())

    def vectors(
        self, sources: Mapping[str, SourceBatch], present: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Each source before its gate: (n_users, n_gated) each."""
        parts = self.parts(sources, present)
        return [
            torch.relu(dense(part))
            for dense, part in zip(self.dense, parts, strict=True)
        ]

    def weigh(self, vectors: list[Tensor], gates: Tensor) -> Tensor:
        """Let sources (n_users, n_gated) each through gates (n_sources,), joined."""
        return torch.cat(
            [gate * each for gate, each in zip(gates, vectors, strict=True)], dim=1
        )


class MultimodalCNN3D(nn.Module):
    """Sources -> a gate each -> concatenation -> shared layer -> one head a task.

    :class:`MMLUP` whose sources come through gates; what images go through is the
    3D-CNN of :class:`CNN3D`.

    Parameters
    ----------
    sources : sequence of SourceDescription
        The sources to join.
    n_classes : sequence of int
        Number of classes of each task.
    n_gated : int
        Units that each source is brought to before its gate.
    variant : {1, 2}
        Model 1 or Model 2 of the 3D-CNN.
    n_filters_image : int or None
        Feature maps of the first convolution of images; None is the model's own number.
    n_images : int
        Images of a user to read: the first ones.
    image_order : {"given", "random"}
        The order of a user's images, or one drawn anew for every batch of training.
    attention, n_filters, kernel_sizes, n_filters_second, kernel_size_second : object
        Of the encoder of texts, as for :class:`MMLUP`.
    n_attention, n_dimensions, trainable_vectors, word_dropout : object
        Of the encoder of texts, as for :class:`MMLUP`.
    n_features_sparse : int
        Columns that each sparse source is brought to.
    n_shared : int
        Units of the shared layer.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    dropout : float
        On texts and vectors beside other sources, and on the shared layer.
    source_dropout : float
        Probability that training hides a source of a user.
    """

    def __init__(
        self,
        sources: Sequence[SourceDescription],
        n_classes: Sequence[int],
        *,
        n_gated: int,
        variant: Literal[1, 2],
        n_filters_image: int | None,
        n_images: int,
        image_order: Literal["given", "random"],
        attention: Literal["softmax", "raw"] | None,
        n_filters: int,
        kernel_sizes: Sequence[int],
        n_filters_second: int,
        kernel_size_second: int,
        n_attention: int,
        n_dimensions: int,
        trainable_vectors: bool,
        word_dropout: float,
        n_features_sparse: int = 64,
        n_shared: int,
        n_hidden: Sequence[int],
        dropout: float,
        source_dropout: float,
    ) -> None:
        super().__init__()

        def encoder(source: SourceDescription) -> nn.Module:
            if source.kind == "text":
                words = word_embedding(
                    source, n_dimensions, trainable=trainable_vectors
                )
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
            if source.kind == "images":
                return VolumeEncoder(
                    source,
                    variant=variant,
                    n_filters=n_filters_image,
                    n_images=n_images,
                    image_order=image_order,
                )
            if source.kind == "sparse":
                return SparseEncoder(source, n_features_sparse, dropout)
            return VectorEncoder(source.mean, source.scale, dropout)

        encoders = {source.name: encoder(source) for source in sources}
        # Zeros that have to lie between two messages of a text.
        self.gap = max(getattr(each, "gap", 0) for each in encoders.values())
        self.sources = GatedSources(encoders, source_dropout, n_gated=n_gated)
        self.heads = TaskHeads(
            self.sources.n_features, n_shared, n_hidden, n_classes, dropout
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
        logits: tuple[Tensor, ...] = self.heads(self.sources(sources, present))
        return logits
