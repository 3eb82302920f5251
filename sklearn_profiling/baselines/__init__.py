"""Baselines: what every architecture has to beat.

Each is a classifier or a Pipeline from the users' DataFrame to several tasks, with
missing labels.
"""

from sklearn_profiling.baselines.link import make_link_baseline
from sklearn_profiling.baselines.majority import make_majority_baseline
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.baselines.tfidf import make_tfidf_baseline

__all__ = [
    "MaskedMultiOutputClassifier",
    "make_link_baseline",
    "make_majority_baseline",
    "make_tfidf_baseline",
]
