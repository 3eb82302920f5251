"""Formats of images: which the installed Pillow opens, and which are never opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sklearn_profiling._optional import import_optional

__all__ = ["image_endings", "load_pillow", "name_foreign", "readable_formats"]

#: Formats of Pillow that stay shut, and why.
_REFUSED: Final = {
    "EPS": "PostScript, a program that Pillow would have Ghostscript run",
    "WMF": "a Windows metafile, whose commands the system would run",
    "FPX": "FlashPix, a compound document",
    "MIC": "Microsoft Image Composer, a compound document",
    "IPTC": "an IPTC container, whose image Pillow would open without a check",
    "FITS": "FITS, which may hold packed data of any size",
    "MPEG": "a video, of which Pillow decodes no frame",
    "BUFR": "BUFR, weather data that Pillow does not decode",
    "GRIB": "GRIB, weather data that Pillow does not decode",
    "HDF5": "HDF5, data that Pillow does not decode",
}
_HEIF_BRANDS: Final = rb"hei[cxms]|hev[cxms]|mi[fs]1|msf1"
_HEIF_READER: Final = "Pillow after pillow_heif.register_heif_opener()"
# Images that need a plug-in, and what is often saved in place of an image.
_PLUGGED: Final = (
    (
        rb"....ftyp(" + _HEIF_BRANDS + rb")",
        f"HEIF (HEIC, as phones save photos), which {_HEIF_READER} reads",
    ),
    (
        rb"....ftypavi[fs]",
        "AVIF, which this Pillow was built without; a newer Pillow reads it",
    ),
    (
        rb"\xff\x0a|\x00\x00\x00\x0cJXL ",
        "JPEG XL, which Pillow reads with a plug-in only",
    ),
    (
        rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg",
        "SVG, a drawing; render it to PNG first",
    ),
)
_NO_IMAGE: Final = (
    (rb"....ftyp|\x1aE\xdf\xa3", "a video or a sound"),
    (rb"%PDF-", "a PDF document"),
    (rb"\s*<(!doctype html|html|head|body)", "a web page"),
    (rb"version https://git-lfs", "a Git LFS pointer; download the file"),
)
_WITHOUT_PILLOW: Final = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
        *(".png", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


def load_pillow(purpose: str = "Decoding and resizing images") -> Any:
    """Import Pillow with all its readers; before threads start, which share them."""
    pillow = import_optional("PIL.Image", extra="multimodal", purpose=purpose)
    pillow.init()
    return pillow


def readable_formats(pillow: Any) -> list[str]:
    """List what Pillow opens now, plug-ins included, but for what is never opened."""
    return [name for name in pillow.ID if name not in _REFUSED]


def name_foreign(data: bytes, pillow: Any) -> tuple[str, str] | None:
    """Name what no readable format took: "unreadable format" or "not an image", which.

    None if it is not known either.
    """
    start = data[:1024]
    for name, what in _REFUSED.items():
        accept = pillow.OPEN.get(name, (None, None))[1]
        if accept is not None and accept(start) is True:
            return "unreadable format", what
    for kind, known in (("unreadable format", _PLUGGED), ("not an image", _NO_IMAGE)):
        for pattern, what in known:
            if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
                return kind, what
    return None


def image_endings() -> frozenset[str]:
    """Return the endings, such as ".png", of files that the installed Pillow opens.

    Without Pillow, those of the common formats: files can be listed all the same.
    """
    try:
        pillow = load_pillow()
    except ImportError:
        return _WITHOUT_PILLOW
    return frozenset(_readable_endings(pillow))


def _readable_endings(pillow: Any) -> Iterator[str]:
    readable = {*readable_formats(pillow), "MPO"}  # which JPEG opens
    for ending, name in pillow.registered_extensions().items():
        if name in readable:
            yield ending.lower()
