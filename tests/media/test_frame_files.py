from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import tamis
from bucket_servers import use_server
from tamis.api.frame_files import VideoJob, extract_video
from tamis.api.frames import (
    FrameOptions,
    extract_frames,
    frames_of_selection,
    iterate_frames,
    picture_format,
)
from tamis.api.sources import open_sources
from tamis.cli.app import app
from tamis.errors import DatasourceError, UsageError
from tamis.index import Pool
from tamis.media.frames import PictureFormat, read_rotation
from tamis.model import frame_name
from tamis.storage import LocalStore, MemoryStore
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DATA = Path("/work/shared/data/videos")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real videos is not here")
ALONE = FrameOptions(workers=1)


def write_video(path: Path, n_frames: int) -> Path:
    """Write a video with B-frames whose frames differ from each other, 32 x 16 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(n_frames)
    with av.open(str(path), "w", format={".ts": "mpegts"}.get(path.suffix)) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.max_b_frames = 0 if path.suffix == ".avi" else 2
        stream.codec_context.gop_size = 5
        for i in range(n_frames):
            pixels = np.full((16, 32, 3), (20 + 9 * i, 200 - 7 * i, 90), np.uint8)
            pixels[:, 16:] ^= rng.integers(0, 256, (16, 16, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def bare(path: Path) -> list[NDArray[np.uint8]]:
    """Decode a video with nothing but PyAV, up to its first fault."""
    frames = []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))  # noqa: PERF401 (what came before a fault counts)
        except av.error.FFmpegError:
            pass
    return frames


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("n_frames", "digits"), [(1, 1), (9, 1), (10, 2), (24, 2)])
@pytest.mark.parametrize("ending", ["mp4", "ts", "MOV"])
def test_files_are_what_pyav_decodes(n_frames: int, digits: int, ending: str, tmp_path: Path) -> None:
    """Each frame has a file of its name in its video's folder, with the pixels that bare PyAV gives."""
    path = write_video(tmp_path / f"data/sub/-a b.{ending}", n_frames)
    report = extract_frames([tmp_path / "data"], tmp_path / "out", ALONE)
    expected = [f"sub/-a b-{i:0{digits}}-{ending}.png" for i in range(n_frames)]
    assert sorted(files_of(tmp_path / "out")) == expected
    for name, pixels in zip(expected, bare(path), strict=True):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / name)), pixels)
    assert (report.n_written, report.n_kept, report.n_faults) == (n_frames, 0, 0)


def test_frames_in_memory_are_those_of_the_files(tmp_path: Path) -> None:
    """Iterating a video gives the names and pixels of its files: by its own name, or by its key."""
    path = write_video(tmp_path / "data/sub/clip.mp4", 12)
    extract_frames([tmp_path / "data"], tmp_path / "out", ALONE)
    keyed = list(tamis.iterate_frames("sub/clip.mp4", datasource=tmp_path / "data"))
    assert [name for name, _ in keyed] == sorted(files_of(tmp_path / "out"))
    for name, pixels in keyed:
        assert pixels.shape == (16, 32, 3)
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / name)), pixels)
    alone = list(iterate_frames(path))
    assert [f"sub/{name}" for name, _ in alone] == [name for name, _ in keyed]


def test_every_so_many(tmp_path: Path) -> None:
    """Every 5th frame is a part of all frames, from frame 0 on, by the same names."""
    path = write_video(tmp_path / "clip.mp4", 12)
    extract_frames([path], tmp_path / "all", ALONE)
    extract_frames([path], tmp_path / "some", FrameOptions(every=5))
    wanted = {f"clip-{i:02}-mp4.png" for i in (0, 5, 10)}
    everything = files_of(tmp_path / "all")
    assert files_of(tmp_path / "some") == {name: everything[name] for name in wanted}


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    """What is there and not older than its video stays untouched; what is missing, empty or older is written."""
    path = write_video(tmp_path / "clip.mp4", 12)
    out = tmp_path / "out"
    extract_frames([path], out, ALONE)
    whole = files_of(out)
    (out / "clip-03-mp4.png").unlink()
    (out / "clip-04-mp4.png").write_bytes(b"")
    os.utime(out / "clip-05-mp4.png", ns=(0, 0))
    before = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    report = extract_frames([path], out, ALONE)
    assert (report.n_written, report.n_kept) == (3, 9)
    assert files_of(out) == whole
    changed = {file.name for file in out.iterdir() if before.get(file.name) != file.stat().st_mtime_ns}
    assert changed == {f"clip-0{i}-mp4.png" for i in (3, 4, 5)}


