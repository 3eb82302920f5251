"""Every system of a paper beside plain baselines, ready to compare."""

from sklearn_profiling.systems._aux_lstm import make_aux_lstm_systems
from sklearn_profiling.systems._images import make_image_systems
from sklearn_profiling.systems._links import predict_proba_with_links
from sklearn_profiling.systems._mmlup import make_table3_systems
from sklearn_profiling.systems._segmenters import choose_segmenter
from sklearn_profiling.systems._unified import make_unified_systems

__all__ = [
    "choose_segmenter",
    "make_aux_lstm_systems",
    "make_image_systems",
    "make_table3_systems",
    "make_unified_systems",
    "predict_proba_with_links",
]
