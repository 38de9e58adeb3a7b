"""The value rules of boxes, masks and keypoints, and the counts that findings about the dataset need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.formats.findings import Findings, exact, more_like_it, rounded, worst_of_each_file

if TYPE_CHECKING:
    from tamis.model import PredictionColumns, Ragged, Task
    from tamis.model.columns import Bools, Floats, Ints

OVERHANG_PX = 2.0
_PER_KEYPOINT = 3


def check_boxes(columns: PredictionColumns, findings: Findings, *, widths: Ints, heights: Ints) -> None:
    """Report boxes of negative or no size, outside their image, or reaching beyond it."""
    x, y, w, h = columns.bbox.T
    for i, side, length in ((2, "width", w), (3, "height", h)):
        for row in np.flatnonzero(length < 0).tolist():
            message = f"expected a {side} >= 0, got `{exact(length[row])}`"
            findings.add(row, "bbox-size", f".bbox[{i}]", message)
    for row in np.flatnonzero((w >= 0) & (h >= 0) & ((w == 0) | (h == 0))).tolist():
        i, side = (2, "width") if w[row] == 0 else (3, "height")
        both = " and a height" if w[row] == h[row] else ""
        message = f"expected a {side}{both} > 0, got `0`"
        findings.add(row, "bbox-empty", f".bbox[{i}]", message)
    width, height = widths[columns.file], heights[columns.file]
    checked = (width > 0) & (height > 0) & (w >= 0) & (h >= 0)
    with np.errstate(over="ignore"):  # an infinite corner is as far outside as it gets
        outside = checked & _is_outside(columns.bbox, width, height)
        overhang = np.maximum(np.maximum(-x, -y), np.maximum(x + w - width, y + h - height))
    for row in np.flatnonzero(outside).tolist():
        message = f"expected a box in the image of {_size(width, height, row)}, got {_box(columns, row)}"
        findings.add(row, "bbox-outside-image", ".bbox", message)
    rows = np.flatnonzero(checked & ~outside & (overhang > OVERHANG_PX))
    for row, count in worst_of_each_file(columns.file, overhang[rows], rows) if len(rows) else ():
        others = f", the worst of {count} boxes" if count > 1 else ""
        message = (
            f"expected a box within the image of {_size(width, height, row)}, got {_box(columns, row)} "
            f"that reaches {rounded(overhang[row])} pixels beyond{others}"
        )
        findings.add(row, "bbox-overhang", ".bbox", message)


def _is_outside(bbox: Floats, width: Ints, height: Ints) -> Bools:
    """Whether no part of each box is in its image; a box without area counts as its point or line."""
    x, y, w, h = bbox.T
    left_of = np.where(w > 0, x + w <= 0, x < 0)
    above = np.where(h > 0, y + h <= 0, y < 0)
    right_of = np.where(w > 0, x >= width, x > width)
    below = np.where(h > 0, y >= height, y > height)
    outside: Bools = left_of | above | right_of | below
    return outside


def _size(width: Ints, height: Ints, row: int) -> str:
    return f"{width[row]} x {height[row]} pixels"


def _box(columns: PredictionColumns, row: int) -> str:
    return f"`[{', '.join(exact(value) for value in columns.bbox[row])}]`"


def check_masks(task: Task, columns: PredictionColumns, findings: Findings, *, widths: Ints, heights: Ints) -> None:
    """Report masks whose runs are negative or do not fit the image, or that share a category."""
    masks = columns.mask
    if not masks.present.any():
        return
    offsets = masks.offsets
    negative_rows = np.unique(masks.row_of_value()[masks.values < 0])
    for row in negative_rows.tolist():
        runs = masks.values[offsets[row] : offsets[row + 1]]
        wrong = np.flatnonzero(runs < 0)
        first = int(wrong[0])
        message = f"expected a run length >= 0, got `{runs[first]}`{more_like_it(len(wrong) - 1)}"
        findings.add(row, "mask-run-negative", f".segmentation[{first}]", message)
    _check_mask_sums(columns, findings, negative_rows, widths=widths, heights=heights)
    if task.task_type == "semantic-segmentation":
        _check_mask_categories(columns, findings)


def _check_mask_sums(
    columns: PredictionColumns, findings: Findings, negative_rows: Ints, *, widths: Ints, heights: Ints
) -> None:
    masks = columns.mask
    width, height = widths[columns.file], heights[columns.file]
    known = (width > 0) & (height > 0)
    totals = np.zeros(len(masks.values) + 1, np.int64)
    np.cumsum(masks.values, out=totals[1:])
    sums = np.diff(totals[masks.offsets])
    wrong = masks.present & known & (sums != width * height)
    wrong[negative_rows] = False
    for row in np.flatnonzero(wrong).tolist():
        expected = f"{width[row] * height[row]} ({height[row]} rows x {width[row]} columns)"
        message = f"expected run lengths that sum to {expected}, got {sums[row]}"
        findings.add(row, "mask-size", ".segmentation", message)
    rows = np.flatnonzero(masks.present & ~known)
    for row, count in worst_of_each_file(columns.file, np.zeros(len(rows)), rows) if len(rows) else ():
        masks_left = "1 mask" if count == 1 else f"{count} masks"
        message = f"expected an image of known size for {masks_left}, got none"
        findings.add(row, "mask-size-unknown", ".segmentation", message)


def _check_mask_categories(columns: PredictionColumns, findings: Findings) -> None:
    order = np.lexsort((columns.category_id, columns.file))
    file, category = columns.file[order], columns.category_id[order]
    repeats = np.flatnonzero((file[1:] == file[:-1]) & (category[1:] == category[:-1])) + 1
    for i in repeats.tolist():
        row, before = int(order[i]), int(order[i - 1])
        message = (
            f"expected one mask of category {columns.category_id[row]} in a file, "
            f"got another one after `$.predictions[{columns.position[before]}]`"
        )
        findings.add(row, "mask-duplicate-category", ".category_id", message)


def check_keypoints(task: Task, columns: PredictionColumns, findings: Findings) -> None:
    """Report keypoints that are no triplets, too few or too many, or whose confidence is out of range."""
    keypoints = columns.keypoints
    if not keypoints.present.any():
        return
    lengths = keypoints.lengths
    no_triplets = keypoints.present & (lengths % _PER_KEYPOINT != 0)
    for row in np.flatnonzero(no_triplets).tolist():
        message = f"expected triplets x, y, score, got {lengths[row]} numbers"
        findings.add(row, "keypoints-length", ".keypoints", message)
    for category in task.categories:
        if category.keypoint_names is None:
            continue
        n = len(category.keypoint_names)
        is_wrong = keypoints.present & ~no_triplets & (columns.category_id == category.id)
        for row in np.flatnonzero(is_wrong & (lengths != _PER_KEYPOINT * n)).tolist():
            message = (
                f"expected {n} triplets, one for each keypoint of category {category.id}, "
                f"got {lengths[row] // _PER_KEYPOINT}"
            )
            findings.add(row, "keypoints-length", ".keypoints", message)
    _check_keypoint_scores(keypoints, findings)


def _check_keypoint_scores(keypoints: Ragged, findings: Findings) -> None:
    row_of_value = keypoints.row_of_value()
    in_row = np.arange(len(keypoints.values)) - keypoints.offsets[row_of_value]
    values = keypoints.values
    bad = np.flatnonzero((in_row % _PER_KEYPOINT == _PER_KEYPOINT - 1) & ((values < 0) | (values > 1)))
    rows, first, counts = np.unique(row_of_value[bad], return_index=True, return_counts=True)
    for row, i, n in zip(rows.tolist(), bad[first].tolist(), counts.tolist(), strict=True):
        message = f"expected a keypoint's confidence from 0 to 1, got `{exact(values[i])}`{more_like_it(n - 1)}"
        findings.add(row, "keypoint-score-range", f".keypoints[{in_row[i]}]", message)


def box_statistics(columns: PredictionColumns, widths: Ints, heights: Ints) -> dict[str, Ints]:
    """Return counts of each file for findings about the dataset; takes the boxes before errors drop them.

    Args:
        columns: the predictions as read.
        widths: of the files' images in pixels, 0 where unknown; shape (n_files,).
        heights: likewise.

    Returns:
        Of shape (n_files,) each: `n_boxes`; `n_sized`, those in an image of known size; of these
        `n_leaving_as_xywh`, more than 2 pixels beyond the image (or of negative size), and
        `n_leaving_as_corners`, the same read as `[x1, y1, x2, y2]` (x2 <= x1 or y2 <= y1 counts as leaving);
        `n_normalized`, all four within [0, 1].
    """
    a, b, c, d = columns.bbox.T
    width, height = widths[columns.file], heights[columns.file]
    has_box = ~np.isnan(a)
    sized = has_box & (width > 0) & (height > 0)
    too_low = (a < -OVERHANG_PX) | (b < -OVERHANG_PX)
    with np.errstate(over="ignore"):
        as_xywh = too_low | (a + c > width + OVERHANG_PX) | (b + d > height + OVERHANG_PX) | (c < 0) | (d < 0)
    as_corners = too_low | (c > width + OVERHANG_PX) | (d > height + OVERHANG_PX) | (c <= a) | (d <= b)
    normalized: Bools = np.all((columns.bbox >= 0) & (columns.bbox <= 1), axis=1)

    def count(rows: Bools) -> Ints:
        return np.bincount(columns.file[rows], minlength=columns.n_files)

    return {
        "n_boxes": count(has_box),
        "n_sized": count(sized),
        "n_leaving_as_xywh": count(sized & as_xywh),
        "n_leaving_as_corners": count(sized & as_corners),
        "n_normalized": count(normalized),
    }


def score_ranges(columns: PredictionColumns) -> dict[str, Floats]:
    """Return `score_min` and `score_max` of each file, NaN where there is none; takes what errors did not drop."""
    lowest, highest = np.full(columns.n_files, np.nan), np.full(columns.n_files, np.nan)
    files, starts = np.unique(columns.file, return_index=True)
    if len(files):
        lowest[files] = np.fmin.reduceat(columns.score, starts)
        highest[files] = np.fmax.reduceat(columns.score, starts)
    return {"score_min": lowest, "score_max": highest}
