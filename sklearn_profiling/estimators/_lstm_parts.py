"""Parameters and parts shared by the estimators of the Aux-LSTM paper."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_profiling.architectures.layers.flat_text import WordEmbedding
from sklearn_profiling.architectures.layers.recurrent import RecurrentText
from sklearn_profiling.estimators._base import BaseProfileClassifier
from sklearn_profiling.training.inputs import Sources, one_text
from sklearn_profiling.training.net import TrainingPlan

__all__: list[str] = []


class BaseLSTMClassifier(BaseProfileClassifier):
    """Base of classifiers that read text by LSTMs and train by Adagrad."""

    _array_is_text = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseProfileClassifier._parameter_constraints,
        "source": [str, None],
        "level": [StrOptions({"user", "message"})],
        "max_words": [Interval(Integral, 1, None, closed="left"), None],
        "n_hidden": [Interval(Integral, 1, None, closed="left")],
        "n_dense": [Interval(Integral, 1, None, closed="left")],
        "n_dimensions": [Interval(Integral, 1, None, closed="left")],
        "trainable_vectors": ["boolean"],
        "word_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _plan(self) -> TrainingPlan:
        return replace(super()._plan(), optimizer=torch.optim.Adagrad)

    def _gaps(self) -> dict[str, int]:
        return dict.fromkeys(self._specs, 0)

    def _check_architecture(self, sources: Sources) -> Sources:
        return one_text(sources, self.source, type(self).__name__)

    def _read_by_lstms(
        self, name: str, n_lstms: int, *, trainable: bool
    ) -> RecurrentText:
        """Build word vectors of a text, as the text brings them, and LSTMs on them."""
        spec = self._specs[name]
        vectors = self._vectors[name]
        if vectors is not None:
            # Trainers leave a common direction and a scale of their own, under which
            # gates of any start hardly tell words apart.
            mean, scale = self._statistics[name]
            vectors = (vectors - mean) / np.where(scale > 0, scale, 1.0)
        embedding = WordEmbedding(
            spec.n_words,
            spec.n_features or self.n_dimensions,
            None if vectors is None else torch.tensor(vectors),
            trainable=trainable,
        )
        return RecurrentText(
            embedding,
            n_lstms,
            n_hidden=self.n_hidden,
            level=self.level,
            max_words=self.max_words,
            word_dropout=self.word_dropout,
            source_dropout=self.source_dropout,
        )
