"""One image: from a file, a PIL image or an array to RGB pixels of one size."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sklearn_profiling._image_formats import (
    load_pillow,
    name_foreign,
    readable_formats,
)
from sklearn_profiling.sources._image_cells import Encoded

__all__ = ["BadImage", "Decoder"]

Pixels = npt.NDArray[np.uint8]

_ORIENTATION: Final = 0x0112
_SCHEME: Final = 12  # characters of an address that say its protocol
# EXIF orientation -> turns by 90 degrees against the clock, then mirrored or not
_TURNS: Final = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}
_TURNED: Final = (5, 6, 7, 8)
# Formats whose grey values Pillow reads to 32 bits, though they have 16.
_SIXTEEN_BITS: Final = ("PNG", "PPM")
# 16 bits for each of red, green, blue and alpha; and what may stand beside the pixels.
_BYTES_PER_PIXEL: Final = 8
_BYTES_BESIDE: Final = 1 << 20
# A file is decoded to no less than this multiple of the size, then averaged down.
_GAP: Final = 2.0


class BadImage(Exception):  # noqa: N818 - a verdict; the policy decides what it becomes
    """An image that cannot be used; `kind` is the same for all with this fault."""

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}")


class Decoder:
    """Decode images of any kind to RGB pixels of one `size` (height, width).

    Images of more than `max_pixels` are refused before they are decoded.
    """

    def __init__(self, size: tuple[int, int], max_pixels: int) -> None:
        self.height, self.width = size
        self.max_pixels = max_pixels
        self._pillow: Any = None

    def load_pillow(self) -> Any:
        """Import Pillow; called before threads start, which share its registry."""
        if self._pillow is None:
            self._pillow = load_pillow()
        return self._pillow

    def needs_pillow(self, image: Any) -> bool:
        """Whether an image is anything but an array of the right size."""
        return not (
            isinstance(image, np.ndarray)
            and _channels_last(image).shape[:2] == (self.height, self.width)
        )

    def read(self, given: Encoded) -> bytes:
        """Read a file whole; BadImage if it is missing, empty or too large."""
        if isinstance(given, bytes):
            self._check_bytes(len(given))
            return given
        file = Path(given)
        try:
            status = file.stat()
            # a pipe or a device could be read for ever
            if not S_ISREG(status.st_mode):
                raise BadImage(kind="unreadable file", detail="it is no regular file")
            self._check_bytes(status.st_size)
            return file.read_bytes()
        except FileNotFoundError:
            detail = "there is no such file"
            if "://" in str(given)[:_SCHEME]:
                detail = "images are not downloaded; give the path of a file"
            raise BadImage(kind="missing file", detail=detail) from None
        except OSError as error:
            # without the path, which the error message names already
            raise BadImage(kind="unreadable file", detail=str(error.strerror)) from None
        except ValueError as error:
            raise BadImage(kind="unreadable file", detail=str(error)) from None

    def _check_bytes(self, n_bytes: int) -> None:
        if n_bytes == 0:
            raise BadImage(kind="empty file", detail="the file has no bytes")
        most = self.max_pixels * _BYTES_PER_PIXEL + _BYTES_BESIDE
        if n_bytes > most:
            detail = (
                f"{n_bytes:,} bytes are more than max_pixels={self.max_pixels:,} take "
                f"uncompressed, {most:,}"
            )
            raise BadImage(kind="too large", detail=detail)

    def decode(self, data: bytes) -> Pixels:
        """Decode the bytes of a file to uint8 RGB pixels (3, height, width)."""
        pillow = self.load_pillow()
        try:
            image = pillow.open(BytesIO(data), formats=readable_formats(pillow))
        except (
            pillow.DecompressionBombError,
            pillow.DecompressionBombWarning,
        ) as error:
            raise BadImage(kind="too large", detail=str(error)) from None
        except pillow.UnidentifiedImageError:
            raise _unidentified(data, pillow) from None
        except Exception as error:  # noqa: BLE001 - broken files raise errors of any kind
            raise BadImage(kind="corrupt file", detail=_said(error)) from None
        # JPEG can be decoded at a half, quarter or eighth, which is most of the work.
        # The image may lie on its side, so both sides get the larger demand.
        side = int(_GAP * max(self.height, self.width))
        with image:
            self._check_area(image)
            image.draft(None, (side, side))
            return self.convert(image)

    def convert(self, image: Any) -> Pixels:
        """Scale a PIL image (current frame) or an array to RGB (3, height, width)."""
        if isinstance(image, np.ndarray):
            image = _channels_last(image)
            if not self.needs_pillow(image):
                return _as_rgb(image)
            image = self.load_pillow().fromarray(np.ascontiguousarray(image))
        self._check_area(image)
        try:
            return self._scaled(image)
        except BadImage:
            raise
        except Exception as error:  # noqa: BLE001 - broken files raise errors of any kind
            kind = "truncated file" if "truncated" in str(error) else "corrupt file"
            raise BadImage(kind, _said(error)) from None

    def _check_area(self, image: Any) -> None:
        n_pixels = image.width * image.height
        if n_pixels > self.max_pixels:
            detail = (
                f"{image.width} x {image.height} = {n_pixels:,} pixels are more than "
                f"max_pixels={self.max_pixels:,}"
            )
            raise BadImage(kind="too large", detail=detail)

    def _scaled(self, image: Any) -> Pixels:
        pillow = self.load_pillow()
        image.load()
        orientation = _orientation(image)
        size = (self.width, self.height)
        if orientation in _TURNED:
            size = (self.height, self.width)
        image = _plain_mode(image, pillow)
        if image.size != size:
            image = image.resize(size, pillow.Resampling.BILINEAR, reducing_gap=_GAP)
        pixels = np.asarray(image)
        if orientation in _TURNS:
            turns, mirrored = _TURNS[orientation]
            pixels = np.rot90(pixels, turns)
            pixels = pixels[:, ::-1] if mirrored else pixels
        return _as_rgb(pixels)


def _unidentified(data: bytes, pillow: Any) -> BadImage:
    found = name_foreign(data, pillow)
    if found is not None:
        kind, what = found
        return BadImage(kind, f"the file is {what}")
    formats = ", ".join(sorted(readable_formats(pillow)))
    return BadImage("not an image", f"the file is none of {formats}")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - the image is fine if only its EXIF is broken
        return 1


def _plain_mode(image: Any, pillow: Any) -> Any:
    """Bring an image to 8-bit grey, RGB or RGBA, which can be averaged."""
    if image.mode.startswith("I;16"):
        return pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "I" and image.format in _SIXTEEN_BITS:
        return pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        detail = f"values of mode {image.mode!r} have no known range; 8 or 16 bits have"
        raise BadImage(kind="unknown range of values", detail=detail)
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _channels_last(image: Pixels) -> Pixels:
    """Move channels that come first to the end."""
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        return image.transpose(1, 2, 0)
    return image


def _as_rgb(pixels: Pixels) -> Pixels:
    """Turn grey, RGB or RGBA with channels last into RGB with channels first."""
    if pixels.ndim == 2:
        return np.broadcast_to(pixels, (3, *pixels.shape))
    colours = pixels[..., :3].transpose(2, 0, 1)
    if pixels.shape[2] == 3:
        return colours
    alpha = pixels[..., 3].astype(np.uint16)
    on_white = colours * alpha + 255 * (255 - alpha)
    return ((on_white + 127) // 255).astype(np.uint8)
