"""Evaluation: metrics, scorers, splitters, comparison, significance.

Everything here accepts missing labels: a user counts for the tasks that the user is
labelled for, and for no other.
"""

from sklearn_profiling.evaluation.comparison import Comparison
from sklearn_profiling.evaluation.metrics import (
    accuracy_per_task,
    exact_match_score,
    macro_prf,
    smpcup_score,
    task_report,
)
from sklearn_profiling.evaluation.prediction import cross_val_predict_proba
from sklearn_profiling.evaluation.running import compare
from sklearn_profiling.evaluation.scorers import TaskScorer, smpcup_scorer
from sklearn_profiling.evaluation.significance import PairedTest, paired_test
from sklearn_profiling.evaluation.splits import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    multi_task_train_test_split,
)
from sklearn_profiling.evaluation.temperature import TemperatureScaledClassifier

__all__ = [
    "Comparison",
    "MultiTaskStratifiedGroupKFold",
    "MultiTaskStratifiedKFold",
    "PairedTest",
    "TaskScorer",
    "TemperatureScaledClassifier",
    "accuracy_per_task",
    "compare",
    "cross_val_predict_proba",
    "exact_match_score",
    "macro_prf",
    "multi_task_train_test_split",
    "paired_test",
    "smpcup_score",
    "smpcup_scorer",
    "task_report",
]
