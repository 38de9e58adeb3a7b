"""Pixels: image sizes from headers, pictures for pages, frames of videos. Always in stored orientation."""

from tamis.media.sizes import ImageSize, read_image_size

__all__ = ["ImageSize", "read_image_size"]
