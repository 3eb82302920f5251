"""bow-CNN: a convolution over regions of words as bags (Johnson and Zhang)."""

from __future__ import annotations

from sklearn_profiling.architectures.pcnn import PCNN

__all__ = ["BowCNN"]


class BowCNN(PCNN):
    """Text -> one region convolution -> dropout -> one linear layer a task.

    This is :class:`PCNN` with a single convolution.

    Parameters
    ----------
    sources : JoinedSources
        Encoder of the text: a :class:`RegionEncoder` with one convolution.
    n_classes : sequence of int
        Number of classes of each task.
    dropout : float
        Probability of dropout on the pooling units.
    """
