"""Mean and deviation of sources over the training users."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers import TokenMessages
from sklearn_profiling.training.inputs import Source, present

__all__: list[str] = []

Weights = npt.NDArray[np.float64]
Statistics = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def source_statistics(source: Source, weights: Weights) -> Statistics:
    """Compute weighted mean and deviation of what a source is made of.

    Parameters
    ----------
    source : TokenMessages or ndarray of shape (n_users, d)
        Source of the training users.
    weights : ndarray of float64, shape (n_users,)
        Weight of each user, above zero.

    Returns
    -------
    mean, deviation : ndarray of float64, shape (d,)
        Of the word vectors over the words written, or of each column over the users
        who have the source; zeros where there is nothing to measure.
    """
    if isinstance(source, TokenMessages):
        return _text_statistics(source, weights)
    return _column_statistics(source, weights)


def _text_statistics(text: TokenMessages, weights: Weights) -> Statistics:
    vectors = text.vocabulary.vectors
    if vectors is None or not text.n_words:
        nothing = np.zeros(text.vocabulary.n_dimensions)
        return nothing, nothing
    counts = np.bincount(
        text.ids, weights=weights[text.word_users()], minlength=len(vectors)
    )
    return _mean_and_deviation(vectors, counts)


def _column_statistics(source: npt.NDArray[Any], weights: Weights) -> Statistics:
    there = present(source)
    if not there.any():
        zeros = np.zeros(source.shape[1])
        return zeros, zeros
    return _mean_and_deviation(source[there], weights[there])


def _mean_and_deviation(
    rows: npt.NDArray[Any], weights: npt.NDArray[Any]
) -> Statistics:
    values = rows.astype(np.float64)
    mean = np.average(values, axis=0, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
