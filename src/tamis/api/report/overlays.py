"""Masks as one translucent PNG, and the colours of categories on pictures."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tamis.model import masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.model.columns import Bools

# Bright enough over photographs, and told apart by most colour-blind readers; names stand beside them anyway.
CATEGORY_COLOURS = (
    "#56b4e9",
    "#ffb000",
    "#19c39c",
    "#ff6f91",
    "#f0e442",
    "#b48cff",
    "#ff8c42",
    "#7bd84c",
    "#00d4d4",
    "#ff9ee5",
    "#c9d1d9",
    "#d6a56c",
)
_MAX_SIDE_PX = 640
_FILL_ALPHA, _EDGE_ALPHA = 96, 235


def category_colour(category_id: int) -> str:
    """Return the colour of a category as `#rrggbb`; the same id has the same colour everywhere.

    >>> category_colour(0) == category_colour(len(CATEGORY_COLOURS))
    True
    """
    return CATEGORY_COLOURS[category_id % len(CATEGORY_COLOURS)]


def mask_overlay(runs: Sequence[tuple[int, Sequence[int]]], *, width: int, height: int) -> tuple[bytes | None, int]:
    """Draw masks as fills with an outline, smaller masks over larger ones.

    Args:
        runs: category id and run lengths of each row-major (height, width) mask.
        width: of the picture in pixels.
        height: of the picture in pixels.

    Returns:
        A PNG with transparency, its longer side at most 640 pixels, `None` where no mask can be drawn; and how
        many masks were left out because they do not fit the picture.
    """
    drawable = []
    for category_id, lengths in runs:
        try:
            drawable.append((masks.area(lengths), category_id, _shrink(lengths, width, height)))
        except ValueError:
            continue
    if not drawable:
        return None, len(runs)
    indices = np.zeros(drawable[0][2].shape, np.uint8)
    for _, category_id, mask in sorted(drawable, key=lambda entry: -entry[0]):
        slot = 2 * (category_id % len(CATEGORY_COLOURS)) + 1
        indices[mask] = slot
        indices[mask & ~_eroded(mask)] = slot + 1
    return _png(indices), len(runs) - len(drawable)


def _shrink(runs: Sequence[int], width: int, height: int) -> Bools:
    """Decode a mask, and take the pixel at the middle of each cell of the overlay."""
    mask = masks.decode(runs, height, width)
    scale = min(1.0, _MAX_SIDE_PX / max(width, height, 1))
    rows = ((np.arange(max(1, round(height * scale))) + 0.5) / scale).astype(np.int64)
    columns = ((np.arange(max(1, round(width * scale))) + 0.5) / scale).astype(np.int64)
    shrunk: Bools = mask[np.ix_(np.minimum(rows, height - 1), np.minimum(columns, width - 1))]
    return shrunk


def _eroded(mask: Bools) -> Bools:
    """Return the pixels whose four neighbours are set; outside the picture counts as set."""
    padded = np.pad(mask, 1, constant_values=True)
    inner: Bools = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inner


def _png(indices: NDArray[np.uint8]) -> bytes:
    colours = [tuple(bytes.fromhex(colour[1:])) for colour in CATEGORY_COLOURS]
    image = Image.fromarray(indices)
    image.putpalette([0, 0, 0, *(part for colour in colours for part in colour * 2)])
    alphas = bytes([0, *([_FILL_ALPHA, _EDGE_ALPHA] * len(colours))])
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True, transparency=alphas)
    return stream.getvalue()
