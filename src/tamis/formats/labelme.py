"""LabelMe: a JSON file an image, rectangles and polygons with class names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from tamis.formats.foreign import ForeignError, ForeignObject
from tamis.formats.parsed import Fault, NamedClasses, ParsedImage, known_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CORNERS = 2
_MIN_RING = 3


class LabelmeShape(msgspec.Struct, frozen=True):
    """One shape; `score` is written by LabelMe's own models."""

    label: str
    points: list[tuple[float, float]]
    shape_type: str = "polygon"
    score: float | None = None


class LabelmeFile(msgspec.Struct, frozen=True):
    """One file; the image that it may hold is not decoded, and of the shapes each by itself."""

    shapes: list[msgspec.Raw]
    imagePath: str | None = None  # noqa: N815 (the JSON's own spelling)
    imageWidth: int | float | None = None  # noqa: N815
    imageHeight: int | float | None = None  # noqa: N815


def parse_labelme(data: bytes) -> LabelmeFile:
    """Parse a LabelMe file.

    Raises:
        ForeignError: when it is none.
    """
    try:
        return msgspec.json.decode(data, type=LabelmeFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ForeignError("file-unreadable", f"expected a LabelMe file: {error}") from None


def labelme_shapes(file: LabelmeFile) -> Iterator[LabelmeShape]:
    """Yield the shapes that can be read."""
    for raw in file.shapes:
        with suppress(ForeignError):  # counted when the file is taken
            yield _parse_shape(raw)


def _parse_shape(raw: msgspec.Raw) -> LabelmeShape:
    try:
        return msgspec.json.decode(raw, type=LabelmeShape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ForeignError("record-unreadable", f"expected a shape: {error}") from None


def decode_labelme(file: LabelmeFile, ids: Mapping[str, int]) -> ParsedImage:
    """Read the shapes of an image; a rectangle is a box and, where masks are wanted, a ring too.

    Args:
        file: as parsed.
        ids: of the categories by name.
    """
    classes = NamedClasses(ids)
    objects, faults = [], []
    for number, raw in enumerate(file.shapes, 1):
        try:
            shape = _parse_shape(raw)
            category_id = classes.find(shape.label)
            if category_id is None:
                faults.append(classes.fault(shape.label, number))
            else:
                objects.append(_object(shape, category_id, number))
        except ForeignError as error:
            faults.append(Fault(number, error.code, str(error)))
    size = known_size(file.imageWidth, file.imageHeight)
    name = None if file.imagePath is None else file.imagePath.replace("\\", "/").rpartition("/")[2]
    return ParsedImage(name, size, objects, faults)


def _object(shape: LabelmeShape, category_id: int, number: int) -> ForeignObject:
    points = shape.points
    if shape.shape_type == "rectangle" and len(points) == _CORNERS:
        (x0, x1), (y0, y1) = (sorted(side) for side in zip(*points, strict=True))
        return ForeignObject(
            number=number,
            category_id=category_id,
            bbox=(x0, y0, x1 - x0, y1 - y0),
            polygons=[[x0, y0, x1, y0, x1, y1, x0, y1]],
            score=shape.score,
        )
    if shape.shape_type == "polygon" and len(points) >= _MIN_RING:
        ring = [value for point in points for value in point]
        return ForeignObject(number=number, category_id=category_id, polygons=[ring], score=shape.score)
    expected = "expected a rectangle of 2 points or a polygon of at least 3"
    raise ForeignError("record-unreadable", f"{expected}, got {shape.shape_type} of {len(points)}")
