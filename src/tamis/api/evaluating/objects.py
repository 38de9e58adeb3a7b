"""Metrics of boxes, masks and keypoints, from labels, predictions and their overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.evaluating.calibration import calibrate
from tamis.api.evaluating.values import CategoryRow, Confusion, Curve, ThresholdRow
from tamis.scoring.matching import greedy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.evaluating.gathering import Gathered
    from tamis.api.evaluating.values import Calibration
    from tamis.model.columns import Bools, Floats, Ints

OUTCOMES = ("correct", "wrong category", "misplaced", "duplicate", "nothing there", "below the score")
"""How a prediction can fare; the number of each is its code."""
MISSES = ("found", "wrong category", "missed")
"""How a label can fare; the number of each is its code."""

_CURVES = (("IoU .50", 0), ("IoU .75", 5), ("IoU .90", 8))
_THRESHOLDS = np.arange(0, 20) / 20
_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Who found what.

    Attributes:
        label: the label that each prediction found, whatever its score: of its category, by COCO's rule; -1: none.
        overlap: with that label, NaN where there is none; shape (n_predictions,).
        min_score: predictions with a lower score count as not made.
        confused: the label of another category that each counting prediction took instead; -1: none.
        outcome: code of `OUTCOMES` of each prediction.
        miss: code of `MISSES` of each label.
        best: the largest overlap of each label with a counting prediction of its category; shape (n_labels,).
    """

    label: Ints
    overlap: Floats
    min_score: float
    confused: Ints
    outcome: Ints
    miss: Ints
    best: Floats

    @property
    def correct(self) -> Bools:
        """Which predictions found a label, whatever their score."""
        return self.label >= 0


def match(given: Gathered, *, min_iou: float, min_score: float | None) -> Matching:
    """Give each label to at most one prediction.

    The surest prediction chooses first: of the labels of its category that overlap by `min_iou` and are free, the
    nearest; so a prediction is right or wrong whatever less sure ones there are. What then is left of predictions
    and labels is compared across categories.

    Args:
        given: predictions, labels and their overlaps.
        min_iou: smallest overlap of what belongs together.
        min_score: from which score on predictions count, `None`: the one with the best F1.
    """
    labels, predictions, pairs = given.labels, given.predictions, given.pairs
    is_own = predictions.category[pairs.first] == labels.category[pairs.second]
    is_near = pairs.overlap >= min_iou
    label, overlap = _assigned(given, is_own & is_near)
    if min_score is None:
        min_score = best_threshold(predictions.score, label >= 0, len(labels.sample))
    counts = predictions.score >= min_score
    is_taken = np.zeros(len(labels.sample), np.bool_)
    is_taken[label[counts & (label >= 0)]] = True
    is_free = (label < 0) & counts
    other = is_near & ~is_own & is_free[pairs.first] & ~is_taken[pairs.second]
    confused, _ = _assigned(given, other)
    is_confused = np.zeros_like(is_taken)
    is_confused[confused[confused >= 0]] = True
    best = np.zeros(len(labels.sample))
    mine = is_own & counts[pairs.first]
    np.maximum.at(best, pairs.second[mine], pairs.overlap[mine])
    return Matching(
        label=label,
        overlap=overlap,
        min_score=min_score,
        confused=confused,
        outcome=_outcomes(given, is_own, is_near, label, confused, counts),
        miss=np.where(is_taken, 0, np.where(is_confused, 1, 2)),
        best=best,
    )


def _assigned(given: Gathered, candidates: Bools) -> tuple[Ints, Floats]:
    """Return the label of each prediction and their overlap, the surest prediction choosing first."""
    pairs = given.pairs.keep(candidates)
    # COCO's order: by score, then by place in the file; of equally near labels the last.
    order = np.lexsort((-pairs.second, -pairs.overlap, pairs.first, -given.predictions.score[pairs.first]))
    chosen = pairs.keep(greedy(pairs, order))
    n = len(given.predictions.sample)
    label, overlap = np.full(n, _NOBODY), np.full(n, np.nan)
    label[chosen.first], overlap[chosen.first] = chosen.second, chosen.overlap
    return label, overlap


