"""What a config rules out because of what is selected: its limits, over the columns of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection import MinGap

if TYPE_CHECKING:
    from tamis.index import SampleColumns
    from tamis.selection import Limit, SelectionConfig

MIN_GAP_FRAMES = "min_gap_frames"


def limits_of(config: SelectionConfig, samples: SampleColumns) -> tuple[Limit, ...]:
    """Return the limits of a config.

    Raises:
        UsageError: when frames are to be kept apart and there are none.
    """
    if config.min_gap_frames is None:
        return ()
    videos = np.array([video or "" for video in samples.labels("samples", "video")], object)
    _, group = np.unique(videos, return_inverse=True)
    is_frame = videos != ""
    if not is_frame.any():
        raise UsageError(
            f"`{MIN_GAP_FRAMES}` keeps frames of videos apart, but no sample is one",
            hint="leave it out, or scan a datasource with videos",
        )
    place = np.nan_to_num(samples.numbers("samples", "frame")).astype(np.int64)
    return (
        MinGap(
            name=MIN_GAP_FRAMES,
            group=np.where(is_frame, group, -1),
            place=place,
            gap=config.min_gap_frames,
        ),
    )
