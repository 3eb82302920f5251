"""Images of a user as a set: the modern alternative to the 3D-CNN."""

from __future__ import annotations

from sklearn_profiling.architectures.mmlup import MMLUP

__all__ = ["ImageSet"]


class ImageSet(MMLUP):
    """Images, each encoded on its own -> attention -> dense layer -> one head a task.

    The classification stage is that of :class:`CNN3D`, so that the two differ in how
    they read a bag alone.

    Parameters
    ----------
    sources : JoinedSources
        One encoder of sets of images.
    n_shared : int
        Units of the dense layer before the heads.
    n_hidden : sequence of int
        Units of the dense layers of each task.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the dense layer before the heads.
    """
