"""Hypothesis strategies of tasks, predictions and prediction files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tamis.model import Category, Prediction, Task, TaskType

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

unit = st.floats(0, 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.floats(0, 1e6)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def tasks(draw: st.DrawFn, task_type: TaskType | None = None) -> Task:
    kind = task_type or draw(st.sampled_from(TaskType))
    ids = draw(st.lists(st.integers(0, 2**40), min_size=1, max_size=5, unique=True))
    n_keypoints = draw(st.integers(1, 4))
    categories = []
    for i in ids:
        has_keypoints = kind is TaskType.KEYPOINT_DETECTION and draw(st.booleans())
        names = tuple(f"point {k}" for k in range(n_keypoints)) if has_keypoints else None
        pair = st.tuples(st.integers(0, n_keypoints - 1), st.integers(0, n_keypoints - 1))
        skeleton = tuple(draw(st.lists(pair, max_size=3))) if has_keypoints and draw(st.booleans()) else None
        name = draw(text.filter(bool))
        categories.append(Category(id=i, name=name, keypoint_names=names, keypoint_skeleton=skeleton))
    return Task(name=draw(st.sampled_from(["cars", "a/b", "x@1"])), task_type=kind, categories=tuple(categories))


@st.composite
def predictions(draw: st.DrawFn, task: Task) -> Prediction:
    """One prediction without any error for an image of unknown size."""
    kind = task.task_type
    category = draw(st.sampled_from(task.categories))
    n = len(task.categories)
    bbox = st.tuples(finite, finite, sizes, sizes)
    has_bbox = kind in {TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION} or (
        kind is TaskType.KEYPOINT_DETECTION and draw(st.booleans())
    )
    keypoints = None
    if kind is TaskType.KEYPOINT_DETECTION:
        names = category.keypoint_names
        n_keypoints = draw(st.integers(0, 4)) if names is None else len(names)
        triplets = draw(st.lists(st.tuples(finite, finite, unit), min_size=n_keypoints, max_size=n_keypoints))
        keypoints = tuple(value for triplet in triplets for value in triplet)
    runs = st.lists(st.integers(0, 2**37), max_size=6).map(tuple)
    rows = st.lists(unit, min_size=n, max_size=n).map(tuple)
    return Prediction(
        category_id=category.id,
        bbox=draw(bbox) if has_bbox else None,
        segmentation=draw(runs) if kind.has_masks else None,
        keypoints=keypoints,
        score=draw(st.none() | unit if kind is TaskType.CLASSIFICATION else unit),
        probabilities=draw(st.none() | rows),
    )


def prediction_lists(task: Task) -> SearchStrategy[list[Prediction]]:
    return st.lists(predictions(task), max_size=4)


@st.composite
def tasks_with_predictions(draw: st.DrawFn, task_type: TaskType | None = None) -> tuple[Task, list[Prediction]]:
    task = draw(tasks(task_type))
    return task, draw(prediction_lists(task))
