"""Scores of samples, from the predictions of their files. Higher = more worth labelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.model import TaskType, masks
from tamis.scoring.files import bin_sums, max_by_file, sum_by_file
from tamis.scoring.names import MEAN_UNCERTAINTY, OBJECT_FREQUENCY, OBJECTNESS, UNCERTAINTIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tamis.model import PredictionColumns, Task
    from tamis.model.columns import Bools, Floats

FREQUENCY_PENALTY = 0.25
"""What each further object of a category counts in its image; the first counts 1."""


def sample_scores(
    task: Task,
    columns: PredictionColumns,
    *,
    object_scores: Mapping[str, Floats],
    has_file: Bools | None = None,
) -> dict[str, Floats]:
    """Score every file by its predictions: the names are `SCORE_NAMES[task.task_type]`, in that order.

    Uncertainties are the maximum over a file's predictions, for semantic segmentation their mean weighted
    by mask area; a file without predictions has 0 (so has one whose masks are all empty), and a null among
    a file's predictions makes its score null. The other scores:

    - `objectness_least_confidence`: 1 - mean of the predictions' scores; 0 for none.
    - `object_frequency`: n_i as stored, not in [0, 1]; `map_object_frequency` maps it when it is read.
    - `mean_uncertainty`: 1 - mean over instances of the mean of their keypoint confidences; 0 for none,
      null where an instance has no keypoint.

    Args:
        task: the task.
        columns: checked predictions of that task.
        object_scores: what the function `object_scores` made of the same columns.
        has_file: shape (n_files,), false where the file was dropped: its scores are null; default all true.

    Returns:
        Arrays of shape (n_files,), NaN where null.
    """
    if task.task_type is TaskType.SEMANTIC_SEGMENTATION:
        weights = masks.areas(columns.mask)
        scores = {name: _weighted_mean(columns, object_scores[name], weights) for name in UNCERTAINTIES}
    else:
        scores = {name: max_by_file(columns, object_scores[name]) for name in UNCERTAINTIES}
    if task.task_type.has_objects:
        scores[OBJECTNESS] = _one_minus_mean(columns, columns.score)
        scores[OBJECT_FREQUENCY] = _object_frequency(columns)
    if task.task_type is TaskType.KEYPOINT_DETECTION:
        scores[MEAN_UNCERTAINTY] = _one_minus_mean(columns, _keypoint_confidence(columns))
    if has_file is not None:
        for values in scores.values():
            values[~has_file] = np.nan
    return scores


def map_object_frequency(frequency: Floats, *, minimum: float = 0.9) -> Floats:
    """Map stored object frequencies linearly onto [minimum, 1] over the samples that have one.

    Args:
        frequency: n_i of all samples of the task, shape (n,), NaN where null.
        minimum: what the smallest n_i becomes, in [0, 1]; the largest becomes 1, and all do if
            they are equal.

    Returns:
        Shape (n,), NaN where null.

    >>> map_object_frequency(np.array([2.0, 0.0, 1.0, np.nan])).round(6).tolist()
    [1.0, 0.9, 0.95, nan]
    """
    known = frequency[~np.isnan(frequency)]
    if not len(known):
        return frequency.copy()
    low, high = known.min(), known.max()
    if low == high:
        return np.where(np.isnan(frequency), np.nan, 1.0)
    mapped: Floats = minimum + (1 - minimum) * ((frequency - low) / (high - low))
    return mapped


def _weighted_mean(columns: PredictionColumns, values: Floats, weights: Floats) -> Floats:
    totals = sum_by_file(columns, weights)
    means = sum_by_file(columns, values * weights) / np.where(totals > 0, totals, 1)
    clipped: Floats = np.clip(means, 0.0, 1.0)
    return clipped


def _one_minus_mean(columns: PredictionColumns, values: Floats) -> Floats:
    counts = columns.counts()
    means = sum_by_file(columns, values) / np.maximum(counts, 1)
    return np.where(counts > 0, np.clip(1 - means, 0.0, 1.0), 0.0)


def _object_frequency(columns: PredictionColumns) -> Floats:
    """Sum over each file's categories of 1 + .25 * (objects of it - 1), shape (n_files,)."""
    order = np.lexsort((columns.category_id, columns.file))
    file, category = columns.file[order], columns.category_id[order]
    is_first = (np.diff(file, prepend=-1) != 0) | (np.diff(category, prepend=-1) != 0)
    return bin_sums(file, np.where(is_first, 1.0, FREQUENCY_PENALTY), columns.n_files)


def _keypoint_confidence(columns: PredictionColumns) -> Floats:
    """Mean confidence of each instance's keypoints, shape (n,); NaN where it has none."""
    n_keypoints = np.maximum(columns.keypoints.lengths, 0) // 3
    owner = np.repeat(np.arange(len(columns)), n_keypoints)
    sums = bin_sums(owner, columns.keypoints.values[2::3], len(columns))
    return np.where(n_keypoints > 0, sums / np.maximum(n_keypoints, 1), np.nan)
