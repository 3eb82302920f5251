"""One image of every kind to pixels, and every way in which one can be broken."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from copy import copy
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from sklearn_profiling.exceptions import MissingDependencyError
from sklearn_profiling.sources.images._decoding import BadImage, Decoder

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(height=32, width=48):
    """Red and green above, blue and white below: no turn looks like another."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    image[height // 2 :, width // 2 :] = WHITE
    return image


def encoded(image, kind="PNG", **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(data, size=(32, 48), max_pixels=10**6):
    return Decoder(size, max_pixels).decode(data)


def corners(pixels):
    """The colours of the four corners, roughly."""
    return [
        tuple(np.where(pixels[:, y, x] > 127, 255, 0)) for y in (0, -1) for x in (0, -1)
    ]


@pytest.mark.parametrize(
    "kind",
    [
        *("PNG", "BMP", "DIB", "TIFF", "PPM", "WEBP", "TGA", "DDS", "PCX", "SGI"),
        "QOI",
    ],
)
def test_lossless_formats_come_back_as_they_were(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decode(encoded(Image.fromarray(quarters()), kind, **options))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, quarters().transpose(2, 0, 1))


@pytest.fixture
def heif(monkeypatch):
    """Pillow with the reader of HEIF, for one test."""
    for name in ("ID", "OPEN", "EXTENSION", "SAVE", "SAVE_ALL", "MIME"):
        monkeypatch.setattr(Image, name, copy(getattr(Image, name)))
    pillow_heif.register_heif_opener()


@pytest.mark.usefixtures("heif")
@pytest.mark.parametrize("orientation", [1, 6])
def test_photos_of_phones_with_their_reader(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation  # the plug-in turns them and says that it did
    data = encoded(Image.fromarray(quarters(64, 96)), "HEIF", exif=exif)
    assert corners(decode(data)) == [RED, GREEN, BLUE, WHITE]


def test_photos_of_phones_without_their_reader():
    data = BytesIO()
    pillow_heif.from_pillow(Image.fromarray(quarters())).save(data)
    with pytest.raises(BadImage, match=r"HEIC.*pillow_heif\.register_heif_opener") as e:
        decode(data.getvalue())
    assert e.value.kind == "unreadable format"


def test_icons_and_photoshop():
    icon = encoded(Image.fromarray(quarters(48, 48)), "ICO", sizes=[(16, 16), (48, 48)])
    assert corners(decode(icon, (48, 48))) == [RED, GREEN, BLUE, WHITE]
    planes = quarters(2, 2).transpose(2, 0, 1).tobytes()
    psd = struct.pack(">4sH6xHIIHHIIIH", b"8BPS", 1, 3, 2, 2, 8, 3, 0, 0, 0, 0) + planes
    assert corners(decode(psd, (2, 2))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "AVIF", "JPEG2000"])
def test_other_formats_come_back_nearly(kind):
    pixels = decode(encoded(Image.fromarray(quarters()), kind))
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_scaling_is_antialiased():
    fine = np.zeros((64, 64), np.uint8)
    fine[::2] = 254
    pixels = decode(encoded(Image.fromarray(fine)), (8, 8))
    # stripes finer than a pixel become their mean
    assert np.abs(pixels.astype(int) - 127).max() <= 1


def test_scaling_up_is_bilinear():
    image = Image.fromarray(np.array([[0, 100]], np.uint8))
    pixels = decode(encoded(image), (1, 4))
    assert pixels[0, 0].tolist() == [0, 25, 75, 100]


def test_jpeg_at_reduced_scale_is_close_to_full_decoding():
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    data = encoded(coarse.resize((1600, 1200), Image.Resampling.BICUBIC), "JPEG")
    with Image.open(BytesIO(data)) as image:
        full = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR), int)
    difference = decode(data, (64, 64), 10**7).astype(int) - full.transpose(2, 0, 1)
    assert np.abs(difference).mean() < 1.5
    assert np.abs(difference).max() < 25


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("size", [(32, 48), (40, 20)])
def test_exif_orientation(orientation, kind, size):
    image = Image.fromarray(quarters(320, 480))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, kind, exif=exif)
    with Image.open(BytesIO(data)) as opened:
        turned = np.asarray(ImageOps.exif_transpose(opened)).transpose(2, 0, 1)
    pixels = decode(data, size)
    assert pixels.shape == (3, *size)
    assert corners(pixels) == corners(turned)


