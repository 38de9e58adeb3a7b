"""Pillow on data of unknown origin: few formats, no warnings, one error."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Pillow knows 40 formats, some of which start other programs (EPS) or accept nearly any bytes (TGA).
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")

PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,  # what Pillow's PNG and TIFF readers raise for damage
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
)


class PictureError(ValueError):
    """The bytes cannot be shown: no picture, damaged, or too large. The text is a clause about the file."""


def open_image(data: bytes) -> Image.Image:
    """Open a picture without decoding its pixels. Call it within `quiet_pillow`.

    Raises:
        PictureError: when the bytes are no picture.
    """
    try:
        return Image.open(io.BytesIO(data), formats=_known_formats())
    except UnidentifiedImageError:
        raise PictureError("it is not of a known image format" if data else "the file is empty") from None
    except Image.DecompressionBombError:
        raise PictureError("it has more pixels than any picture should") from None
    except PILLOW_ERRORS as error:
        raise PictureError(f"its data is damaged ({error})") from None


@cache
def _known_formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


_lock = threading.Lock()
_depth = 0
_filters = warnings.catch_warnings()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence warnings, e.g. about damaged EXIF, which would reach the terminal of whoever looks at a page.

    Warning filters belong to the whole process, so threads that decode at once share one change of them:
    the first to enter makes it, the last to leave takes it back.
    """
    global _depth, _filters  # noqa: PLW0603 (the filters that they stand for are global, too)
    with _lock:
        if _depth == 0:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.simplefilter("ignore")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _filters.__exit__(None, None, None)
