"""Architectures: the one place that knows ``torch.nn``.

Each takes the sources of a batch and gives a tuple of logits, one tensor a task; losses
and softmax live outside. They are built by :mod:`sklearn_profiling.estimators`.
"""

from sklearn_profiling.architectures.mmlup import MMLUP
from sklearn_profiling.architectures.text_cnn import TextCNN

__all__ = ["MMLUP", "TextCNN"]
