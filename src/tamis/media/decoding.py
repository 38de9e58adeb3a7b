"""Whole pictures of files and of videos, decoded once, in stored orientation. Loads Pillow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tamis.media.pictures import as_rgb, as_stored, open_decodable
from tamis.media.pillow import PILLOW_ERRORS, PictureError, quiet_pillow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def decode_picture(data: bytes, *, min_side_px: int | None = None) -> Image.Image:
    """Decode an image file, its first picture where it holds several, to RGB as stored.

    Args:
        data: the whole file.
        min_side_px: a JPEG may come in a coarser grid as long as no side falls below this; `None`: as it is.

    Raises:
        PictureError: when the bytes are no picture, damaged or cut, or hold too many pixels.
    """
    with quiet_pillow():
        image = open_decodable(data)
        try:
            if min_side_px is not None:
                image.draft("RGB", (min_side_px, min_side_px))
            return as_rgb(as_stored(image))
        except PILLOW_ERRORS as error:
            raise PictureError(f"its data is damaged ({error})") from None


def as_pixels(image: Image.Image, width: int, height: int) -> NDArray[Any]:
    """Return a picture squeezed or stretched to a size: uint8 of shape (height, width, 3)."""
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image)


def crop_area(
    bbox: Sequence[float], width: int, height: int, *, padding: float = 0.0, square: bool = False
) -> tuple[int, int, int, int] | None:
    """Return the pixels that a crop of a box takes: left, top, right, bottom; `None` where there are none.

    Args:
        bbox: x, y, width, height in pixels.
        width: of the picture in pixels.
        height: of the picture in pixels.
        padding: by which part of its width and height the box is widened, split evenly to both sides.
        square: whether the shorter side is then widened to the longer, to the pixel. Near a border the area is
            moved, and cut only where the picture is too small.

    >>> crop_area([10, 10, 20, 40], 100, 100, padding=0.1)
    (9, 8, 31, 52)
    >>> crop_area([0, 10, 20, 40], 100, 100, square=True)
    (0, 10, 40, 50)
    >>> crop_area([100, 10, 5, 5], 100, 100) is None
    True
    """
    x, y, w, h = bbox
    if not all(map(math.isfinite, bbox)) or min(x + w, width) <= max(x, 0) or min(y + h, height) <= max(y, 0):
        return None
    wide, high = w * (1.0 + padding), h * (1.0 + padding)
    if square:
        wide = high = max(wide, high)
    left, right = _within(x + w / 2.0, wide, width, move=square)
    top, bottom = _within(y + h / 2.0, high, height, move=square)
    if square:
        # Of equal extents one may touch a pixel more than the other, by where it starts.
        side_px = max(right - left, bottom - top)
        left, right = _widened(left, right, side_px, width)
        top, bottom = _widened(top, bottom, side_px, height)
    return left, top, right, bottom


def _within(centre: float, extent: float, limit: int, *, move: bool) -> tuple[int, int]:
    """Return the whole pixels that an extent around a centre touches, between 0 and a limit."""
    start, end = centre - extent / 2.0, centre + extent / 2.0
    if move:
        shift = max(-start, 0.0) - max(end - limit, 0.0) if extent <= limit else 0.0
        start, end = start + shift, end + shift
    first = min(max(math.floor(round(start, 6)), 0), limit - 1)
    last = max(min(math.ceil(round(end, 6)), limit), first + 1)
    return first, last


def _widened(first: int, last: int, n_px: int, limit: int) -> tuple[int, int]:
    """Return n pixels that hold a stretch of at most as many, or all that there are, between 0 and a limit."""
    last = min(first + n_px, limit)
    return max(last - n_px, 0), last
