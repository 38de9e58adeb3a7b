"""What a file of labels about one image says, whatever its format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tamis.formats.coco_rle import MAX_MASK_PIXELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tamis.formats.foreign import ForeignObject

Size = tuple[int, int]

_SIDE = re.compile(r"[0-9]{1,9}(\.0{0,9})?")  # some writers make floats of whole numbers


class Fault(NamedTuple):
    """Something in a file that cannot be taken.

    Attributes:
        number: of the object or line, as the format counts; `None`: the file as a whole.
        code: a key of `IMPORT_CODES`.
        message: `expected ..., got ...`.
    """

    number: int | None
    code: str
    message: str


class ParsedImage(NamedTuple):
    """What a file says of one image.

    Attributes:
        name: of the image as the file says it; `None`: it has the file's own name.
        size: width and height in pixels, `None` where the file does not say.
        objects: what could be read.
        faults: what could not.
        is_relative: whether lengths are shares of the image instead of pixels.
    """

    name: str | None
    size: Size | None
    objects: list[ForeignObject]
    faults: list[Fault]
    is_relative: bool = False


class NamedClasses:
    """Categories by name, as readers meet them."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = ids

    def find(self, name: str) -> int | None:
        """Return the id of a category, `None` where none has that name."""
        return self._ids.get(name)

    def fault(self, name: str, number: int) -> Fault:
        """Say that no category has that name."""
        return Fault(number, "category-name-unknown", f"expected a category that is named, got `{name}`")


def size_of_text(width: str | None, height: str | None) -> Size | None:
    """Return a size that a file says, `None` where it says none that an image can have.

    >>> size_of_text("640.0", " 480 "), size_of_text("0", "480"), size_of_text("9" * 30, "1")
    ((640, 480), None, None)
    """
    sides = [float(side) for side in (width, height) if side is not None and _SIDE.fullmatch(side.strip())]
    return known_size(*sides) if len(sides) == len(("width", "height")) else None


def known_size(width: float | None, height: float | None) -> Size | None:
    """Return a size that a file says, `None` where it is none that an image can have.

    >>> known_size(640.0, 480), known_size(None, 480), known_size(-1, -1), known_size(0.5, 480)
    ((640, 480), None, None, None)
    """
    if not width or not height or min(width, height) < 0 or width * height > MAX_MASK_PIXELS:
        return None
    return (int(width), int(height)) if width % 1 == height % 1 == 0 else None


def to_pixels(found: ForeignObject, size: Size) -> ForeignObject:
    """Return an object whose lengths are shares of its image in pixels.

    >>> from tamis.formats.foreign import ForeignObject
    >>> to_pixels(ForeignObject(number=1, category_id=0, bbox=(0.5, 0.5, 0.25, 0.5)), (8, 4)).bbox
    (4.0, 2.0, 2.0, 2.0)
    """
    width, height = size
    box, points = found.bbox, found.keypoints
    scale = (width, height)
    return msgspec.structs.replace(
        found,
        bbox=None if box is None else (box[0] * width, box[1] * height, box[2] * width, box[3] * height),
        polygons=None
        if found.polygons is None
        else [[value * scale[i % 2] for i, value in enumerate(ring)] for ring in found.polygons],
        keypoints=None if points is None else _scaled_points(points, scale),
    )


def _scaled_points(points: Sequence[float], scale: Size) -> tuple[float, ...]:
    return tuple(value if i % 3 == 2 else value * scale[i % 3] for i, value in enumerate(points))  # noqa: PLR2004
