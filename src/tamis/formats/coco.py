"""COCO: annotation files (`images`, `annotations`, `categories`) and lists of results.

The structs mirror the JSON; what a task type does not need is not decoded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.formats.coco_rle import to_coco
from tamis.formats.foreign import CocoRle, ForeignError, ForeignObject, whole_category
from tamis.formats.json_stream import Unreadable
from tamis.formats.schema import decode_schema
from tamis.formats.wire import CategoryId
from tamis.model import TaskType, masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import Category, Prediction, Problem, Task

ImageId = int | float | str
"""What names an image; pandas writes 7 as 7.0, which Python takes for the same."""

_BOX_LENGTH = 4
_SAYS_MORE = re.compile(rb'[1-9"]')  # no list of nothing, and no keypoints of zeros
_FLAGS = {0.0: 0, 0.5: 1, 1.0: 2}


class CocoImage(msgspec.Struct, gc=False, frozen=True):
    """What an annotation file says of an image."""

    id: ImageId
    file_name: str
    width: int | float | None = None
    height: int | float | None = None


class CocoRecord(msgspec.Struct, gc=False):
    """One annotation or result: what all of them share."""

    image_id: ImageId
    category_id: CategoryId | float
    bbox: list[float] | None = None
    score: float | None = None
    iscrowd: int | float | bool | None = False
    probabilities: tuple[float, ...] | None = None


class CocoBoxRecord(CocoRecord, gc=False):
    """One with a box, and whatever else it has left as it stands."""

    segmentation: msgspec.Raw = msgspec.Raw()
    keypoints: msgspec.Raw = msgspec.Raw()

    def more(self) -> str | None:
        """Return what it has besides its box, "a mask" or "keypoints"; empty ones are none."""
        if _SAYS_MORE.search(self.segmentation):
            return "a mask"
        return "keypoints" if _SAYS_MORE.search(self.keypoints) else None


class CocoMaskRecord(CocoRecord, gc=False):
    """One with a mask: polygons, or run lengths of either kind."""

    segmentation: list[list[float]] | CocoRle | None = None


class CocoKeypointRecord(CocoRecord, gc=False):
    """One with keypoints."""

    keypoints: tuple[float, ...] | None = None


def record_type(task_type: TaskType, *, is_guess: bool = False) -> type[CocoRecord]:
    """Return the struct to decode records by.

    Args:
        task_type: of the predictions.
        is_guess: whether nobody said so, and records may hold more than it needs.

    Raises:
        ForeignError: when COCO has no such predictions.
    """
    if task_type.has_masks:
        return CocoMaskRecord
    if task_type is TaskType.KEYPOINT_DETECTION:
        return CocoKeypointRecord
    if task_type is TaskType.OBJECT_DETECTION:
        return CocoBoxRecord if is_guess else CocoRecord
    raise ForeignError("record-unreadable", f"COCO files hold no predictions of type {task_type}")


def to_object(record: CocoRecord, number: int) -> ForeignObject:
    """Return what a record says, without its image.

    Raises:
        ForeignError: when its box is none, or its category no whole number.

    >>> to_object(CocoRecord(image_id=7, category_id=1, bbox=[1, 2, 3, 4], score=0.5), 0).bbox
    (1, 2, 3, 4)
    """
    bbox = record.bbox or None
    if bbox is not None and len(bbox) != _BOX_LENGTH:
        raise ForeignError("record-unreadable", f"expected a box of 4 numbers, got {len(bbox)}")
    mask, points = getattr(record, "segmentation", None), getattr(record, "keypoints", None)
    return ForeignObject(
        number=number,
        category_id=whole_category(record.category_id),
        bbox=None if bbox is None else (bbox[0], bbox[1], bbox[2], bbox[3]),
        polygons=mask if isinstance(mask, list) else None,
        rle=mask if isinstance(mask, CocoRle) else None,
        keypoints=points if isinstance(points, tuple) else None,
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


def encode_result(
    prediction: Prediction, image_id: ImageId, size: tuple[int, int], *, boxes: bool
) -> dict[str, Any]:
    """Return a prediction as one of COCO's results.

    Args:
        prediction: of an object task, or of semantic segmentation.
        image_id: of its image.
        size: width and height of its image in pixels; masks need it.
        boxes: whether masks and keypoints keep their boxes. The COCO API takes results with a box for boxes, and
            then measures areas by them.

    >>> from tamis.model import Prediction
    >>> encode_result(Prediction(category_id=1, bbox=(1, 2, 3, 4), score=0.5), 7, (0, 0), boxes=False)
    {'image_id': 7, 'category_id': 1, 'bbox': (1, 2, 3, 4), 'score': 0.5}
    """
    result: dict[str, Any] = {"image_id": image_id, "category_id": prediction.category_id}
    has_more = prediction.segmentation is not None or prediction.keypoints is not None
    if prediction.bbox is not None and (boxes or not has_more):
        result["bbox"] = prediction.bbox
    if prediction.segmentation is not None:
        result["segmentation"] = to_coco(prediction.segmentation, size[1], size[0], compressed=True)
    if prediction.keypoints is not None:
        result["keypoints"] = prediction.keypoints
    if prediction.score is not None:
        result["score"] = prediction.score
    if prediction.probabilities is not None:
        result["probabilities"] = prediction.probabilities
    return result


def encode_annotation(prediction: Prediction, image_id: ImageId, size: tuple[int, int]) -> dict[str, Any]:
    """Return a prediction as an annotation, which has `area` and `iscrowd` and keeps its score.

    Args:
        prediction: of an object task, or of semantic segmentation.
        image_id: of its image.
        size: width and height of its image in pixels; masks need it.
    """
    annotation = encode_result(prediction, image_id, size, boxes=True) | {"iscrowd": 0}
    if prediction.segmentation is not None:
        annotation["area"] = masks.area(prediction.segmentation)
        if prediction.bbox is None:
            annotation["bbox"] = masks.bounding_box(prediction.segmentation, size[0]) or (0, 0, 0, 0)
    elif prediction.bbox is not None:
        annotation["area"] = prediction.bbox[2] * prediction.bbox[3]
    if prediction.keypoints is not None:
        annotation["num_keypoints"] = sum(1 for value in prediction.keypoints[2::3] if value > 0)
    return annotation


def encode_category(category: Category) -> dict[str, Any]:
    """Return a category as COCO writes it: the skeleton counts from 1."""
    encoded: dict[str, Any] = {"id": category.id, "name": category.name}
    if category.keypoint_names is not None:
        encoded["keypoints"] = category.keypoint_names
    if category.keypoint_skeleton is not None:
        encoded["skeleton"] = [(a + 1, b + 1) for a, b in category.keypoint_skeleton]
    return encoded


def with_flags(keypoints: Sequence[float]) -> list[float] | None:
    """Return keypoints whose confidences are COCO's flags again: 0, 1, 2 of 0, .5, 1; `None` where one is not.

    >>> with_flags([4, 5, 0.5]), with_flags([4, 5, 0.7])
    ([4, 5, 1], None)
    """
    flags = [_FLAGS.get(value) for value in keypoints[2::3]]
    if None in flags:
        return None
    triplets = zip(keypoints[0::3], keypoints[1::3], flags, strict=True)
    return [number for x, y, flag in triplets for number in (x, y, flag or 0)]
