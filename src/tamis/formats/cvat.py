"""CVAT for images 1.1: one XML file for all images, their shapes as elements.

A mask is cut to its box; its run lengths go along the rows, the first counts zeros. A box may be turned about its
centre, by degrees clockwise. There are no scores.
"""

from __future__ import annotations

from itertools import chain
from math import cos, radians, sin
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np

from tamis.formats.foreign import Box, ForeignError, ForeignObject, RowMask
from tamis.formats.label_xml import box_of_corners, xml_number
from tamis.formats.parsed import Fault, NamedClasses, ParsedImage, size_of_text
from tamis.model import masks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tamis.model import Prediction, Task

Size = tuple[int, int]

_HALF_TURN = 180
_DIGITS = 6
_CROP = ("left", "top", "width", "height")


def cvat_names(root: ET.Element) -> Iterator[str]:
    """Yield the labels of a CVAT file: those that it declares, else those of its shapes and tracks."""
    declared = [name for label in root.iter("label") if (name := (label.findtext("name") or "").strip())]
    shapes = (shape for image in root.iter("image") for shape in image)
    yield from declared or (one.get("label", "") for one in chain(shapes, root.iter("track")))


def decode_cvat(root: ET.Element, ids: Mapping[str, int]) -> Iterator[ParsedImage]:
    """Yield what a file of the form "CVAT for images" says of each image: its boxes and polygons.

    Args:
        root: its root element.
        ids: of the categories by name.
    """
    classes = NamedClasses(ids)
    for image in root.iter("image"):
        objects: list[ForeignObject] = []
        faults: list[Fault] = []
        size = size_of_text(image.get("width"), image.get("height"))
        for number, shape in enumerate(image, 1):
            found, said = read_cvat_shape(shape, shape.get("label", ""), number, size, classes)
            objects += found
            faults += said
        yield ParsedImage(image.get("name"), size, objects, faults)


def read_cvat_shape(
    shape: ET.Element, label: str, number: int, size: Size | None, classes: NamedClasses
) -> tuple[list[ForeignObject], list[Fault]]:
    """Read one shape: the object where it is one, and what is the matter or to be said of it.

    Args:
        shape: its element.
        label: name of its category.
        number: that it is known by in messages.
        size: width and height of its image in pixels, `None` where unknown.
        classes: the categories.
    """
    category_id = classes.find(label)
    if category_id is None:
        return [], [classes.fault(label, number)]
    try:
        found, notes = _cvat_shape(shape, category_id, number, size)
    except ForeignError as error:
        return [], [Fault(number, error.code, str(error))]
    return [found], notes


def _cvat_shape(
    shape: ET.Element, category_id: int, number: int, size: Size | None
) -> tuple[ForeignObject, list[Fault]]:
    if shape.tag == "box":
        box = box_of_corners(*(xml_number(shape.get(side), side) for side in ("xtl", "ytl", "xbr", "ybr")))
        degrees = xml_number(shape.get("rotation", "0"), "rotation")
        if not degrees % _HALF_TURN:
            return ForeignObject(number=number, category_id=category_id, bbox=box), []
        turned = Fault(
            number, "box-turned", f"expected a box along the axes, got one turned by {degrees:g} degrees"
        )
        return ForeignObject(number=number, category_id=category_id, bbox=_around(box, degrees)), [turned]
    if shape.tag == "polygon":
        ring = [xml_number(n, "points") for n in shape.get("points", "").replace(";", ",").split(",")]
        return ForeignObject(number=number, category_id=category_id, polygons=[ring]), []
    if shape.tag == "mask":
        left, top, width, height = (int(xml_number(shape.get(side), side)) for side in _CROP)
        runs = [int(xml_number(n, "rle")) for n in shape.get("rle", "").split(",")]
        rows = _uncropped(runs, (left, top, width, height), size)
        return ForeignObject(number=number, category_id=category_id, rows=rows), []
    if shape.tag == "tag":
        return ForeignObject(number=number, category_id=category_id), []
    raise ForeignError("record-unreadable", f"expected a box, polygon, mask or tag, got `{shape.tag}`")


