"""Published architectures as scikit-learn classifiers with several outputs."""

from sklearn_profiling.estimators.mmlup import MMLUPClassifier
from sklearn_profiling.estimators.text_cnn import TextCNNClassifier

__all__ = ["MMLUPClassifier", "TextCNNClassifier"]
