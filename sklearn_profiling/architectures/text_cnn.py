"""Text-CNN: the single-source baseline of MMLUP, and of the same structure."""

from __future__ import annotations

from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["TextCNN"]


class TextCNN(MMLUP):
    """Text -> deep Text-CNN -> dense layer -> one head a task.

    The paper compares with nets "of the same structure" that read text alone, so this
    is :class:`MMLUP` on one source; what differs is how it is built: without attention,
    and one net a task.

    Parameters
    ----------
    sources : JoinedSources
        Encoder of the text.
    n_shared : int
        Units of the dense layer before the heads.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the dense layer before the heads.
    """
