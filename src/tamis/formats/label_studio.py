"""Pre-annotations of Label Studio: a task a sample, with what the model saw as `predictions`.

Places are percent of the image. The labelling configuration must have an `Image` named `image` and the control
that `CONTROLS` says, named `label`; for keypoints a `KeyPointLabels` named `points`, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tamis.model import TaskType
from tamis.model.polygons import contours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.model import Prediction, Task

CONTROLS = {
    TaskType.CLASSIFICATION: "choices",
    TaskType.OBJECT_DETECTION: "rectanglelabels",
    TaskType.SEMANTIC_SEGMENTATION: "polygonlabels",
    TaskType.INSTANCE_SEGMENTATION: "polygonlabels",
    TaskType.KEYPOINT_DETECTION: "rectanglelabels",
}
"""The kind of region that each task type becomes."""

_PERCENT = 100
_POINT_WIDTH = 0.5

Size = tuple[int, int]
Region = dict[str, Any]


def encode_label_studio(
    task: Task, image: str, predictions: Sequence[Prediction], size: Size
) -> tuple[dict[str, Any], list[str]]:
    """Return the task of one sample.

    Args:
        task: whose predictions they are.
        image: path or URL that Label Studio loads the image from.
        predictions: of the sample.
        size: width and height in pixels, > 0 unless it is a classification.

    Returns:
        The task, and for each thing that it cannot hold a clause.

    >>> from tamis.model import Category, Prediction, Task, TaskType
    >>> task = Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=4, name="car"),))
    >>> one = Prediction(category_id=4, bbox=(10, 5, 20, 10), score=0.5)
    >>> made, _ = encode_label_studio(task, "a.jpg", [one], (40, 20))
    >>> made["predictions"][0]["result"][0]["value"]
    {'x': 25.0, 'y': 25.0, 'width': 50.0, 'height': 50.0, 'rotation': 0, 'rectanglelabels': ['car']}
    """
    regions: list[Region] = []
    losses: list[str] = []
    for number, prediction in enumerate(predictions):
        name = task.by_id[prediction.category_id].name
        found = list(_regions(task, prediction, name, size))
        losses += _losses(prediction, found)
        for part, region in enumerate(found):
            region = {"id": f"{number}-{part}", "to_name": "image", **region}  # noqa: PLW2901 (made whole)
            regions.append(_measured(region, size))
    made = {"data": {"image": image}, "predictions": [{"model_version": task.name, "result": regions}]}
    return made, losses


def _losses(prediction: Prediction, found: Sequence[Region]) -> Iterator[str]:
    if prediction.probabilities is not None:
        yield "probabilities"
    if prediction.segmentation is not None:
        if not found:
            yield "empty masks"
        elif len(found) > 1:
            yield "masks of several pieces: each is a region of its own"


def _measured(region: Region, size: Size) -> Region:
    if region["type"] == "choices":
        return region
    return region | {"original_width": size[0], "original_height": size[1], "image_rotation": 0}


def _regions(task: Task, prediction: Prediction, name: str, size: Size) -> Iterator[Region]:
    kind = CONTROLS[task.task_type]
    head = {"type": kind, "from_name": "label"}
    if prediction.score is not None:
        head["score"] = prediction.score  # type: ignore[assignment]
    if task.task_type is TaskType.CLASSIFICATION:
        yield head | {"value": {"choices": [name]}}
    elif prediction.segmentation is not None:
        for piece in contours(prediction.segmentation, size[1], size[0]):
            points = [_place(x, y, size) for x, y in piece.as_ring().tolist()]
            yield head | {"value": {"points": points, "closed": True, kind: [name]}}
    elif prediction.bbox is not None:
        x, y, w, h = prediction.bbox
        (left, top), (width, height) = _place(x, y, size), _place(w, h, size)
        value = {"x": left, "y": top, "width": width, "height": height, "rotation": 0, kind: [name]}
        yield head | {"value": value}
    if prediction.keypoints is not None:
        yield from _points(task, prediction, name, size)


def _points(task: Task, prediction: Prediction, name: str, size: Size) -> Iterator[Region]:
    values = prediction.keypoints or ()
    names = task.by_id[prediction.category_id].keypoint_names
    triplets = zip(values[0::3], values[1::3], values[2::3], strict=True)
    for number, (x, y, score) in enumerate(triplets):
        left, top = _place(x, y, size)
        value = {"x": left, "y": top, "width": _POINT_WIDTH}
        label = name if names is None else names[number]
        yield {
            "type": "keypointlabels",
            "from_name": "points",
            "score": score,
            "value": value | {"keypointlabels": [label]},
        }


def _place(x: float, y: float, size: Size) -> list[float]:
    return [_PERCENT * x / size[0], _PERCENT * y / size[1]]
