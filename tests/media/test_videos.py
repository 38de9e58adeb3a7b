from __future__ import annotations

import io
import random
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.media import ranged
from tamis.media.videos import VideoError, count_frames, read_frames, video_source
from tamis.storage import Blob, LocalStore, MemoryStore, NotFoundError, StoreError

DATA = Path("/work/shared/data/videos")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real videos is not here")


def brightness(number: int) -> int:
    return 20 + number * 9


def video(n_frames: int, *, container_format: str = "mp4", b_frames: int = 0) -> bytes:
    """Return a video whose frame i is grey of `brightness(i)`, 32 x 16 pixels."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.gop_size = 5
        for i in range(n_frames):
            pixels = np.full((16, 32, 3), brightness(i), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize("n_frames", [1, 2, 11, 24])
@pytest.mark.parametrize("container_format", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_all_frames_are_counted(n_frames: int, container_format: str, b_frames: int) -> None:
    """As many frames are counted as were written, whatever the container and the order of storage."""
    data = video(n_frames, container_format=container_format, b_frames=b_frames)
    count = count_frames(io.BytesIO(data))
    assert (count.decoded, count.fault, count.width, count.height) == (n_frames, None, 32, 16)
    assert count.header in {n_frames, 0}


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_frame_is_the_one_of_its_number(b_frames: int) -> None:
    """Frame i is the i-th that was written, although B-frames are stored in another order."""
    data = video(24, b_frames=b_frames)
    for number in (0, 1, 7, 23):
        ((_, image),) = read_frames(io.BytesIO(data), [number])
        assert (image.mode, image.size) == ("RGB", (32, 16))
        assert abs(float(np.asarray(image).mean()) - brightness(number)) < 4


def test_several_frames_in_one_pass() -> None:
    """Frames come in ascending order with their numbers; numbers that the video lacks are left out."""
    frames = list(read_frames(io.BytesIO(video(12)), [9, 2, 2, 40, -1, 0]))
    assert [number for number, _ in frames] == [0, 2, 9]
    for number, image in frames:
        assert abs(float(np.asarray(image).mean()) - brightness(number)) < 4


def test_frames_before_a_fault_count() -> None:
    """A video that is cut gives the frames before the cut, the same when counted and when read."""
    whole = video(24, container_format="avi")
    data = whole[: len(whole) * 3 // 4]
    count = count_frames(io.BytesIO(data))
    assert 0 < count.decoded < 24
    assert len(list(read_frames(io.BytesIO(data), range(24)))) == count.decoded


def test_a_cut_between_two_frames_is_a_fault_too() -> None:
    """Wherever a file with a count in its header is cut, fewer frames than promised are never without a fault."""
    whole = video(24, container_format="avi")
    for size in range(len(whole) * 2 // 3, len(whole), 5):
        with suppress(VideoError):
            count = count_frames(io.BytesIO(whole[:size]))
            assert (count.decoded < count.header) == (count.fault is not None)
    at_frame = whole[: whole.rindex(b"00dc", 0, whole.rindex(b"idx1") - 4)]
    count = count_frames(io.BytesIO(at_frame))
    assert (count.decoded, count.header, count.fault) == (23, 24, "the file ends early")


def test_frames_hidden_by_an_edit_list_are_not_missing(tmp_path: Path) -> None:
    """A video that was trimmed without being encoded again shows fewer frames than are stored: no fault."""
    data = bytearray(video(24))
    duration = data.index(b"elst") + 12
    data[duration : duration + 4] = (400).to_bytes(4, "big")  # milliseconds of 960
    (tmp_path / "trimmed.mp4").write_bytes(data)
    for source in (tmp_path / "trimmed.mp4", io.BytesIO(data)):
        count = count_frames(source)
        assert (count.header, count.fault) == (24, None)
        assert count.decoded < 24


def test_any_damage_is_a_count_or_the_documented_error() -> None:
    """Bytes changed at random raise nothing but `VideoError`, and as many frames are read as are counted."""
    rng = random.Random(5)  # noqa: S311 (no secret)
    for _ in range(60):
        data = bytearray(video(6, container_format=rng.choice(["mp4", "matroska", "avi", "mpegts"])))
        for _ in range(rng.choice([1, 4, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        content = bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        try:
            decoded = count_frames(io.BytesIO(content)).decoded
            n_read = len(list(read_frames(io.BytesIO(content), range(decoded + 5))))
        except VideoError as error:
            decoded, n_read = 0, 0
            message = str(error)
            assert message.startswith(("it cannot be opened", "it holds no video", "not a single frame"))
        assert decoded == n_read


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{path}'\n"


@pytest.mark.parametrize("text", [PLAYLIST, CONCAT])
def test_playlists_are_not_followed(text: str, tmp_path: Path) -> None:
    """A text that names another file is no video: nothing but the file itself is ever opened."""
    (tmp_path / "real.ts").write_bytes(video(3, container_format="mpegts"))
    path = tmp_path / "list.ts"
    path.write_text(text.format(path=tmp_path / "real.ts"))
    with pytest.raises(VideoError, match=r"^it cannot be opened as a video"):
        count_frames(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it cannot be opened as a video (invalid data found when processing input)"),
        (b"hello " * 500, "it cannot be opened as a video (invalid data found when processing input)"),
        (bytes(5000), "it cannot be opened as a video (invalid data found when processing input)"),
    ],
)
def test_what_is_no_video(content: bytes, message: str, tmp_path: Path) -> None:
    """What cannot be opened says so, from a path as from memory."""
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    for source in (path, io.BytesIO(content)):
        with pytest.raises(VideoError) as caught:
            count_frames(source)
        assert str(caught.value) == message


def test_sound_alone_is_no_video() -> None:
    """A container without a video stream is refused."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(VideoError, match=r"^it holds no video stream$"):
        count_frames(io.BytesIO(buffer.getvalue()))


