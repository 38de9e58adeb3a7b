"""Metrics of semantic segmentations: pixel by pixel, from run lengths; no mask is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.evaluating.objects import rate
from tamis.api.evaluating.values import CategoryRow, Confusion
from tamis.api.options import ignore_progress
from tamis.api.overlaps import category_codes
from tamis.engine import Progress
from tamis.model.masks import areas
from tamis.scoring.files import bin_sums
from tamis.scoring.matching import Shape, overlapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.pairing import Pairing
    from tamis.engine import ProgressListener
    from tamis.model.columns import Floats

_ANY = 1e-12  # an overlap of any pixel is more


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """How many pixels of each labelled category were predicted as each. Pixels without a label do not count.

    Attributes:
        confusion: labelled by predicted category, the last column for no or an unknown prediction; (K, K + 1).
        right: pixels of each sample that are predicted as labelled, shape (n_samples,).
        labelled: pixels of each sample with a label, shape (n_samples,).
        unknown: pixels of each predicted category that no label can have.
    """

    confusion: Floats
    right: Floats
    labelled: Floats
    unknown: dict[str, int]


def count_pixels(pairing: Pairing, *, only_predicted: bool, listen: ProgressListener = ignore_progress) -> Pixels:
    """Count the pixels that labels (the first side) share with predictions (the second)."""
    labels, task = pairing.first.task, pairing.second.task
    codes = category_codes(task, labels.category_names)
    n_categories, n_samples = len(labels.categories), len(pairing.first.samples)
    confusion = np.zeros((n_categories, n_categories + 1))
    right, labelled = np.zeros(n_samples), np.zeros(n_samples)
    unknown = np.zeros(len(codes))
    widths = pairing.first.samples.integers("samples", "width")
    total = int((pairing.in_both if only_predicted else pairing.in_first).sum())
    done = 0
    for part in pairing.parts(every_first=not only_predicted):
        own = np.searchsorted(np.array(labels.category_ids), part.first.category_id)
        ids = np.searchsorted(np.array(task.category_ids), part.second.category_id)
        pairs = overlapping(part.second, part.first, Shape.MASKS, widths=widths[part.samples], at_least=_ANY)
        size, other = np.nan_to_num(areas(part.first.mask)), np.nan_to_num(areas(part.second.mask))
        both = size[pairs.second] + other[pairs.first]
        shared = np.round(pairs.overlap * both / (1 + pairs.overlap))
        row, code = own[pairs.second], codes[ids[pairs.first]]
        known = code >= 0
        cells = row[known] * (n_categories + 1) + code[known]
        confusion += bin_sums(cells, shared[known], confusion.size).reshape(confusion.shape)
        unknown += bin_sums(ids[pairs.first][~known], shared[~known], len(codes))
        confusion[:, -1] += bin_sums(own, size, n_categories) - bin_sums(row[known], shared[known], n_categories)
        at, is_right = part.samples[part.first.file], code == row
        labelled += bin_sums(at, size, n_samples)
        right += bin_sums(at[pairs.second[is_right]], shared[is_right], n_samples)
        done += len(part.samples)
        listen(Progress("comparing", done, total, "samples"))
    names = task.category_names
    counts = {names[i]: int(unknown[i]) for i in np.flatnonzero(unknown).tolist()}
    return Pixels(confusion, right, labelled, counts)


def pixel_rows(given: Pixels, names: Sequence[str]) -> tuple[CategoryRow, ...]:
    """Return how well each category is predicted."""
    rows = []
    for i, name in enumerate(names):
        labelled, predicted = int(given.confusion[i].sum()), int(given.confusion[:, i].sum())
        right = int(given.confusion[i, i])
        rows.append(
            CategoryRow(
                category=name,
                labelled=labelled,
                predicted=predicted,
                precision=rate(right, predicted),
                recall=rate(right, labelled),
                f1=rate(2 * right, predicted + labelled),
                iou=rate(right, labelled + predicted - right),
            )
        )
    return tuple(rows)


def pixel_metrics(given: Pixels, rows: Sequence[CategoryRow]) -> dict[str, float | None]:
    """Return mean IoU over the categories that occur, and the share of pixels that are right."""
    known = [row.iou for row in rows if row.iou is not None]
    recalls = [row.recall for row in rows if row.recall is not None]
    total = sum(row.labelled for row in rows)
    weighted = sum((row.iou or 0.0) * row.labelled for row in rows)
    return {
        "mIoU": sum(known) / len(known) if known else None,
        "pixel_accuracy": rate(int(np.trace(given.confusion)), total),
        "mean_accuracy": sum(recalls) / len(recalls) if recalls else None,
        "frequency_weighted_IoU": weighted / total if total else None,
    }


def pixel_confusions(given: Pixels, names: Sequence[str]) -> tuple[Confusion, ...]:
    """Return what was taken for what, in pixels; `None` stands for nothing."""
    labelled, predicted = np.nonzero(given.confusion)
    order = np.argsort(-given.confusion[labelled, predicted], kind="stable")
    all_names = [*names, None]
    return tuple(
        Confusion(labelled=all_names[i], predicted=all_names[j], count=int(given.confusion[i, j]))
        for i, j in zip(labelled[order].tolist(), predicted[order].tolist(), strict=True)
    )
