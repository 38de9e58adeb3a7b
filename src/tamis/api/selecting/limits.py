"""What a config rules out because of what is selected: its limits, over the columns of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection import AtMost, MinGap

if TYPE_CHECKING:
    from tamis.api.selecting.rows import Rows
    from tamis.model.columns import Ints
    from tamis.selection import Limit, SelectionConfig

MIN_GAP_FRAMES = "min_gap_frames"


def limits_of(config: SelectionConfig, rows: Rows) -> tuple[Limit, ...]:
    """Return the limits of a config.

    Raises:
        UsageError: when they are about frames of videos and there are none.
    """
    limits: list[Limit] = [
        AtMost(name=f"at most {most:,} of each {name}", group=_group(name, rows), most=most)
        for name, most in (config.select.at_most or {}).items()
    ]
    if config.min_gap_frames is not None:
        group = _videos(
            rows,
            f"`{MIN_GAP_FRAMES}` keeps frames of videos apart, but no sample is one",
            hint="leave it out, or scan a datasource with videos",
        )
        place = np.asarray(rows.spread(rows.samples.integers("samples", "frame")), np.int64)
        limits.append(MinGap(name=MIN_GAP_FRAMES, group=group, place=place, gap=config.min_gap_frames))
    return tuple(limits)


def _group(name: str, rows: Rows) -> Ints:
    if name == "image":
        return rows.owner
    if name == "category":
        return rows.category_ids
    return _videos(rows, "There are no videos to limit the frames of", hint="take that limit out")


def _videos(rows: Rows, complaint: str, *, hint: str) -> Ints:
    """Return the number of the video of each row, -1 for what is of none; shape (N,).

    Raises:
        UsageError: when all are of none.
    """
    names = rows.samples.labels("samples", "video")
    number = {video: i for i, video in enumerate(dict.fromkeys(names)) if video is not None}
    if not number:
        raise UsageError(complaint, hint=hint)
    return np.asarray(rows.spread(np.array([number.get(video, -1) for video in names], np.int64)), np.int64)
