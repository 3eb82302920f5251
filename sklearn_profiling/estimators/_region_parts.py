"""Parameters and parts shared by estimators that convolve over regions of words."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from sklearn_profiling.architectures.layers.regions import (
    RegionConvolution,
    RegionEmbedding,
    RegionEncoder,
)
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.architectures.layers.sources import JoinedSources
from sklearn_profiling.architectures.pcnn import PCNN
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.targets import EncodedLabels, LabelCodec
from sklearn_profiling.training.inputs import Sources, one_text
from sklearn_profiling.training.net import TrainingPlan
from sklearn_profiling.training.statistics import Weights

__all__: list[str] = []


class FusedAdagrad(torch.optim.Adagrad):
    """Adagrad in one pass over each parameter.

    Parameters
    ----------
    params : iterable
        Parameters to train.
    lr : float
        Learning rate.
    weight_decay : float
        L2 penalty.
    """

    def __init__(self, params: Any, lr: float, weight_decay: float = 0.0) -> None:
        # The plain form copies the table of words several times over in each step.
        super().__init__(params, lr=lr, weight_decay=weight_decay, fused=True)


def frequent_words(
    text: TokenMessages, weights: Weights, max_vocabulary: int, *, unseen: bool
) -> npt.NDArray[np.int64]:
    """Give the most frequent words of some users numbers.

    Parameters
    ----------
    text : TokenMessages
        What the users wrote.
    weights : ndarray of float64, shape (n_users,)
        Weight of each user's words.
    max_vocabulary : int
        Words to number at most.
    unseen : bool
        Whether words that nobody wrote may be numbered, after all others.

    Returns
    -------
    ndarray of int64, shape (n_vocabulary,)
        For each word its number from 0, the most frequent word first, words equally
        frequent in the order of the vocabulary; -1 for words that are not numbered.
    """
    counts = np.bincount(
        text.ids, weights=weights[text.word_users()], minlength=len(text.vocabulary)
    )
    order = np.argsort(-counts, kind="stable")[:max_vocabulary]
    kept = order if unseen else order[counts[order] > 0]
    numbers = np.full(len(counts), -1, dtype=np.int64)
    numbers[kept] = np.arange(len(kept))
    return numbers


class BaseRegionClassifier(BaseProfileClassifier):
    """Base of classifiers whose text goes through convolutions over regions.

    A subclass says in `_convolutions` which there are.
    """

    _array_is_text = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseProfileClassifier._parameter_constraints,
        "source": [str, None],
        "multi_task": ["boolean"],
        "variable_stride": ["boolean"],
        "n_nodes": [Interval(Integral, 1, None, closed="left")],
        "n_units": [Interval(Integral, 1, None, closed="left")],
        "max_vocabulary": [Interval(Integral, 1, None, closed="left")],
        "trainable_vectors": ["boolean"],
    }

    _architecture: ClassVar[type[PCNN]]

    def _convolutions(self) -> list[tuple[int, int, bool]]:
        """Size, stride and whether order counts, of each convolution."""
        raise NotImplementedError

    def _check_architecture(self, sources: Sources) -> Sources:
        return one_text(sources, self.source, type(self).__name__)

    def _gaps(self) -> dict[str, int]:
        # A user's messages are read end to end.
        return dict.fromkeys(self._specs, 0)

    def _train(
        self,
        sources: Sources,
        codec: LabelCodec,
        labels: EncodedLabels,
        weights: Weights,
        *,
        again: bool,
        epochs: int,
    ) -> None:
        if not again:
            text = cast("TokenMessages", next(iter(sources.values())))
            self._word_numbers = frequent_words(
                text,
                weights,
                self.max_vocabulary,
                unseen=text.vocabulary.vectors is not None,
            )
        super()._train(sources, codec, labels, weights, again=again, epochs=epochs)

    def _plan(self) -> TrainingPlan:
        plan = super()._plan()
        # Older versions of torch have the fused form for the CPU alone.
        on_cpu = plan.torch_device.startswith("cpu")
        return replace(plan, optimizer=FusedAdagrad if on_cpu else torch.optim.Adagrad)

    def _build_module(self, n_classes: list[int]) -> nn.Module:
        if self.multi_task:
            return self._one_net(n_classes)
        return SeparateTasks(self._one_net([n]) for n in n_classes)

    def _one_net(self, n_classes: list[int]) -> nn.Module:
        (name,) = self._specs
        numbers = self._word_numbers
        n_words = int(numbers.max(initial=-1)) + 1
        vectors = self._kept_vectors(name, n_words)
        layers = [
            RegionConvolution(
                RegionEmbedding(
                    n_words,
                    size,
                    self.n_nodes,
                    ordered=ordered,
                    vectors=vectors,
                    trainable=self.trainable_vectors,
                ),
                size=size,
                stride=stride,
                variable_stride=self.variable_stride,
                n_units=self.n_units,
            )
            for size, stride, ordered in self._convolutions()
        ]
        rows = torch.tensor(np.where(numbers < 0, n_words, numbers))
        return self._architecture(
            JoinedSources({name: RegionEncoder(rows, layers)}, self.source_dropout),
            n_classes=n_classes,
            dropout=self.dropout,
        )

    def _kept_vectors(self, name: str, n_words: int) -> Tensor | None:
        """Standardised vectors of the words that count, by their numbers."""
        given = self._vectors[name]
        if given is None:
            return None
        order = np.argsort(self._word_numbers, kind="stable")
        kept = order[len(order) - n_words :]
        mean, scale = self._statistics[name]
        return torch.tensor((given[kept] - mean) / np.where(scale > 0, scale, 1.0))
