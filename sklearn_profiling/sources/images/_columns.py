"""Reading the images column of a table of users."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sklearn_profiling.containers import ImageBags
from sklearn_profiling.exceptions import SourceError

__all__ = ["ImageColumn", "read_images"]


@dataclass(frozen=True)
class ImageColumn:
    """The images of all users, end to end.

    Attributes
    ----------
    images : list
        Paths, PIL images or arrays.
    rows : ndarray of int64, shape (n_images,)
        Row of the user of each.
    n_users : int
        Number of users.
    n_over_maximum : int
        Images beyond the most that a user may have.
    labels : sequence or None
        What pandas calls the rows.
    """

    images: list[Any]
    rows: npt.NDArray[np.int64]
    n_users: int
    n_over_maximum: int
    labels: Sequence[Any] | None

    def place(self, image: int) -> str:
        """Say whose an image is and, if it has a path, which."""
        row = int(self.rows[image])
        place = (
            f"row {row}" if self.labels is None else f"row {row} ({self.label(row)!r})"
        )
        path = self.path(image)
        return place if path is None else f"{place}, {path}"

    def label(self, row: int) -> Any:
        """Return what pandas calls a row, or its number."""
        return row if self.labels is None else self.labels[row]

    def path(self, image: int) -> str | None:
        """Return the path of an image, or None if it was given as pixels."""
        given = self.images[image]
        return os.fspath(given) if isinstance(given, str | os.PathLike) else None


def read_images(column: Any, max_images: int | None, owner: object) -> ImageColumn:
    """Bring an images column of any form into one list of images.

    Parameters
    ----------
    column : Series, array-like of shape (n_users,), or table with one column
        Cells are lists of images, one path or PIL image, an array of shape
        (n_images, ...), or None / NaN (no images).
    max_images : int or None
        The first so many images of each user are taken.
    owner : object
        The step that reads, for errors.

    Returns
    -------
    ImageColumn
        The images; none of them is opened.

    Raises
    ------
    SourceError
        If the column or a cell is anything else; the row is named.
    """
    cells, labels = _cells(column, type(owner).__name__)
    images: list[Any] = []
    sizes = np.zeros(len(cells), dtype=np.int64)
    n_over = 0
    for row, cell in enumerate(cells):
        try:
            given = _images_of(cell)
        except TypeError as error:
            place = f"row {row}" if labels is None else f"row {row} ({labels[row]!r})"
            msg = f"{type(owner).__name__}, {place}: {error}"
            raise SourceError(msg) from None
        kept = given if max_images is None else given[:max_images]
        images += kept
        sizes[row] = len(kept)
        n_over += len(given) - len(kept)
    rows = np.repeat(np.arange(len(cells)), sizes)
    return ImageColumn(images, rows, len(cells), n_over, labels)


def _cells(column: Any, name: str) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """Return the cells of the one column and, for pandas, the labels of its rows."""
    if isinstance(column, ImageBags):
        msg = f"{name} takes images as they come; got ImageBags, which are made already"
        raise SourceError(msg)
    if isinstance(column, pd.DataFrame):
        if column.shape[1] != 1:
            msg = (
                f"{name} takes one column of images; got a table with "
                f"{column.shape[1]} columns: {list(column.columns)}"
            )
            raise SourceError(msg)
        column = column.iloc[:, 0]
    if isinstance(column, pd.Series):
        return column.tolist(), column.index.tolist()
    if isinstance(column, np.ndarray) and column.dtype == object:
        if column.ndim == 2 and column.shape[1] == 1:
            column = column[:, 0]
        if column.ndim == 1:
            return column.tolist(), None
    if isinstance(column, list | tuple):
        return column, None
    shape = getattr(column, "shape", None)
    kind = type(column).__name__ + ("" if shape is None else f" of shape {shape}")
    msg = (
        f"{name} takes a Series, list or 1-D array of objects with the images of one "
        f"user in each cell; got {kind}"
    )
    raise SourceError(msg)


def _images_of(cell: Any) -> list[Any]:
    if isinstance(cell, np.ndarray):
        if cell.ndim in (1, 4):
            cell = list(cell)
        else:
            reason = (
                "an array as the cell of a user must have the shape (n_images, height, "
                f"width, 3 or 4); put one image into a list; got the shape {cell.shape}"
            )
            raise TypeError(reason)
    if isinstance(cell, list | tuple):
        for position, image in enumerate(cell):
            if not _is_image(image):
                reason = (
                    f"image {position} must be a path, a PIL image or a uint8 array of "
                    "shape (height, width), (height, width, 3 or 4) or (3, height, "
                    f"width), none of them 0; got {_described(image)}"
                )
                raise TypeError(reason)
        return list(cell)
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return []
    if _is_image(cell):
        return [cell]
    reason = (
        "the images of a user must be a list, one path or PIL image, or None or NaN "
        f"for no images; got {_described(cell)}"
    )
    raise TypeError(reason)


def _is_image(image: Any) -> bool:
    if isinstance(image, np.ndarray):
        return (
            image.dtype == np.uint8 and image.size > 0 and _is_image_shape(image.shape)
        )
    # Pillow is optional: its images are told by what they can do.
    return isinstance(image, str | os.PathLike) or (
        hasattr(image, "getexif") and hasattr(image, "resize")
    )


def _is_image_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (
        len(shape) == 3 and (shape[2] in (3, 4) or shape[0] == 3)
    )


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"{value!r:.60} ({type(value).__name__})"
