"""Labelbox: an export in JSON lines, an image a line; its boxes and polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.formats.foreign import ForeignError, ForeignObject
from tamis.formats.parsed import Fault, NamedClasses, ParsedImage, known_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class _Image(msgspec.Struct, frozen=True):
    id: str | None = None
    global_key: str | None = None
    external_id: str | None = None
    row_data: str | None = None


class _Size(msgspec.Struct, frozen=True):
    width: int | float | None = None
    height: int | float | None = None


class _Box(msgspec.Struct, frozen=True):
    left: float
    top: float
    width: float
    height: float


class _Point(msgspec.Struct, frozen=True):
    x: float
    y: float


class LabelboxObject(msgspec.Struct, frozen=True):
    """One object; masks are pictures behind an address, which is not opened."""

    name: str
    annotation_kind: str = ""
    bounding_box: _Box | None = None
    polygon: list[_Point] | None = None


class _Annotations(msgspec.Struct, frozen=True):
    objects: list[msgspec.Raw] = []


class _Label(msgspec.Struct, frozen=True):
    annotations: _Annotations = _Annotations()


class _Project(msgspec.Struct, frozen=True):
    labels: list[_Label] = []


class LabelboxRow(msgspec.Struct, frozen=True):
    """One line of an export."""

    data_row: _Image
    media_attributes: _Size = _Size()
    projects: dict[str, _Project] = {}


def parse_labelbox(line: bytes) -> LabelboxRow:
    """Parse a line of an export.

    Raises:
        ForeignError: when it is none.
    """
    try:
        return msgspec.json.decode(line, type=LabelboxRow)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ForeignError("record-unreadable", f"expected a data row of Labelbox: {error}") from None


def labelbox_names(row: LabelboxRow) -> Iterator[tuple[str, bool]]:
    """Yield the name of each object, and whether it is a polygon."""
    for label in _labels(row):
        for raw in label.annotations.objects:
            try:
                found = _parse_object(raw)
            except ForeignError:
                continue
            yield found.name, found.polygon is not None


def decode_labelbox(row: LabelboxRow, ids: Mapping[str, int]) -> ParsedImage:
    """Read the objects of an image.

    Args:
        row: as parsed.
        ids: of the categories by name.

    Raises:
        ForeignError: when it names no image, or labels of several people or projects are mixed in it.
    """
    image, labels = row.data_row, list(_labels(row))
    name = image.global_key or image.external_id or (image.row_data or "").partition("?")[0].rpartition("/")[2]
    if not name:
        raise ForeignError("record-unreadable", "expected `global_key` or `external_id` of the image, got neither")
    if len(labels) > 1:
        message = f"expected one label, got {len(labels)}: whose counts is not said"
        raise ForeignError("record-unreadable", message)
    size = known_size(row.media_attributes.width, row.media_attributes.height)
    if not labels:
        fault = Fault(None, "not-labelled", "expected a label, got none")
        return ParsedImage(name, size, [], [fault])
    objects, faults = [], []
    for number, raw in enumerate(labels[0].annotations.objects, 1):
        try:
            objects.append(_object(_parse_object(raw), NamedClasses(ids), number))
        except ForeignError as error:
            faults.append(Fault(number, error.code, str(error)))
    return ParsedImage(name, size, objects, faults)


def _labels(row: LabelboxRow) -> Iterator[_Label]:
    for project in row.projects.values():
        yield from project.labels


def _parse_object(raw: msgspec.Raw) -> LabelboxObject:
    try:
        return msgspec.json.decode(raw, type=LabelboxObject)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ForeignError("record-unreadable", f"expected an object of Labelbox: {error}") from None


def _object(found: LabelboxObject, classes: NamedClasses, number: int) -> ForeignObject:
    category_id = classes.find(found.name)
    if category_id is None:
        fault = classes.fault(found.name, number)
        raise ForeignError(fault.code, fault.message)
    if found.bounding_box is not None:
        x, y, width, height = msgspec.structs.astuple(found.bounding_box)[:4]
        return ForeignObject(number=number, category_id=category_id, bbox=(x, y, width, height))
    if found.polygon:
        ring = [value for point in found.polygon for value in (point.x, point.y)]
        return ForeignObject(number=number, category_id=category_id, polygons=[ring])
    raise ForeignError("record-unreadable", f"expected a box or a polygon, got `{found.annotation_kind}`")
