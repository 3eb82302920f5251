"""Explanations of predictions, down to the raw text."""

from sklearn_profiling.evaluation.explanation.explaining import explain
from sklearn_profiling.evaluation.explanation.faithful import faithfulness
from sklearn_profiling.evaluation.explanation.result import Explanation

__all__ = ["Explanation", "explain", "faithfulness"]
