"""Attention of classifiers that weigh the messages of a user."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sklearn_profiling.architectures.layers.offset import without_offset
from sklearn_profiling.architectures.layers.separate import SeparateTasks
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.exceptions import SourceError, TargetError
from sklearn_profiling.training.batches import Batch
from sklearn_profiling.training.net import apply_to_batches

__all__ = ["message_attention"]


def message_attention(
    model: Any, X: Any, source: str | None, task: str | None
) -> list[npt.NDArray[np.float64]]:
    """Weights of the messages of each user, of one text and one task or their mean."""
    dataset = model._dataset(X)  # noqa: SLF001 - of the classifiers of this package
    texts = [n for n, s in dataset.sources.items() if isinstance(s, TokenMessages)]
    if source is None and len(texts) == 1:
        source = texts[0]
    if source not in texts:
        msg = f"source must be one of the texts {texts}; got {source!r}"
        raise SourceError(msg)
    if task is not None and task not in model.task_names_:
        msg = f"task must be one of {model.task_names_}; got {task!r}"
        raise TargetError(msg)
    name = str(source)
    module = without_offset(model.net_.module_)
    nets: list[Any] = [module]
    if isinstance(module, SeparateTasks):
        nets = list(module.architectures)
        if task is not None:
            nets = [nets[model.task_names_.index(task)]]

    def weights(batch: Batch) -> Tensor:
        each = [
            net.sources.encoder(name).message_weights(batch.sources[name])
            for net in nets
        ]
        return torch.stack(each).mean(dim=0)

    flat = apply_to_batches(model.net_, dataset, weights)
    text = cast("TokenMessages", dataset.sources[name])
    return np.split(flat, text.user_starts[1:-1])
