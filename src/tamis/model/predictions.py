"""One prediction as a value: what code writes, what `show` prints. Millions go as `PredictionColumns`."""

from __future__ import annotations

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One prediction; which parts must be there is the task type's rule.

    Attributes:
        category_id: an id of the task's schema.
        bbox: x, y, width, height in pixels from the top-left corner of the image.
        segmentation: run lengths of the row-major (height, width) mask, the first counts zeros.
        keypoints: x1, y1, s1, x2, ...: pixels and a confidence in [0, 1] for each keypoint.
        score: confidence in [0, 1]; `None` is unknown, never 0.
        probabilities: one a category in ascending order of category id, each in [0, 1].
    """

    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    segmentation: tuple[int, ...] | None = None
    keypoints: tuple[float, ...] | None = None
    score: float | None = None
    probabilities: tuple[float, ...] | None = None
