"""Text-CNN, the baseline of MMLUP that reads one text."""

from __future__ import annotations

from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["TextCNN"]

TextCNN = MMLUP
"""On one text: the paper compares with nets "of the same structure" that read text."""
