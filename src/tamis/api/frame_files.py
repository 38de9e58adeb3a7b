"""The frames of one video as image files: what a worker does of `tamis frames`."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tamis.media.frames import DEFAULT_JPEG_QUALITY, PictureFormat, encode_picture, read_rotation
from tamis.media.videos import FrameCount, VideoError, count_frames, read_frames, video_source
from tamis.model import frame_name, stem_of
from tamis.storage import NotFoundError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tamis.index import Video
    from tamis.media.videos import VideoSource
    from tamis.storage import LocalStore, Stamp, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOptions:
    """Which frames to write, and how.

    Attributes:
        every: every how many-th frame of a video, from frame 0 on.
        names: the only frames to write, by name; `None` for all.
        picture: how the frames are stored.
        jpeg_quality: from 1 to 95; `None` for the usual.
        workers: processes that decode, or threads that encode a single video; `None` is one for each processor
            that this process may use.
    """

    every: int = 1
    names: Sequence[str] | None = None
    picture: PictureFormat = PictureFormat.PNG
    jpeg_quality: int | None = None
    workers: int | None = None


class VideoFrames(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with one video.

    Attributes:
        video: its key: path relative to the folder that was given, or its file name.
        frames: frames that decode: names are numbered and padded by it.
        frames_in_header: frames that its header promises, 0 where it says nothing.
        rotation: degrees, counterclockwise, by which players turn its frames; they are written as stored.
        written: frames written now.
        kept: frames that were there from before.
        fault: what ended decoding early, or why nothing can be read, a clause; `None` where all is well.
    """

    video: str
    frames: int = 0
    frames_in_header: int = 0
    rotation: int = 0
    written: int = 0
    kept: int = 0
    fault: str | None = None

    @property
    def header_is_wrong(self) -> bool:
        """Whether the header promises another number of frames than there are."""
        return self.frames_in_header not in {0, self.frames}


@dataclass(frozen=True, slots=True)
class VideoJob:
    """One video and where its frames go; pickled for the workers.

    Attributes:
        store: holds the video.
        key: of the video.
        out: where its frames go.
        options: how; `names` is not looked at.
        stems: the only frames to write, by name without ending; `None` for all.
        known: what a scan found by decoding the video, which holds while the video has not changed.
        threads: how many frames are encoded at once.
        listen: told how many frames are written, and how many there are to write.
    """

    store: Store
    key: str
    out: LocalStore
    options: FrameOptions
    stems: frozenset[str] | None = None
    known: Video | None = None
    threads: int = 1
    listen: Callable[[int, int], None] | None = None


def extract_video(job: VideoJob) -> VideoFrames:
    """Count the frames of a video and write those that are wanted and not there; damage is a `fault`, never raised.

    Raises:
        StoreError: when a frame cannot be written.
    """
    try:
        source = video_source(job.store, job.key)
        since = job.store.read_start(job.key, 1).stamp
        count = _count(job, source, since)
        rotation = read_rotation(source)
    except VideoError as error:
        return VideoFrames(video=job.key, fault=str(error))
    except StoreError as error:
        return VideoFrames(video=job.key, fault=error.message)
    wanted = _wanted(job, count.decoded)
    missing = {number: key for number, key in wanted.items() if not _is_there(job.out, key, since)}
    return VideoFrames(
        video=job.key,
        frames=count.decoded,
        frames_in_header=count.header,
        rotation=rotation,
        written=_write(job, source, missing),
        kept=len(wanted) - len(missing),
        fault=count.fault,
    )


def _count(job: VideoJob, source: VideoSource, stamp: Stamp) -> FrameCount:
    known = job.known
    if known is None or not known.n_frames or (known.size_bytes, known.mtime_ns) != stamp:
        return count_frames(source)
    return FrameCount(known.n_frames, known.n_frames_header, known.fault, known.width, known.height)


def _wanted(job: VideoJob, n_frames: int) -> dict[int, str]:
    """Return the key of each frame to be written, by its number."""
    keys = {}
    for number in range(0, n_frames, job.options.every):
        stem = stem_of(frame_name(job.key, number, n_frames))
        if job.stems is None or stem in job.stems:
            keys[number] = f"{stem}.{job.options.picture.ending}"
    return keys


def _is_there(out: Store, key: str, since: Stamp) -> bool:
    """Whether a frame was written after its video: what is there is whole, as files are put in place whole."""
    try:
        there = out.read_start(key, 1).stamp
    except NotFoundError:
        return False
    return there.size_bytes > 0 and there.mtime_ns >= since.mtime_ns


def _write(job: VideoJob, source: VideoSource, keys: dict[int, str]) -> int:
    written = 0
    for key, data in _encoded(job, source, keys):
        job.out.write(key, data)
        written += 1
        if job.listen is not None:
            job.listen(written, len(keys))
    return written


def _encoded(job: VideoJob, source: VideoSource, keys: dict[int, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the frames as image files in order, while the next ones are decoded and encoded."""
    quality = job.options.jpeg_quality or DEFAULT_JPEG_QUALITY
    frames = ((keys[number], image) for number, image in read_frames(source, keys))
    # Encoding a JPEG is too quick to hand over: two threads are slower than one.
    if job.threads == 1 or job.options.picture is PictureFormat.JPEG:
        for key, image in frames:
            yield key, encode_picture(image, job.options.picture, jpeg_quality=quality)
        return
    pending: deque[tuple[str, Future[bytes]]] = deque()
    with ThreadPoolExecutor(job.threads) as pool:
        for key, image in frames:
            pending.append((key, pool.submit(encode_picture, image, job.options.picture, jpeg_quality=quality)))
            if len(pending) > 2 * job.threads:
                yield _done(pending.popleft())
        yield from map(_done, pending)


def _done(item: tuple[str, Future[bytes]]) -> tuple[str, bytes]:
    key, data = item
    return key, data.result()
