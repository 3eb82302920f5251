"""Folds inside a training set: for calibration, search and stacking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from sklearn_profiling._seeding import RandomState, derive_seed

__all__ = ["SparingFolds", "deal"]

Ints = NDArray[np.int64]


def deal(codes: NDArray[Any], n_folds: int, seed: int) -> Ints:
    """Deal users to folds, each class as evenly as possible.

    `codes` (n_users,) are classes; so is the result, of fold numbers. The members of a
    class lie in as many folds as there are members, at most `n_folds`; the sizes of
    folds differ by at most one user.
    """
    order = check_random_state(seed).permutation(len(codes))
    # One class after the other, so that dealing in turn spreads each.
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % n_folds
    return folds


class SparingFolds:
    """Stratified folds that leave a member of every class in every training set.

    Classifiers that are calibrated or searched over such folds know the same classes
    in each. The only member of a class is never held out. If the largest class has
    fewer members than `max_folds`, there are fewer folds; if no class has two members,
    all users are trained on and held out at once, since nothing better can be done.
    """

    def __init__(self, max_folds: int, random_state: RandomState = None) -> None:
        self.max_folds = max_folds
        self.random_state = random_state

    def split(
        self, X: Any, y: Any, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield training and held-out rows for the classes `y` (n_users,)."""
        del X, groups
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        n_folds = self._n_folds(counts)
        if n_folds == 1:
            everyone = np.arange(len(codes))
            yield everyone, everyone
            return
        several = np.flatnonzero(counts[codes] > 1)
        folds = np.full(len(codes), -1, dtype=np.int64)
        folds[several] = deal(codes[several], n_folds, derive_seed(self.random_state))
        for fold in range(n_folds):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the folds for the classes `y` (n_users,)."""
        del X, groups
        if y is None:
            return self.max_folds
        return self._n_folds(np.unique(y, return_counts=True)[1])

    def _n_folds(self, counts: Ints) -> int:
        return int(max(1, min(self.max_folds, counts.max())))

    def __repr__(self) -> str:
        return f"SparingFolds({self.max_folds}, random_state={self.random_state!r})"
