"""Pictures whose pixels are numbers, not colours: masks of categories and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
