"""Images of users: a bag of any number each, never padded."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sklearn_profiling.containers._ragged import (
    IntArray,
    Ragged,
    Rows,
    as_slice,
    check_starts,
    is_mapped,
    resolve_rows,
    take,
    without_ellipsis,
    without_name,
)
from sklearn_profiling.exceptions import SourceError

__all__ = ["ImageBags"]

Pixels = npt.NDArray[np.uint8]


class ImageBags(Ragged):
    """Images of users, all of one size, any number a user.

    Indexing by a slice, a mask or an array of integers gives the chosen users, by one
    integer the images of that user. Users that follow each other are a view.

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

    def _set(
        self, pixels: Pixels, user_starts: IntArray, rows: IntArray | None = None
    ) -> None:
        pixels, user_starts = without_name(pixels), without_name(user_starts)
        # One attribute, so that threads find both or neither changed.
        self._images = pixels, rows
        self.user_starts = user_starts
        for array in (pixels, user_starts):
            array.flags.writeable = False

    @classmethod
    def _of_rows(cls, pixels: Pixels, rows: Rows, user_starts: IntArray) -> ImageBags:
        """Choose images; those of a mapped file stay there, to be read when needed."""
        made = object.__new__(cls)
        rows = rows if isinstance(rows, slice) else as_slice(rows)
        if isinstance(rows, slice) or not is_mapped(pixels):
            made._set(pixels[rows], user_starts)
        else:
            made._set(pixels, user_starts, rows)
        return made

    @property
    def pixels(self) -> Pixels:
        """Pixels of all images, (n_images, n_channels, height, width)."""
        pixels, rows = self._images
        if rows is not None:
            pixels = self.images(0, self.n_images)
            self._set(pixels, self.user_starts)
        return pixels

    def images(self, start: int, stop: int) -> Pixels:
        """Return the pixels of some images, and read no others.

        Parameters
        ----------
        start, stop : int
            First image and the one after the last, counted over all users.

        Returns
        -------
        ndarray of uint8, shape (stop - start, n_channels, height, width)
            A view of `pixels`; a copy where users were chosen from a mapped file.
        """
        pixels, rows = self._images
        return pixels[start:stop] if rows is None else pixels[rows[start:stop]]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        _, channels, height, width = self._images[0].shape
        return channels, height, width

    @property
    def n_images(self) -> int:
        """Number of images of all users."""
        return int(self.user_starts[-1])

    def __getitem__(self, key: Any) -> Any:
        key = without_ellipsis(key)
        if isinstance(key, int | np.integer):
            if not -len(self) <= key < len(self):
                msg = f"user {key} is out of bounds: there are {len(self)} users"
                raise IndexError(msg)
            user = int(key) % len(self)
            first, last = self.user_starts[user : user + 2].tolist()
            return self.images(first, last)
        return self._select(*take(self.user_starts, resolve_rows(key, len(self))))

    def _select(self, elements: Rows, user_starts: IntArray) -> ImageBags:
        pixels, rows = self._images
        chosen = elements if rows is None else rows[elements]
        return self._of_rows(pixels, chosen, user_starts)

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
            "pixels": np.ascontiguousarray(self.images(0, self.n_images)),
            "user_starts": np.asarray(self.user_starts),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**state)
