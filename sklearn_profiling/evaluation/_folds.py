"""Folds, split once so that every system sees the same ones."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from sklearn_profiling.evaluation.splits import MultiTaskStratifiedKFold

_N_SPLITS = 5


@dataclass(frozen=True)
class Fold:
    """Rows of one training and test part.

    Attributes
    ----------
    number : int
        Position among the folds, from 0.
    train, test : ndarray of int64
        Row numbers.
    """

    number: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def make_folds(cv: Any, X: Any, y: Any) -> list[Fold]:
    """Split users by any kind of ``cv``.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None
        An integer is a number of stratified folds with a fixed seed, None means 5.
    X, y : array-like
        Users and labels.

    Returns
    -------
    list of Fold
        The folds.
    """
    # scikit-learn's own reading of an integer stratifies by y and fails on missing
    # labels, so integers never reach it.
    if cv is None or isinstance(cv, numbers.Integral):
        n_splits = _N_SPLITS if cv is None else int(cv)
        cv = MultiTaskStratifiedKFold(n_splits, random_state=0)
    return [
        Fold(number, np.asarray(train), np.asarray(test))
        for number, (train, test) in enumerate(check_cv(cv).split(X, y))
    ]
