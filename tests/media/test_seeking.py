"""Any frame of a video, found by its time, is the one that decoding from the start gives."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from real_data import DATA, needs_data
from tamis.media.seeking import FrameReader
from tamis.media.videos import VideoError, count_frames, read_frames

if TYPE_CHECKING:
    from pathlib import Path


def _video(n_frames: int, *, b_frames: int, group: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.max_b_frames, stream.gop_size = b_frames, group
        rng = np.random.default_rng(n_frames)
        for _ in range(n_frames):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 256, (16, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _same_in_any_order(source: Path | io.BytesIO, *, most: int) -> None:
    n = min(count_frames(source).decoded, most)
    expected = {number: np.asarray(image) for number, image in read_frames(source, range(n))}
    order = [*expected, *expected]
    random.Random(n).shuffle(order)  # noqa: S311 (an order of frames)
    reader = FrameReader(source)
    for number in order:
        assert np.array_equal(np.asarray(reader.read(number)), expected[number]), number
    reader.close()


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("n_frames", "group"), [(1, 12), (40, 12), (60, 60)])
def test_any_order_of_frames_gives_the_plain_ones(n_frames: int, group: int, b_frames: int) -> None:
    """Law: whatever was read before, frame i is frame i of the plain loop."""
    _same_in_any_order(io.BytesIO(_video(n_frames, b_frames=b_frames, group=group)), most=100)


def test_there_is_no_frame_beyond_the_last() -> None:
    """A number that no frame has is said."""
    reader = FrameReader(io.BytesIO(_video(5, b_frames=0, group=5)))
    for number in (5, -1):
        with pytest.raises(VideoError, match=f"it has no frame {number}"):
            reader.read(number)
    reader.close()


@needs_data
@pytest.mark.parametrize("name", ["car-detection.mp4", "corrupted.mp4", "unordered.mov", "no_duration.webm"])
def test_real_videos_give_the_plain_frames(name: str) -> None:
    """The same for real ones: many key frames, damage, repeated or missing times."""
    found = list((DATA / "videos").rglob(name))
    if not found:
        pytest.skip(f"`{name}` is not there")
    _same_in_any_order(found[0], most=40)
