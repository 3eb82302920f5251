"""One report on a system: its data, its scores, for whom it errs, and why."""

from sklearn_profiling.evaluation.report.card import model_card
from sklearn_profiling.evaluation.report.profiling import ProfilingReport

__all__ = ["ProfilingReport", "model_card"]
