"""Text-CNN: the single-source baseline of MMLUP, and of the same structure."""

from __future__ import annotations

from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["TextCNN"]


class TextCNN(MMLUP):
    """Text -> deep Text-CNN -> dense layer -> one head a task.

    The paper compares with nets "of the same structure" that read text alone, so this
    is :class:`MMLUP` on one source; what differs is how it is built: without attention,
    and one net a task.
    """
