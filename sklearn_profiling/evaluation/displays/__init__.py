"""Pictures of results in scikit-learn's way; drawing needs the extra ``plots``."""

from sklearn_profiling.evaluation.displays.attention import MessageAttentionDisplay
from sklearn_profiling.evaluation.displays.comparison import ComparisonDisplay
from sklearn_profiling.evaluation.displays.confusion import TaskConfusionDisplay
from sklearn_profiling.evaluation.displays.network import NetworkMapDisplay
from sklearn_profiling.evaluation.displays.relatedness import TaskRelatednessDisplay
from sklearn_profiling.evaluation.displays.reliability import ReliabilityDisplay
from sklearn_profiling.evaluation.displays.training import TrainingCurveDisplay
from sklearn_profiling.evaluation.displays.words import WordContributionDisplay

__all__ = [
    "ComparisonDisplay",
    "MessageAttentionDisplay",
    "NetworkMapDisplay",
    "ReliabilityDisplay",
    "TaskConfusionDisplay",
    "TaskRelatednessDisplay",
    "TrainingCurveDisplay",
    "WordContributionDisplay",
]
