"""The majority class of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.dummy import DummyClassifier

from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier


def make_majority_baseline(
    *, class_weight: Mapping[Any, Any] | Sequence[Any] | str | None = None
) -> MaskedMultiOutputClassifier:
    """Make a classifier that always predicts the most frequent class of each task.

    Parameters
    ----------
    class_weight : "balanced", mapping, list or None, default=None
        Weights of classes, as of :class:`MaskedMultiOutputClassifier`.

    Returns
    -------
    MaskedMultiOutputClassifier
        Unfitted. Its probabilities are the class frequencies among labelled users.

    Examples
    --------
    >>> from sklearn_profiling.baselines import make_majority_baseline
    >>> users = [["alice"], ["bob"], ["carol"]]
    >>> make_majority_baseline().fit(users, ["f", "m", "f"]).predict([["dave"]])
    array(['f'], dtype=object)
    """
    return MaskedMultiOutputClassifier(
        DummyClassifier(strategy="prior"), class_weight=class_weight
    )
