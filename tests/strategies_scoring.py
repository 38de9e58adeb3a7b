"""Hypothesis strategies and builders for scoring: random files of predictions, as values and as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from tamis.model import Category, Prediction, PredictionColumns, Ragged, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Sequence

Files = list[list[Prediction]]

unit = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


def make_task(task_type: TaskType | str, ids: Sequence[int]) -> Task:
    categories = tuple(Category(id=i, name=f"class {i}") for i in ids)
    return Task(name="task", task_type=TaskType(task_type), categories=categories)


def columns_of(files: Files) -> PredictionColumns:
    """Lay the predictions of files out as columns, one prediction at a time."""
    flat = [(f, p, one) for f, ones in enumerate(files) for p, one in enumerate(ones)]
    nan = float("nan")
    return PredictionColumns(
        n_files=len(files),
        file=np.array([f for f, _, _ in flat], np.int64),
        position=np.array([p for _, p, _ in flat], np.int64),
        category_id=np.array([one.category_id for _, _, one in flat], np.int64),
        score=np.array([nan if one.score is None else one.score for _, _, one in flat], np.float64),
        bbox=np.array([one.bbox or (nan,) * 4 for _, _, one in flat], np.float64).reshape(-1, 4),
        probabilities=Ragged.from_rows([one.probabilities for _, _, one in flat]),
        mask=Ragged.from_rows([one.segmentation for _, _, one in flat], np.int64),
        keypoints=Ragged.from_rows([one.keypoints for _, _, one in flat]),
    )


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    ids = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True))
    return make_task(draw(st.sampled_from(list(TaskType))), ids)


def _row(draw: st.DrawFn, n_categories: int) -> tuple[float, ...] | None:
    values = draw(st.one_of(st.none(), st.lists(unit, min_size=n_categories, max_size=n_categories)))
    return None if values is None else tuple(values)


@st.composite
def predictions(draw: st.DrawFn, task: Task, mask_size: tuple[int, int] = (4, 6)) -> Prediction:
    fields: dict[str, Any] = {
        "category_id": draw(st.sampled_from(task.category_ids)),
        "score": draw(unit),
        "probabilities": _row(draw, len(task.category_ids)),
    }
    task_type = task.task_type
    if task_type is TaskType.CLASSIFICATION and draw(st.booleans()):
        fields["score"] = None
    if task_type.has_objects:
        x, y = draw(st.floats(0, 500)), draw(st.floats(0, 300))
        fields["bbox"] = (x, y, draw(st.floats(0.5, 300)), draw(st.floats(0.5, 300)))
    if task_type.has_masks:
        n_pixels = mask_size[0] * mask_size[1]
        cuts = sorted(draw(st.lists(st.integers(0, n_pixels), max_size=6)))
        fields["segmentation"] = tuple(np.diff([0, *cuts, n_pixels]).tolist())
    if task_type is TaskType.KEYPOINT_DETECTION:
        n_values = 3 * draw(st.integers(0, 3))
        fields["keypoints"] = tuple(draw(st.lists(unit, min_size=n_values, max_size=n_values)))
        if draw(st.booleans()):
            del fields["bbox"]
    return Prediction(**fields)


@st.composite
def scenes(draw: st.DrawFn, task: Task | None = None) -> tuple[Task, Files]:
    """A task and the predictions of a few files, some without any."""
    task = task or draw(tasks())
    files = draw(st.lists(st.lists(predictions(task), max_size=4), max_size=5))
    return task, files
