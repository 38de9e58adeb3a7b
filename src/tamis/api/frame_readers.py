"""Frames of videos, one after the other or far apart: the videos that are looked at stay open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.media.pillow import PictureError

if TYPE_CHECKING:
    from PIL import Image

    from tamis.media.seeking import FrameReader
    from tamis.storage import Store


@dataclass(slots=True, eq=False)
class FrameReaders:
    """The videos that were looked at last; safe to use from many threads.

    Args:
        most_open: how many videos stay open. Each holds a decoder, and the times of its frames.
    """

    most_open: int = 3
    _open: OrderedDict[tuple[str, int, int], FrameReader] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, store: Store, video: str, number: int, *, n_frames: int | None) -> Image.Image:
        """Return a frame as RGB in stored orientation.

        Args:
            store: where the video lies.
            video: its key.
            number: of the frame.
            n_frames: how many the video has by the last scan, `None` where that is not known.

        Raises:
            PictureError: when the video has no such frame, or cannot be read.
            StoreError: when its file cannot be read.
        """
        from tamis.media.seeking import FrameReader  # noqa: PLC0415 (.2 s, for videos only)
        from tamis.media.videos import VideoError, video_source  # noqa: PLC0415 (as above)

        stamp = store.read_start(video, 1).stamp
        key = (video, stamp.size_bytes, stamp.mtime_ns)
        with self._turn:
            try:
                if key not in self._open:
                    self._open[key] = FrameReader(video_source(store, video), n_frames=n_frames)
                self._open.move_to_end(key)
                image = self._open[key].read(number)
            except VideoError as error:
                raise PictureError(str(error)) from None
            finally:
                while len(self._open) > self.most_open:
                    self._open.popitem(last=False)[1].close()
        return image

    def fps(self, store: Store, video: str) -> float | None:
        """Return how many frames a second a video says that it has, `None` where it cannot be told."""
        from tamis.media.videos import VideoError, open_video, video_source  # noqa: PLC0415 (as above)
        from tamis.storage import StoreError  # noqa: PLC0415 (as above)

        try:
            with open_video(video_source(store, video)) as container:
                rate = container.streams.video[0].average_rate
                return float(rate) if rate else None
        except (VideoError, StoreError):
            return None
