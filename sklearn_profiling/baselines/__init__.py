"""Baselines that every architecture is compared with.

Each is a classifier or a Pipeline from the users' DataFrame to several tasks, with
missing labels.
"""

from sklearn_profiling.baselines.link import make_link_baseline
from sklearn_profiling.baselines.majority import make_majority_baseline
from sklearn_profiling.baselines.masked import MaskedMultiOutputClassifier
from sklearn_profiling.baselines.maxent import make_maxent_baseline
from sklearn_profiling.baselines.meta_learning import make_meta_learning_baseline
from sklearn_profiling.baselines.naive_bayes_ridge import NaiveBayesRidgeClassifier
from sklearn_profiling.baselines.out_of_fold import OutOfFoldLogits
from sklearn_profiling.baselines.propagated_labels import PropagatedLabels
from sklearn_profiling.baselines.stacking import MetaLearningClassifier
from sklearn_profiling.baselines.svm import make_svm_baseline
from sklearn_profiling.baselines.tfidf import make_tfidf_baseline

__all__ = [
    "MaskedMultiOutputClassifier",
    "MetaLearningClassifier",
    "NaiveBayesRidgeClassifier",
    "OutOfFoldLogits",
    "PropagatedLabels",
    "make_link_baseline",
    "make_majority_baseline",
    "make_maxent_baseline",
    "make_meta_learning_baseline",
    "make_svm_baseline",
    "make_tfidf_baseline",
]
