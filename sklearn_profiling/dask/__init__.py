"""Tables of users and networks on a Dask cluster; needs the extra ``dask``."""

from __future__ import annotations

from sklearn_profiling.dask.corpus import fit_vocabulary, segment, word_counts
from sklearn_profiling.dask.jobs import parallel_config
from sklearn_profiling.dask.predicting import predict, predict_proba, transform
from sklearn_profiling.dask.spectral import spectral_line

__all__ = [
    "fit_vocabulary",
    "parallel_config",
    "predict",
    "predict_proba",
    "segment",
    "spectral_line",
    "transform",
    "word_counts",
]
