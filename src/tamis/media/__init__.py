"""Pixels: image sizes from headers, pictures for pages, frames of videos. Always in stored orientation.

`tamis.media.pictures` loads Pillow and `tamis.media.videos` FFmpeg, so import those where they are used.
"""

from tamis.media.sizes import ImageSize, read_image_sizes

__all__ = ["ImageSize", "read_image_sizes"]
