"""Any frame of a video soon: by its time where that is exact, else by counting from the start.

Frame numbers are those of the plain decoding loop (`videos.py`). Sorted, the times of all coded frames are those of
frames 0, 1, 2, ..., as far as they differ: so the decoder can start at the key frame before the wanted one, and the
frame with the wanted time is it. Where times are missing or repeated, or the frame does not turn up, frames are
counted from the start.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tamis.media.videos import FFmpegError, VideoError, open_video, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    from PIL import Image

    from tamis.media.videos import VideoSource

_STEPS = 24  # frames that are rather decoded than jumped over


class FrameReader:
    """An open video. Not for use from several threads at once.

    Args:
        source: path, or a binary file object that can seek.

    Raises:
        VideoError: when it cannot be opened.
    """

    def __init__(self, source: VideoSource) -> None:
        self._source = source
        self._times = _frame_times(source)
        self._number_at = {time: number for number, time in enumerate(self._times)}
        self._stack = ExitStack()
        self._container = self._stack.enter_context(open_video(source))
        self._frames: Iterator[av.VideoFrame] = self._container.decode(video=0)
        self._next = 0

    def read(self, number: int) -> Image.Image:
        """Return a frame as RGB in stored orientation.

        Raises:
            VideoError: when the video has no such frame.
        """
        if 0 <= number < len(self._times):
            found = self._seek(number)
            if found is not None:
                return found
        return read_frame(self._source, number)

    def close(self) -> None:
        """Close the video."""
        self._stack.close()

    def _seek(self, number: int) -> Image.Image | None:
        """Return a frame found by its time, `None` where it is not found so."""
        try:
            if not 0 <= number - self._next <= _STEPS:
                stream = self._container.streams.video[0]
                self._container.seek(self._times[number], stream=stream, backward=True)
                self._frames = self._container.decode(video=0)
            for frame in self._frames:
                at = self._number_at.get(frame.pts) if frame.pts is not None else None
                if at is None or at > number:
                    return None
                self._next = at + 1
                if at == number:
                    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it out
                    return image
        except FFmpegError:
            return None
        return None


def _frame_times(source: VideoSource) -> list[int]:
    """Return the times of all frames in order; nothing where they do not tell the frames apart."""
    with open_video(source) as container:
        try:
            times = [packet.pts for packet in container.demux(video=0) if packet.dts is not None]
        except FFmpegError:
            return []
        known = sorted(time for time in times if time is not None)
        return known if len(known) == len(times) == len(set(known)) else []


__all__ = ["FrameReader", "VideoError"]
