"""Which objects of one list are those of another: overlaps of pairs, and who gets whom.

Overlap is intersection over union of boxes or masks, or COCO's object keypoint similarity; all in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.model.mask_batches import bounding_boxes
from tamis.model.mask_overlap import iou
from tamis.model.spans import counted, offsets_of
from tamis.scoring.geometry import object_corners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.model import PredictionColumns, Ragged
    from tamis.model.columns import Bools, Floats, Ints

_MAX_PAIRS_AT_ONCE = 1 << 19
_TRIPLET = 3

# Of COCO's person keypoints, from nose to ankles: `cocoeval.py` of the COCO API.
_COCO_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000


class Shape(StrEnum):
    """What of an object is compared."""

    BOXES = "boxes"
    MASKS = "masks"
    KEYPOINTS = "keypoints"


def shape_named(name: str) -> Shape:
    """Return a shape by its name.

    Raises:
        UsageError: when there is none of that name.
    """
    try:
        return Shape(name)
    except ValueError:
        raise UsageError(f"Nothing of objects is called `{name}`", hint=f"give one of {', '.join(Shape)}") from None


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Objects of two lists that overlap.

    Attributes:
        first: rows of the first list, shape (n_pairs,).
        second: rows of the second list, shape (n_pairs,).
        overlap: of the two, in [0, 1]; shape (n_pairs,).
    """

    first: Ints
    second: Ints
    overlap: Floats

    def __len__(self) -> int:
        return len(self.first)

    def keep(self, chosen: Bools | Ints) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.first[chosen], self.second[chosen], self.overlap[chosen])


def keypoint_sigmas(n_keypoints: int) -> Floats:
    """Return how far off each keypoint may be, as part of the object's size: COCO's 17, or 1 / n of any others.

    >>> keypoint_sigmas(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if n_keypoints == len(_COCO_SIGMAS):
        return _COCO_SIGMAS
    return np.full(n_keypoints, 1 / max(n_keypoints, 1))


def boxes_of(columns: PredictionColumns, widths: Ints) -> Floats:
    """Return x, y, width, height of every object in pixels, shape (n, 4).

    The bbox; where it is null, what is around the keypoints or the mask; where there is none either, NaN.

    Args:
        columns: the objects.
        widths: of the image of each file in pixels, 0 = unknown; shape (n_files,).
    """
    corners = object_corners(columns)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    bare = np.isnan(boxes).any(axis=1) & columns.mask.present & (widths[columns.file] > 0)
    if bare.any():
        boxes[bare] = bounding_boxes(columns.mask.keep(bare), widths[columns.file[bare]])
    return boxes


def overlapping(
    first: PredictionColumns, second: PredictionColumns, shape: Shape, *, widths: Ints, at_least: float
) -> Pairs:
    """Return the pairs of objects in the same file whose overlap reaches `at_least`, whatever their categories.

    Args:
        first: objects; of keypoints, those that are compared with the second.
        second: others in the same files; of keypoints, those whose size and visible points count.
        shape: what is compared.
        widths: of the image of each file in pixels, 0 = unknown; shape (n_files,).
        at_least: the smallest overlap that is returned, in (0, 1].
    """
    found = [Pairs(*(np.zeros(0, np.int64),) * 2, np.zeros(0))]
    own, others = boxes_of(first, widths), boxes_of(second, widths)
    for i, j in _same_file(first.file, second.file, first.n_files):
        if shape is not Shape.KEYPOINTS:  # masks overlap only where their boxes do
            value = _box_iou(own[i], others[j])
            near = value > 0 if shape is Shape.MASKS else value >= at_least
            i, j, value = i[near], j[near], value[near]  # noqa: PLW2901 (what is left of them)
        if shape is Shape.MASKS:
            value = _mask_iou(first, second, i, j, widths)
        elif shape is Shape.KEYPOINTS:
            value = _keypoint_similarity(first.keypoints, second.keypoints, others, i, j)
        found.append(Pairs(i, j, value).keep(value >= at_least))
    return Pairs(*(np.concatenate([getattr(one, name) for one in found]) for name in Pairs.__slots__))


def greedy(pairs: Pairs, order: Ints) -> Bools:
    """Return which pairs are taken when each is, in this order, unless one of its objects has a partner already.

    Done in rounds: a pair that comes first for both of its objects is taken, whatever becomes of the others.

    Args:
        pairs: who could be whose.
        order: indices of the pairs, the first to be taken first; shape (n_pairs,).

    Returns:
        Shape (n_pairs,).

    >>> pairs = Pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([.9, .6, .8]))
    >>> greedy(pairs, np.argsort(-pairs.overlap)).tolist()
    [True, False, False]
    """
    taken = np.zeros(len(pairs), np.bool_)
    left, i, j = order, pairs.first[order], pairs.second[order]
    first_of_i = np.zeros(int(i.max(initial=-1)) + 1, np.int64)
    first_of_j = np.zeros(int(j.max(initial=-1)) + 1, np.int64)
    while len(left):
        places = np.arange(len(left))
        # Of several places that are written to one object, the last stands: so backwards.
        first_of_i[i[::-1]], first_of_j[j[::-1]] = places[::-1], places[::-1]
        is_first = (first_of_i[i] == places) & (first_of_j[j] == places)
        taken[left[is_first]] = True
        first_of_i[i], first_of_j[j] = 0, 0
        first_of_i[i[is_first]], first_of_j[j[is_first]] = 1, 1
        is_open = (first_of_i[i] == 0) & (first_of_j[j] == 0)
        left, i, j = left[is_open], i[is_open], j[is_open]
    return taken


def _same_file(first: Ints, second: Ints, n_files: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield all pairs of rows of the same file, so many at once that memory stays small."""
    n_second = np.bincount(second, minlength=n_files)
    starts = offsets_of(n_second)[:-1]
    n_partners = n_second[first]
    ends = np.cumsum(n_partners)
    row = 0
    while row < len(first):
        done = ends[row - 1] if row else 0
        stop = max(row + 1, int(np.searchsorted(ends, done + _MAX_PAIRS_AT_ONCE, side="right")))
        counts = n_partners[row:stop]
        i = np.repeat(np.arange(row, stop), counts)
        yield i, starts[first[i]] + counted(counts)
        row = stop


