"""Where objects lie in their images: relative boxes, and how much of each cell of a grid is covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.model import masks
from tamis.scoring.files import bin_sums, file_starts

if TYPE_CHECKING:
    from tamis.model import PredictionColumns
    from tamis.model.columns import Floats, Ints

GRID = 4
"""Cells along each side of the image."""

_EDGES = np.arange(GRID + 1) / GRID


def object_corners(columns: PredictionColumns) -> Floats:
    """Return left, top, right, bottom of every object in pixels, shape (n, 4).

    The bbox; where it is null, the extent of the keypoints whose confidence is not 0; where there is none
    either, NaN.
    """
    corners = np.concatenate([columns.bbox[:, :2], columns.bbox[:, :2] + columns.bbox[:, 2:]], axis=1)
    boxless = np.isnan(corners).any(axis=1)
    if boxless.any():
        corners[boxless] = _keypoint_corners(columns)[boxless]
    return corners


def relative_corners(corners: Floats, file: Ints, widths: Ints, heights: Ints) -> Floats:
    """Scale corners to [0, 1] x [0, 1] by the size of their image.

    Where the size is unknown (0), the extent of all the file's objects stands for the image.

    Args:
        corners: left, top, right, bottom in pixels, all finite; shape (n, 4).
        file: which file each is of, ascending; shape (n,).
        widths: in pixels, 0 = unknown, shape (n_files,).
        heights: in pixels, 0 = unknown, shape (n_files,).

    Returns:
        Shape (n, 4), parts outside the image cut off.

    >>> corners = np.array([[-5.0, 0, 50, 20]])
    >>> relative_corners(corners, np.array([0]), np.array([100]), np.array([40])).tolist()
    [[0.0, 0.0, 0.5, 0.5]]
    """
    if not len(corners):
        return corners
    starts = file_starts(file)
    known = (widths > 0) & (heights > 0)
    origin, size = np.zeros((len(widths), 2)), np.stack([widths, heights], axis=1).astype(np.float64)
    low = np.minimum.reduceat(corners[:, :2], starts, axis=0)
    high = np.maximum.reduceat(corners[:, 2:], starts, axis=0)
    unknown = ~known[file[starts]]
    origin[file[starts][unknown]] = low[unknown]
    size[file[starts][unknown]] = np.where(high > low, high - low, 1)[unknown]
    relative = (corners - np.tile(origin, 2)[file]) / np.tile(size, 2)[file]
    clipped: Floats = np.clip(relative, 0.0, 1.0)
    return clipped


def grid_coverage(corners: Floats) -> Floats:
    """Return how much of each cell, row by row from the top left, relative corners (n, 4) cover: (n, 16).

    >>> grid_coverage(np.array([[0.0, 0.0, 1.0, 0.125]])).round(2).tolist()[0][:6]
    [0.5, 0.5, 0.5, 0.5, 0.0, 0.0]
    """
    left, top, right, bottom = corners.T[:, :, None]
    across = np.clip(np.minimum(right, _EDGES[1:]) - np.maximum(left, _EDGES[:-1]), 0, None) * GRID
    down = np.clip(np.minimum(bottom, _EDGES[1:]) - np.maximum(top, _EDGES[:-1]), 0, None) * GRID
    covered: Floats = down[:, :, None] * across[:, None, :]
    return covered.reshape(len(corners), GRID * GRID)


def mask_coverage(columns: PredictionColumns, widths: Ints, heights: Ints) -> Floats:
    """Return how much of each cell every mask covers, shape (n, 16).

    A run of ones is at most three rectangles (the end of its first row, whole rows, the start of its last),
    so masks are never decoded. Where the image size is unknown, rows cannot be told: the covered share
    stands in all cells.

    Args:
        columns: predictions with masks, none null.
        widths: in pixels, 0 = unknown, shape (n_files,).
        heights: in pixels, 0 = unknown, shape (n_files,).
    """
    totals = bin_sums(columns.mask.row_of_value(), columns.mask.values.astype(np.float64), len(columns))
    shares = masks.areas(columns.mask) / np.maximum(totals, 1)
    coverage = np.repeat(shares[:, None], GRID * GRID, axis=1)
    width, height = widths[columns.file], heights[columns.file]
    known = (width > 0) & (height > 0)
    coverage[known] = 0
    owner, start, stop = _runs_of_ones(columns)
    keep = known[owner]
    owner, rectangles = _rectangles(owner[keep], start[keep], stop[keep], width[owner[keep]])
    scale = np.stack([width, height, width, height], axis=1)[owner]
    np.add.at(coverage, owner, grid_coverage(np.clip(rectangles / scale, 0, 1)))
    return coverage


def _runs_of_ones(columns: PredictionColumns) -> tuple[Ints, Ints, Ints]:
    """Return of every run of ones which prediction it is of, and its first and past-the-last pixel."""
    offsets, owner = columns.mask.offsets, columns.mask.row_of_value()
    ends = np.cumsum(columns.mask.values)
    before = np.append(0, ends)[offsets[:-1]]
    in_row = np.arange(len(owner)) - offsets[owner]
    chosen = np.flatnonzero((in_row % 2 == 1) & (columns.mask.values > 0))
    stop = ends[chosen] - before[owner[chosen]]
    return owner[chosen], stop - columns.mask.values[chosen], stop


def _rectangles(owner: Ints, start: Ints, stop: Ints, width: Ints) -> tuple[Ints, Floats]:
    """Cut runs of pixels into rectangles left, top, right, bottom; shapes (n,) and (n, 4)."""
    first_row, last_row = start // width, (stop - 1) // width
    is_single = first_row == last_row
    left, right = start % width, (stop - 1) % width + 1
    zero = np.zeros_like(left)
    head = np.stack([left, first_row, np.where(is_single, right, width), first_row + 1], axis=1)
    body = np.stack([zero, first_row + 1, width, last_row], axis=1)[last_row - first_row > 1]
    tail = np.stack([zero, last_row, right, last_row + 1], axis=1)[~is_single]
    owners = np.concatenate([owner, owner[last_row - first_row > 1], owner[~is_single]])
    return owners, np.concatenate([head, body, tail]).astype(np.float64)


def _keypoint_corners(columns: PredictionColumns) -> Floats:
    corners = np.full((len(columns), 4), np.nan)
    triplets = columns.keypoints.values.reshape(-1, 3)
    owner = np.repeat(np.arange(len(columns)), np.maximum(columns.keypoints.lengths, 0) // 3)
    seen = triplets[:, 2] > 0
    points, owner = triplets[seen, :2], owner[seen]
    starts = file_starts(owner)
    if len(starts):
        corners[owner[starts], :2] = np.minimum.reduceat(points, starts, axis=0)
        corners[owner[starts], 2:] = np.maximum.reduceat(points, starts, axis=0)
    return corners
