"""3D-CNN of images beside text and vectors, with a gate for each source."""

from __future__ import annotations

from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["MultimodalCNN3D"]


class MultimodalCNN3D(MMLUP):
    """Sources -> a gate each -> concatenation -> shared layer -> one head a task.

    :class:`MMLUP` whose sources come through gates; what images go through is the
    3D-CNN of :class:`CNN3D`.

    Parameters
    ----------
    sources : GatedSources
        Encoders of the sources and their gates.
    n_shared : int
        Units of the shared layer.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the shared layer.
    """
