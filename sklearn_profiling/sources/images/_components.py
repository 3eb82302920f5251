"""Small versions of images, and their principal components."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError

__all__ = ["PrincipalComponents", "check_bags", "image_users", "small_images"]

Floats = NDArray[np.float32]

_SIDE = 16
_PIXELS_AT_ONCE = 2**22


def check_bags(bags: Any, owner: object) -> ImageBags:
    """Return bags, or raise an error that names the missing step."""
    if isinstance(bags, ImageBags):
        return bags
    msg = (
        f"{type(owner).__name__} takes ImageBags, the output of ImageBagTransformer; "
        f"got {type(bags).__module__}.{type(bags).__qualname__}. Put an "
        "ImageBagTransformer before it in the Pipeline"
    )
    raise SourceError(msg)


def image_users(bags: ImageBags) -> NDArray[np.int64]:
    """Return the row of the user of each image, shape (n_images,)."""
    return np.repeat(np.arange(len(bags)), np.diff(bags.user_starts))


def small_images(
    pixels: NDArray[np.uint8], chosen: NDArray[np.int64]
) -> Iterator[Floats]:
    """Yield chosen images, some at a time: (n, channels, n_rows, n_columns), 0 to 1.

    Each value is the mean over a cell of a grid of at most 16 x 16.
    """
    _, channels, height, width = pixels.shape
    rows, columns = _cells(height), _cells(width)
    areas = rows.sum(axis=1)[:, None] * columns.sum(axis=1)
    at_once = max(1, _PIXELS_AT_ONCE // max(1, channels * height * width))
    for start in range(0, len(chosen), at_once):
        some = pixels[chosen[start : start + at_once]].astype(np.float32)
        # sums of whole numbers, exact in float32 for cells up to 256 x 256
        yield rows @ (some @ columns.T) / (255 * areas)


def _cells(n_pixels: int) -> Floats:
    """Return which pixels each cell holds: 0 or 1, (n_cells, n_pixels)."""
    n_cells = min(_SIDE, n_pixels)
    cell = np.arange(n_pixels) * n_cells // n_pixels
    return np.asarray(np.arange(n_cells)[:, None] == cell, np.float32)


class PrincipalComponents:
    """Projection of small images onto the directions of most variance.

    scikit-learn's ``PCA`` centres a float32 covariance after it is summed, which costs
    digits; here the images are centred before.
    """

    def __init__(self, images: Floats, n_components: int) -> None:
        rows = images.reshape(len(images), -1)
        n_distinct = len({row.tobytes() for row in rows})
        n_features = rows.shape[1]
        self.n_components = max(1, min(n_components, n_distinct - 1, n_features))
        self._mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = rows - self._mean
        _, vectors = linalg.eigh(
            (centred.T @ centred).astype(np.float64),
            subset_by_index=(n_features - self.n_components, n_features - 1),
        )
        # The sign of an eigenvector is arbitrary: its largest entry is positive here.
        largest = np.abs(vectors).argmax(axis=0)
        vectors *= np.sign(vectors[largest, np.arange(self.n_components)])
        self._directions = np.ascontiguousarray(vectors[:, ::-1], np.float32)

    def project(self, images: Floats) -> Floats:
        """Return the components of images: (n_images, n_components)."""
        centred = images.reshape(len(images), -1) - self._mean
        return np.asarray(centred @ self._directions)
