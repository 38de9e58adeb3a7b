"""How predictions are held against labels: each default stands here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.errors import UsageError

if TYPE_CHECKING:
    from tamis.scoring.matching import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """How predictions are held against labels.

    Attributes:
        shape: what of the objects is compared; by default what both tasks have: masks, keypoints, or else boxes.
        min_iou: overlap from which on an object counts as found, in (0, 1]; AP has thresholds of its own.
        min_score: predictions with a lower score count as not made, in [0, 1]; AP and calibration look at all.
            By default the score with the best F1.
        only_predicted: leave out labelled samples without a prediction file, which count as nothing predicted.
        n_bins: bins of the calibration, >= 1.
        top_k: how many categories a classification may name, >= 1.
        n_worst: how many of the worst samples are listed and drawn, >= 0.
    """

    shape: Shape | None = None
    min_iou: float = 0.5
    min_score: float | None = None
    only_predicted: bool = False
    n_bins: int = 15
    top_k: int = 5
    n_worst: int = 24

    def __post_init__(self) -> None:
        if not 0 < self.min_iou <= 1:
            raise UsageError(f"Expected an overlap in (0, 1], got {self.min_iou:g}")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise UsageError(f"Expected a score in [0, 1], got {self.min_score:g}")
        for name in ("n_bins", "top_k"):
            if getattr(self, name) < 1:
                raise UsageError(f"Expected `{name}` of at least 1, got {getattr(self, name)}")
        if self.n_worst < 0:
            raise UsageError(f"Expected `n_worst` of at least 0, got {self.n_worst}")
