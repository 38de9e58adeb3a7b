"""Any frame of a video soon: by its time where that is sure, else by counting from the start.

Frame numbers are those of the plain decoding loop (`videos.py`). Sorted, the times of all coded frames that are
shown are those of frames 0, 1, 2, ..., so that decoding can start at the key frame before the wanted one. That is
not so

- where times are missing or repeated;
- where a file begins between two key frames, so that its first frames cannot be decoded;
- where others cannot be decoded, so that there are fewer frames than times;
- in many AVI files, which hold no times: those that FFmpeg makes up may be in another order than the frames.

All of that is looked for, and frames that are decoded one after the other must have times one after the other. In
doubt frames are counted from the start.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from tamis.media.videos import FFmpegError, VideoError, open_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from PIL import Image

    from tamis.media.videos import VideoSource

_CHECKED = 32  # the first frames, among which times that are made up show
_STEPS = 24  # frames that are rather decoded than jumped over
_BACK = (0, 1, 4)  # key frames further back to try: in streams of broadcasts, seeking ends after what was sought


class Times(NamedTuple):
    """When the frames of a video are shown, in units of its stream.

    Attributes:
        of: the time of each frame, ascending; empty where times do not tell the frames.
        keys: numbers of the frames at which decoding can start, ascending.
    """

    of: list[int]
    keys: list[int]


def read_times(source: VideoSource, *, n_frames: int | None = None) -> Times:
    """Return when the frames of a video are shown, without decoding more than one of them.

    Args:
        source: path, or a binary file object that can seek.
        n_frames: how many frames the plain loop decodes, `None` where that is not known.

    Raises:
        VideoError: when it cannot be opened.
    """
    try:
        with open_video(source) as container:
            # The last packet is empty: it ends the stream. What an edit list hides is decoded, but not shown.
            shown = [
                (packet.pts, packet.is_keyframe)
                for packet in container.demux(video=0)
                if packet.size and not packet.is_discard
            ]
        with open_video(source) as container:
            first = next((frame.pts for frame in container.decode(video=0)), None)
    except FFmpegError:
        return Times([], [])
    known = sorted((time, is_key) for time, is_key in shown if time is not None)
    times = [time for time, _ in known]
    if first is None or times[:1] != [first] or len(set(times)) != len(shown) or n_frames not in {None, len(times)}:
        return Times([], [])
    return Times(times, [number for number, (_, is_key) in enumerate(known) if is_key])


def stretches(source: VideoSource, times: Times, *, n_frames: int, least: int) -> list[range]:
    """Cut a video where decoding can start; one after the other, the parts are all of its frames.

    Args:
        source: path, or a binary file object that can seek.
        times: of its frames, as `read_times` returned them.
        n_frames: how many frames the plain loop decodes.
        least: frames of a part, but for the last.

    Returns:
        Numbers of frames; a single part where times do not tell the frames.

    Raises:
        VideoError: when it cannot be opened.
    """
    by_time = _ByTime(source, times)
    is_sure = by_time.read(min(_CHECKED, n_frames - 1)) is not None
    by_time.close()
    starts = [0]
    for key in times.keys if is_sure else ():
        if key - starts[-1] >= least:
            starts.append(key)
    return [range(start, end) for start, end in zip(starts, [*starts[1:], n_frames], strict=True)]


class FrameReader:
    """An open video. Not for use from several threads at once.

    Args:
        source: path, or a binary file object that can seek.
        n_frames: how many frames the plain loop decodes, `None` where that is not known.
        times: of its frames, where they were read before.

    Raises:
        VideoError: when it cannot be opened.
    """

    def __init__(self, source: VideoSource, *, n_frames: int | None = None, times: Times | None = None) -> None:
        self._by_time = _ByTime(source, read_times(source, n_frames=n_frames) if times is None else times)
        self._by_count = _ByCount(source)

    def read(self, number: int) -> Image.Image:
        """Return a frame as RGB in stored orientation.

        Raises:
            VideoError: when the video has no such frame.
        """
        frame = self._by_time.read(number) or self._by_count.read(number)
        image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it out
        return image

    def close(self) -> None:
        """Close the video."""
        self._by_time.close()
        self._by_count.close()


class _ByTime:
    """Frames by their times, until these turn out not to be those of the frames."""

    def __init__(self, source: VideoSource, times: Times) -> None:
        self._times, self._keys = times
        self._number_at = {time: number for number, time in enumerate(times.of)}
        self._video = _Video(source)
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = len(times.of)  # number of the first of these frames

    def read(self, number: int) -> av.VideoFrame | None:
        if not 0 <= number < len(self._times):
            return None
        try:
            at = bisect_right(self._keys, number) - 1
            first = self._keys[at] if at >= 0 else 0
            if not self._next <= number or first > self._next + _STEPS:
                self._jump(at, first)
            for frame in self._frames:
                if frame.is_corrupt or self._number_of(frame) != self._next:
                    break
                self._next += 1
                if self._next > number:
                    return frame
        except FFmpegError:
            pass
        self._times, self._frames = [], iter(())
        return None

    def _jump(self, at: int, first: int) -> None:
        """Start at a key frame: what is decoded sooner may lack the frames it was made from."""
        self._frames = iter(())
        for back in _BACK:
            seek = self._times[self._keys[at - back]] if at > back else None
            frames = self._video.decode(seek=seek)
            for frame in frames:
                found = self._number_of(frame)
                if found == first:
                    self._frames, self._next = chain([frame], frames), found
                    return
                if found is not None and found > first:
                    break

    def _number_of(self, frame: av.VideoFrame) -> int | None:
        return None if frame.pts is None else self._number_at.get(frame.pts)

    def close(self) -> None:
        self._video.close()


class _ByCount:
    """Frames in their order; to go back is to begin anew."""

    def __init__(self, source: VideoSource) -> None:
        self._video = _Video(source)
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next: int | None = None  # number of the first of these frames, `None` before there are any

    def read(self, number: int) -> av.VideoFrame:
        if self._next is None or number < self._next:
            self._frames, self._next = self._video.decode(), 0
        try:
            for frame in self._frames:
                self._next += 1
                if self._next > number >= 0:
                    return frame
        except FFmpegError:
            self._frames = iter(())
        raise VideoError(f"it has no frame {number}")

    def close(self) -> None:
        self._video.close()


class _Video:
    """A video that is opened when it is needed."""

    def __init__(self, source: VideoSource) -> None:
        self._source = source
        self._stack = ExitStack()
        self._container: av.container.InputContainer | None = None

    def decode(self, *, seek: int | None = None) -> Iterator[av.VideoFrame]:
        """Return all frames, or those from about a time on; those returned before are no longer to be used."""
        if seek is None or self._container is None:
            self.close()
            self._container = self._stack.enter_context(open_video(self._source))
        if seek is not None:
            self._container.seek(seek, stream=self._container.streams.video[0], backward=True)
        return self._container.decode(video=0)

    def close(self) -> None:
        self._stack.close()
        self._container = None
