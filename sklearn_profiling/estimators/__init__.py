"""Published architectures as scikit-learn classifiers with several outputs."""

from sklearn_profiling.estimators.aux_lstm import AuxLSTMClassifier
from sklearn_profiling.estimators.bow_cnn import BowCNNClassifier
from sklearn_profiling.estimators.lstm import LSTMClassifier
from sklearn_profiling.estimators.mmlup import MMLUPClassifier
from sklearn_profiling.estimators.multi_task_lstm import MultiTaskLSTMClassifier
from sklearn_profiling.estimators.pcnn import PCNNClassifier
from sklearn_profiling.estimators.text_cnn import TextCNNClassifier

__all__ = [
    "AuxLSTMClassifier",
    "BowCNNClassifier",
    "LSTMClassifier",
    "MMLUPClassifier",
    "MultiTaskLSTMClassifier",
    "PCNNClassifier",
    "TextCNNClassifier",
]