def _around(box: Box, degrees: float) -> Box:
    """Return the upright box around one that is turned about its centre, without the noise of sines."""
    x, y, w, h = box
    across, along = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    wide, high = w * across + h * along, w * along + h * across
    left, top, width, height = (
        round(side, _DIGITS) for side in (x + (w - wide) / 2, y + (h - high) / 2, wide, high)
    )
    return (left, top, width, height)


def _uncropped(runs: list[int], crop: tuple[int, int, int, int], size: Size | None) -> RowMask:
    """Return the mask of the whole image of one that is cut to its box."""
    left, top, width, height = crop
    if size is None or min(crop) < 0 or left + width > size[0] or top + height > size[1]:
        raise ForeignError(
            "mask-broken", f"expected a mask within its image, got {width} x {height} at {left}, {top}"
        )
    whole = np.zeros((size[1], size[0]), np.bool_)
    try:
        whole[top : top + height, left : left + width] = masks.decode(runs, height, width)
    except ValueError as error:
        raise ForeignError("mask-broken", str(error)) from None
    return RowMask(tuple(masks.encode(whole).tolist()), size[0], size[1])


def encode_cvat_image(
    task: Task, number: int, key: str, predictions: Sequence[Prediction], size: tuple[int, int]
) -> tuple[bytes, list[str]]:
    """Return the `image` element of one sample.

    Args:
        task: whose predictions they are.
        number: of the image in the file, from 0.
        key: of the sample: its name in CVAT.
        predictions: of the sample.
        size: width and height in pixels.

    Returns:
        The XML, and for each thing that it cannot hold a clause.
    """
    image = ET.Element("image", id=str(number), name=key, width=str(size[0]), height=str(size[1]))
    losses: list[str] = []
    for prediction in predictions:
        label = task.by_id[prediction.category_id].name
        if prediction.score is not None:
            losses.append("scores")
        if prediction.probabilities is not None:
            losses.append("probabilities")
        losses += _add_shapes(image, label, prediction, size[0], size[1])
    return ET.tostring(image, encoding="unicode").encode(), losses


def encode_cvat_head(task: Task, n_images: int) -> bytes:
    """Return what stands before the images: the version, and the labels of the task."""
    meta = ET.Element("meta")
    about = ET.SubElement(meta, "task")
    for name, text in (("name", task.name), ("size", str(n_images)), ("mode", "annotation")):
        ET.SubElement(about, name).text = text
    labels = ET.SubElement(about, "labels")
    for name in task.category_names:
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = name
        ET.SubElement(label, "attributes")
    start = b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
    return start + ET.tostring(meta, encoding="unicode").encode()


def _add_shapes(image: ET.Element, label: str, prediction: Prediction, width: int, height: int) -> list[str]:
    """Add what a prediction is; return what of it cannot be held."""
    common = {"label": label, "source": "auto", "occluded": "0", "z_order": "0"}
    points = prediction.keypoints
    if prediction.segmentation is not None:
        box = masks.bounding_box(prediction.segmentation, width)
        if box is None:
            return ["empty masks"]
        x, y, w, h = box
        crop = masks.decode(prediction.segmentation, height, width)[y : y + h, x : x + w]
        runs = ", ".join(map(str, masks.encode(crop).tolist()))
        sides = dict(zip(_CROP, map(str, box), strict=True))
        ET.SubElement(image, "mask", common | sides | {"rle": runs})
    elif prediction.bbox is not None:
        left, top, wide, high = prediction.bbox
        corners = {"xtl": _text(left), "ytl": _text(top), "xbr": _text(left + wide), "ybr": _text(top + high)}
        ET.SubElement(image, "box", common | corners)
    elif points is None:
        ET.SubElement(image, "tag", label=label, source="auto")
    if points is not None:
        places = ";".join(f"{_text(x)},{_text(y)}" for x, y in zip(points[0::3], points[1::3], strict=True))
        ET.SubElement(image, "points", common | {"points": places})
        return ["confidences of keypoints"]
    return []


def _text(value: float) -> str:
    return repr(float(value))