def _box_iou(first: Floats, second: Floats) -> Floats:
    """Return IoU row by row of boxes x, y, width, height; 0 where a box is not known or both are empty."""
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[:, 0] * sides[:, 1]
    union = first[:, 2] * first[:, 3] + second[:, 2] * second[:, 3] - shared
    values: Floats = np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0)
    return values


def _mask_iou(first: PredictionColumns, second: PredictionColumns, i: Ints, j: Ints, widths: Ints) -> Floats:
    """Return IoU of pairs of masks; 0 where one is not there or they are of pictures of different sizes."""
    n_first, n_second = _pixels(first.mask), _pixels(second.mask)
    values = np.zeros(len(i))
    fit = first.mask.present[i] & second.mask.present[j] & (n_first[i] == n_second[j]) & (n_first[i] > 0)
    width = widths[first.file]
    # Where the width is not known, the picture counts as one row: the pixels are the same.
    width = np.where((width > 0) & (n_first % np.maximum(width, 1) == 0), width, np.maximum(n_first, 1))
    values[fit] = iou(first.mask, second.mask, width=width, pairs=np.stack([i[fit], j[fit]], axis=1))
    return values


def _pixels(masks: Ragged) -> Ints:
    return np.diff(offsets_of(masks.values)[masks.offsets])


def _keypoint_similarity(first: Ragged, second: Ragged, boxes: Floats, i: Ints, j: Ints) -> Floats:
    """Return COCO's object keypoint similarity of pairs; the box of the second stands for its area.

    The mean over the keypoints that the second shows of exp(-d^2 / (8 s^2 area)), d the distance in pixels. 0
    where it shows none, or the two have not as many keypoints.
    """
    values = np.zeros(len(i))
    offsets, others = first.offsets, second.offsets
    lengths = np.where(first.lengths[i] == second.lengths[j], first.lengths[i], 0)
    area = boxes[:, 2] * boxes[:, 3] + np.spacing(1)
    for length in np.unique(lengths[lengths > 0]).tolist():
        at = np.flatnonzero(lengths == length)
        steps = np.arange(length)
        own = first.values[offsets[i[at], None] + steps].reshape(len(at), -1, _TRIPLET)
        other = second.values[others[j[at], None] + steps].reshape(len(at), -1, _TRIPLET)
        distance = ((own[..., :2] - other[..., :2]) ** 2).sum(axis=2)
        spread = 8 * keypoint_sigmas(length // _TRIPLET) ** 2 * area[j[at], None]
        shown = other[..., 2] > 0
        total = np.where(shown, np.exp(-distance / spread), 0).sum(axis=1)
        values[at] = np.nan_to_num(total / np.maximum(shown.sum(axis=1), 1))
    return values