def _outcomes(given: Gathered, is_own: Bools, is_near: Bools, label: Ints, confused: Ints, counts: Bools) -> Ints:
    touches, repeats = np.zeros(len(label), np.bool_), np.zeros(len(label), np.bool_)
    touches[given.pairs.first[is_own]] = True
    repeats[given.pairs.first[is_own & is_near]] = True
    chances = [~counts, label >= 0, confused >= 0, repeats, touches]
    return np.select(chances, [5, 0, 1, 3, 2], default=4)


def best_threshold(score: Floats, correct: Bools, n_labels: int) -> float:
    """Return the score from which on predictions have the best F1, all categories together; 0 without any.

    >>> best_threshold(np.array([0.9, 0.8, 0.2]), np.array([True, True, False]), 2)
    0.8
    """
    if not len(score) or not n_labels:
        return 0.0
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    # With one score all that have the same go along.
    last = np.append(ordered[1:] != ordered[:-1], True)
    n = np.arange(1, len(score) + 1)
    f1 = 2 * np.cumsum(correct[order]) / (n + n_labels)
    return float(ordered[last][np.argmax(f1[last])])


def threshold_rows(given: Gathered, matching: Matching) -> tuple[ThresholdRow, ...]:
    """Return precision, recall and F1 of what remains at each of 20 scores."""
    score, n_labels = given.predictions.score, len(given.labels.sample)
    rows = []
    for least in _THRESHOLDS.tolist():
        counts = score >= least
        n, right = int(counts.sum()), int((matching.correct & counts).sum())
        rows.append(
            ThresholdRow(
                min_score=least,
                predicted=n,
                precision=rate(right, n),
                recall=rate(right, n_labels) or 0.0,
                f1=rate(2 * right, n + n_labels) or 0.0,
            )
        )
    return tuple(rows)


def category_rows(given: Gathered, matching: Matching, names: Sequence[str]) -> tuple[CategoryRow, ...]:
    """Return how well each category is predicted."""
    n_categories, found = len(names), given.average_precision
    counts = given.predictions.score >= matching.min_score
    labelled = np.bincount(given.labels.category, minlength=n_categories).tolist()
    predicted = np.bincount(given.predictions.category[counts], minlength=n_categories).tolist()
    right = np.bincount(given.predictions.category[counts & matching.correct], minlength=n_categories).tolist()
    return tuple(
        CategoryRow(
            category=name,
            labelled=labelled[i],
            predicted=predicted[i],
            precision=rate(right[i], predicted[i]),
            recall=rate(right[i], labelled[i]),
            f1=rate(2 * right[i], predicted[i] + labelled[i]),
            ap=found.ap(category=i),
            ap50=found.ap(iou=0, category=i),
            ap75=found.ap(iou=5, category=i),
            ar=found.ar(i),
        )
        for i, name in enumerate(names)
    )


def confusions(given: Gathered, matching: Matching, names: Sequence[str]) -> tuple[Confusion, ...]:
    """Return what was taken for what; `None` stands for nothing."""
    nothing = len(names)
    counts = given.predictions.score >= matching.min_score
    label = np.where(matching.label >= 0, matching.label, matching.confused)[counts]
    categories = np.append(given.labels.category, nothing)
    missed = given.labels.category[matching.miss == MISSES.index("missed")]
    rows = np.concatenate([categories[label], missed])
    columns = np.concatenate([given.predictions.category[counts], np.full(len(missed), nothing)])
    return confusion_cells(rows, columns, [*names, None])


def confusion_cells(labelled: Ints, predicted: Ints, names: Sequence[str | None]) -> tuple[Confusion, ...]:
    """Count pairs of categories, the most frequent first."""
    cells, counts = np.unique(labelled * len(names) + predicted, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple(
        Confusion(labelled=names[cell // len(names)], predicted=names[cell % len(names)], count=count)
        for cell, count in zip(cells[order].tolist(), counts[order].tolist(), strict=True)
    )


def curves(given: Gathered) -> tuple[Curve, ...]:
    """Return precision by recall at three overlaps."""
    found = given.average_precision
    return tuple(Curve(label=label, precision=tuple(found.curve(iou))) for label, iou in _CURVES)


def object_calibration(given: Gathered, matching: Matching, n_bins: int) -> Calibration | None:
    """Say how far the scores of predictions are from the part of them that is right."""
    return calibrate(given.predictions.score, matching.correct, n_bins)


def rate(part: int, whole: int) -> float | None:
    """Return a share, `None` of nothing."""
    return part / whole if whole else None
