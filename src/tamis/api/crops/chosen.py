"""Which objects of a task are cut out: those that are named, of a category, sure and large enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.selecting.rows import SCORE, Rows
from tamis.errors import UsageError
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.crops.options import CropOptions
    from tamis.api.embedding.targets import Target
    from tamis.index import Snapshot
    from tamis.model import Task
    from tamis.model.columns import Bools


class ChosenObjects(NamedTuple):
    """Which objects are cut out.

    Attributes:
        rows: whether each object of the target is, shape (n,).
        n_others: keys of objects of other tasks, which were passed over.
        n_gone: keys that the index does not have, likewise.
    """

    rows: Bools
    n_others: int
    n_gone: int


def task_of_objects(snapshot: Snapshot, keys: Sequence[str] | None) -> str:
    """Return whose objects are meant where no task is said: of the one that the keys name, or the only one.

    Args:
        snapshot: of the index.
        keys: samples and objects that are asked for; `None`: all.

    Raises:
        UsageError: when it could be more than one, or none.
    """
    tasks = [task.name for task in snapshot.tasks if task.task_type.has_objects]
    if not tasks:
        raise UsageError(
            "No task of this datasource has objects", hint="crops are cut around boxes, masks or keypoints"
        )
    named = {key.task for key in map(parse_object_key, keys or ()) if key is not None}
    meant = [task for task in tasks if task in named] or tasks
    if len(meant) == 1:
        return meant[0]
    known = ", ".join(f"`{task}`" for task in meant)
    raise UsageError("Whose objects are meant is not said", hint=f"give `--task`; tasks with objects: {known}")


def chosen_objects(target: Target, options: CropOptions) -> ChosenObjects:
    """Return which objects are asked for.

    Raises:
        UsageError: when a key is of nothing and none may be passed over, or all of them would be.
    """
    keys, n_others, n_gone = options.keys, 0, 0
    chosen = np.ones(len(target), np.bool_)
    if keys is not None:
        chosen, unknown = _named(target, keys)
        _refuse(unknown, n_names=len(set(keys)), options=options)
        n_others = _count_other_tasks(target, unknown)
        n_gone = len(unknown) - n_others
    return ChosenObjects(chosen & _wanted(target, options), n_others, n_gone)


def _wanted(target: Target, options: CropOptions) -> Bools:
    """Return which objects are of the categories, sure and large enough, shape (n,)."""
    rows = Rows(target.samples, target)
    chosen: Bools = np.ones(len(target), np.bool_)
    if options.categories is not None and target.task is not None:
        chosen &= np.isin(rows.category_ids, _category_ids(target.task, options.categories))
    if options.min_score is not None:
        chosen &= rows.own_scores([SCORE])[SCORE] >= options.min_score
    if target.boxes is not None:
        # Boxes that are none are chosen, and reported: they are faults of the data, not small objects.
        small = (target.boxes[:, 2:] < options.min_size_px).any(axis=1) & (target.boxes[:, 2:] > 0).all(axis=1)
        chosen &= ~small
    return chosen


def _named(target: Target, keys: Sequence[str]) -> tuple[Bools, list[str]]:
    """Return which objects are named, or lie in a sample that is; and the keys that are of neither."""
    names = list(dict.fromkeys(keys))
    at = target.samples.positions(names)
    chosen: Bools = np.isin(target.owner, at[at >= 0])
    others = [name for name, position in zip(names, at.tolist(), strict=True) if position < 0]
    rows = target.named(others)
    chosen[rows[rows >= 0]] = True
    return chosen, [name for name, row in zip(others, rows.tolist(), strict=True) if row < 0]


def _refuse(unknown: Sequence[str], *, n_names: int, options: CropOptions) -> None:
    if unknown and not (options.pass_over and len(unknown) < n_names):
        raise UsageError(
            f"{len(unknown):,} of {n_names:,} names are neither samples nor objects of the task: `{unknown[0]}` "
            "is the first",
            hint="run `tamis scan`, or correct the list",
        )


def _count_other_tasks(target: Target, names: Sequence[str]) -> int:
    tasks = {task.name for task in target.samples.snapshot.tasks if task != target.task}
    return sum(key is not None and key.task in tasks for key in map(parse_object_key, names))


def _category_ids(task: Task, names: Sequence[str]) -> list[int]:
    ids = {category.name: category.id for category in task.categories}
    unknown = [name for name in names if name not in ids]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in list(ids)[:20])
        raise UsageError(f"Task `{task.name}` has no category `{unknown[0]}`", hint=f"categories: {listed}")
    return [ids[name] for name in names]
