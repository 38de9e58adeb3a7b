"""Hypothesis strategies of small tasks with predictions that keep every rule, for images of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from tamis.model import Category, Prediction, Task, TaskType, masks

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 12, 8
KEYS = ["a.png", "day 1/b.c.png", "day 1/é/d.png"]
POINTS = ("nose", "left ear")

unit = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Boxes within the image."""
    left, right = sorted(draw(st.tuples(st.floats(0, WIDTH - 1), st.floats(1, WIDTH))))
    top, bottom = sorted(draw(st.tuples(st.floats(0, HEIGHT - 1), st.floats(1, HEIGHT))))
    return left, top, max(right - left, 0.5), max(bottom - top, 0.5)


@st.composite
def predictions(draw: st.DrawFn, kind: TaskType) -> Prediction:
    pixels = draw(st.lists(st.booleans(), min_size=WIDTH * HEIGHT, max_size=WIDTH * HEIGHT))
    runs = tuple(masks.encode(np.array(pixels).reshape(HEIGHT, WIDTH)).tolist()) if kind.has_masks else None
    points = st.lists(st.tuples(unit, unit, unit), min_size=2, max_size=2)
    is_keypoints = kind is TaskType.KEYPOINT_DETECTION
    has_box = kind.has_objects and (not is_keypoints or draw(st.booleans()))
    return Prediction(
        category_id=draw(st.sampled_from([4, 90])),
        bbox=draw(boxes()) if has_box else None,
        segmentation=runs,
        keypoints=tuple(n for point in draw(points) for n in point) if is_keypoints else None,
        score=draw(st.none() | unit if kind is TaskType.CLASSIFICATION else unit),
        probabilities=draw(st.none() | st.tuples(unit, unit)),
    )


@st.composite
def datasources(
    draw: st.DrawFn, kinds: Sequence[TaskType] = tuple(TaskType)
) -> tuple[Task, dict[str, list[Prediction]]]:
    kind = draw(st.sampled_from(kinds))
    names = POINTS if kind is TaskType.KEYPOINT_DETECTION else None
    categories = (
        Category(id=90, name="tree", keypoint_names=names, keypoint_skeleton=names and ((0, 1),)),
        Category(id=4, name='car, "red"', keypoint_names=names),
    )
    task = Task(name="t", task_type=kind, categories=categories)
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1))
    return task, {key: draw(st.lists(predictions(kind), max_size=3)) for key in keys}
