"""Mean and deviation of sources over the training users."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sklearn_profiling._threads import fixed_threads
from sklearn_profiling.containers import ImageBags, TokenMessages
from sklearn_profiling.training.inputs import Source, present

__all__: list[str] = []

Weights = npt.NDArray[np.float64]
Statistics = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

_IMAGES_AT_ONCE = 256
"""Images to hold as floats: 25 MB in colours of 64 x 64."""


@fixed_threads()
def source_statistics(source: Source, weights: Weights) -> Statistics:
    """Weighted mean and deviation (d,) of a source of the training users.

    Of the word vectors over the words written, of each channel over all pixels, from 0
    to 1, of all images, or of each column over the users who have the source; zeros
    where there is nothing to measure. `weights` (n_users,) are above zero.
    """
    if isinstance(source, TokenMessages):
        return _text_statistics(source, weights)
    if isinstance(source, ImageBags):
        return _image_statistics(source, weights)
    if sparse.issparse(source):
        return _sparse_statistics(source, weights)
    return _column_statistics(source, weights)


def _text_statistics(text: TokenMessages, weights: Weights) -> Statistics:
    vectors = text.vocabulary.vectors
    if vectors is None or not text.n_words:
        nothing = np.zeros(text.vocabulary.n_dimensions)
        return nothing, nothing
    return _mean_and_deviation(vectors, text.word_counts(weights))


def _image_statistics(bags: ImageBags, weights: Weights) -> Statistics:
    zeros = np.zeros(bags.image_shape[0])
    if not bags.n_images:
        return zeros, zeros
    of_images = np.repeat(weights, np.diff(bags.user_starts))
    sums, squares = zeros, zeros
    # Piece by piece: as floats all images would take eight times their memory.
    for start in range(0, bags.n_images, _IMAGES_AT_ONCE):
        piece = slice(start, start + _IMAGES_AT_ONCE)
        images = bags.images(start, min(piece.stop, bags.n_images))
        pixels = images.astype(np.float64) / 255.0
        sums = sums + of_images[piece] @ pixels.mean(axis=(2, 3))
        squares = squares + of_images[piece] @ (pixels**2).mean(axis=(2, 3))
    mean = sums / of_images.sum()
    variance = squares / of_images.sum() - mean**2
    return mean, np.sqrt(variance.clip(min=0.0))


def _column_statistics(source: npt.NDArray[Any], weights: Weights) -> Statistics:
    there = present(source)
    if not there.any():
        zeros = np.zeros(source.shape[1])
        return zeros, zeros
    return _mean_and_deviation(source[there], weights[there])


def _sparse_statistics(rows: sparse.csr_array, weights: Weights) -> Statistics:
    there = present(rows)
    if not there.any():
        zeros = np.zeros(rows.shape[1])
        return zeros, zeros
    shares = np.where(there, weights, 0.0) / weights[there].sum()
    of_entries = np.repeat(shares, np.diff(rows.indptr))
    values = rows.data.astype(np.float64)

    def total(of_each: Weights) -> Weights:
        sums = np.bincount(rows.indices, of_entries * of_each, rows.shape[1])
        return sums.astype(np.float64)

    mean, squares = total(values), total(values**2)
    return mean, np.sqrt((squares - mean**2).clip(min=0.0))


def _mean_and_deviation(
    rows: npt.NDArray[Any], weights: npt.NDArray[Any]
) -> Statistics:
    values = rows.astype(np.float64)
    mean = np.average(values, axis=0, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
