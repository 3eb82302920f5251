"""Parameters and parts shared by estimators with a deep Text-CNN."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.flat_text import WordEmbedding
from sklearn_profiling.architectures.layers.image_set import (
    ImageSetEncoder,
    SmallImageCNN,
)
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    TextEncoder,
    VectorEncoder,
)
from sklearn_profiling.architectures.mmlup import MMLUP
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.estimators._image_parts import image_reader
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.training.batches import Batch
from sklearn_profiling.training.inputs import Sources
from sklearn_profiling.training.net import apply_to_batches

__all__: list[str] = []


class BaseTextCNNClassifier(BaseProfileClassifier):
    """Base of classifiers whose texts go through a deep Text-CNN."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseProfileClassifier._parameter_constraints,
        "multi_task": ["boolean"],
        "word_dropout": [Interval(Real, 0, 1, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_sizes": ["array-like"],
        "n_filters_second": [Interval(Integral, 1, None, closed="left")],
        "kernel_size_second": [Interval(Integral, 1, None, closed="left")],
        "attention": [StrOptions({"softmax", "raw"}), None],
        "n_attention": [Interval(Integral, 1, None, closed="left")],
        "n_shared": [Interval(Integral, 1, None, closed="left")],
        "n_hidden": ["array-like"],
        "n_dimensions": [Interval(Integral, 1, None, closed="left")],
        "trainable_vectors": ["boolean"],
    }

    _architecture: ClassVar[type[MMLUP]]

    def _build_module(self, n_classes: list[int]) -> nn.Module:
        if self.multi_task:
            return self._one_net(n_classes)
        return SeparateTasks(self._one_net([n]) for n in n_classes)

    def _one_net(self, n_classes: list[int]) -> nn.Module:
        return self._architecture(
            self._join_sources(),
            n_shared=self.n_shared,
            n_hidden=list(self.n_hidden),
            n_classes=n_classes,
            dropout=self.dropout,
        )

    def _gaps(self) -> dict[str, int]:
        gap = max([*self.kernel_sizes, self.kernel_size_second]) // 2
        return {name: gap for name, spec in self._specs.items() if spec.kind == "text"}

    def _join_sources(self) -> JoinedSources:
        """Build what encodes and joins the sources that fit saw."""
        return JoinedSources(self._encoders(), self.source_dropout)

    def _encoders(self) -> dict[str, nn.Module]:
        """Build one encoder a source, from what fit saw of it."""
        build = {
            "text": self._text_encoder,
            "images": self._image_encoder,
            "vectors": self._vector_encoder,
        }
        return {name: build[spec.kind](name) for name, spec in self._specs.items()}

    def _text_encoder(self, name: str) -> nn.Module:
        spec = self._specs[name]
        vectors = self._vectors[name]
        n_dimensions = spec.n_features or self.n_dimensions
        if vectors is not None:
            # Trainers leave a common direction and a scale of their own, under which
            # convolutions of any start hardly tell words apart.
            mean, scale = self._statistics[name]
            vectors = (vectors - mean) / np.where(scale > 0, scale, 1.0)
        embedding = WordEmbedding(
            spec.n_words,
            n_dimensions,
            None if vectors is None else torch.tensor(vectors),
            trainable=self.trainable_vectors,
        )
        return TextEncoder(
            embedding,
            n_dimensions=n_dimensions,
            n_filters=self.n_filters,
            kernel_sizes=list(self.kernel_sizes),
            second_kernel_size=self.kernel_size_second,
            n_features=self.n_filters_second,
            attention=self.attention,
            n_attention=self.n_attention,
            word_dropout=self.word_dropout,
            dropout=self.dropout if len(self._specs) > 1 else 0.0,
        )

    def _image_encoder(self, name: str) -> nn.Module:
        reader, shape = image_reader(self._specs[name], self._statistics[name])
        return ImageSetEncoder(
            reader,
            SmallImageCNN(shape[0], list(self.n_filters_image), self.n_features_image),
            attention=self.attention,
            n_attention=self.n_attention,
        )

    def _message_attention(
        self, X: Any, source: str | None, task: str | None
    ) -> list[npt.NDArray[np.float64]]:
        dataset = self._dataset(X)
        texts = [n for n, spec in self._specs.items() if spec.kind == "text"]
        if source is None and len(texts) == 1:
            source = texts[0]
        if source not in texts:
            msg = f"source must be one of the texts {texts}; got {source!r}"
            raise SourceError(msg)
        if task is not None and task not in self.task_names_:
            msg = f"task must be one of {self.task_names_}; got {task!r}"
            raise TargetError(msg)
        name = source
        nets: list[Any] = [self.net_.module_]
        if isinstance(self.net_.module_, SeparateTasks):
            nets = list(self.net_.module_.architectures)
            if task is not None:
                nets = [nets[self.task_names_.index(task)]]

        def weights(batch: Batch) -> Tensor:
            each = [
                net.sources.encoder(name).message_weights(batch.sources[name])
                for net in nets
            ]
            return torch.stack(each).mean(dim=0)

        flat = apply_to_batches(self.net_, dataset, weights)
        text = cast("TokenMessages", dataset.sources[name])
        return np.split(flat, text.user_starts[1:-1])

    def _vector_encoder(self, name: str) -> nn.Module:
        mean, scale = self._statistics[name]
        return VectorEncoder(torch.tensor(mean), torch.tensor(scale), self.dropout)


class BaseMultiSourceClassifier(BaseTextCNNClassifier):
    """Base of classifiers that read any mixture of sources."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTextCNNClassifier._parameter_constraints,
        "sources": ["array-like", None],
    }

    def _check_architecture(self, sources: Sources) -> Sources:
        if self.sources is None:
            return sources
        absent = [name for name in self.sources if name not in sources]
        if absent or not len(self.sources):
            msg = (
                f"parameter sources names {list(self.sources)}; X holds "
                f"{list(sources)}, and at least one of them is needed"
            )
            raise SourceError(msg)
        return {name: sources[name] for name in self.sources}
