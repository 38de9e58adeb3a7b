"""What the report of selected objects shows: each as a crop with a margin, its class, its own scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.frame_readers import FrameReaders
from tamis.api.report.inputs import NumberInput, TaskInput
from tamis.api.selecting.rows import SCORE
from tamis.api.selecting.vectors import sizes_of
from tamis.media.decoding import crop_area, decode_picture
from tamis.media.pictures import Picture, read_picture, shrink
from tamis.media.pillow import PictureError
from tamis.scoring import SCORE_NAMES
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from tamis.api.selecting.rows import Rows
    from tamis.api.sources import Sources
    from tamis.model import Prediction
    from tamis.model.columns import Ints

OPEN_VIDEOS = 16
"""Picks come from one video and then from another: so many stay open."""

_MARGIN = 1.0  # as much again around the object: what it stands in often says what it is


def object_task(rows: Rows, shown: Ints) -> TaskInput:
    """Return the objects as one prediction each; those that are shown, by their key, where their crop has them.

    Args:
        rows: objects.
        shown: rows whose predictions are asked for.
    """
    widths, heights = sizes_of(rows.samples)
    drawn = {}
    for row, prediction in rows.predictions(shown).items():
        owner = rows.owner[row]
        drawn[rows.keys[row]] = [_moved(prediction, _area(rows, row, int(widths[owner]), int(heights[owner])))]
    if rows.task is None:
        raise TypeError(rows)
    return TaskInput(
        task=rows.task,
        owner=np.arange(len(rows)),
        category_id=rows.category_ids,
        has_file=np.ones(len(rows), np.bool_),
        predictions=lambda key: drawn.get(key, ()),
    )


def object_scores_of(rows: Rows) -> list[NumberInput]:
    """Return the scores that objects have by themselves, and what part of their image they take."""
    if rows.task is None:
        return []
    names = [SCORE, *SCORE_NAMES[rows.task.task_type], "bbox_area_share"]
    return [
        NumberInput(label=f"{rows.task.name}: {name}", values=found, limits=(0.0, 1.0))
        for name, found in rows.own_scores(names).items()
        if not np.isnan(found).all()
    ]


def object_pictures(rows: Rows, shown: Ints, sources: Sources, *, side_px: int) -> Callable[[str], Picture | str]:
    """Return what reads the crop of an object by its key, with a margin; or why there is none.

    Args:
        rows: objects.
        shown: rows whose pictures may be asked for.
        sources: images and videos.
        side_px: of the longer side, at most.
    """
    frames = _Frames(rows, sources)
    at = {rows.keys[row]: row for row in shown.tolist()}

    def picture(key: str) -> Picture | str:
        row = at[key]
        image = frames.image(int(rows.owner[row]))
        if isinstance(image, str):
            return image
        area = _area(rows, row, image.width, image.height)
        return "its box has no part in the image" if area is None else shrink(image.crop(area), max_side_px=side_px)

    return picture


class _Frames:
    """Reads whole pictures of samples; the last one is kept, for objects of one image."""

    def __init__(self, rows: Rows, sources: Sources) -> None:
        self._keys, self._sources = rows.samples.keys, sources
        self._videos = rows.samples.labels("samples", "video")
        self._n_frames = rows.samples.snapshot.frame_counts
        self._readers = FrameReaders(most_open=OPEN_VIDEOS)
        self._numbers = rows.samples.integers("samples", "frame")
        self._last: tuple[int, Image.Image | str] = (-1, "")

    def image(self, sample: int) -> Image.Image | str:
        if self._last[0] != sample:
            try:
                self._last = (sample, self._read(sample))
            except (StoreError, PictureError) as error:
                self._last = (sample, str(error))
        return self._last[1]

    def _read(self, sample: int) -> Image.Image:
        video = self._videos[sample]
        if video is None:
            return decode_picture(read_picture(self._sources.input, self._keys[sample]))
        number = int(self._numbers[sample])
        return self._readers.read(self._sources.input, video, number, n_frames=self._n_frames.get(video))


def _area(rows: Rows, row: int, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return what part of its image a crop shows; `None` where the box, or the size of the image, says none."""
    if rows.target is None or rows.target.boxes is None:
        return None
    return crop_area(rows.target.boxes[row].tolist(), width, height, padding=_MARGIN)


def _moved(prediction: Prediction, area: tuple[int, int, int, int] | None) -> Prediction:
    """Return a prediction where its crop has it; masks and keypoints stay with the whole image."""
    if area is None or prediction.bbox is None:
        return type(prediction)(category_id=prediction.category_id, score=prediction.score)
    x, y, width, height = prediction.bbox
    return type(prediction)(
        category_id=prediction.category_id,
        score=prediction.score,
        probabilities=prediction.probabilities,
        bbox=(x - area[0], y - area[1], width, height),
    )
