"""KITTI: text files of one image each, a line an object, in pixels.

A line is the type, then truncated, occluded, alpha, the box as left, top, right, bottom, seven numbers about the
object in space, and a score in files of results.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from tamis.formats.foreign import ForeignError, ForeignObject
from tamis.formats.label_xml import box_of_corners
from tamis.formats.parsed import Fault, NamedClasses, ParsedImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NUMBERS = 14
_BOX = slice(3, 7)
_IGNORED = "DontCare"


def kitti_names(data: bytes) -> Iterator[str]:
    """Yield the types of the objects of a KITTI file."""
    for line in data.decode("utf-8-sig", "replace").splitlines():
        try:
            name, _ = _parts(line)
        except ForeignError:
            continue
        if name and name != _IGNORED:
            yield name


def decode_kitti(data: bytes, ids: Mapping[str, int]) -> ParsedImage:
    """Read the lines of one image; regions called `DontCare` are no objects.

    Args:
        data: the bytes of the file.
        ids: of the categories by name.

    >>> line = b"Car 0.00 0 -1.58 100.5 20 180.5 80 1.5 1.6 3.7 -2.7 1.7 46.7 -1.6 0.9"
    >>> found = decode_kitti(line, {"Car": 2}).objects[0]
    >>> found.category_id, found.bbox, found.score
    (2, (100.5, 20.0, 80.0, 60.0), 0.9)
    """
    classes = NamedClasses(ids)
    objects, faults = [], []
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return ParsedImage(None, None, [], [Fault(None, "file-unreadable", "expected text in UTF-8")])
    for number, line in enumerate(lines, 1):
        try:
            name, numbers = _parts(line)
        except ForeignError as error:
            faults.append(Fault(number, error.code, str(error)))
            continue
        if name is None:
            continue
        category_id = classes.find(name)
        if name == _IGNORED and category_id is None:
            faults.append(Fault(number, "region-ignored", f"expected an object, got a region called `{_IGNORED}`"))
        elif category_id is None:
            faults.append(classes.fault(name, number))
        else:
            score = numbers[_NUMBERS] if len(numbers) > _NUMBERS else None
            box = box_of_corners(*numbers[_BOX])
            objects.append(ForeignObject(number=number, category_id=category_id, bbox=box, score=score))
    return ParsedImage(None, None, objects, faults)


def _parts(line: str) -> tuple[str | None, list[float]]:
    """Return the type of a line, which may have spaces, and its numbers; no type where nothing is said."""
    words = line.split()
    if not words:
        return None, []
    numbers: list[float] = []
    while words and (value := _number(words[-1])) is not None and len(numbers) <= _NUMBERS:
        numbers.append(value)
        words.pop()
    if len(numbers) < _NUMBERS or not words:
        shown = line.strip()[:60]
        raise ForeignError("record-unreadable", f"expected a type and {_NUMBERS} numbers, got `{shown}`")
    return " ".join(words), numbers[::-1]


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if isfinite(value) else None
