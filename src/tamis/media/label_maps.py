"""Pictures whose pixels are numbers, not colours: masks of categories and segments."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tamis.media.pictures import MAX_PICTURE_PIXELS
from tamis.media.pillow import PILLOW_ERRORS, PictureError, open_image, quiet_pillow

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_label_map(data: bytes) -> NDArray[Any]:
    """Return the pixels of a picture as they are stored: palette indices, not their colours.

    Returns:
        Shape (height, width) of one number a pixel (8, 16 or 32 bits, or booleans), or (height, width, channels).

    Raises:
        PictureError: when it is no picture, damaged or too large.
    """
    with quiet_pillow():
        image = open_image(data)
        width, height = image.size
        if width * height > MAX_PICTURE_PIXELS:
            raise PictureError(f"it has {width} x {height} pixels, more than can be decoded")
        try:
            return np.asarray(image)
        except PILLOW_ERRORS as error:
            raise PictureError(f"its data is damaged ({error})") from None


def write_label_map(pixels: NDArray[Any]) -> bytes:
    """Return numbers as a PNG: the inverse of `read_label_map`.

    Args:
        pixels: shape (height, width) of 8 or 16 bits without sign, or (height, width, 3) of 8 bits.

    >>> pixels = np.array([[0, 300], [7, 65535]], np.uint16)
    >>> read_label_map(write_label_map(pixels)).tolist()
    [[0, 300], [7, 65535]]
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
