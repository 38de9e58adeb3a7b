"""COCO: annotation files (`images`, `annotations`, `categories`) and lists of results.

The structs mirror the JSON; what a task type does not need is not decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tamis.formats.foreign import CocoRle, ForeignError, ForeignObject
from tamis.formats.json_stream import Unreadable
from tamis.formats.schema import decode_schema
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import Problem, Task

ImageId = int | str

_BOX_LENGTH = 4


class CocoImage(msgspec.Struct, gc=False, frozen=True):
    """What an annotation file says of an image."""

    id: ImageId
    file_name: str
    width: int | None = None
    height: int | None = None


class CocoRecord(msgspec.Struct, gc=False):
    """One annotation or result: what all of them share."""

    image_id: ImageId
    category_id: int
    bbox: list[float] | None = None
    score: float | None = None
    iscrowd: int | bool = False
    probabilities: tuple[float, ...] | None = None


class CocoMaskRecord(CocoRecord, gc=False):
    """One with a mask: polygons, or run lengths of either kind."""

    segmentation: list[list[float]] | CocoRle | None = None


class CocoKeypointRecord(CocoRecord, gc=False):
    """One with keypoints."""

    keypoints: tuple[float, ...] | None = None


def record_type(task_type: TaskType) -> type[CocoRecord]:
    """Return the struct to decode records by.

    Raises:
        ForeignError: when COCO has no such predictions.
    """
    if task_type.has_masks:
        return CocoMaskRecord
    if task_type is TaskType.KEYPOINT_DETECTION:
        return CocoKeypointRecord
    if task_type is TaskType.OBJECT_DETECTION:
        return CocoRecord
    raise ForeignError("record-unreadable", f"COCO files hold no predictions of type {task_type}")


def to_object(record: CocoRecord, number: int) -> ForeignObject:
    """Return what a record says, without its image.

    Raises:
        ForeignError: when its box is none.

    >>> to_object(CocoRecord(image_id=7, category_id=1, bbox=[1, 2, 3, 4], score=0.5), 0).bbox
    (1, 2, 3, 4)
    """
    bbox = record.bbox or None
    if bbox is not None and len(bbox) != _BOX_LENGTH:
        raise ForeignError("record-unreadable", f"expected a box of 4 numbers, got {len(bbox)}")
    mask = getattr(record, "segmentation", None)
    return ForeignObject(
        number=number,
        category_id=record.category_id,
        bbox=None if bbox is None else (bbox[0], bbox[1], bbox[2], bbox[3]),
        polygons=mask if isinstance(mask, list) else None,
        rle=mask if isinstance(mask, CocoRle) else None,
        keypoints=getattr(record, "keypoints", None),
        score=record.score,
        probabilities=record.probabilities,
    )


def guess_task_type(records: Sequence[object]) -> TaskType | None:
    """Return the richest type that some of these records can have, `None` where they have nothing of COCO's.

    >>> guess_task_type([{"bbox": [0, 0, 1, 1], "segmentation": []}])
    <TaskType.OBJECT_DETECTION: 'object-detection'>
    """
    having = {key for record in records if isinstance(record, dict) for key, value in record.items() if value}
    if "keypoints" in having:
        return TaskType.KEYPOINT_DETECTION
    if "segmentation" in having:
        return TaskType.INSTANCE_SEGMENTATION
    return TaskType.OBJECT_DETECTION if "bbox" in having else None


def task_of_categories(
    categories: Sequence[Any], task_type: TaskType, *, name: str, file: str
) -> tuple[Task | None, list[Problem]]:
    """Return the task that COCO's `categories` describe, and what is wrong with them.

    Args:
        categories: the list as JSON has it: ids may have gaps, keypoints have names and a 1-based skeleton.
        task_type: of the task.
        name: of the task.
        file: for the problems.
    """
    described = [item for item in categories if not isinstance(item, Unreadable)]
    schema = {"task_type": task_type, "categories": described}
    return decode_schema(msgspec.json.encode(schema), task=name, file=file)
