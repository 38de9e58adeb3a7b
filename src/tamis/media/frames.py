"""Frames of videos as image files, and how a player would turn them. Loads FFmpeg and Pillow."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import TYPE_CHECKING

from tamis.media.videos import FFmpegError, open_video

if TYPE_CHECKING:
    from PIL import Image

    from tamis.media.videos import VideoSource

DEFAULT_JPEG_QUALITY = 90
# On 768 x 432 pixels of a street: 11 ms and 69 kB at level 1, 19 ms and 53 kB at Pillow's own level 6.
_PNG_LEVEL = 1


class PictureFormat(StrEnum):
    """How a frame is stored."""

    PNG = "png"
    JPEG = "jpeg"

    @property
    def ending(self) -> str:
        """What its files end in."""
        return "jpg" if self is PictureFormat.JPEG else "png"


def encode_picture(image: Image.Image, kind: PictureFormat, *, jpeg_quality: int) -> bytes:
    """Return the bytes of an image file.

    Args:
        image: RGB.
        kind: PNG keeps every pixel, JPEG does not.
        jpeg_quality: from 1 to 95; means nothing for PNG.
    """
    buffer = io.BytesIO()
    if kind is PictureFormat.PNG:
        image.save(buffer, "PNG", compress_level=_PNG_LEVEL)
    else:
        image.save(buffer, "JPEG", quality=jpeg_quality)
    return buffer.getvalue()


def read_rotation(source: VideoSource) -> int:
    """Return by how many degrees, counterclockwise, a video asks players to turn its frames; 0 where it does not.

    Frames are never turned here: boxes and masks refer to the stored pixels.

    Raises:
        VideoError: when the video cannot be opened.
    """
    with open_video(source) as container:
        try:
            for frame in container.decode(video=0):
                return int(frame.rotation)
        except FFmpegError:
            return 0
    return 0
