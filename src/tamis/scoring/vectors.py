"""Vectors made from predictions alone, so that diversity works where there are no embeddings.

A file's vector is made of groups, each of length 1 (or 0 where the file has nothing to say on it), put end
to end and scaled to length 1. Each answers one question; a prediction of an object counts by its score.

| group | for | dimensions | what it holds |
|---|---|---|---|
| content | all | min(C, 128) | what is there: log(1 + expected number of objects) of each category; for a \
classification the square root of the mean probabilities, for semantic masks of the covered shares |
| layout | objects | 16 | where: square root of how much of each cell of a 4 x 4 grid the objects cover |
| layout | semantic | min(16 C, 128) | what is where: the same for each category and cell |
| size | objects | 6 | sqrt(box area / image area), in octaves from 1/32 to 1 |
| aspect | objects | 5 | width / height, in octaves from 1/4 to 4 |
| fill | instances | 4 | mask area / box area, from 0 to 1 |
| confidence | all | 9 | scores (of a classification: the largest probability) from 0 to 1, and "not known" |
| pose | keypoints | 5 | keypoint confidences from 0 to 1 |
| amount | all | 8 | number of objects expected (else of entries or masks): 0, 1, 3, ... 127 |

Histograms are soft (`sketch.soft_bins`), so a small change of a prediction is a small change of the vector.
`amount` is there whatever a file holds: one without predictions has a vector too, and all such share it.

Limits: the vector knows what the model saw, not what is in the picture; what the model misses everywhere
looks like nothing. Objects are not told apart within a cell. More than 128 categories share dimensions
(`sketch.sketch`). Without an image size, boxes are relative to their own extent, so a shift or a scale of
all the boxes of such a file goes unseen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tamis.model import PredictionColumns, Ragged, Task, TaskType, masks
from tamis.scoring.classes import category_index, sum_class_rows
from tamis.scoring.files import bin_sums, blocks_of_files, file_starts, sum_rows
from tamis.scoring.geometry import GRID, grid_coverage, mask_coverage, object_corners, relative_corners
from tamis.scoring.sketch import sketch, sketch_size, soft_bins, unit_rows
from tamis.scoring.uncertainty import probability_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tamis.model.columns import Floats, Ints

_SIZES, _ASPECTS, _FILLS, _CONFIDENCES, _POSES, _AMOUNTS = 6, 5, 4, 8, 5, 8
_CELLS = GRID * GRID
_BLOCK_ROWS = 4096
_BLOCK_VALUES = 1 << 22
_SMALLEST = 1e-9


def prediction_vectors(task: Task, columns: PredictionColumns, widths: Ints, heights: Ints) -> NDArray[np.float32]:
    """Describe each file by its predictions: what is in it, where, how large, how sure, how much.

    Args:
        task: the task.
        columns: checked predictions of that task.
        widths: image widths in pixels, 0 = unknown, shape (n_files,).
        heights: image heights in pixels, 0 = unknown, shape (n_files,).

    Returns:
        Rows of length 1, shape (n_files, d); `vector_names(task)` says what each dimension holds. A row
        depends on its own file only, and not on the order of its predictions.

    >>> from tamis.model import Category
    >>> task = Task(name="t", task_type=TaskType.CLASSIFICATION, categories=(Category(id=0, name="cat"),))
    >>> none = Ragged(np.zeros(0), np.zeros(0, np.int64))
    >>> empty = PredictionColumns(1, none.lengths, none.lengths, none.lengths, none.values,
    ...                           np.zeros((0, 4)), none, none, none)
    >>> prediction_vectors(task, empty, np.array([0]), np.array([0])).nonzero()[1].tolist()
    [10]
    >>> vector_names(task)[10]
    'amount 0'
    """
    names = vector_names(task)
    vectors = np.zeros((columns.n_files, len(names)), np.float32)
    vectors[:, names.index("amount 0")] = 1
    for files, part in _blocks(task, columns):
        groups = [unit_rows(group) for group in _groups(task, part, widths[files], heights[files])]
        vectors[files] = unit_rows(np.concatenate(groups, axis=1))
    return vectors


def vector_names(task: Task) -> tuple[str, ...]:
    """Return what each dimension of the task's vectors holds, shape (d,)."""
    names = [f"{group} {i}" for group, size in _sizes(task).items() for i in range(size)]
    return tuple(names)


def _block_rows(task: Task) -> int:
    """How many predictions to describe at once: 16 values a category each, in about 32 MiB at most."""
    return max(min(_BLOCK_ROWS, _BLOCK_VALUES // (_CELLS * max(len(task.category_ids), 1))), 1)


def _blocks(task: Task, columns: PredictionColumns) -> Iterator[tuple[Ints, PredictionColumns]]:
    """Yield blocks of whole files: which files have predictions in it, and those, numbered by them."""
    lists = {"probabilities": columns.probabilities, "mask": columns.mask, "keypoints": columns.keypoints}
    offsets = {name: rows.offsets for name, rows in lists.items()}
    for block in blocks_of_files(columns.file, _block_rows(task)):
        file = columns.file[block]
        starts = file_starts(file)
        part = {
            name: Ragged(rows.values[slice(*offsets[name][[block.start, block.stop]])], rows.lengths[block])
            for name, rows in lists.items()
        }
        yield (
            file[starts],
            PredictionColumns(
                n_files=len(starts),
                file=np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(file)))),
                position=columns.position[block],
                category_id=columns.category_id[block],
                score=columns.score[block],
                bbox=columns.bbox[block],
                **part,
            ),
        )


