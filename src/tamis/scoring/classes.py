"""How much of each class is in a sample: what balancing and counting go by."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.model import TaskType, masks
from tamis.scoring.files import sum_rows
from tamis.scoring.uncertainty import probability_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import PredictionColumns, Task
    from tamis.model.columns import Floats, Ints


def class_rows(task: Task, columns: PredictionColumns) -> Floats:
    """Sum the class probabilities of each file's predictions; one without probabilities counts as one-hot.

    For semantic segmentation every row is weighted by its mask's area.

    Args:
        task: the task; its C categories are the columns, in ascending order of id.
        columns: checked predictions of that task.

    Returns:
        Shape (n_files, C), values >= 0; zeros for a file without predictions.
    """
    weights = np.ones(len(columns))
    if task.task_type is TaskType.SEMANTIC_SEGMENTATION:
        weights = masks.areas(columns.mask)
    return sum_class_rows(task, columns, weights)


def sum_class_rows(task: Task, columns: PredictionColumns, weights: Floats) -> Floats:
    """Sum the weighted class rows of each file's predictions.

    Args:
        task: the task.
        columns: checked predictions of that task.
        weights: one a prediction, shape (n,).

    Returns:
        Shape (n_files, C).
    """
    n_categories = len(task.category_ids)
    sums = np.zeros((columns.n_files, n_categories))
    given = columns.probabilities.present
    _add_one_hot(sums, columns.file[~given], category_index(task, columns.category_id[~given]), weights[~given])
    rows = probability_rows(columns, n_categories) if n_categories else np.empty((0, 0))
    return sums + sum_rows(columns.file[given], rows, weights[given], columns.n_files)


def category_counts(task: Task, columns: PredictionColumns, categories: Sequence[str] | None = None) -> Ints:
    """Count each file's predictions, those of the named categories only where names are given.

    Returns:
        Shape (n_files,).

    Raises:
        UsageError: when the task has no category of that name.
    """
    if categories is None:
        return columns.counts()
    wanted = np.array([i for name in categories for i in _ids_of(task, name)], np.int64)
    counted = np.isin(columns.category_id, wanted)
    return np.bincount(columns.file[counted], minlength=columns.n_files)


def category_index(task: Task, category_id: Ints) -> Ints:
    """Return the place of each id in `task.category_ids`, shape (n,)."""
    return np.searchsorted(np.array(task.category_ids, np.int64), category_id)


def _add_one_hot(sums: Floats, file: Ints, index: Ints, weights: Floats) -> None:
    np.add.at(sums.reshape(-1), file * sums.shape[1] + index, weights)


def _ids_of(task: Task, name: str) -> list[int]:
    ids = [category.id for category in task.categories if category.name == name]
    if not ids:
        close = get_close_matches(name, task.category_names, n=1)
        listed = ", ".join(f"`{known}`" for known in task.category_names[:20])
        more = f" and {len(task.categories) - 20} more" if len(task.categories) > 20 else ""  # noqa: PLR2004
        raise UsageError(
            f"Task `{task.name}` has no category `{name}`; it has {listed or 'none'}{more}",
            hint=f"did you mean `{close[0]}`?" if close else None,
        )
    return ids
