"""Tasks: what a model predicts, and the categories that it predicts from."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property

import msgspec


class TaskType(StrEnum):
    """The five kinds of predictions."""

    CLASSIFICATION = "classification"
    OBJECT_DETECTION = "object-detection"
    SEMANTIC_SEGMENTATION = "semantic-segmentation"
    INSTANCE_SEGMENTATION = "instance-segmentation"
    KEYPOINT_DETECTION = "keypoint-detection"

    @property
    def has_objects(self) -> bool:
        """Whether each prediction is one object of the image."""
        return self in _OBJECT_TYPES

    @property
    def has_masks(self) -> bool:
        """Whether each prediction carries a mask."""
        return self in {TaskType.SEMANTIC_SEGMENTATION, TaskType.INSTANCE_SEGMENTATION}


_OBJECT_TYPES = frozenset({TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION, TaskType.KEYPOINT_DETECTION})


class Category(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One category of a task.

    Attributes:
        id: what predictions name it by, >= 0, unique in its task; gaps are allowed.
        name: what people name it by.
        keypoint_names: names of its keypoints in the order of the predictions' triplets.
        keypoint_skeleton: pairs of 0-based indices into the keypoints that a line connects.
    """

    id: int
    name: str
    keypoint_names: tuple[str, ...] | None = None
    keypoint_skeleton: tuple[tuple[int, int], ...] | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A task: its name (the folder), its type and its categories in the order of the schema."""

    name: str
    task_type: TaskType
    categories: tuple[Category, ...]

    @cached_property
    def category_ids(self) -> tuple[int, ...]:
        """Ids in ascending order: the order of every `probabilities` list."""
        return tuple(sorted(category.id for category in self.categories))

    @cached_property
    def by_id(self) -> dict[int, Category]:
        """Categories by their id."""
        return {category.id: category for category in self.categories}

    @property
    def category_names(self) -> tuple[str, ...]:
        """Names in ascending order of id."""
        return tuple(self.by_id[i].name for i in self.category_ids)
