"""What a prediction file looks like as JSON, one struct a task type: presence, JSON types, the length of a box.

Values (ranges, sums, known categories) are the business of `rules`: fast and slow reading share them. Integers
are bounded so that they fit the columns.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from tamis.model import TaskType

MAX_CATEGORY_ID = 2**63 - 1
NO_CATEGORY = -(2**63)  # of what is saved of a prediction without one; no schema has it
MAX_RUN = 2**37  # a file within the size limit holds fewer than 2**26 runs: their sum fits 64 bits

CategoryId = Annotated[int, msgspec.Meta(ge=-MAX_CATEGORY_ID - 1, le=MAX_CATEGORY_ID)]
RunLength = Annotated[int, msgspec.Meta(ge=-MAX_RUN, le=MAX_RUN)]
Box = tuple[float, float, float, float]


class ClassificationEntry(msgspec.Struct, gc=False):
    """One category of an image."""

    category_id: CategoryId
    score: float | None = None
    probabilities: tuple[float, ...] | None = None


class DetectionEntry(msgspec.Struct, gc=False):
    """One object and its box."""

    category_id: CategoryId
    bbox: Box
    score: float
    probabilities: tuple[float, ...] | None = None


class SemanticEntry(msgspec.Struct, gc=False):
    """One category and its mask."""

    category_id: CategoryId
    segmentation: tuple[RunLength, ...]
    score: float
    probabilities: tuple[float, ...] | None = None


class InstanceEntry(msgspec.Struct, gc=False):
    """One object, its mask and its box."""

    category_id: CategoryId
    segmentation: tuple[RunLength, ...]
    bbox: Box
    score: float
    probabilities: tuple[float, ...] | None = None


class KeypointEntry(msgspec.Struct, gc=False):
    """One object and its keypoints."""

    category_id: CategoryId
    keypoints: tuple[float, ...]
    score: float
    bbox: Box | None = None
    probabilities: tuple[float, ...] | None = None


Entry = ClassificationEntry | DetectionEntry | SemanticEntry | InstanceEntry | KeypointEntry
AnyEntry = TypeVar("AnyEntry", bound=Entry)


class WireFile(msgspec.Struct, Generic[AnyEntry], gc=False):
    """A whole prediction file; `filename` is read as an alias of `file_name`."""

    predictions: list[AnyEntry]
    file_name: str | None = None
    filename: str | None = None


ENTRY_TYPES: dict[TaskType, type[Entry]] = {
    TaskType.CLASSIFICATION: ClassificationEntry,
    TaskType.OBJECT_DETECTION: DetectionEntry,
    TaskType.SEMANTIC_SEGMENTATION: SemanticEntry,
    TaskType.INSTANCE_SEGMENTATION: InstanceEntry,
    TaskType.KEYPOINT_DETECTION: KeypointEntry,
}

FILE_TYPES: dict[TaskType, object] = {
    TaskType.CLASSIFICATION: WireFile[ClassificationEntry],
    TaskType.OBJECT_DETECTION: WireFile[DetectionEntry],
    TaskType.SEMANTIC_SEGMENTATION: WireFile[SemanticEntry],
    TaskType.INSTANCE_SEGMENTATION: WireFile[InstanceEntry],
    TaskType.KEYPOINT_DETECTION: WireFile[KeypointEntry],
}
"""What `msgspec.json.Decoder` takes for each task type."""


def field_names(task_type: TaskType) -> tuple[str, ...]:
    """Return the keys of one prediction of a task type, those that may be absent included.

    >>> field_names(TaskType.CLASSIFICATION)
    ('category_id', 'score', 'probabilities')
    """
    return ENTRY_TYPES[task_type].__struct_fields__


def required_fields(task_type: TaskType) -> tuple[str, ...]:
    """Return the keys that every prediction of a task type has: they come first among `field_names`.

    >>> required_fields(TaskType.KEYPOINT_DETECTION)
    ('category_id', 'keypoints', 'score')
    """
    entry_type = ENTRY_TYPES[task_type]
    fields = entry_type.__struct_fields__
    return fields[: len(fields) - len(entry_type.__struct_defaults__)]
