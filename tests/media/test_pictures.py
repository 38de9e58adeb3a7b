from __future__ import annotations

import io
import random
import struct
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tamis.media.pictures import MAX_PICTURE_PIXELS, shrink, thumbnail
from tamis.media.pillow import PictureError, quiet_pillow

COCO = Path("/work/shared/data/coco128/images")
MODES = [
    ("JPEG", "RGB"),
    ("JPEG", "L"),
    ("JPEG", "CMYK"),
    ("PNG", "1"),
    ("PNG", "P"),
    ("PNG", "LA"),
    ("PNG", "RGBA"),
    ("PNG", "I;16"),
    ("GIF", "P"),
    ("BMP", "RGB"),
    ("WEBP", "RGBA"),
    ("TIFF", "F"),
    ("TIFF", "I;16B"),
    ("TIFF", "CMYK"),
    ("TIFF", "LAB"),
    ("PPM", "RGB"),
]


def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def decoded(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return image


def quarters() -> Image.Image:
    """Return 64 x 32 pixels: dark left, bright right, and a bright stripe at the top left."""
    values = np.zeros((32, 64), np.uint8)
    values[:, 32:] = 255
    values[:8, :16] = 255
    return Image.fromarray(values)


@pytest.mark.parametrize(("name", "mode"), MODES)
@given(st.tuples(st.integers(1, 90), st.integers(1, 90)), st.integers(1, 100))
def test_sides_and_sizes(name: str, mode: str, size: tuple[int, int], max_side_px: int) -> None:
    """Whatever the format, the longer side is as asked unless the original is smaller, and its size is told."""
    picture = thumbnail(encoded(Image.new(mode, size), name), max_side_px=max_side_px)
    assert (picture.width, picture.height) == size
    small = decoded(picture.jpeg).size
    assert max(small) == min(max(size), max_side_px)
    assert abs(small[0] * size[1] - small[1] * size[0]) <= max(size)  # one pixel of rounding


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_not_applied(name: str, orientation: int) -> None:
    """The picture shows the pixels as they are stored, whatever EXIF says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"tiffinfo": {274: orientation}} if name == "TIFF" else {"exif": exif}
    picture = thumbnail(encoded(quarters(), name, **options), max_side_px=64)
    assert (picture.width, picture.height) == (64, 32)
    shown = np.asarray(decoded(picture.jpeg).convert("L")).astype(int)
    assert np.abs(shown - np.asarray(quarters()).astype(int)).mean() < 8


def test_transparency_is_white() -> None:
    """What is transparent shows white, whether the format keeps it as alpha or as a colour of the palette."""
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([255, 0, 0])
    for data in (
        encoded(clear, "PNG"),
        encoded(clear, "WEBP", lossless=True),
        encoded(clear.convert("LA"), "PNG"),
        encoded(palette, "PNG", transparency=0),
        encoded(palette, "GIF", transparency=0),
    ):
        assert decoded(thumbnail(data, max_side_px=4).jpeg).convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("low", [0, 30_000])
@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_wide_ranges_are_stretched(low: int, name: str) -> None:
    """16-bit pictures, which often use a small part of their range, show from black to white."""
    values = np.linspace(low, low + 4000, 64 * 32).reshape(32, 64).astype(np.uint16)
    shown = np.asarray(decoded(thumbnail(encoded(Image.fromarray(values), name), max_side_px=32).jpeg))
    assert shown.min() < 10
    assert shown.max() > 245


def test_floats_that_are_not_finite() -> None:
    """Holes in a depth map do not spoil the rest."""
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3] = np.nan
    values[4, 4] = np.inf
    shown = np.asarray(decoded(thumbnail(encoded(Image.fromarray(values), "TIFF"), max_side_px=8).jpeg))
    assert shown[0, 0] < 20
    assert shown[7, 7] > 235


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"no picture at all", "it is not of a known image format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is not of a known image format"),
        (encoded(quarters(), "JPEG")[:-200], "its data is damaged"),
        (encoded(quarters(), "PNG")[:60], "its data is damaged"),
    ],
)
def test_what_cannot_be_shown(data: bytes, message: str) -> None:
    """Bytes that are no picture, or a part of one, are refused with a reason."""
    with pytest.raises(PictureError) as caught:
        thumbnail(data, max_side_px=10)
    assert str(caught.value).startswith(message)


def png_of(width: int, height: int) -> bytes:
    """Return a PNG of a few hundred bytes that claims to be of any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_460, 13_500, 60_000])
def test_bombs_are_refused(side: int) -> None:
    """A small file that claims to be huge is refused before its pixels are made, without a warning."""
    with pytest.raises(PictureError, match="pixels"):
        thumbnail(png_of(side, side), max_side_px=10)
    assert side * side > MAX_PICTURE_PIXELS


def test_damage_is_never_raised_otherwise() -> None:
    """Bytes changed at random give a picture or a `PictureError`, and not a single warning."""
    rng = random.Random(3)  # noqa: S311 (no secret)
    for name, mode in MODES:
        original = encoded(Image.new(mode, (33, 21)), name)
        for _ in range(25):
            data = bytearray(original)
            for _ in range(rng.choice([1, 3, 20])):
                data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                size = decoded(thumbnail(bytes(data), max_side_px=16).jpeg).size
            except PictureError:
                continue
            assert max(size) <= 16


def test_frames_are_shrunk_alike() -> None:
    """A decoded picture gives what its file would give, and stays as it is."""
    frame = quarters()
    assert shrink(frame, max_side_px=20) == thumbnail(encoded(quarters(), "PNG"), max_side_px=20)
    assert frame.size == quarters().size


def test_warning_filters_are_given_back() -> None:
    """Whichever order threads leave in, the process's warning filters are as before, and quiet in between."""
    before = list(warnings.filters)
    entered, leave = threading.Barrier(3, timeout=30), [threading.Event(), threading.Event()]

    def work(i: int) -> None:
        with quiet_pillow():
            entered.wait()
            leave[i].wait(30)

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    entered.wait()
    warnings.warn("not seen", UserWarning, stacklevel=1)
    for thread, event in zip(threads, leave, strict=True):
        event.set()
        thread.join()
    assert list(warnings.filters) == before


@pytest.mark.skipif(not COCO.is_dir(), reason="the folder of real images is not here")
def test_real_photos() -> None:
    """Photos keep their looks: the shrunk picture is close to the original shrunk at full precision."""
    for path in sorted(COCO.rglob("*.jpg"))[:12]:
        picture = thumbnail(path.read_bytes(), max_side_px=96)
        with Image.open(path) as image:
            assert (picture.width, picture.height) == image.size
            small = decoded(picture.jpeg)
            exact = image.convert("L").resize(small.size, Image.Resampling.BOX)
        difference = np.asarray(small.convert("L")).astype(int) - np.asarray(exact).astype(int)
        assert np.abs(difference).mean() < 8