def _sizes(task: Task) -> dict[str, int]:
    n_categories, kind = len(task.category_ids), task.task_type
    sizes = {"content": sketch_size(n_categories)}
    if kind is TaskType.SEMANTIC_SEGMENTATION:
        sizes["layout"] = sketch_size(n_categories * _CELLS)
    if kind.has_objects:
        sizes |= {"layout": _CELLS, "size": _SIZES, "aspect": _ASPECTS}
    if kind is TaskType.INSTANCE_SEGMENTATION:
        sizes["fill"] = _FILLS
    sizes["confidence"] = _CONFIDENCES + 1
    if kind is TaskType.KEYPOINT_DETECTION:
        sizes["pose"] = _POSES
    return sizes | {"amount": _AMOUNTS}


def _groups(task: Task, columns: PredictionColumns, widths: Ints, heights: Ints) -> Iterator[Floats]:
    """Yield the groups of `_sizes`, each of shape (n_files, its size)."""
    kind = task.task_type
    weights = columns.score if kind.has_objects else np.ones(len(columns))
    yield _content(task, columns, weights)
    if kind is TaskType.SEMANTIC_SEGMENTATION:
        yield _class_layout(task, columns, widths, heights)
    if kind.has_objects:
        yield from _shapes(columns, weights, widths, heights)
    if kind is TaskType.INSTANCE_SEGMENTATION:
        yield _fill(columns, weights)
    yield _confidence(task, columns)
    if kind is TaskType.KEYPOINT_DETECTION:
        yield _pose(columns)
    yield soft_bins(np.log2(1 + bin_sums(columns.file, weights, columns.n_files)), _AMOUNTS)


def _content(task: Task, columns: PredictionColumns, weights: Floats) -> Floats:
    if task.task_type is TaskType.SEMANTIC_SEGMENTATION:
        weights = masks.areas(columns.mask)
    sums = sum_class_rows(task, _with_shares(task, columns), weights)
    content = np.log1p(sums) if task.task_type.has_objects else np.sqrt(sums)
    return sketch(content, task.category_ids)


def _with_shares(task: Task, columns: PredictionColumns) -> PredictionColumns:
    """Scale probability rows to a sum of 1; those that sum to 0 become null, which counts as one-hot."""
    n_categories = len(task.category_ids)
    rows = probability_rows(columns, n_categories)
    totals = rows.sum(axis=1)
    lengths = columns.probabilities.lengths.copy()
    lengths[np.flatnonzero(columns.probabilities.present)[totals == 0]] = -1
    shares = rows[totals > 0] / totals[totals > 0, None]
    return replace(columns, probabilities=Ragged(shares.reshape(-1), lengths))


def _class_layout(task: Task, columns: PredictionColumns, widths: Ints, heights: Ints) -> Floats:
    """Lay out semantic masks: one item for each category and cell."""
    n_items = len(task.category_ids) * _CELLS
    cells = mask_coverage(columns, widths, heights)
    first = category_index(task, columns.category_id) * _CELLS
    covered = np.zeros((columns.n_files, n_items))
    np.add.at(covered, (columns.file[:, None], first[:, None] + np.arange(_CELLS)), cells)
    items = [category_id * _CELLS + cell for category_id in task.category_ids for cell in range(_CELLS)]
    return sketch(np.sqrt(covered), items)


def _shapes(columns: PredictionColumns, weights: Floats, widths: Ints, heights: Ints) -> Iterator[Floats]:
    """Yield layout, size and aspect of the objects that have a box."""
    corners = object_corners(columns)
    has_box = ~np.isnan(corners).any(axis=1)
    file, corners, weights = columns.file[has_box], corners[has_box], weights[has_box]
    relative = relative_corners(corners, file, widths, heights)
    yield np.sqrt(sum_rows(file, grid_coverage(relative), weights, columns.n_files))
    area = np.prod(relative[:, 2:] - relative[:, :2], axis=1)
    sizes = np.log2(np.maximum(area, _SMALLEST)) / 2 + _SIZES - 1
    yield sum_rows(file, soft_bins(sizes, _SIZES), weights, columns.n_files)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], _SMALLEST)
    aspects = np.log2(sides[:, 0] / sides[:, 1]) + _ASPECTS // 2
    yield sum_rows(file, soft_bins(aspects, _ASPECTS), weights, columns.n_files)


def _fill(columns: PredictionColumns, weights: Floats) -> Floats:
    boxes = np.prod(columns.bbox[:, 2:], axis=1)
    given = boxes > 0
    shares = masks.areas(columns.mask)[given] / boxes[given]
    bins = soft_bins(shares * (_FILLS - 1), _FILLS)
    return sum_rows(columns.file[given], bins, weights[given], columns.n_files)


def _confidence(task: Task, columns: PredictionColumns) -> Floats:
    confidence = columns.score.copy()
    if task.task_type is TaskType.CLASSIFICATION:
        rows = probability_rows(columns, len(task.category_ids))
        confidence[columns.probabilities.present] = rows.max(axis=1, initial=0)
    unknown = np.isnan(confidence)
    bins = soft_bins(np.where(unknown, 0, confidence) * (_CONFIDENCES - 1), _CONFIDENCES)
    bins[unknown] = 0
    profile = np.concatenate([bins, unknown[:, None].astype(np.float64)], axis=1)
    return sum_rows(columns.file, profile, np.ones(len(columns)), columns.n_files)


def _pose(columns: PredictionColumns) -> Floats:
    confidence = columns.keypoints.values[2::3]
    file = np.repeat(columns.file, np.maximum(columns.keypoints.lengths, 0) // 3)
    bins = soft_bins(confidence * (_POSES - 1), _POSES)
    return sum_rows(file, bins, np.ones(len(file)), columns.n_files)
