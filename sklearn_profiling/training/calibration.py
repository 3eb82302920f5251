"""Set the scale of text and image features from the training users, before training.

The average of many messages or images differs little between users: at first nearly
all of its vector is the same for everybody, and the net spends its first epochs,
sometimes all of them, at the majority class. Measured on the training users, mean and
deviation of each feature are written into the encoder once, and training goes on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.architectures.layers.bag import BagLogits, BagOfWords
from sklearn_profiling.architectures.layers.sources import JoinedSources, ScaledEncoder
from sklearn_profiling.training.batches import UserDataset

__all__ = ["calibrate"]

_MOST_USERS = 500
"""Users to measure on: enough for a mean and a deviation of each feature."""


@fixed_threads()
def calibrate(
    module: nn.Module, dataset: UserDataset, batch_size: int, seed: int
) -> None:
    """Standardise the features of texts and images on the training users.

    Sets the scale of every ScaledEncoder of the module from at most 500 users, drawn by
    the seed, and the idf of every bag of words from all users.
    """
    rows = np.arange(len(dataset))
    if len(rows) > _MOST_USERS:
        rows = np.random.RandomState(seed).permutation(rows)[:_MOST_USERS]
    module.eval()
    for bags in module.modules():
        if isinstance(bags, BagLogits):
            texts: Any = bags.bags
            for name, bag in zip(bags.names, texts, strict=True):
                _count_users(bag, name, dataset, batch_size)
    for joined in module.modules():
        if not isinstance(joined, JoinedSources):
            continue
        for name, encoder in zip(joined.names, joined.encoders, strict=True):
            if isinstance(encoder, ScaledEncoder):
                _calibrate_one(encoder, name, dataset, rows, batch_size)


def _calibrate_one(
    encoder: ScaledEncoder,
    name: str,
    dataset: UserDataset,
    rows: np.ndarray,
    batch_size: int,
) -> None:
    encoded: list[Tensor] = []
    weights: list[Tensor] = []
    device = next(encoder.parameters()).device
    # Measured bare, so that a second call gives the same.
    encoder.set_scale(torch.zeros_like(encoder.mean), torch.ones_like(encoder.scale))
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            chosen = rows[start : start + batch_size]
            batch, _ = dataset.__getitems__(chosen.tolist())
            there = batch.present[name]
            source = batch.to(device).sources[name]
            encoded.append(encoder(source).cpu()[there])
            weights.append(torch.from_numpy(dataset.weights.users[chosen])[there])
    features = torch.cat(encoded).double()
    share = torch.cat(weights).unsqueeze(1)
    if not len(features):
        return
    share = share / share.sum()
    mean = (share * features).sum(dim=0)
    deviation = (share * (features - mean) ** 2).sum(dim=0).sqrt()
    # A feature that hardly varies would be blown up to the size of the others.
    floor = 0.1 * deviation.mean()
    encoder.set_scale(mean, deviation.clamp(min=floor))


def _count_users(
    bag: BagOfWords, name: str, dataset: UserDataset, batch_size: int
) -> None:
    """Set the idf of a bag from the weights of the users who wrote each sequence."""
    totals = torch.zeros(len(bag.table), dtype=torch.float64)
    weights = torch.from_numpy(dataset.weights.users)
    with torch.inference_mode():
        for start in range(0, len(dataset), batch_size):
            rows = range(start, min(start + batch_size, len(dataset)))
            batch, _ = dataset.__getitems__(rows)
            text: Any = batch.sources[name]
            users, sequences, _ = bag.counts(text)
            totals.index_add_(0, sequences, weights[users + start])
    there = torch.from_numpy(dataset.present[name])
    bag.set_shares(totals / weights[there].sum())