def test_broken_exif_does_not_break_the_image(monkeypatch):
    image = Image.fromarray(quarters())
    data = encoded(image, "JPEG", exif=b"Exif\x00\x00nonsense")
    assert corners(decode(data)) == [RED, GREEN, BLUE, WHITE]

    def fail():
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(image, "getexif", fail)
    pixels = Decoder((32, 48), 10**6).convert(image)
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_grey_bilevel_and_palette():
    grey = quarters()[..., 0]
    for image in (Image.fromarray(grey), Image.fromarray(grey).convert("1")):
        pixels = decode(encoded(image))
        np.testing.assert_array_equal(pixels, np.broadcast_to(grey, (3, 32, 48)))
    palette = Image.fromarray(quarters()).convert("P", palette=Image.Palette.ADAPTIVE)
    pixels = decode(encoded(palette))
    np.testing.assert_array_equal(pixels, quarters().transpose(2, 0, 1))


def test_cmyk_is_converted():
    data = encoded(Image.fromarray(quarters()).convert("CMYK"), "JPEG")
    assert corners(decode(data)) == [RED, GREEN, BLUE, WHITE]
    data = encoded(Image.fromarray(quarters()).convert("CMYK"), "TIFF")
    assert corners(decode(data)) == [RED, GREEN, BLUE, WHITE]


def test_sixteen_bits_keep_the_upper_eight():
    values = np.array([[0, 255, 256], [32768, 65279, 65535]], np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        pixels = decode(encoded(Image.fromarray(values), kind), (2, 3))
        assert pixels[1].tolist() == [[0, 0, 1], [128, 254, 255]]


def test_sixteen_bit_colour():
    # Pillow reads what it cannot write: made by hand
    rows = b"".join(b"\x00" + struct.pack(">3H", 65535, 256, 0) * 2 for _ in range(2))
    data = png(struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0), zlib.compress(rows))
    assert decode(data, (2, 2))[:, 0, 0].tolist() == [255, 1, 0]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_values_without_a_known_range_are_refused(mode):
    data = encoded(Image.new(mode, (4, 4), 70000), "TIFF")
    with pytest.raises(BadImage, match=f"mode '{mode}' have no known range"):
        decode(data)


def test_transparency_lies_on_white():
    image = np.dstack([quarters(), np.full((32, 48), 255, np.uint8)])
    image[:, :24, 3] = 0
    image[0, -1, 3] = 51
    pixels = decode(encoded(Image.fromarray(image)))
    assert (pixels[:, :, :24] == 255).all()
    assert (pixels[:, -1, -1] == WHITE).all()
    # a fifth of green on white
    assert pixels[:, 0, -1].tolist() == [204, 255, 204]
    np.testing.assert_array_equal(Decoder((32, 48), 10**6).convert(image), pixels)
    palette = Image.fromarray(quarters()).convert("P", palette=Image.Palette.ADAPTIVE)
    red = palette.getpixel((0, 0))
    grey_alpha = Image.fromarray(image).convert("LA")
    for data in (encoded(palette, transparency=red), encoded(grey_alpha)):
        assert (decode(data)[:, 0, 0] == 255).all()
    rgb = Image.fromarray(quarters())
    assert decode(encoded(rgb, transparency=RED))[:, 0, 0].tolist() == [255] * 3


def test_transparent_colours_do_not_bleed_when_scaled():
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, ::2] = (0, 0, 255, 255)
    image[:, 1::2] = (255, 0, 0, 0)
    pixels = decode(encoded(Image.fromarray(image)), (2, 2))
    # half blue, half white: the red is not there; versions of Pillow weigh edges apart
    red, green, blue = pixels[:, 0, 0].tolist()
    assert (green, blue) == pytest.approx((red, 255), abs=2)
    assert red == pytest.approx(127, abs=10)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_animations(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (decode(data, (4, 4)) == np.reshape(RED, (3, 1, 1))).all()


def png(header, *data, crc=None):
    """A PNG file from its header and its compressed rows."""
    chunks = [(b"IHDR", header), *((b"IDAT", d) for d in data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body) if crc is None else crc)
        for name, body in chunks
    )


def test_too_many_pixels():
    data = encoded(Image.new("L", (40, 30)))
    assert decode(data, max_pixels=1200).shape == (3, 32, 48)
    with pytest.raises(
        BadImage, match=r"40 x 30 = 1,200 pixels.*max_pixels=1,199"
    ) as e:
        decode(data, max_pixels=1199)
    assert e.value.kind == "too large"
    with pytest.raises(BadImage, match="too large"):
        Decoder((8, 8), 1199).convert(Image.new("L", (40, 30)))


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    # 400 million pixels in 70 bytes
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    bomb = png(header, zlib.compress(b"\x00"))
    with pytest.raises(BadImage, match="too large") as error:
        decode(bomb, max_pixels=10**12)
    assert "bomb" in error.value.detail