def test_workers_change_nothing(tmp_path: Path) -> None:
    """Several videos at once give the files and the report that they give one by one."""
    for i in range(3):
        write_video(tmp_path / f"data/{i}/clip.mp4", 3 + i)
    together = extract_frames([tmp_path / "data"], tmp_path / "a", FrameOptions(workers=2))
    one_by_one = extract_frames([tmp_path / "data"], tmp_path / "b", ALONE)
    assert together == one_by_one
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert [video.video for video in together.videos] == [f"{i}/clip.mp4" for i in range(3)]


def test_what_a_scan_counted_is_not_counted_again(tmp_path: Path) -> None:
    """With an index the report and the files are the same; a video that changed since is counted anew."""
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "data" / name, 12)
    without = extract_frames([tmp_path / "data"], tmp_path / "out", ALONE)
    tamis.open(tmp_path / "data").scan(tamis.ScanOptions(workers=1))
    again = extract_frames([tmp_path / "data"], tmp_path / "again", ALONE)
    assert (again, files_of(tmp_path / "again")) == (without, files_of(tmp_path / "out"))
    write_video(tmp_path / "data/b.mp4", 9)
    changed = extract_frames([tmp_path / "data"], tmp_path / "changed", ALONE)
    assert [video.frames for video in changed.videos] == [12, 9]
    (tmp_path / "data/.lightly/tamis/latest").write_bytes(b"damaged")
    assert extract_frames([tmp_path / "data"], tmp_path / "damaged", ALONE) == changed


@pytest.mark.parametrize("picture", PictureFormat)
def test_threads_change_nothing(picture: PictureFormat, tmp_path: Path) -> None:
    """A single video that several threads encode has the files that one gives, told of in order."""
    path = write_video(tmp_path / "clip.mp4", 24)
    heard: list[int] = []
    for workers in (1, 4):
        options = FrameOptions(workers=workers, picture=picture)
        extract_frames(
            [path], tmp_path / str(workers), options, listen=lambda progress: heard.append(progress.done)
        )
    assert heard == [*range(1, 25), *range(1, 25)]
    assert files_of(tmp_path / "4") == files_of(tmp_path / "1")


def test_any_store_will_do(tmp_path: Path) -> None:
    """A video that lies elsewhere than in a folder gives the same report and files."""
    path = write_video(tmp_path / "sub/clip.mp4", 12)
    store = MemoryStore({"sub/clip.mp4": path.read_bytes()})
    options = FrameOptions(workers=1, every=3)
    job = VideoJob(store, "sub/clip.mp4", LocalStore(tmp_path / "elsewhere"), options)
    assert extract_video(job).written == extract_video(replace(job, store=LocalStore(tmp_path))).kept == 4
    extract_frames([tmp_path / "sub"], tmp_path / "out/sub", options)
    assert files_of(tmp_path / "elsewhere") == files_of(tmp_path / "out")


