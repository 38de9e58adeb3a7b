"""What the libraries around models return for an image, told by its shape; none of them is imported.

| output | told by | what is read |
|---|---|---|
| supervision `Detections` | `xyxy` | `xyxy` (n, 4), `mask` (n, H, W), `confidence` and `class_id` (n,) |
| supervision `KeyPoints` | `xy` | `xy` (n, K, 2), `keypoint_confidence` (n, K), `detection_confidence` (n,) |
| Ultralytics `Results` | `names` | `xyxy`, `conf`, `cls` of boxes; `data` or `xy` of masks; `data` of the others |
| torchvision detectors | `boxes` | `labels`, `scores`; `masks` (n, 1, H, W), `keypoints` and `keypoints_scores` |
| Hugging Face detection | the same | boxes are corners in pixels: the post-processing knew `target_sizes` |
| Hugging Face segmentation | `segments_info` | `segmentation`: ids of segments (H, W), or bitmaps (n, H, W) |
| Hugging Face pipelines | `label` | a list with `score`, and `box` of corners, or `mask` as a picture |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.detected import Detected, OutputError, columns_of, numbers_of
from tamis.api.writer_values import as_array
from tamis.model import TaskType, masks
from tamis.model.polygons import rasterize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.model import Task

    Floats = NDArray[np.float64]

_MASK_THRESHOLD = 0.5  # what torchvision's documentation cuts its soft masks at
_BATCH = "this is the output of a batch: write each image's own, such as `output[0]`"


def read_output(task: Task, output: object, category_ids: Mapping[Any, int] | None = None) -> list[dict[str, Any]]:
    """Return one image's output as mappings with the keys of the format, those that the task's type has.

    Args:
        task: the task to write.
        output: see the table of this module.
        category_ids: the category of each class of the model, by its number or name; `None`: numbers are ids
            of the task, names are its names.

    Raises:
        OutputError: when it is none of these, or lacks what the type needs.
    """
    found = _read(output, task)
    ids = [_category_id(task, one, category_ids) for one in found.classes]
    fields = columns_of(task.task_type, found)
    return [
        {"category_id": category_id} | {name: values[i] for name, values in fields.items()}
        for i, category_id in enumerate(ids)
    ]


def _read(output: object, task: Task) -> Detected:
    if isinstance(output, Mapping):
        if {"segmentation", "segments_info"} <= output.keys():
            return _segments(output)
        if {"boxes", "labels", "scores"} <= output.keys():
            return _torchvision(output)
    elif isinstance(output, Sequence) and not isinstance(output, str):
        if all(isinstance(one, Mapping) and {"label", "score"} <= one.keys() for one in output):
            return _pipeline(output, task)
        raise OutputError(f"expected the output of one image, got a list of {type(output[0]).__name__}", _BATCH)
    elif hasattr(output, "xyxy") and hasattr(output, "class_id"):
        return _supervision(output)
    elif hasattr(output, "xy") and hasattr(output, "class_id"):
        return _supervision_keypoints(output)
    elif hasattr(output, "boxes") and hasattr(output, "names"):
        return _ultralytics(output)
    kind = f"a mapping of {', '.join(map(repr, output))}" if isinstance(output, Mapping) else type(output).__name__
    raise OutputError(
        f"expected an output of supervision, Ultralytics, torchvision or Hugging Face, got {kind}",
        "`write_boxes`, `write_masks` and `write_keypoints` take arrays",
    )


def _supervision(output: Any) -> Detected:  # noqa: ANN401 (told by its shape)
    _need(output.class_id, "class_id")
    return Detected(
        classes=_whole(output.class_id),
        scores=_maybe(output.confidence),
        corners=numbers_of(output.xyxy).reshape(-1, 4),
        masks=None if output.mask is None else list(as_array(output.mask)),
    )


def _supervision_keypoints(output: Any) -> Detected:  # noqa: ANN401 (told by its shape)
    _need(output.class_id, "class_id")
    names = ("keypoint_confidence", "confidence")
    each = next((value for name in names if (value := getattr(output, name, None)) is not None), None)
    whole = getattr(output, "detection_confidence", None)
    points, seen = numbers_of(output.xy), numbers_of(_need(each, "confidence"))
    return Detected(
        classes=_whole(output.class_id),
        scores=_maybe(whole),
        keypoints=np.concatenate((points, seen[..., None]), axis=-1),
    )


def _ultralytics(output: Any) -> Detected:  # noqa: ANN401 (told by its shape)
    if getattr(output, "probs", None) is not None:
        shares = numbers_of(output.probs.data)
        return Detected(classes=[int(shares.argmax())], scores=None, probabilities=shares[None])
    if output.boxes is None:
        kind = "oriented boxes" if getattr(output, "obb", None) is not None else "no boxes"
        raise OutputError(f"expected upright boxes, got {kind}", "the format has boxes along the axes only")
    boxes, (height, width) = output.boxes, output.orig_shape
    keypoints = getattr(output, "keypoints", None)
    return Detected(
        classes=_whole(boxes.cls),
        scores=numbers_of(boxes.conf),
        corners=numbers_of(boxes.xyxy).reshape(-1, 4),
        masks=None if getattr(output, "masks", None) is None else _ultralytics_masks(output.masks, (height, width)),
        keypoints=None if keypoints is None else numbers_of(keypoints.data),
    )


def _ultralytics_masks(found: Any, shape: tuple[int, int]) -> list[NDArray[Any]]:  # noqa: ANN401 (told by its shape)
    """Return bitmaps where they have the size of the image, else the polygons that were scaled to it."""
    bitmaps = as_array(found.data)
    if bitmaps.shape[1:] == shape:
        return list(bitmaps > _MASK_THRESHOLD)
    rings = [[ring] if len(ring) else [] for ring in (numbers_of(ring).ravel().tolist() for ring in found.xy)]
    return [masks.decode(rasterize(ring, *shape), *shape) for ring in rings]


def _torchvision(output: Mapping[str, Any]) -> Detected:
    soft, keypoints = output.get("masks"), output.get("keypoints")
    if keypoints is not None and output.get("keypoints_scores") is not None:
        points = numbers_of(keypoints)[..., :2]
        keypoints = np.concatenate((points, _confidences(output["keypoints_scores"])[..., None]), axis=-1)
    corners = numbers_of(output["boxes"]).reshape(-1, 4)
    if corners.size and corners.max() <= 1:
        raise OutputError(
            "expected boxes in pixels, got shares of the image",
            "call `post_process_object_detection` with `target_sizes`: height and width of the image",
        )
    return Detected(
        classes=_labels(output["labels"]),
        scores=numbers_of(output["scores"]),
        corners=corners,
        masks=None if soft is None else _torchvision_masks(as_array(soft)),
        keypoints=None if keypoints is None else numbers_of(keypoints),
    )


def _torchvision_masks(soft: NDArray[Any]) -> list[NDArray[Any]]:
    flat = soft[:, 0] if soft.ndim == 4 else soft  # noqa: PLR2004 (object, channel, row, column)
    return list(flat if flat.dtype.kind in "biu" else flat >= _MASK_THRESHOLD)


def _confidences(values: object) -> Floats:
    found = numbers_of(values)
    if found.size and not (found.min() >= 0 and found.max() <= 1):
        raise OutputError(
            f"expected confidences of keypoints in [0, 1], got {found.min():.3g} to {found.max():.3g}",
            "torchvision gives logits: put `output['keypoints_scores'].sigmoid()` in their place",
        )
    return found


def _segments(output: Mapping[str, Any]) -> Detected:
    infos = output["segments_info"]
    if output["segmentation"] is None or isinstance(output["segmentation"], list):
        raise OutputError(
            "expected `segmentation` as a map of ids or as bitmaps, got a list",
            "call the post-processing without `return_coco_annotation`",
        )
    pixels = as_array(output["segmentation"])
    if pixels.ndim == 2:  # noqa: PLR2004 (height and width)
        bitmaps = [pixels == info["id"] for info in infos]
    else:
        bitmaps = list(pixels > _MASK_THRESHOLD)[: len(infos)]
    scores = [info.get("score") for info in infos]
    return Detected(
        classes=[info["label_id"] for info in infos],
        scores=None if None in scores else numbers_of(scores),
        masks=bitmaps,
    )


def _pipeline(output: Sequence[Mapping[str, Any]], task: Task) -> Detected:
    names = [one["label"] for one in output]
    scores = [one["score"] for one in output]
    known = None if None in scores else numbers_of(scores)
    if task.task_type is TaskType.CLASSIFICATION and output:
        return _classes(names, numbers_of(scores), task)
    sides = ("xmin", "ymin", "xmax", "ymax")
    return Detected(
        classes=names,
        scores=known,
        corners=numbers_of([[one["box"][side] for side in sides] for one in output]).reshape(-1, 4)
        if all("box" in one for one in output)
        else None,
        masks=[np.asarray(one["mask"]) > 0 for one in output] if all("mask" in one for one in output) else None,
    )


def _classes(names: Sequence[str], scores: Floats, task: Task) -> Detected:
    """Return the likeliest class; all probabilities where each category of the task has one."""
    by_name = dict(zip(names, scores.tolist(), strict=True))
    shares = None
    if {category.name for category in task.categories} == by_name.keys():
        shares = np.array([[by_name[task.by_id[one].name] for one in task.category_ids]])
    best = int(scores.argmax())
    return Detected(classes=[names[best]], scores=scores[best : best + 1], probabilities=shares)


def _category_id(task: Task, one: int | str, category_ids: Mapping[Any, int] | None) -> int:
    if category_ids is not None:
        if one not in category_ids:
            raise OutputError(f"expected a class that `category_ids` names, got {one!r}")
        return category_ids[one]
    if isinstance(one, str):
        for category in task.categories:
            if category.name == one:
                return category.id
        raise OutputError(f"expected the name of a category, got {one!r}", "say with `category_ids` which is which")
    return one


def _labels(values: object) -> Sequence[int | str]:
    return list(values) if isinstance(values, list) and all(isinstance(v, str) for v in values) else _whole(values)


def _whole(values: object) -> list[int]:
    found = numbers_of(values).ravel()
    if not np.array_equal(found, np.rint(found)):
        raise OutputError(f"expected whole class numbers, got {found.tolist()}")
    return found.astype(np.int64).tolist()


def _maybe(values: object) -> Floats | None:
    return None if values is None else numbers_of(values)


def _need(value: object, name: str) -> object:
    if value is None:
        raise OutputError(f"expected `{name}` in the output, got none")
    return value
