"""What the files of other tools say of one object, before it is a prediction of ours.

Readers of formats yield `ForeignObject`; `to_prediction` makes predictions of them, or says why it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.formats.coco_rle import from_coco
from tamis.formats.wire import MAX_CATEGORY_ID, RunLength
from tamis.model import Prediction, TaskType, masks
from tamis.model.polygons import rasterize

if TYPE_CHECKING:
    from tamis.model.columns import Ints

Box = tuple[float, float, float, float]
Size = tuple[int, int]

_PER_KEYPOINT = 3
_FLAGS = {0.0: 0.0, 1.0: 0.5, 2.0: 1.0}
"""What COCO's visibility becomes: not labelled, labelled but hidden, visible."""


class ForeignError(ValueError):
    """Why an object cannot be taken.

    Attributes:
        code: a key of `IMPORT_CODES`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def whole_category(value: float | None) -> int:
    """Return a category id that was read as a number.

    Raises:
        ForeignError: when it is no whole number that an id can be.

    >>> whole_category(7.0)
    7
    """
    if value is None or value != value // 1 or abs(value) > MAX_CATEGORY_ID:
        raise ForeignError("record-unreadable", f"expected a whole category id, got {value}")
    return int(value)


class CocoRle(msgspec.Struct, gc=False, frozen=True):
    """A mask as COCO writes it: run lengths down the columns, as a list or compressed."""

    size: tuple[RunLength, RunLength]
    counts: str | list[RunLength]


class RowMask(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A mask as prediction files hold it, with its size in pixels; 0 x 0 is that of its image."""

    runs: tuple[int, ...]
    width: int
    height: int


class ForeignObject(msgspec.Struct, array_like=True, gc=False, frozen=True, kw_only=True):
    """One object as a file says it, lengths in pixels.

    Attributes:
        number: of the record or line in its file, from 0 or 1 as the format counts.
        category_id: of the schema that is written.
        bbox: x, y, width, height from the top-left corner.
        polygons: rings x1, y1, x2, y2, ... that make up the mask.
        rle: the mask as COCO run lengths.
        rows: the mask as run lengths along the rows.
        keypoints: x, y and a confidence or flag of each.
        score: as the file says it.
        probabilities: one a category in ascending order of id.
    """

    number: int
    category_id: int
    bbox: Box | None = None
    polygons: list[list[float]] | None = None
    rle: CocoRle | None = None
    rows: RowMask | None = None
    keypoints: tuple[float, ...] | None = None
    score: float | None = None
    probabilities: tuple[float, ...] | None = None


class TakeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How objects become predictions.

    Attributes:
        task_type: of the predictions.
        score: of an object without one; `None`: it is refused, unless its type needs none.
        visibility: whether the third numbers of keypoints are COCO's flags, which become 0, .5 and 1; those of
            objects without a score are in any case: they are labels.
    """

    task_type: TaskType
    score: float | None = None
    visibility: bool = False


def to_prediction(found: ForeignObject, options: TakeOptions, size: Size | None) -> Prediction:
    """Make a prediction of an object.

    Args:
        found: the object.
        options: how.
        size: width and height of its image in pixels, `None` where unknown.

    Raises:
        ForeignError: when it cannot be one.

    >>> options = TakeOptions(task_type=TaskType.INSTANCE_SEGMENTATION, score=1.0)
    >>> square = ForeignObject(number=0, category_id=3, polygons=[[1, 0, 3, 0, 3, 2, 1, 2]])
    >>> to_prediction(square, options, (4, 2))  # doctest: +NORMALIZE_WHITESPACE
    Prediction(category_id=3, bbox=(1.0, 0.0, 2.0, 2.0), segmentation=(1, 2, 2, 2, 1), keypoints=None,
               score=1.0, probabilities=None)
    """
    kind = options.task_type
    score = options.score if found.score is None else found.score
    if score is None and kind is not TaskType.CLASSIFICATION:
        raise ForeignError("score-missing", "expected a score, got none")
    runs = _runs(found, size) if kind.has_masks else None
    bbox = found.bbox
    if kind is TaskType.INSTANCE_SEGMENTATION and bbox is None and runs is not None:
        bbox = _box_around(*runs)
    if kind in {TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION} and bbox is None:
        raise ForeignError("box-missing", "expected a box, got none")
    return Prediction(
        category_id=found.category_id,
        bbox=bbox if kind.has_objects else None,
        segmentation=None if runs is None else tuple(runs[0].tolist()),
        keypoints=_keypoints(found, options) if kind is TaskType.KEYPOINT_DETECTION else None,
        score=score,
        probabilities=found.probabilities,
    )


def _runs(found: ForeignObject, size: Size | None) -> tuple[Ints, int]:
    """Return the run lengths and the width of a mask."""
    if found.rows is not None:
        rows = found.rows
        if not rows.width:
            return np.array(rows.runs, np.int64), 0 if size is None else size[0]
        if size not in {None, (rows.width, rows.height)}:
            raise ForeignError("mask-size", _size_message(size, rows.width, rows.height))
        return np.array(rows.runs, np.int64), rows.width
    if found.rle is not None:
        try:
            mask = from_coco({"size": list(found.rle.size), "counts": found.rle.counts})
        except ValueError as error:
            raise ForeignError("mask-broken", str(error)) from None
        if size not in {None, (mask.width, mask.height)}:
            raise ForeignError("mask-size", _size_message(size, mask.width, mask.height))
        return mask.runs, mask.width
    if not found.polygons:
        raise ForeignError("mask-missing", "expected a mask, got none")
    return _drawn(found.polygons, size)


def _drawn(polygons: list[list[float]], size: Size | None) -> tuple[Ints, int]:
    if size is None:
        raise ForeignError("size-needed", "expected an image of known size to draw polygons in, got none")
    try:
        runs = rasterize(polygons, size[1], size[0])
    except ValueError as error:
        raise ForeignError("mask-broken", str(error)) from None
    if not any(_reaches_into(ring, size) for ring in polygons):
        x, y = polygons[0][:2]
        message = f"expected a polygon within {size[0]} x {size[1]} pixels, got one at {x:g}, {y:g}"
        raise ForeignError("mask-outside-image", message)
    return runs, size[0]


def _reaches_into(ring: list[float], size: Size) -> bool:
    """Whether the box around a ring and the image have a part in common."""
    return all(min(ring[i::2]) < side and max(ring[i::2]) > 0 for i, side in enumerate(size))


def _size_message(size: Any, width: int, height: int) -> str:  # noqa: ANN401 (a size that is not None)
    return f"expected a mask of {size[0]} x {size[1]} pixels, got {width} x {height}"


def _box_around(runs: Ints, width: int) -> Box:
    # An empty mask has COCO's empty box.
    box = masks.bounding_box(runs, width) if width else None
    x, y, w, h = box or (0, 0, 0, 0)
    return (float(x), float(y), float(w), float(h))


def _keypoints(found: ForeignObject, options: TakeOptions) -> tuple[float, ...]:
    points = found.keypoints
    if not points:
        raise ForeignError("keypoints-missing", "expected keypoints, got none")
    if len(points) % _PER_KEYPOINT:
        raise ForeignError("keypoints-broken", f"expected 3 numbers a keypoint, got {len(points)} numbers")
    if options.visibility or found.score is None:
        try:
            flags = [_FLAGS[value] for value in points[2::3]]
        except KeyError as error:
            raise ForeignError("keypoint-flag", f"expected a visibility of 0, 1 or 2, got {error}") from None
        return tuple(n for x, y, s in zip(points[0::3], points[1::3], flags, strict=True) for n in (x, y, s))
    for value in points[2::3]:
        if not 0 <= value <= 1:
            raise ForeignError("keypoint-flag", f"expected a confidence from 0 to 1, got {value:g}")
    return points
