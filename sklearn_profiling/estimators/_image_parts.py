"""Parts shared by estimators that read images."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval
from torch import nn

from sklearn_profiling.architectures.layers.images import PixelScale, RowImages
from sklearn_profiling.architectures.layers.sources import (
    JoinedSources,
    VectorEncoder,
)
from sklearn_profiling.architectures.mmlup import MMLUP
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.exceptions import SourceError
from sklearn_profiling.training.inputs import Sources, SourceSpec
from sklearn_profiling.training.statistics import Statistics

__all__: list[str] = []


def image_reader(
    spec: SourceSpec, statistics: Statistics
) -> tuple[nn.Module, tuple[Any, ...]]:
    """Build what makes scaled images of a source.

    Parameters
    ----------
    spec : SourceSpec
        What ``fit`` saw: images, or vectors whose rows are read as images.
    statistics : tuple of ndarray
        Mean and deviation of the channels or columns on the training users.

    Returns
    -------
    reader : Module
        From what a batch holds to images.
    image_shape : tuple of int
        Channels, height and width of the images it gives.
    """
    mean, scale = (torch.tensor(part) for part in statistics)
    if spec.kind == "images":
        return PixelScale(mean, scale), spec.image_shape
    return RowImages(VectorEncoder(mean, scale, 0.0)), (1, 1, spec.n_features)


class BaseImageClassifier(BaseProfileClassifier):
    """Base of classifiers that read one bag of images a user."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseProfileClassifier._parameter_constraints,
        "source": [str, None],
        "n_shared": [Interval(Integral, 1, None, closed="left")],
        "n_hidden": ["array-like"],
    }

    _architecture: ClassVar[type[MMLUP]]

    def _image_encoder(
        self, reader: nn.Module, image_shape: tuple[int, ...]
    ) -> nn.Module:
        """Build the encoder of the bags; the hook that subclasses fill."""
        raise NotImplementedError

    def _build_module(self, n_classes: list[int]) -> nn.Module:
        ((name, spec),) = self._specs.items()
        encoder = self._image_encoder(*image_reader(spec, self._statistics[name]))
        return self._architecture(
            JoinedSources({name: encoder}, self.source_dropout),
            n_shared=self.n_shared,
            n_hidden=list(self.n_hidden),
            n_classes=n_classes,
            dropout=self.dropout,
        )

    def _check_architecture(self, sources: Sources) -> Sources:
        kinds = {name: SourceSpec.of(source).kind for name, source in sources.items()}
        readable = [name for name, kind in kinds.items() if kind == "images"]
        # What stands in for images, so that a plain array is enough.
        readable = readable or [n for n, kind in kinds.items() if kind == "vectors"]
        chosen = self.source
        if chosen is None and len(readable) == 1:
            chosen = readable[0]
        if chosen not in readable:
            msg = (
                f"{type(self).__name__} reads one source of images; parameter source "
                f"is {self.source!r} and X holds {kinds}"
            )
            raise SourceError(msg)
        return {chosen: sources[chosen]}
