"""How far scores can be believed: confidence against accuracy, in bins of equal width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.evaluating.values import Calibration, CalibrationBin

if TYPE_CHECKING:
    from tamis.model.columns import Bools, Floats


def calibrate(score: Floats, correct: Bools, n_bins: int) -> Calibration | None:
    """Return the expected calibration error (Guo et al. 2017) and its bins; `None` where no score is known.

    Args:
        score: how sure each prediction is, in [0, 1], NaN where it does not say; shape (n,).
        correct: which are right, shape (n,).
        n_bins: bins of equal width over [0, 1].

    >>> calibrate(np.array([0.9, 0.9, 0.1]), np.array([True, False, False]), 2).ece
    0.3
    """
    from hotcoco import metrics  # noqa: PLC0415 (loaded where it is used)

    known = ~np.isnan(score)
    if not known.any():
        return None
    ece, mce = metrics.calibration_error(score[known], correct[known], n_bins)
    return Calibration(
        ece=round(ece, 12),
        mce=round(mce, 12),
        bins=tuple(
            CalibrationBin(
                low=one["bin_lower"],
                high=one["bin_upper"],
                count=one["count"],
                confidence=one["avg_confidence"] if one["count"] else None,
                accuracy=one["avg_accuracy"] if one["count"] else None,
            )
            for one in metrics.calibration_curve(score[known], correct[known], n_bins)
        ),
    )
