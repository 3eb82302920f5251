"""Architectures: the one place that knows ``torch.nn``.

Each is built from plain numbers and a description of its sources, takes the sources of
a batch and gives a tuple of logits, one tensor a task; losses and softmax live outside.
They are built by :mod:`sklearn_profiling.estimators`.
"""

from sklearn_profiling.architectures.aux_lstm import LSTM, AuxLSTM
from sklearn_profiling.architectures.cnn3d import CNN3D, ImageSet
from sklearn_profiling.architectures.coopnet import COOPNet
from sklearn_profiling.architectures.generators.causal_lm import CausalLM
from sklearn_profiling.architectures.generators.llava import LLaVA
from sklearn_profiling.architectures.generators.od_tup import ODTUP
from sklearn_profiling.architectures.generators.profile_generator import (
    ProfileGenerator,
    SelectAtt,
)
from sklearn_profiling.architectures.generators.vlp_mabsa import VLPMABSA, AoM
from sklearn_profiling.architectures.mmlup import MMLUP
from sklearn_profiling.architectures.multi_task_lstm import MultiTaskLSTM
from sklearn_profiling.architectures.multimodal_cnn3d import MultimodalCNN3D
from sklearn_profiling.architectures.pcnn import PCNN, BowCNN
from sklearn_profiling.architectures.text_cnn import TextCNN

__all__ = [  # noqa: RUF022 - sorted by character, as the test of all packages asks
    "AoM",
    "AuxLSTM",
    "BowCNN",
    "CNN3D",
    "COOPNet",
    "CausalLM",
    "ImageSet",
    "LLaVA",
    "LSTM",
    "MMLUP",
    "MultiTaskLSTM",
    "MultimodalCNN3D",
    "ODTUP",
    "PCNN",
    "ProfileGenerator",
    "SelectAtt",
    "TextCNN",
    "VLPMABSA",
]
