"""Evaluation: metrics, scorers, splitters, comparison, calibration, fairness.

Everything here accepts missing labels: a user counts for the tasks that the user is
labelled for, and for no other.
"""

from sklearn_profiling.evaluation.abstention import AbstainingClassifier
from sklearn_profiling.evaluation.bootstrap import bootstrap_report
from sklearn_profiling.evaluation.calibration import (
    calibration_report,
    reliability_table,
    risk_coverage,
)
from sklearn_profiling.evaluation.classes import confusion_tables
from sklearn_profiling.evaluation.comparison import Comparison
from sklearn_profiling.evaluation.conformal import (
    PredictionSetClassifier,
    prediction_set_report,
    prediction_sets,
)
from sklearn_profiling.evaluation.differential import differential_language
from sklearn_profiling.evaluation.displays import (
    ComparisonDisplay,
    MessageAttentionDisplay,
    NetworkMapDisplay,
    ReliabilityDisplay,
    TaskConfusionDisplay,
    TaskRelatednessDisplay,
    TrainingCurveDisplay,
    WordContributionDisplay,
)
from sklearn_profiling.evaluation.duplicates import near_duplicates
from sklearn_profiling.evaluation.explanation import (
    Explanation,
    explain,
    faithfulness,
)
from sklearn_profiling.evaluation.fairness import GroupReport, group_report
from sklearn_profiling.evaluation.metrics import (
    accuracy_per_task,
    exact_match_score,
    macro_prf,
    smpcup_score,
    task_report,
)
from sklearn_profiling.evaluation.prediction import cross_val_predict_proba
from sklearn_profiling.evaluation.pseudonyms import pseudonymise
from sklearn_profiling.evaluation.relatedness import task_relatedness
from sklearn_profiling.evaluation.report import ProfilingReport, model_card
from sklearn_profiling.evaluation.running import compare
from sklearn_profiling.evaluation.scorers import TaskScorer, smpcup_scorer
from sklearn_profiling.evaluation.significance import PairedTest, paired_test
from sklearn_profiling.evaluation.splits import (
    MultiTaskStratifiedGroupKFold,
    MultiTaskStratifiedKFold,
    multi_task_train_test_split,
)
from sklearn_profiling.evaluation.streaming import predict_stream
from sklearn_profiling.evaluation.temperature import TemperatureScaledClassifier

__all__ = [
    "AbstainingClassifier",
    "Comparison",
    "ComparisonDisplay",
    "Explanation",
    "GroupReport",
    "MessageAttentionDisplay",
    "MultiTaskStratifiedGroupKFold",
    "MultiTaskStratifiedKFold",
    "NetworkMapDisplay",
    "PairedTest",
    "PredictionSetClassifier",
    "ProfilingReport",
    "ReliabilityDisplay",
    "TaskConfusionDisplay",
    "TaskRelatednessDisplay",
    "TaskScorer",
    "TemperatureScaledClassifier",
    "TrainingCurveDisplay",
    "WordContributionDisplay",
    "accuracy_per_task",
    "bootstrap_report",
    "calibration_report",
    "compare",
    "confusion_tables",
    "cross_val_predict_proba",
    "differential_language",
    "exact_match_score",
    "explain",
    "faithfulness",
    "group_report",
    "macro_prf",
    "model_card",
    "multi_task_train_test_split",
    "near_duplicates",
    "paired_test",
    "predict_stream",
    "prediction_set_report",
    "prediction_sets",
    "pseudonymise",
    "reliability_table",
    "risk_coverage",
    "smpcup_score",
    "smpcup_scorer",
    "task_relatedness",
    "task_report",
]
