"""Whole systems as Pipelines, and the sets of systems that are compared.

One module per paper: :mod:`.mmlup`, :mod:`.aux_lstm`, :mod:`.images` and
:mod:`.unified`. Each has functions ``make_...`` for its system and
``make_..._systems`` for those that the paper's tables compare.

Every part can be replaced, and every parameter set by ``set_params``:

===============  =====================================================
step             parameters
===============  =====================================================
``segmenter``    ``segmenter__words__hmm``, ...
``sources``      ``sources__text__window``, ``sources__network__order``, ...
``classifier``   ``classifier__attention``, ``classifier__sources``, ...
===============  =====================================================
"""

from sklearn_profiling.pipelines.auto_sources import AutoSources
from sklearn_profiling.pipelines.aux_lstm import (
    make_aux_lstm,
    make_aux_lstm_systems,
    make_lstm,
    make_multi_task_lstm,
)
from sklearn_profiling.pipelines.images import make_cnn3d, make_image_systems
from sklearn_profiling.pipelines.mmlup import (
    make_mmlup,
    make_table3_systems,
    make_text_cnn,
    predict_proba_with_links,
)
from sklearn_profiling.pipelines.profiler import Profiler, make_profiler
from sklearn_profiling.pipelines.unified import (
    make_profile_generator,
    make_unified_systems,
)

__all__ = [
    "AutoSources",
    "Profiler",
    "make_aux_lstm",
    "make_aux_lstm_systems",
    "make_cnn3d",
    "make_image_systems",
    "make_lstm",
    "make_mmlup",
    "make_multi_task_lstm",
    "make_profile_generator",
    "make_profiler",
    "make_table3_systems",
    "make_text_cnn",
    "make_unified_systems",
    "predict_proba_with_links",
]
