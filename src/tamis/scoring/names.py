"""Which scores there are, and the error for one that is not there."""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from tamis.errors import UsageError
from tamis.model import Task, TaskType
from tamis.scoring.uncertainty import ENTROPY, LEAST_CONFIDENCE, MARGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

OBJECTNESS = "objectness_least_confidence"
OBJECT_FREQUENCY = "object_frequency"
MEAN_UNCERTAINTY = "mean_uncertainty"

UNCERTAINTIES = (LEAST_CONFIDENCE, MARGIN, ENTROPY)
_OBJECT_SCORES = (*UNCERTAINTIES, OBJECTNESS, OBJECT_FREQUENCY)

SCORE_NAMES: Mapping[TaskType, tuple[str, ...]] = MappingProxyType(
    {
        TaskType.CLASSIFICATION: UNCERTAINTIES,
        TaskType.OBJECT_DETECTION: _OBJECT_SCORES,
        TaskType.SEMANTIC_SEGMENTATION: UNCERTAINTIES,
        TaskType.INSTANCE_SEGMENTATION: _OBJECT_SCORES,
        TaskType.KEYPOINT_DETECTION: (*_OBJECT_SCORES, MEAN_UNCERTAINTY),
    }
)
"""The per-sample scores of each task type, in the order in which they are stored and shown."""


def available_scores(task: Task, *, has_probabilities: bool, has_confidences: bool = True) -> tuple[str, ...]:
    """Return the scores that a task's predictions can be given.

    Args:
        task: the task.
        has_probabilities: whether any of its predictions has class probabilities.
        has_confidences: whether any of its predictions has a `score` (only a classification may have none).

    >>> from tamis.model import Category
    >>> cats = (Category(id=0, name="cat"), Category(id=1, name="dog"))
    >>> available_scores(Task(name="t", task_type=TaskType.CLASSIFICATION, categories=cats),
    ...                  has_probabilities=False)
    ('uncertainty_least_confidence',)
    """
    names = SCORE_NAMES[task.task_type]
    if has_probabilities or (len(task.categories) == 1 and has_confidences):
        return names
    missing = {MARGIN, ENTROPY} if has_confidences else set(UNCERTAINTIES)
    return tuple(name for name in names if name not in missing)


def check_score(
    task: Task, name: str, *, has_probabilities: bool, has_confidences: bool = True, more: tuple[str, ...] = ()
) -> None:
    """Refuse a score that a task does not have.

    Args:
        task: as for `available_scores`.
        name: of the score.
        has_probabilities: as for `available_scores`.
        has_confidences: as for `available_scores`.
        more: what may be named besides the task's scores.

    Raises:
        UsageError: naming what the task has instead.
    """
    available = more + available_scores(task, has_probabilities=has_probabilities, has_confidences=has_confidences)
    if name in available:
        return
    listed = ", ".join(f"`{score}`" for score in available) or "no score at all"
    raise UsageError(
        f"Task `{task.name}` has no score `{name}`: {_reason(task, name)}; it has {listed}",
        hint=_hint(task, name, available),
    )


def _reason(task: Task, name: str) -> str:
    if name in SCORE_NAMES[task.task_type]:
        if name == LEAST_CONFIDENCE:
            return "its predictions have neither `probabilities` nor `score`"
        return "its predictions have no `probabilities`"
    if any(name in names for names in SCORE_NAMES.values()):
        return f"a task of type {task.task_type} cannot have it"
    return "there is no score of that name"


def _hint(task: Task, name: str, available: tuple[str, ...]) -> str | None:
    if name in SCORE_NAMES[task.task_type]:
        return "write the probability of every category, in ascending order of id, as `probabilities`"
    close = get_close_matches(name, available, n=1)
    return f"did you mean `{close[0]}`?" if close else None
