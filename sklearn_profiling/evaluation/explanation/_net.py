"""Gradients and attention of nets that read words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sklearn_profiling.architectures.layers.text import WordEmbedding
from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.evaluation.explanation._model import ClassModel, Floats
from sklearn_profiling.exceptions import ProfilingError

__all__ = ["message_attention", "word_gradients"]

_STEPS = 16
"""Of the integral, at midpoints (our choice)."""


def _net_of(model: ClassModel) -> Any:
    """Find the classifier with a net, within what wraps it; None without one."""
    final = model.final
    for inner in ("estimator_", "best_estimator_"):
        final = getattr(final, inner, final)
    is_net = hasattr(final, "net_") and hasattr(final, "_dataset")
    return final if is_net else None


def message_attention(model: ClassModel, user: pd.DataFrame) -> Floats | None:
    """Return the weights that a net gives to the messages of its one text, or None."""
    net = _net_of(model)
    if not hasattr(net, "message_attention"):
        return None
    try:
        weights = net.message_attention(model.prepare(user), task=model.task)
    except (ProfilingError, AttributeError):  # several texts, or no attention
        return None
    return np.asarray(weights[0], dtype=float)


def word_gradients(model: ClassModel, user: pd.DataFrame) -> pd.DataFrame | None:
    """Integrate the gradients of a class's logit over the word vectors of a user.

    The path leads from vectors of zeros to those of the words. None of a system without
    word vectors; else a table of "word" and "contribution", the sum over where a word
    stands.
    """
    net = _net_of(model)
    module: Any = getattr(getattr(net, "net_", None), "module_", None)
    if module is None:
        return None
    embeddings = [part for part in module.modules() if isinstance(part, WordEmbedding)]
    if not embeddings:
        return None
    dataset = net._dataset(model.prepare(user))  # noqa: SLF001 - of this package
    module.eval()
    sums: dict[str, float] = {}
    for batch, _ in net.net_.get_iterator(dataset, training=False):
        found = _integrate(
            module, embeddings, batch.to(net.net_.device), model.number, model.place
        )
        for embedding, ids, contributions in found:
            words = _words_of(dataset.sources, embedding.gap_id)
            for word, value in zip(ids.tolist(), contributions.tolist(), strict=True):
                if word < len(words):
                    sums[words[word]] = sums.get(words[word], 0.0) + value
    table = pd.DataFrame({"word": list(sums), "contribution": list(sums.values())})
    order = np.argsort(-table["contribution"].to_numpy(dtype=float), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _words_of(sources: Mapping[str, Any], n_words: int) -> tuple[str, ...]:
    """Find the vocabulary of a table of word vectors, by its size."""
    for source in sources.values():
        if isinstance(source, TokenMessages) and len(source.vocabulary) == n_words:
            return tuple(source.vocabulary.words)
    return ()


def _integrate(
    module: Any, embeddings: list[WordEmbedding], batch: Any, task: int, place: int
) -> Iterator[tuple[WordEmbedding, Tensor, Tensor]]:
    """Yield, of each lookup, its table, ids (n,) and contributions (n,)."""
    totals: dict[int, Tensor] = {}
    lookups: list[tuple[WordEmbedding, Tensor, Tensor, Tensor]] = []
    share = 0.0

    def scale(part: Any, given: tuple[Tensor], vectors: Tensor) -> Tensor:
        leaf = (share * vectors).detach().requires_grad_()
        lookups.append((part, given[0].detach(), vectors.detach(), leaf))
        return leaf

    handles = [part.register_forward_hook(scale) for part in embeddings]
    try:
        for step in range(_STEPS):
            share = (step + 0.5) / _STEPS
            lookups.clear()
            with torch.enable_grad():
                logits = module(batch.sources, batch.present)[task]
                own = logits[:, place] - _others(logits, place)
                leaves = [leaf for *_, leaf in lookups]
                gradients = torch.autograd.grad(own.sum(), leaves, allow_unused=True)
            for number, gradient in enumerate(gradients):
                if gradient is not None:
                    totals[number] = totals.get(number, 0) + gradient / _STEPS
    finally:
        for handle in handles:
            handle.remove()
    for number, total in totals.items():
        part, ids, vectors, _ = lookups[number]
        yield part, ids.reshape(-1), (vectors * total).sum(dim=-1).reshape(-1)


def _others(logits: Tensor, place: int) -> Tensor:
    """Mean logit of the other classes: (n_users,)."""
    if logits.shape[1] < 2:
        return torch.zeros_like(logits[:, place])
    return (logits.sum(dim=1) - logits[:, place]) / (logits.shape[1] - 1)
