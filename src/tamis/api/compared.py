"""What of two tasks can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.errors import UsageError
from tamis.model import TaskType
from tamis.scoring.matching import Shape

if TYPE_CHECKING:
    from tamis.model import Task

_OWN = {
    TaskType.SEMANTIC_SEGMENTATION: Shape.MASKS,
    TaskType.INSTANCE_SEGMENTATION: Shape.MASKS,
    TaskType.KEYPOINT_DETECTION: Shape.KEYPOINTS,
}


def compared_shape(first: Task, second: Task, wanted: Shape | None) -> Shape:
    """Return what of the predictions of two tasks is compared: what both have, or boxes.

    Of classifications nothing is, whatever this returns.

    Raises:
        UsageError: when they cannot be compared, or one does not have what is wanted.
    """
    one, other = first.task_type, second.task_type
    if not (one.has_objects and other.has_objects):
        if one is not other:
            raise UsageError(f"`{first.name}` is of type {one}, `{second.name}` of type {other}")
        if wanted is not None:
            raise UsageError(f"A task of type {one} has no {wanted} to compare")
        return _OWN.get(one, Shape.BOXES)
    both = _OWN.get(one, Shape.BOXES) if one is other else Shape.BOXES
    if wanted not in {None, both, Shape.BOXES}:
        raise UsageError(
            f"Not both have {wanted}: `{first.name}` is of type {one}, `{second.name}` of type {other}"
        )
    return wanted or both