def test_buckets_are_as_good_as_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Videos of a bucket, all of them, one by its URL, or in memory, have the frames that they have in a folder."""
    url = f"{use_server('s3', monkeypatch).new_bucket()}/some/folder"
    path = write_video(tmp_path / "data/sub/clip.mp4", 6)
    BucketStore(url).write("sub/clip.mp4", path.read_bytes())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    extract_frames([tmp_path / "data"], tmp_path / "near", ALONE)
    extract_frames([url], tmp_path / "far", ALONE)
    extract_frames([f"{url}/sub/clip.mp4"], tmp_path / "one/sub", ALONE)
    assert files_of(tmp_path / "near") == files_of(tmp_path / "far") == files_of(tmp_path / "one")
    frames = dict(iterate_frames("sub/clip.mp4", datasource=url))
    assert sorted(frames) == sorted(files_of(tmp_path / "far"))


def test_a_list_of_frames(tmp_path: Path) -> None:
    """Only listed frames are written; a name that no frame has is told, with the reason, and writes nothing."""
    for name in ("a/clip.mp4", "b.mp4"):
        write_video(tmp_path / "data" / name, 12)
    names = [
        "a/clip-03-mp4.png",
        "a/clip-11-mp4.jpg",  # as other tools may end them
        "a/clip-3-mp4.png",
        "a/clip-12-mp4.png",
        "c-03-mp4.png",
        "photo.jpg",
    ]
    report = extract_frames([tmp_path / "data"], tmp_path / "out", FrameOptions(names=names))
    assert set(files_of(tmp_path / "out")) == {"a/clip-03-mp4.png", "a/clip-11-mp4.png"}
    assert report.not_found == {
        "a/clip-3-mp4.png": "its name is `a/clip-03-mp4.png`",
        "a/clip-12-mp4.png": "the video has 12 frames",
        "c-03-mp4.png": "there is no video `c.mp4`",
        "photo.jpg": "it is no name of a frame",
    }
    assert [video.video for video in report.videos] == ["a/clip.mp4"]


def test_frames_of_a_selection(tmp_path: Path) -> None:
    """A selection is a list of keys, the folder of one or a pool; samples that are no frames are counted."""
    keys = ["clip-03-mp4.png", "photo.jpg", "clip-10-mp4.png"]
    expected = (["clip-03-mp4.png", "clip-10-mp4.png"], 1)
    (tmp_path / "data").mkdir()
    (tmp_path / "round-1").mkdir()
    (tmp_path / "round-1/selected.txt").write_text("\n".join(keys))
    Pool(open_sources(tmp_path / "data").index.root, "labelled").join(keys)
    assert frames_of_selection([tmp_path / "data"], str(tmp_path / "round-1")) == expected
    assert frames_of_selection(["x.mp4", "y.mp4"], str(tmp_path / "round-1/selected.txt")) == expected
    assert frames_of_selection([tmp_path / "data"], "labelled") == expected
    with pytest.raises(UsageError, match="There is no selection `other`"):
        frames_of_selection([tmp_path / "data"], "other")
    with pytest.raises(UsageError, match="a pool needs a single folder as source"):
        frames_of_selection(["x.mp4"], "labelled")


def test_a_damaged_video_gives_the_frames_before_the_fault(tmp_path: Path) -> None:
    """Frames before a fault are written, named by how many they are; the fault is told, other videos go on."""
    whole = write_video(tmp_path / "data/a.avi", 24).read_bytes()
    (tmp_path / "data/a.avi").write_bytes(whole[: len(whole) * 3 // 4])
    (tmp_path / "data/b.mp4").write_bytes(b"no video " * 500)
    write_video(tmp_path / "data/c.mp4", 2)
    report = extract_frames([tmp_path / "data"], tmp_path / "out", ALONE)
    damaged, none, fine = report.videos
    n = len(bare(tmp_path / "data/a.avi"))
    assert (damaged.frames, damaged.frames_in_header, damaged.written) == (n, 24, n)
    assert damaged.fault is not None
    assert damaged.header_is_wrong
    assert (none.frames, none.written) == (0, 0)
    assert none.fault == "it cannot be opened as a video (invalid data found when processing input)"
    assert (fine.fault, fine.written, report.n_faults) == (None, 2, 2)
    assert set(files_of(tmp_path / "out")) == {
        *(frame_name("a.avi", i, n) for i in range(n)),
        *(frame_name("c.mp4", i, 2) for i in range(2)),
    }


def test_progress_of_one_video_is_in_frames_and_of_several_in_videos(tmp_path: Path) -> None:
    """Work that is watched says how far it is of how much, and ends at its end."""
    heard: list[tuple[int, int | None, str]] = []
    for i in range(2):
        write_video(tmp_path / f"data/{i}.mp4", 4)
    extract_frames(
        [tmp_path / "data/0.mp4"],
        tmp_path / "a",
        listen=lambda progress: heard.append((progress.done, progress.total, progress.unit)),
    )
    assert heard == [(i, 4, "frames") for i in (1, 2, 3, 4)]
    heard.clear()
    extract_frames(
        [tmp_path / "data"],
        tmp_path / "b",
        ALONE,
        listen=lambda progress: heard.append((progress.done, progress.total, progress.unit)),
    )
    assert heard == [(i, 2, "videos") for i in (0, 1, 2)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda path: extract_frames([path / "a/clip.mp4", path / "b/clip.mp4"], path / "out"),
            UsageError,
            "`clip.mp4` is the name of two videos, in `{path}/a` and in `{path}/b`",
        ),
        (
            lambda path: extract_frames([path / "none.mp4"], path / "out"),
            DatasourceError,
            "There is no video or folder `{path}/none.mp4`",
        ),
        (
            lambda path: extract_frames([path / "empty"], path / "out"),
            DatasourceError,
            "There is no video in `{path}/empty`",
        ),
        (
            lambda path: extract_frames([path], path / "a/clip.mp4"),
            DatasourceError,
            "`{path}/a/clip.mp4` is a file, expected a folder for the frames",
        ),
        (
            lambda path: extract_frames([path], path / "out", FrameOptions(every=0)),
            UsageError,
            "Expected every 1st frame or fewer, got every 0",
        ),
        (
            lambda path: extract_frames([path], path / "out", FrameOptions(every=2, names=[])),
            UsageError,
            "Every so many-th frame and a list of frames exclude each other",
        ),
        (
            lambda path: extract_frames([path], path / "out", FrameOptions(jpeg_quality=90)),
            UsageError,
            "A quality is for JPEG only: PNG keeps every pixel",
        ),
        (
            lambda path: extract_frames(
                [path], path / "out", FrameOptions(picture=PictureFormat.JPEG, jpeg_quality=96)
            ),
            UsageError,
            "Expected a quality from 1 to 95, got 96",
        ),
        (lambda _: picture_format("gif"), UsageError, "Expected a format of png, jpeg, got `gif`"),
        (
            lambda path: list(iterate_frames(path / "empty/x.mp4")),
            DatasourceError,
            "`x.mp4` is not in {path}/empty",
        ),
        (
            lambda path: list(iterate_frames("bad.mov", datasource=path / "a")),
            DatasourceError,
            (
                "`bad.mov` in {path}/a cannot be read: it cannot be opened as a video "
                "(invalid data found when processing input)"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused(
    call: Callable[[Path], Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    """A call that cannot be served says why before anything is written."""
    for name in ("a/clip.mp4", "b/clip.mp4"):
        write_video(tmp_path / name, 1)
    (tmp_path / "a/bad.mov").write_bytes(b"no video " * 500)
    (tmp_path / "empty").mkdir()
    with pytest.raises(error) as caught:
        call(tmp_path)
    assert str(caught.value).partition("\nhint: ")[0] == message.format(path=tmp_path)
    assert not (tmp_path / "out").exists()


def run_command(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["frames", "--quiet", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_command_with_a_name_that_starts_with_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video whose name looks like an option is read after `--`, and its frames keep the name."""
    write_video(tmp_path / "-clip-.mp4", 2)
    monkeypatch.chdir(tmp_path)
    code, text = run_command(
        "--out", "out", "--format", "json", "--picture", "jpeg", "--quality", "50", "--", "-clip-.mp4"
    )
    assert code == 0
    assert json.loads(text)["videos"][0]["written"] == 2
    assert sorted(files_of(tmp_path / "out")) == ["-clip--0-mp4.jpg", "-clip--1-mp4.jpg"]
    with Image.open(io.BytesIO((tmp_path / "out/-clip--0-mp4.jpg").read_bytes())) as image:
        assert (image.format, image.size) == ("JPEG", (32, 16))