def test_truncated_files():
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "BMP"):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        data = encoded(Image.fromarray(noise), kind)
        with pytest.raises(BadImage) as error:
            decode(data[: len(data) * 2 // 3])
        assert error.value.kind in ("truncated file", "corrupt file", "not an image")
        if kind in ("JPEG", "PNG"):
            assert error.value.kind == "truncated file"


def test_what_is_no_image():
    with pytest.raises(BadImage, match=r"not an image: the file is none of AVIF, B"):
        decode(b"\x00")
    with pytest.raises(BadImage, match="not an image: the file is a web page"):
        decode(b"<html>404</html>")


def test_what_could_run_a_program_stays_shut(monkeypatch):
    def run(*_, **__):  # pragma: no cover - that is the point
        raise AssertionError

    monkeypatch.setattr("subprocess.check_call", run)
    data = encoded(Image.fromarray(quarters()), "EPS")
    with pytest.raises(BadImage, match=r"unreadable format: .* Ghostscript"):
        decode(data)


def test_a_wrong_checksum():
    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    data = png(header, zlib.compress(b"\x00\x01\x02" * 2), crc=7)
    with pytest.raises(BadImage):
        decode(data)


@pytest.mark.filterwarnings("ignore")  # of Pillow, about what is broken
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF"])
def test_random_damage_is_a_bad_image_or_an_image(kind):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    data = np.frombuffer(encoded(image, kind), np.uint8)
    n_bad = 0
    for _ in range(60):
        broken = data.copy()
        places = rng.integers(len(data), size=rng.integers(1, 12))
        broken[places] = rng.integers(0, 256, len(places))
        try:
            pixels = decode(broken.tobytes(), (8, 8))
        except BadImage:
            n_bad += 1
        else:
            assert pixels.shape == (3, 8, 8)
    assert n_bad


def test_a_fault_while_a_file_is_opened(monkeypatch):
    decoder = Decoder((8, 8), 100)
    pillow = decoder.load_pillow()

    def fail(*_, **__):
        raise OverflowError("too much")

    monkeypatch.setattr(pillow, "open", fail)
    with pytest.raises(BadImage, match="corrupt file: OverflowError: too much"):
        decoder.decode(b"x")


def test_arrays_of_every_layout():
    decoder = Decoder((32, 48), 10**6)
    image = quarters()
    expected = image.transpose(2, 0, 1)
    np.testing.assert_array_equal(decoder.convert(image), expected)
    np.testing.assert_array_equal(decoder.convert(expected), expected)
    np.testing.assert_array_equal(
        decoder.convert(image[..., 0]), np.broadcast_to(image[..., 0], (3, 32, 48))
    )
    opaque = np.dstack([image, np.full((32, 48), 255, np.uint8)])
    np.testing.assert_array_equal(decoder.convert(opaque), expected)
    # where two layouts fit, channels come last
    ambiguous = np.zeros((3, 5, 3), np.uint8)
    ambiguous[0, :, 1] = 9
    assert Decoder((3, 5), 100).convert(ambiguous)[1, 0].tolist() == [9] * 5


def test_arrays_are_scaled_like_files():
    decoder = Decoder((8, 8), 10**6)
    rng = np.random.default_rng(0)
    for shape in ((30, 20), (30, 20, 3), (30, 20, 4)):
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        from_file = decoder.decode(encoded(Image.fromarray(image)))
        np.testing.assert_array_equal(decoder.convert(image), from_file)
    first = rng.integers(0, 256, (3, 30, 20), dtype=np.uint8)
    np.testing.assert_array_equal(
        decoder.convert(first), decoder.convert(first.transpose(1, 2, 0))
    )


def test_an_opened_image_is_left_as_it_was(tmp_path):
    path = tmp_path / "large.jpg"
    Image.fromarray(quarters(320, 480)).save(path)
    with Image.open(path) as image:
        pixels = Decoder((8, 8), 10**6).convert(image)
        assert image.size == (480, 320)
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_pillow_is_needed_only_where_there_is_something_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    decoder = Decoder((32, 48), 10**6)
    assert not decoder.needs_pillow(quarters())
    assert not decoder.needs_pillow(quarters().transpose(2, 0, 1))
    assert decoder.convert(quarters()).shape == (3, 32, 48)
    for image in (quarters(8, 8), "a.png"):
        assert decoder.needs_pillow(image)
    with pytest.raises(
        MissingDependencyError, match=r"sklearn_profiling\[multimodal\]"
    ):
        decoder.convert(quarters(8, 8))


def test_files_that_cannot_be_read(tmp_path):
    empty, long, pipe = (tmp_path / name for name in ("empty.png", "long.png", "pipe"))
    empty.touch()
    long.write_bytes(bytes(2**20 + 8 * 10 + 1))
    os.mkfifo(pipe)
    for path, kind in (
        (tmp_path / "absent.png", "missing file"),
        (tmp_path, "unreadable file"),
        (pipe, "unreadable file"),
        ("a\x00b", "unreadable file"),
        (empty, "empty file"),
        (long, "too large"),
    ):
        with pytest.raises(BadImage) as error:
            Decoder((8, 8), 10).read(path)
        assert error.value.kind == kind
    assert len(Decoder((8, 8), 11).read(long)) == 2**20 + 81
