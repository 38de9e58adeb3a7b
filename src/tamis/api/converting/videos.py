"""How many frames the videos of a datasource have, and their size: what a scan found, else found out now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tamis.api.scanning.videos import VideoCounter
from tamis.api.scanning.walk import VideoFile
from tamis.engine import InlineEngine
from tamis.errors import IndexMissingError
from tamis.formats import ForeignError
from tamis.model import frame_name, parse_frame_stem, stem_of
from tamis.storage import Stamp, StoreError

if TYPE_CHECKING:
    from tamis.api.sources import Sources
    from tamis.index import Video
    from tamis.model import FrameName


@dataclass
class Videos:
    """The videos of a datasource; one that no scan knows as it is now is decoded when it is first asked for.

    Args:
        sources: where the videos and the index are.
    """

    sources: Sources

    def size(self, key: str) -> tuple[int, int] | None:
        """Return width and height of a video's frames in pixels as stored, `None` where not one can be read."""
        video = self._video(key)
        return (video.width, video.height) if video.n_frames else None

    def frame(self, key: str, number: int, said: str) -> str:
        """Return the name of a frame.

        Args:
            key: of the video.
            number: of the frame, from 0.
            said: what was asked for, for messages.

        Raises:
            ForeignError: when the video has no such frame.
        """
        video = self._video(key)
        if not video.n_frames:
            raise ForeignError("frame-missing", f"expected {said} of `{key}`, but {video.fault}")
        if number >= video.n_frames:
            there = f"the last is number {video.n_frames - 1}"
            raise ForeignError("frame-missing", f"expected a frame of `{key}`, got {said}: {there}")
        return frame_name(key, number, video.n_frames)

    def check_frame(self, frame: FrameName, name: str) -> None:
        """See whether a video has a frame by exactly that name.

        Args:
            frame: the name taken apart.
            name: as it was given, for messages.

        Raises:
            ForeignError: when it has not.
        """
        right = stem_of(self.frame(frame.video, frame.number, f"`{name}`"))
        if parse_frame_stem(right) != frame:
            raise ForeignError("frame-missing", f"expected `{right}`, got `{name}`")

    def _video(self, key: str) -> Video:
        if key not in self._counter.videos:
            self._counter.count([VideoFile(key, self._stamp(key))])
        return self._counter.videos[key]

    def _stamp(self, key: str) -> Stamp:
        try:
            return self.sources.input.read_start(key, 1).stamp
        except StoreError:
            return Stamp(0, 0)  # counting its frames says why

    @cached_property
    def _counter(self) -> VideoCounter:
        snapshot = None
        with suppress(IndexMissingError):  # a damaged index is as good as none: everything is counted anew
            snapshot = self.sources.index.latest()
        known = () if snapshot is None else snapshot.manifest.videos
        return VideoCounter(self.sources.input, InlineEngine(), known)
