"""XML, and labels of Pascal VOC in it: a file an image."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tamis.formats.foreign import ForeignError, ForeignObject
from tamis.formats.parsed import Fault, NamedClasses, ParsedImage, size_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Box = tuple[float, float, float, float]

_MAX_BYTES = 1 << 28
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def parse_xml(data: bytes) -> ET.Element:
    """Parse XML without a DOCTYPE: entities could make gigabytes of a line, and name other files.

    Args:
        data: text in the encoding that it declares, any that Python knows; else in UTF-8.

    Raises:
        ForeignError: when it is no XML, or has one.
    """
    if len(data) > _MAX_BYTES or b"\0" in data:
        raise ForeignError("file-unreadable", "expected XML without zero bytes, of at most 256 MiB")
    text = _decoded(data)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ForeignError("file-unreadable", "expected XML without a DOCTYPE, got one")
    try:
        return ET.fromstring(text)  # noqa: S314 (no entities are left that could expand)
    except (ET.ParseError, ValueError) as error:  # a codec may give half a character, which XML cannot hold
        raise ForeignError("file-unreadable", f"expected XML, got text with {error}") from None


def _decoded(data: bytes) -> str:
    declared = _ENCODING.match(data)
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding)
    except LookupError:
        raise ForeignError("file-unreadable", f"expected an encoding that is known, got `{encoding}`") from None
    except ValueError as error:
        raise ForeignError("file-unreadable", f"expected XML in {encoding}: {error}") from None


def voc_names(root: ET.Element) -> Iterator[str]:
    """Yield the names of the objects of a Pascal VOC file."""
    for one in root.iter("object"):
        if name := (one.findtext("name") or "").strip():
            yield name


def decode_voc(root: ET.Element, ids: Mapping[str, int]) -> ParsedImage:
    """Read the boxes of a Pascal VOC file: x is `xmin`, the width is `xmax` - `xmin`.

    Args:
        root: its root element.
        ids: of the categories by name.

    >>> text = b"<annotation><object><name>car</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax>"
    >>> decode_voc(parse_xml(text + b"<ymax>6</ymax></bndbox></object></annotation>"), {"car": 3}).objects[0].bbox
    (1.0, 2.0, 3.0, 4.0)
    """
    classes = NamedClasses(ids)
    objects, faults = [], []
    for number, one in enumerate(root.iter("object"), 1):
        name = (one.findtext("name") or "").strip()
        category_id = classes.find(name)
        if category_id is None:
            faults.append(classes.fault(name, number))
            continue
        try:
            box = box_of_corners(
                *(xml_number(one.findtext(f"bndbox/{side}"), side) for side in ("xmin", "ymin", "xmax", "ymax"))
            )
            score = one.findtext("score") or one.findtext("confidence")
            value = None if score is None else xml_number(score, "score")
        except ForeignError as error:
            faults.append(Fault(number, error.code, str(error)))
        else:
            objects.append(ForeignObject(number=number, category_id=category_id, bbox=box, score=value))
    return ParsedImage(
        (root.findtext("filename") or "").strip() or None,
        size_of_text(root.findtext("size/width"), root.findtext("size/height")),
        objects,
        faults,
    )


def xml_number(text: str | None, what: str) -> float:
    """Return a number of an attribute or element.

    Raises:
        ForeignError: when it is none, or not finite.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ForeignError("record-unreadable", f"expected a number as `{what}`, got {text!r}")
    return value


def box_of_corners(left: float, top: float, right: float, bottom: float) -> Box:
    """Return x, y, width, height."""
    return (left, top, right - left, bottom - top)
