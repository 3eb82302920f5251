"""The majority class of each task."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier

from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier


def make_majority_baseline() -> MaskedMultiOutputClassifier:
    """Make a classifier that always predicts the most frequent class of each task.

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
    return MaskedMultiOutputClassifier(DummyClassifier(strategy="prior"))
