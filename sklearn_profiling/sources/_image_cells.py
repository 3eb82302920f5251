"""The images in the cell of a user: files, their bytes, and pixels of any library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from sklearn_profiling.containers._ids import is_null
from sklearn_profiling.exceptions import shortened

__all__ = ["ENCODED", "Encoded", "described", "images_of", "is_null"]

#: An image as a file: its path or its bytes.
Encoded = str | os.PathLike[str] | bytes
ENCODED: Final = (str, os.PathLike, bytes)
_LAYOUTS: Final = (
    "a path, the bytes of a file, a PIL image, a dict of 'bytes' and 'path', or a "
    "uint8 array or tensor of shape (height, width), (height, width, 1, 3 or 4) or "
    "(1 or 3, height, width), none of them 0"
)


def images_of(cell: Any) -> tuple[list[Any], int]:
    """Return a user's images, and how many nulls stood among them.

    An image becomes a path, bytes, a PIL image, or a uint8 array (h, w), (h, w, 3 or 4)
    or (3, h, w). Anything else raises TypeError.
    """
    if is_null(cell):
        return [], 0
    image = _as_image(cell)
    if image is not None:
        return [image], 0
    if isinstance(cell, Mapping):
        return _kept([cell])
    if isinstance(cell, list | tuple | pd.Series) or (
        isinstance(cell, np.ndarray | torch.Tensor) and cell.ndim in (1, 4)
    ):
        return _kept(cell)
    reason = (
        f"the images of a user must be a list, one image, or None or NaN for no "
        f"images; an image is {_LAYOUTS}; got {described(cell)}"
    )
    raise TypeError(reason)


def described(value: Any) -> str:
    """Say briefly what a value is."""
    if isinstance(value, np.ndarray | torch.Tensor):
        kind = "an array" if isinstance(value, np.ndarray) else "a tensor"
        return f"{kind} of {value.dtype} of shape {tuple(value.shape)}"
    return f"{shortened(value)} ({type(value).__name__})"


def _kept(images: Iterable[Any]) -> tuple[list[Any], int]:
    kept: list[Any] = []
    n_nulls = 0
    for position, given in enumerate(images):
        if is_null(given) or _is_empty_struct(given):
            n_nulls += 1
            continue
        image = _as_image(given)
        if image is None:
            reason = f"image {position} must be {_LAYOUTS}; got {described(given)}"
            raise TypeError(reason)
        kept.append(image)
    return kept, n_nulls


def _is_empty_struct(value: Any) -> bool:
    """Whether a value is the null of Hugging Face's images."""
    return (
        isinstance(value, Mapping)
        and {"bytes", "path"} & value.keys() != set()
        and is_null(value.get("bytes"))
        and is_null(value.get("path"))
    )


def _as_image(value: Any) -> Any:
    """Return the image that a value holds, None if it is none."""
    if isinstance(value, Mapping):
        given = [value.get(key) for key in ("bytes", "path")]
        found = next((part for part in given if not is_null(part)), None)
        return None if isinstance(found, Mapping) else _as_image(found)
    if isinstance(value, ENCODED):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, BytesIO):
        return value.getvalue()
    if isinstance(value, torch.Tensor):
        return _pixels(_channels_last(value.detach().cpu().numpy()))
    if isinstance(value, np.ndarray):
        return _pixels(value)
    # Pillow is optional: its images are recognised by their methods.
    is_pillow = hasattr(value, "getexif") and hasattr(value, "resize")
    return value if is_pillow else None


def _channels_last(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Move the channels of a tensor, which come first by torch's custom, to the end."""
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4):
        return pixels.transpose(1, 2, 0)
    return pixels


def _pixels(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    if array.dtype != np.uint8 or not array.size or array.ndim not in (2, 3):
        return None
    if array.ndim == 2 or array.shape[2] in (3, 4) or array.shape[0] == 3:
        return array
    if array.shape[2] == 1:
        return array[..., 0]
    return array[0] if array.shape[0] == 1 else None
