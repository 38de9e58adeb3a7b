"""Any frame of a video, found by its time, is the one that decoding from the start gives."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from real_data import DATA, needs_data
from tamis.media.seeking import FrameReader, read_times, stretches
from tamis.media.videos import VideoError, count_frames, read_frames

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def _video(n_frames: int, *, b_frames: int = 2, group: int = 12, kind: str = "mp4", codec: str = "mpeg4") -> bytes:
    """Encode a picture that moves, so that frames differ from each other, and are made from each other."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.max_b_frames, stream.gop_size = b_frames, group
        pixels = np.random.default_rng(n_frames).integers(0, 256, (48, 64, 3), np.uint8)
        for number in range(n_frames):
            frame = av.VideoFrame.from_ndarray(np.roll(pixels, number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _begun_later(data: bytes, n_hidden: int) -> bytes:
    """Move a video so that its first frames are before its begin: an edit list hides them."""
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(data), "r") as source,
        av.open(buffer, "w", format="mp4", options={"avoid_negative_ts": "disabled"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None and packet.time_base is not None:
                hidden = int(n_hidden / 25 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - hidden, packet.dts - hidden, stream
                target.mux(packet)
    return buffer.getvalue()


def _plain(source: Path | io.BytesIO) -> list[NDArray[Any]]:
    return [np.asarray(image) for _, image in read_frames(source, range(count_frames(source).decoded))]


def _same_in_any_order(source: Path | io.BytesIO, expected: list[NDArray[Any]], *, n_frames: int | None) -> None:
    order = [*range(len(expected)), *range(len(expected))]
    random.Random(len(order)).shuffle(order)  # noqa: S311 (an order of frames)
    reader = FrameReader(source, n_frames=n_frames)
    for number in order:
        assert np.array_equal(np.asarray(reader.read(number)), expected[number]), number
    reader.close()


KINDS = [
    ("mp4", "libx264"),
    ("matroska", "libx264"),
    ("mpegts", "libx264"),
    ("vob", "mpeg2video"),
    ("webm", "libvpx-vp9"),
    ("webm", "libvpx"),
    ("avi", "mpeg4"),
]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("kind", "codec"), KINDS)
def test_any_order_of_frames_gives_the_plain_ones(
    kind: str, codec: str, b_frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law: whatever was read before, frame i is that of the plain loop; most containers need no counting for it."""
    source = io.BytesIO(_video(60, kind=kind, codec=codec, b_frames=b_frames))
    expected = _plain(source)
    assert len(expected) == 60
    if kind != "vob":  # where seeking may end too late
        monkeypatch.delattr("tamis.media.seeking._ByCount.read")
    _same_in_any_order(source, expected, n_frames=60)
    _same_in_any_order(source, expected, n_frames=None)


@pytest.mark.parametrize(("n_frames", "group"), [(1, 12), (40, 40), (30, 1)])
def test_one_group_and_groups_of_one(n_frames: int, group: int) -> None:
    """The same where there is one key frame, or nothing else."""
    source = io.BytesIO(_video(n_frames, group=group))
    _same_in_any_order(source, _plain(source), n_frames=n_frames)


def test_what_an_edit_list_hides_is_no_frame() -> None:
    """A video that was trimmed without encoding it anew still holds what was cut off."""
    source = io.BytesIO(_begun_later(_video(60, codec="libx264"), 7))
    expected = _plain(source)
    assert len(expected) == 53
    assert len(read_times(source).of) == 53
    _same_in_any_order(source, expected, n_frames=None)


@pytest.mark.parametrize("n_packets", [20, 40])
def test_a_broadcast_that_begins_between_key_frames(n_packets: int) -> None:
    """Its first frames have times, but cannot be decoded."""
    source = io.BytesIO(_video(60, kind="mpegts", codec="libx264")[188 * n_packets :])
    expected = _plain(source)
    assert len(expected) < 60
    _same_in_any_order(source, expected, n_frames=None)


def test_made_up_times_are_not_believed() -> None:
    """In an AVI file with B-frames the order of times is not that of the frames."""
    source = io.BytesIO(_video(60, kind="avi", codec="libx264"))
    _same_in_any_order(source, _plain(source), n_frames=None)
    assert stretches(source, read_times(source), n_frames=60, least=12) == [range(60)]


def test_times_of_more_or_fewer_frames_are_not_believed() -> None:
    """Where the plain loop finds another number of frames, none is looked up by its time."""
    source = io.BytesIO(_video(40))
    assert len(read_times(source, n_frames=40).of) == 40
    for n_frames in (39, 41):
        assert not read_times(source, n_frames=n_frames).of
        _same_in_any_order(source, _plain(source), n_frames=n_frames)


def test_there_is_no_frame_beyond_the_last() -> None:
    """A number that no frame has is said, however often, and the others are still found."""
    reader = FrameReader(io.BytesIO(_video(5)))
    for number in (5, -1, 5, 10**9):
        with pytest.raises(VideoError, match=rf"^it has no frame {number}$"):
            reader.read(number)
    assert reader.read(4).size == (64, 48)
    reader.close()


@pytest.mark.parametrize(("kind", "codec"), KINDS)
def test_stretches_are_all_frames_and_begin_at_key_frames(kind: str, codec: str) -> None:
    """Law: parts follow each other, none but the last is short, and alone each has the frames of the whole."""
    source = io.BytesIO(_video(60, kind=kind, codec=codec))
    expected, times = _plain(source), read_times(source)
    parts = stretches(source, times, n_frames=60, least=15)
    assert len(parts) > 1
    assert [number for part in parts for number in part] == list(range(60))
    assert all(len(part) >= 15 for part in parts[:-1])
    assert {part.start for part in parts} <= {0, *times.keys}
    for part in parts:
        reader = FrameReader(source, n_frames=60)
        assert all(np.array_equal(np.asarray(reader.read(number)), expected[number]) for number in part)
        reader.close()


@needs_data
@pytest.mark.parametrize("name", ["car-detection.mp4", "corrupted.mp4", "unordered.mov", "no_duration.webm"])
def test_real_videos_give_the_plain_frames(name: str) -> None:
    """The same for real ones: many key frames, damage, repeated or missing times."""
    found = list((DATA / "videos").rglob(name))
    if not found:
        pytest.skip(f"`{name}` is not there")
    _same_in_any_order(found[0], _plain(found[0])[:40], n_frames=None)
