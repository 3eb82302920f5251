"""Images of users: a bag of any number each, never padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers._ragged import (
    IntArray,
    Ragged,
    Rows,
    check_starts,
    resolve_rows,
    take,
    without_ellipsis,
)
from sklearn_profiling.exceptions import SourceError

__all__ = ["ImageBags"]

Pixels = npt.NDArray[np.uint8]


class ImageBags(Ragged):
    """Images of users, all of one size, any number a user.

    Indexing by a slice, a mask or an array of integers gives the chosen users, by one
    integer the images of that user.

    Parameters
    ----------
    pixels : array-like of uint8, shape (n_images, n_channels, height, width)
        All images of all users, end to end; 0 to 255.
    user_starts : array-like of int, shape (n_users + 1,)
        User u holds the images ``user_starts[u]:user_starts[u + 1]``.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (n_images, n_channels, height, width)
    user_starts : ndarray of int64, shape (n_users + 1,)
    shape : tuple (n_users,)
    image_shape : tuple (n_channels, height, width)
    n_images : int
    missing : ndarray of bool, shape (n_users,)
        True for users without any image.

    Raises
    ------
    SourceError
        If the pixels are not 4-D uint8 or the starts do not describe rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_profiling.containers import ImageBags
    >>> bags = ImageBags(np.zeros((3, 3, 8, 8), dtype=np.uint8), [0, 2, 2, 3])
    >>> bags
    ImageBags(3 users, 3 images of 3 x 8 x 8)
    >>> bags.missing
    array([False,  True, False])
    """

    def __init__(self, pixels: npt.ArrayLike, user_starts: npt.ArrayLike) -> None:
        checked = np.asanyarray(pixels)
        if checked.dtype != np.uint8 or checked.ndim != 4:
            msg = (
                "pixels must be uint8 of shape (n_images, n_channels, height, width); "
                f"got {checked.dtype} of shape {checked.shape}"
            )
            raise SourceError(msg)
        try:
            starts = check_starts(np.asarray(user_starts), len(checked), "user_starts")
        except ValueError as error:
            raise SourceError(str(error)) from error
        self._set(checked.view(), starts)

    def _set(self, pixels: Pixels, user_starts: IntArray) -> None:
        self.pixels = pixels
        self.user_starts = user_starts
        for array in (pixels, user_starts):
            array.flags.writeable = False

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        _, channels, height, width = self.pixels.shape
        return channels, height, width

    @property
    def n_images(self) -> int:
        """Number of images of all users."""
        return len(self.pixels)

    def __getitem__(self, key: Any) -> Any:
        key = without_ellipsis(key)
        if isinstance(key, int | np.integer):
            if not -len(self) <= key < len(self):
                msg = f"user {key} is out of bounds: there are {len(self)} users"
                raise IndexError(msg)
            user = int(key) % len(self)
            return self.pixels[self.user_starts[user] : self.user_starts[user + 1]]
        return self._select(*take(self.user_starts, resolve_rows(key, len(self))))

    def _select(self, elements: Rows, user_starts: IntArray) -> ImageBags:
        made = object.__new__(ImageBags)
        made._set(self.pixels[elements], user_starts)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImageBags):
            return NotImplemented
        return np.array_equal(self.user_starts, other.user_starts) and np.array_equal(
            self.pixels, other.pixels
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.image_shape))
        return f"ImageBags({len(self)} users, {self.n_images} images of {size})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "pixels": np.ascontiguousarray(self.pixels),
            "user_starts": self.user_starts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)
