"""Users who are held out from training, all rows of a person together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sklearn_profiling.targets import EncodedLabels

__all__ = ["hold_out", "hold_out_at_random"]

Rows = npt.NDArray[np.int64]


def hold_out(labels: EncodedLabels, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Draw training and validation rows that have about the same share of each class.

    Users are sorted by their labels, in random order where these are equal, and one is
    held out at even distances. A group goes by the labels of its first user.
    """
    if labels.groups is not None:
        _, first, whose = np.unique(
            labels.groups, return_index=True, return_inverse=True
        )
        _, chosen = hold_out(replace(labels.take(first), groups=None), fraction, seed)
        return _parts(np.isin(whose, chosen))
    generator = np.random.RandomState(seed)
    order = generator.permutation(len(labels))
    order = order[np.lexsort(labels.codes[order].T[::-1])]
    n_held_out = int(fraction * len(labels))
    places = (np.arange(n_held_out) + generator.random_sample()) / max(n_held_out, 1)
    held_out = np.zeros(len(labels), dtype=bool)
    held_out[order[(places * len(labels)).astype(np.int64)]] = True
    return _parts(held_out)


def hold_out_at_random(
    labels: EncodedLabels, n_held_out: int, seed: int
) -> tuple[Rows, Rows]:
    """Draw training and validation rows, `n_held_out` of these; groups stay whole."""
    order = np.random.RandomState(seed).permutation(len(labels))
    held_out = np.zeros(len(labels), dtype=bool)
    if labels.groups is None:
        held_out[order[:n_held_out]] = True
        return _parts(held_out)
    _, whose = np.unique(labels.groups, return_inverse=True)
    _, drawn = np.unique(whose[order], return_index=True)
    groups = np.argsort(drawn)
    before = np.cumsum(np.bincount(whose)[groups]) - np.bincount(whose)[groups]
    return _parts(np.isin(whose, groups[before < n_held_out]))


def _parts(held_out: npt.NDArray[np.bool_]) -> tuple[Rows, Rows]:
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
