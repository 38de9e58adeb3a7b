"""Small JPEGs for pages and reports.

Always in stored orientation: a rotation in EXIF is not applied, as boxes and masks refer to the stored pixels.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from tamis.media.pillow import PILLOW_ERRORS, PictureError, open_image, quiet_pillow

if TYPE_CHECKING:
    from tamis.storage import Store

__all__ = [
    "MAX_PICTURE_BYTES",
    "MAX_PICTURE_PIXELS",
    "Picture",
    "PictureError",
    "as_rgb",
    "as_stored",
    "read_picture",
    "shrink",
    "thumbnail",
]

MAX_PICTURE_PIXELS = 89_478_485
"""Larger pictures are refused: their pixels take more than 256 MB, and a small file can claim to hold them."""

MAX_PICTURE_BYTES = 1 << 30
"""Larger files are not read to be shown: the pixels above take less, even uncompressed with 8 bytes each."""

_JPEG_QUALITY = 82
_ORIENTATION = 0x0112
# Pillow turns TIFFs while it decodes them, and only them; these turn them back.
_UNDO_TIFF_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


class Picture(NamedTuple):
    """A small JPEG and the size of what it shows.

    Attributes:
        jpeg: the bytes.
        width: of the original in pixels as stored.
        height: of the original in pixels as stored.
    """

    jpeg: bytes
    width: int
    height: int


def read_picture(store: Store, key: str) -> bytes:
    """Return the bytes of an image file that `thumbnail` may take.

    Raises:
        PictureError: when it is larger than `MAX_PICTURE_BYTES`; it is not read then.
        StoreError: when it may not or cannot be read.
    """
    size_bytes = store.read_start(key, 1).stamp.size_bytes
    if size_bytes > MAX_PICTURE_BYTES:
        raise PictureError(f"its {size_bytes:,} bytes are more than the {MAX_PICTURE_BYTES:,} read to show it")
    return store.read_start(key, MAX_PICTURE_BYTES).data


def thumbnail(data: bytes, *, max_side_px: int) -> Picture:
    """Shrink an image file, its first picture where it holds several, to a JPEG.

    Args:
        data: the whole file.
        max_side_px: the longer side of the result; smaller pictures are not enlarged.

    Raises:
        PictureError: when the bytes are no picture, damaged or cut, or hold more than `MAX_PICTURE_PIXELS`.
    """
    with quiet_pillow():
        image = open_decodable(data)
        width, height = image.size
        try:
            stored = _decoded(image, max_side_px)
            if image.format == "TIFF":
                width, height = stored.size
            return Picture(_jpeg(stored, max_side_px), width, height)
        except PILLOW_ERRORS as error:
            raise PictureError(f"its data is damaged ({error})") from None


def open_decodable(data: bytes) -> Image.Image:
    """Open a picture whose pixels may be decoded. Call it within `quiet_pillow`.

    Raises:
        PictureError: when the bytes are no picture, or hold more than `MAX_PICTURE_PIXELS`.
    """
    image = open_image(data)
    width, height = image.size
    if width * height > MAX_PICTURE_PIXELS:
        raise PictureError(
            f"its {width} x {height} pixels are more than the {MAX_PICTURE_PIXELS:,} that are decoded"
        )
    return image


def shrink(image: Image.Image, *, max_side_px: int) -> Picture:
    """Shrink a decoded picture, e.g. a frame of a video, to a JPEG; smaller pictures are not enlarged."""
    return Picture(_jpeg(image.copy(), max_side_px), image.width, image.height)


def _decoded(image: Image.Image, max_side_px: int) -> Image.Image:
    """Return the pixels in stored orientation, those of a JPEG in a coarser grid where that is enough."""
    image.draft(None, (2 * max_side_px, 2 * max_side_px))
    return as_stored(image)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return a decoded picture as red, green and blue: transparency over white, wide ranges stretched."""
    return _flat(_resizable(image)).convert("RGB")


def as_stored(image: Image.Image) -> Image.Image:
    """Decode a picture that was opened, and undo what Pillow turns by itself."""
    orientation = image.getexif().get(_ORIENTATION) if image.format == "TIFF" else None
    image.load()
    undo = _UNDO_TIFF_ORIENTATION.get(orientation) if isinstance(orientation, int) else None
    return image if undo is None else image.transpose(undo)


def _jpeg(image: Image.Image, max_side_px: int) -> bytes:
    """Return the picture as a small JPEG; `image` may be changed."""
    small = _resizable(image)
    small.thumbnail((max_side_px, max_side_px), reducing_gap=2.0)
    buffer = io.BytesIO()
    _flat(small).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _resizable(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be averaged: L, F, RGB or RGBA."""
    if image.mode in {"L", "RGB", "RGBA"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(np.asarray(image).astype(np.float32))
    if image.mode == "La":
        return image.convert("LA").convert("RGBA")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _flat(image: Image.Image) -> Image.Image:
    """Return what a JPEG can hold: transparency over white, wide ranges stretched to the 256 greys."""
    if image.mode == "F":
        values = np.asarray(image)
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        scaled = (values - low) * (255 / (high - low) if high > low else 0.0)
        return Image.fromarray(np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image
