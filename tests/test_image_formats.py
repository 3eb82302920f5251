"""Which formats of images are opened, and what the others are called."""

from __future__ import annotations

import sys

import pytest
from PIL import Image

from sklearn_profiling._image_formats import (
    image_endings,
    load_pillow,
    name_foreign,
    readable_formats,
)


def test_all_that_pillow_opens_but_what_is_unsafe():
    readable = readable_formats(load_pillow())
    assert {"JPEG", "PNG", "ICO", "TGA", "PSD", "DDS"} <= set(readable)
    shut = set(Image.ID) - set(readable)
    assert shut <= {"EPS", "WMF", "FPX", "MIC", "IPTC", "FITS", "MPEG"} | {
        *("BUFR", "GRIB", "HDF5"),
    }
    assert {"EPS", "WMF", "IPTC"} <= shut


def test_a_plug_in_is_known_once_it_is_registered(monkeypatch):
    assert ".new" not in image_endings()
    monkeypatch.setattr(Image, "ID", [*Image.ID, "NEW"])
    monkeypatch.setattr(Image, "EXTENSION", {**Image.EXTENSION, ".new": "NEW"})
    assert "NEW" in readable_formats(load_pillow())
    assert ".new" in image_endings()


def test_endings():
    endings = image_endings()
    assert {".jpg", ".png", ".mpo", ".tga", ".ico", ".psd", ".jfif"} <= endings
    assert not {".eps", ".ps", ".pdf", ".mpg", ".wmf", ".h5", ".heic"} & endings


def test_common_endings_are_known_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert {".jpg", ".png", ".webp"} <= image_endings()


@pytest.mark.parametrize(
    ("data", "kind", "name"),
    [
        (b"%!PS-Adobe-3.0", "unreadable format", "PostScript"),
        (b"\x01\x00\x00\x00" + bytes(36) + b" EMF", "unreadable format", "metafile"),
        (b"SIMPLE  = T", "unreadable format", "FITS"),
        (b"\x00\x00\x00\x18ftypheic", "unreadable format", "pillow_heif"),
        (b"\x00\x00\x00\x18ftypmif1", "unreadable format", "pillow_heif"),
        (b"\x00\x00\x00\x18ftypavif", "unreadable format", "AVIF"),
        (b"\x00\x00\x00\x18ftypisom", "not an image", "a video"),
        (b"\xff\x0a\x00", "unreadable format", "JPEG XL"),
        (b"<?xml version='1.0'?>\n<svg>", "unreadable format", "SVG"),
        (b"\n <!DOCTYPE html><html>", "not an image", "a web page"),
        (b"%PDF-1.4", "not an image", "a PDF"),
        (b"version https://git-lfs.github.com/spec/v1", "not an image", "Git LFS"),
    ],
)
def test_what_is_saved_in_place_of_images_is_named(data, kind, name):
    found_kind, found = name_foreign(data, load_pillow())
    assert found_kind == kind
    assert name in found


def test_what_is_not_known_has_no_name():
    assert name_foreign(b"hello", load_pillow()) is None