def test_command_tells_what_is_wrong(tmp_path: Path) -> None:
    """Damage and unknown names are printed, and end with exit code 1."""
    whole = write_video(tmp_path / "data/a.avi", 24).read_bytes()
    (tmp_path / "data/a.avi").write_bytes(whole[: len(whole) * 3 // 4])
    code, text = run_command(tmp_path / "data", "--out", tmp_path / "out")
    assert code == 1
    n = len(bare(tmp_path / "data/a.avi"))
    assert f"a.avi: {n} frames of 24 in its header can be decoded before a fault" in " ".join(text.split())
    (tmp_path / "list.txt").write_text("b-0-mp4.png\n")
    code, text = run_command(tmp_path / "data", "--out", tmp_path / "out", "--list", tmp_path / "list.txt")
    assert code == 1
    assert "b-0-mp4.png: there is no video `b.mp4`" in text
    with pytest.raises(UsageError, match="`--list` and `--selection` exclude each other"):
        run_command(tmp_path, "--out", tmp_path / "out", "--list", tmp_path / "list.txt", "--selection", "x")


def test_rotation_is_told_and_not_applied(tmp_path: Path) -> None:
    """A video without a rotation flag has none to tell; what cannot be decoded has none either."""
    assert read_rotation(write_video(tmp_path / "clip.mp4", 2)) == 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["clip.mp4", "-a.ts", "b.c.mkv"])
@pytest.mark.parametrize("n_frames", [9, 10, 24])
def test_names_are_those_that_ffmpeg_is_told_to_write(name: str, n_frames: int, tmp_path: Path) -> None:
    """The format's recipe with ffmpeg gives files of the same names with nearly the same pixels."""
    path = write_video(tmp_path / name, n_frames)
    extract_frames([path], tmp_path / "ours", ALONE)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    pattern = f"{path.stem}-%0{len(str(n_frames))}d-{path.suffix[1:]}.png"
    command = ["ffmpeg", "-v", "error", "-r", "1", "-i", str(path), "-start_number", "0", str(theirs / pattern)]
    subprocess.run(command, check=True)
    assert set(files_of(theirs)) == set(files_of(tmp_path / "ours"))
    for frame in theirs.iterdir():
        ours = np.asarray(Image.open(tmp_path / "ours" / frame.name)).astype(int)
        assert np.abs(ours - np.asarray(Image.open(frame).convert("RGB"))).max() <= 4


@needs_data
@pytest.mark.parametrize(
    "name",
    [
        "decord_tests/test_data/corrupted.mp4",
        "decord_tests/test_data/unordered.mov",
        "decord_tests/test_data/video_90.mov",
        "moviepy/-video-with-dash-.mp4",
        "moviepy/fire2.mp4",
        "moviepy/no_duration.webm",
        "moviepy/pigs_in_a_polka.gif",
    ],
)
def test_real_frames_are_those_of_bare_pyav(name: str, tmp_path: Path) -> None:
    """Damaged, reordered, turned, of variable rate or without a count: a video has the frames that PyAV decodes."""
    frames = bare(DATA / name)
    names = [frame_name(Path(name).name, i, len(frames)) for i in (0, len(frames) // 2, len(frames) - 1)]
    report = extract_frames([DATA / name], tmp_path, FrameOptions(names=names))
    assert (report.videos[0].frames, report.not_found) == (len(frames), {})
    assert set(files_of(tmp_path)) == set(names)
    for i in (0, len(frames) - 1):
        with Image.open(tmp_path / frame_name(Path(name).name, i, len(frames))) as image:
            assert np.array_equal(np.asarray(image), frames[i])


@needs_data
def test_real_rotation_flags() -> None:
    """The flag is told as degrees, counterclockwise."""
    path = DATA / "decord_tests/test_data"
    assert [read_rotation(path / f"video_{angle}.mov") for angle in (0, 90, 180, 270)] == [0, -90, -180, 90]