def test_sources_of_stores(tmp_path: Path) -> None:
    """A video counts the same from a folder, without reading it into memory, and from any other store."""
    data = video(7)
    (tmp_path / "-a b.mp4").write_bytes(data)
    local = video_source(LocalStore(tmp_path), "-a b.mp4")
    assert isinstance(local, Path)
    assert count_frames(local) == count_frames(video_source(MemoryStore({"v.mp4": data}), "v.mp4"))
    for store in (LocalStore(tmp_path), MemoryStore()):
        with pytest.raises(NotFoundError):
            video_source(store, "b.mp4")


class Ranges(MemoryStore):
    """Gives ranges alone, and remembers how long they were."""

    def __init__(self, content: dict[str, bytes]) -> None:
        super().__init__(content)
        self.asked: list[int] = []

    def read(self, key: str) -> Blob:
        raise AssertionError(f"{key} is read whole")

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        self.asked.append(n_bytes)
        blob = MemoryStore.read(self, key)
        return Blob(blob.data[start : start + n_bytes], blob.stamp)


@pytest.mark.parametrize("block_bytes", [97, 1000, 4 << 20])
def test_videos_of_buckets_are_read_in_blocks(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are those of the file, whatever the blocks; never more than one is asked for."""
    monkeypatch.setattr(ranged, "_BLOCK_BYTES", block_bytes)
    data = video(12, b_frames=2)
    store = Ranges({"v.mp4": data})
    source = video_source(store, "v.mp4")
    assert isinstance(source, ranged.RangedFile)
    assert count_frames(source) == count_frames(io.BytesIO(data))
    plain = [(number, image.tobytes()) for number, image in read_frames(io.BytesIO(data), range(12))]
    assert [(number, image.tobytes()) for number, image in read_frames(source, range(12))] == plain
    assert max(store.asked) <= block_bytes


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=20), st.integers(1, 9))
def test_a_file_in_blocks_is_a_file(reads: list[tuple[int, int]], block_bytes: int) -> None:
    """After any seeks, reading gives the bytes that a file in memory gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranged, "_BLOCK_BYTES", block_bytes)
        data = bytes(range(25))
        ours = io.BufferedReader(ranged.RangedFile(MemoryStore({"k": data}), "k"))
        theirs = io.BytesIO(data)
        for at, n_bytes in reads:
            assert (ours.seek(at), ours.read(n_bytes)) == (theirs.seek(at), theirs.read(n_bytes))
        assert ours.seek(0, io.SEEK_END) == 25


def test_a_video_that_is_replaced_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of two contents are not put together: it is an error that names the file."""
    monkeypatch.setattr(ranged, "_BLOCK_BYTES", 100)
    store = MemoryStore({"v.mp4": video(9)})
    source = video_source(store, "v.mp4")
    store.write("v.mp4", video(7))
    with pytest.raises(StoreError, match=r"^`v.mp4` cannot be read: it was replaced meanwhile$"):
        count_frames(source)


@needs_data
@pytest.mark.parametrize(
    ("name", "decoded", "header"),
    [
        ("decord_tests/test_data/corrupted.mp4", 28, 50),
        ("decord_tests/test_data/unordered.mov", 4, 4),
        ("remuxed_small_bunny_1080p_60fps.ts", 120, 0),
        ("moviepy/no_duration.webm", 74, 0),
        ("moviepy/-video-with-dash-.mp4", 5, 5),
        ("moviepy/fire2.mp4", 25, 25),
    ],
)
def test_real_videos(name: str, decoded: int, header: int) -> None:
    """Real videos have the frames that decode, not those that the header promises."""
    count = count_frames(DATA / name)
    assert (count.decoded, count.header) == (decoded, header)
    assert (count.fault is None) == ("corrupted" not in name)


@needs_data
def test_rotation_is_not_applied() -> None:
    """Four clips that differ in their rotation flag have frames of one stored size."""
    videos = [DATA / f"decord_tests/test_data/video_{angle}.mov" for angle in (0, 90, 180, 270)]
    assert {image.size for video in videos for _, image in read_frames(video, [0])} == {(568, 320)}
