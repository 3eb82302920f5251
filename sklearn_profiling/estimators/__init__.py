"""Published architectures as scikit-learn classifiers with several outputs."""

from sklearn_profiling.estimators.aux_lstm import AuxLSTMClassifier, LSTMClassifier
from sklearn_profiling.estimators.cnn3d import CNN3DClassifier, ImageSetClassifier
from sklearn_profiling.estimators.coopnet import COOPNetClassifier
from sklearn_profiling.estimators.generators.causal_lm import CausalLMProfileClassifier
from sklearn_profiling.estimators.generators.llava import LLaVAProfileClassifier
from sklearn_profiling.estimators.generators.od_tup import ODTUPClassifier
from sklearn_profiling.estimators.generators.profile_generator import (
    ProfileGeneratorClassifier,
    SelectAttClassifier,
)
from sklearn_profiling.estimators.generators.vlp_mabsa import (
    AoMClassifier,
    VLPMABSAClassifier,
)
from sklearn_profiling.estimators.mmlup import MMLUPClassifier
from sklearn_profiling.estimators.multi_task_lstm import MultiTaskLSTMClassifier
from sklearn_profiling.estimators.multimodal_cnn3d import MultimodalCNN3DClassifier
from sklearn_profiling.estimators.pcnn import BowCNNClassifier, PCNNClassifier
from sklearn_profiling.estimators.text_cnn import TextCNNClassifier

__all__ = [
    "AoMClassifier",
    "AuxLSTMClassifier",
    "BowCNNClassifier",
    "CNN3DClassifier",
    "COOPNetClassifier",
    "CausalLMProfileClassifier",
    "ImageSetClassifier",
    "LLaVAProfileClassifier",
    "LSTMClassifier",
    "MMLUPClassifier",
    "MultiTaskLSTMClassifier",
    "MultimodalCNN3DClassifier",
    "ODTUPClassifier",
    "PCNNClassifier",
    "ProfileGeneratorClassifier",
    "SelectAttClassifier",
    "TextCNNClassifier",
    "VLPMABSAClassifier",
]
