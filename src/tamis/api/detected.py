"""What a model saw in one image, whatever library said so, and which of it a task's type has."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 (annotations of a named tuple)
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tamis.api.writer_values import as_array
from tamis.model import TaskType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_FIELDS = {
    TaskType.CLASSIFICATION: ("probabilities",),
    TaskType.OBJECT_DETECTION: ("bbox",),
    TaskType.SEMANTIC_SEGMENTATION: ("segmentation",),
    TaskType.INSTANCE_SEGMENTATION: ("bbox", "segmentation"),
    TaskType.KEYPOINT_DETECTION: ("keypoints", "bbox"),
}
_OPTIONAL = frozenset({(TaskType.CLASSIFICATION, "probabilities"), (TaskType.KEYPOINT_DETECTION, "bbox")})


class OutputError(ValueError):
    """Why an output cannot be written.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Detected(NamedTuple):
    """What a model saw in one image: n objects.

    Attributes:
        classes: the model's own numbers or names, (n,).
        scores: in [0, 1], (n,); `None` where the output has none.
        corners: x1, y1, x2, y2 in pixels, (n, 4).
        masks: bitmaps of shape (H, W), n of them.
        keypoints: x, y in pixels and a confidence, (n, K, 3).
        probabilities: one a class of the model, (n, C).
    """

    classes: Sequence[int | str]
    scores: Floats | None = None
    corners: Floats | None = None
    masks: Sequence[NDArray[Any]] | None = None
    keypoints: Floats | None = None
    probabilities: Floats | None = None


def columns_of(task_type: TaskType, found: Detected) -> dict[str, Sequence[Any]]:
    """Return the values of each field that the type has, n of each."""
    available: dict[str, Sequence[Any] | None] = {
        "bbox": None if found.corners is None else _sizes(found.corners),
        "segmentation": found.masks,
        "keypoints": None if found.keypoints is None else list(found.keypoints),
        "probabilities": None if found.probabilities is None else found.probabilities.tolist(),
    }
    if available["bbox"] is None and found.masks is not None:
        available["bbox"] = [_box_around(mask) for mask in found.masks]
    n, columns = len(found.classes), {}
    for name in _FIELDS[task_type]:
        values = available[name]
        if values is not None:
            columns[name] = values
        elif n and (task_type, name) not in _OPTIONAL:
            raise OutputError(f"expected `{name}` in the output for a task of type {task_type}, got none")
    if found.scores is not None:
        columns["score"] = found.scores.tolist()
    elif n and task_type is not TaskType.CLASSIFICATION:
        raise OutputError("expected a score of each object, got none, and none is invented")
    wrong = {name: len(values) for name, values in columns.items() if len(values) != n}
    if wrong:
        listed = ", ".join(f"{count} of {name}" for name, count in wrong.items())
        raise OutputError(f"expected {n} of each, got {listed}")
    return columns


def _sizes(corners: Floats) -> list[list[float]]:
    """Return x, y, width, height of corners."""
    sizes: list[list[float]] = np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1).tolist()
    return sizes


def _box_around(mask: NDArray[Any]) -> list[float]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return [0.0, 0.0, 0.0, 0.0]
    return [float(columns[0]), float(rows[0]), float(np.ptp(columns)) + 1, float(np.ptp(rows)) + 1]


def numbers_of(values: object) -> Floats:
    """Return anything that numpy can read, or a tensor, as 64-bit numbers."""
    return np.asarray(as_array(values), np.float64)
