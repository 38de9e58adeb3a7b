"""Frames of videos, numbered from 0 in the order in which PyAV decodes them.

The number and order of frames are what `container.decode(video=0)` gives, not what the header says: headers
lie (0 frames, 50 instead of 28) and other libraries count otherwise. Frames are as stored: a rotation flag is
not applied.

PyAV's own threading is left as it is. Decoding several frames at once (`thread_type = "AUTO"`) is up to 1.5x
faster, but on damaged videos it yields other frames: 24 instead of 18, or no error where there is one.
Whoever made the predictions ran the plain loop, so their frame numbers are those of the plain loop.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import av  # in this module alone: two threads that load two parts of PyAV at once break both
import av.error

from tamis.media.ranged import RangedFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from PIL import Image

    from tamis.storage import Store

    VideoSource = Path | IO[bytes] | RangedFile

# Playlists (HLS, DASH, concat) are text that names other files and addresses: none of them is opened.
_DEMUXERS = (
    "mov", "mp4", "matroska", "webm", "avi", "mpeg", "mpegvideo", "mpegts", "hevc", "h264", "m4v", "gif",
    "asf", "flv", "ogg",
)  # fmt: skip
_OPTIONS = {"format_whitelist": ",".join(_DEMUXERS), "protocol_whitelist": "file"}

FFmpegError = av.error.FFmpegError
"""What opening and decoding a video may raise."""

MAX_FRAME_PIXELS = 1 << 28
"""Videos of larger frames are not decoded: one would take a gigabyte. 16K has half as many pixels."""


class VideoError(ValueError):
    """No frame can be had: no video, damaged from its start, or no such frame; a clause about the file."""


class FrameCount(NamedTuple):
    """How many frames a video has, and their size.

    Attributes:
        decoded: frames that decode before the first fault, >= 1: frame names are numbered and padded by it.
        header: frames that the header promises, 0 where it says nothing.
        fault: what ended decoding early, a clause; `None` where the end was reached.
        width: of the first frame in pixels as stored.
        height: of the first frame in pixels as stored.
    """

    decoded: int
    header: int
    fault: str | None
    width: int
    height: int


def video_source(store: Store, key: str) -> VideoSource:
    """Return what the functions below read a video of a store from: a path, or a file that asks for its blocks.

    Raises:
        NotFoundError: when nothing is at the key.
        StoreError: when it may not or cannot be read.
    """
    if store.local_root is not None:
        store.read_start(key, 1)
        return store.local_root / key
    return RangedFile(store, key)


def count_frames(source: VideoSource) -> FrameCount:
    """Count the frames of a video by decoding all of them.

    Args:
        source: path, or a binary file object that can seek.

    Raises:
        VideoError: when not a single frame decodes.
    """
    n, width, height, fault = 0, 0, 0, None
    most = _size_bytes(source)
    with open_video(source) as container:
        header = container.streams.video[0].frames
        if header > most:
            raise VideoError(f"its header promises {header:,} frames in {most:,} bytes")
        try:
            for frame in container.decode(video=0):
                if not n:
                    width, height = frame.width, frame.height
                if n == most:  # no codec takes less than a byte for a frame: it would never end
                    fault = f"it goes on after a frame for each of its {most:,} bytes"
                    break
                n += 1
        except FFmpegError as error:
            fault = _clause(error)
    if not n:
        raise VideoError(f"not a single frame can be decoded ({fault or 'it holds none'})")
    if fault is None and n < header and _count_stored(source) < header:
        fault = "the file ends early"
    return FrameCount(n, header, fault, width, height)


def _count_stored(source: VideoSource) -> int:
    """Count the coded frames of a video that can be opened, those that its editor hid included.

    A file that is cut between two frames decodes without a fault, and so does one whose edit list skips frames.
    """
    with open_video(source, ignore_editlist="1") as container:
        try:
            return sum(packet.size > 0 for packet in container.demux(video=0))  # the last one ends the stream
        except FFmpegError:
            return 0


def read_frames(source: VideoSource, numbers: Collection[int]) -> Iterator[tuple[int, Image.Image]]:
    """Yield several frames of a video in one pass, in ascending order of number, with their numbers.

    Numbers that the video does not have, as it is shorter or damaged before them, are left out.

    Raises:
        VideoError: when the video cannot be opened.
    """
    wanted = {number for number in numbers if number >= 0}
    with open_video(source) as container:
        frames = enumerate(container.decode(video=0))
        while wanted:
            try:
                number, frame = next(frames)
                if number not in wanted:
                    continue
                image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it out
            except (StopIteration, FFmpegError):
                return
            wanted.remove(number)
            yield number, image


def _size_bytes(source: VideoSource) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    return source.seek(0, io.SEEK_END)


@contextmanager
def open_video(source: VideoSource, **options: str) -> Iterator[av.container.InputContainer]:
    """Open a video and close it; other files that it names are not opened.

    Raises:
        VideoError: when it cannot be opened, or holds no video stream.
    """
    file = str(source) if isinstance(source, Path) else source
    if not isinstance(source, Path):
        source.seek(0)
    try:
        # Titles and comments may be of any encoding; strict decoding would refuse the video for them.
        container = av.open(file, "r", options={**_OPTIONS, **options}, metadata_errors="ignore")
    except FFmpegError as error:
        raise VideoError(f"it cannot be opened as a video ({_clause(error)})") from None
    with container:
        if not container.streams.video:
            raise VideoError("it holds no video stream")
        codec = container.streams.video[0].codec_context
        if codec.width * codec.height > MAX_FRAME_PIXELS:
            raise VideoError(f"its frames have {codec.width} x {codec.height} pixels, more than are decoded")
        codec.options = {"max_pixels": str(MAX_FRAME_PIXELS)}  # a frame may be larger than the header says
        yield container


def _clause(error: FFmpegError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
