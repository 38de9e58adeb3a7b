"""How two runs are compared: each default stands here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.errors import UsageError

if TYPE_CHECKING:
    from tamis.scoring.matching import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOptions:
    """How two runs are compared.

    Attributes:
        shape: what of the objects is compared; by default what both tasks have: masks, keypoints, or else boxes.
        min_iou: overlap from which on two objects are the same, in (0, 1].
        moved_below: the same object moved where the two overlap by less than this, in [0, 1].
        score_change: its score changed where the two differ by more than this, in [0, 1].
        n_samples: how many of the samples that differ the most are listed, >= 0.
    """

    shape: Shape | None = None
    min_iou: float = 0.5
    moved_below: float = 0.95
    score_change: float = 0.05
    n_samples: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.min_iou <= 1:
            raise UsageError(f"Expected an overlap in (0, 1], got {self.min_iou:g}")
        for name in ("moved_below", "score_change"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"Expected `{name}` in [0, 1], got {getattr(self, name):g}")
        if self.n_samples < 0:
            raise UsageError(f"Expected `n_samples` of at least 0, got {self.n_samples}")
