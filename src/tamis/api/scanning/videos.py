"""Frame counts: a video is decoded once, and again only when it changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.scanning.chunk import UNREAD
from tamis.index import Video
from tamis.model import Problem, parse_frame_stem
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.api.scanning.walk import VideoFile
    from tamis.engine import Engine
    from tamis.index import Listing
    from tamis.storage import Store


@dataclass(slots=True, eq=False)
class VideoCounter:
    """Counts frames through an engine, and remembers what it found.

    Args:
        store: holds the videos.
        engine: decodes several at once.
        known: counts of the last snapshot.
    """

    store: Store
    engine: Engine
    known: Iterable[Video]
    videos: dict[str, Video] = field(default_factory=dict)
    _cache: dict[tuple[str, int, int], Video] = field(init=False)

    def __post_init__(self) -> None:
        self._cache = {(video.key, video.size_bytes, video.mtime_ns): video for video in self.known}

    def count(self, files: list[VideoFile]) -> dict[str, int]:
        """Return the number of frames of each video, 0 where none can be read."""
        new = [file for file in files if (file.key, *file.stamp) not in self._cache]
        found = {file.key: self._cache[file.key, *file.stamp] for file in files if file not in new}
        # For a single video, starting processes would only cost time.
        count = partial(_count, self.store)
        for video in self.engine.map(count, new) if len(new) > 1 else map(count, new):
            found[video.key] = video
        self.videos.update(found)
        return {key: video.n_frames for key, video in found.items()}

    def problems(self) -> list[Problem]:
        """Return what is wrong with the videos, each with its place among the samples."""
        return [problem for video in self.videos.values() if (problem := _problem(video)) is not None]


def doubt_orphans(listing: Listing, before: Iterable[Video], now: Iterable[Video]) -> Listing:
    """Mark files without a sample as changed where they look like frames of a video that did.

    What is said of them depends on that video, not on themselves alone.
    """
    changed = {video.key for video in set(before) ^ set(now)}
    if not changed:
        return listing
    orphans = np.flatnonzero(~listing.has_sample)
    fingerprints = listing.fingerprints.copy()
    for row, stem in zip(orphans.tolist(), listing.stems.take(orphans).to_pylist(), strict=True):
        frame = parse_frame_stem(stem)
        if frame is not None and frame.video in changed:
            fingerprints[row] ^= np.uint64(1)
    return replace(listing, fingerprints=fingerprints)


def _count(store: Store, file: VideoFile) -> Video:
    # PyAV takes .2 s to load, which a datasource without videos need not wait for.
    from tamis.media.videos import VideoError, count_frames, video_source  # noqa: PLC0415

    size_bytes, mtime_ns = file.stamp
    n_frames, in_header, width, height, fault = 0, 0, 0, 0, None
    try:
        n_frames, in_header, fault, width, height = count_frames(video_source(store, file.key))
    except VideoError as error:
        fault = str(error)
    except StoreError as error:
        fault = error.message
        size_bytes, mtime_ns = UNREAD  # nothing was found out: the next scan looks again
    return Video(
        key=file.key,
        size_bytes=size_bytes,
        mtime_ns=mtime_ns,
        n_frames=n_frames,
        n_frames_header=in_header,
        width=width,
        height=height,
        fault=fault,
    )


def _problem(video: Video) -> Problem | None:
    if video.fault is None:
        return None
    if not video.n_frames:
        return Problem(code="video-unreadable", file=video.key, message=f"expected a video, but {video.fault}")
    promised = f" of {video.n_frames_header} in its header" if video.n_frames_header else ""
    message = f"{video.n_frames} frames{promised} can be decoded before a fault: {video.fault}"
    return Problem(code="video-truncated", file=video.key, message=message)
