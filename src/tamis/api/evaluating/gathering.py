"""Labels and predictions of all samples as columns, and which of them overlap: what object metrics are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.evaluating.coco import CocoProtocol
from tamis.api.options import ignore_progress
from tamis.api.overlaps import Overlaps, category_codes
from tamis.engine import Progress
from tamis.scoring.matching import Shape

if TYPE_CHECKING:
    from tamis.api.evaluating.coco import AveragePrecision
    from tamis.api.overlaps import Objects
    from tamis.api.pairing import Pairing
    from tamis.engine import ProgressListener
    from tamis.model import Task
    from tamis.scoring.matching import Pairs

TOUCHES = 0.1
"""Overlap from which on a prediction is near a label: what TIDE calls background lies below it."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What there is to measure.

    Attributes:
        labels: labelled objects.
        predictions: predicted ones, of categories that labels can have.
        pairs: predictions (first) and labels (second) of the same sample that touch.
        average_precision: by COCO's protocol.
        unknown: number of predictions of each category that no label can have.
    """

    labels: Objects
    predictions: Objects
    pairs: Pairs
    average_precision: AveragePrecision
    unknown: dict[str, int]


def gather(
    pairing: Pairing,
    shape: Shape,
    *,
    min_iou: float,
    only_predicted: bool,
    listen: ProgressListener = ignore_progress,
) -> Gathered:
    """Read labels (the first side) and predictions (the second), and measure all that overlap.

    Memory is that of a few shards and of about 100 bytes an object.
    """
    labels, task = pairing.first.task, pairing.second.task
    known = category_codes(task, labels.category_names)
    sizes = np.stack([pairing.first.samples.integers("samples", name) for name in ("width", "height")], axis=1)
    protocol = CocoProtocol(shape, len(labels.categories), _n_keypoints(labels, task, pairing, shape))
    total = int((pairing.in_both if only_predicted else pairing.in_first).sum())
    overlaps = Overlaps(shape, min(min_iou, TOUCHES))
    unknown = np.zeros(len(task.categories), np.int64)
    own = np.array(labels.category_ids, np.int64)
    predicted = np.array(task.category_ids, np.int64)
    done = 0
    for part in pairing.parts(every_first=not only_predicted):
        index = np.searchsorted(predicted, part.second.category_id)
        code = known[index]
        unknown += np.bincount(index[code < 0], minlength=len(unknown))
        truth = replace(part.first, category_id=np.searchsorted(own, part.first.category_id))
        found = replace(part.second, category_id=code).keep(code >= 0)
        protocol.add(part.samples, sizes[part.samples], truth, found)
        overlaps.add(part.samples, found, truth, sizes[part.samples, 0])
        done += len(part.samples)
        listen(Progress("comparing", done, total, "samples"))
    names = task.category_names
    return Gathered(
        labels=overlaps.second,
        predictions=overlaps.first,
        pairs=overlaps.pairs,
        average_precision=protocol.result(),
        unknown={names[i]: int(unknown[i]) for i in np.flatnonzero(unknown).tolist()},
    )


def _n_keypoints(labels: Task, task: Task, pairing: Pairing, shape: Shape) -> int:
    """Return how many keypoints the objects have: of the schema, or else of the first object that has any."""
    if shape is not Shape.KEYPOINTS:
        return 0
    for category in (*labels.categories, *task.categories):
        if category.keypoint_names:
            return len(category.keypoint_names)
    for part in pairing.first.samples.prediction_parts(labels.name):
        longest = part.columns.keypoints.lengths.max(initial=0)
        if longest > 0:
            return int(longest) // 3
    return 1
