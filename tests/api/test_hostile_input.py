"""What somebody else made to do harm: refused with a problem, and nothing outside the datasource is touched."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from typing import TYPE_CHECKING

import av
import msgspec
import numpy as np
import pytest

import tamis
from strategies_datasource import METADATA, PREDICTIONS, Folder, box, fill, png, state_of, video
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import dry_scan, scan
from tamis.api.sources import open_sources
from tamis.errors import DatasourceError, IndexMissingError
from tamis.formats import MAX_FILE_BYTES
from tamis.media import videos
from tamis.media.pictures import MAX_PICTURE_BYTES, PictureError, read_picture, thumbnail
from tamis.media.videos import VideoError, count_frames, video_source
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.model import Problem

OPTIONS = ScanOptions(workers=1)
FILES = (
    f"{PREDICTIONS}/cars/1.json",
    f"{METADATA}/1.json",
    f"{PREDICTIONS}/cars/schema.json",
    f"{PREDICTIONS}/tasks.json",
)
SECRET = "swordfish-in-a-file"  # noqa: S105 (what must not be shown)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    made.tasks("cars")
    for i in range(3):
        made.put(f"{i}.png", png(100, 80))
        made.predict("cars", str(i), box())
    return made


def problems_of(folder: Folder) -> list[Problem]:
    opened = tamis.open(folder.root)
    opened.scan(OPTIONS)
    return list(opened.problems())


def codes_of(folder: Folder) -> set[tuple[str, str | None]]:
    return {(problem.code, problem.file) for problem in problems_of(folder) if problem.code != "coverage"}


@pytest.mark.parametrize(
    "key",
    FILES,
)
def test_huge_files_are_refused_and_not_read(key: str, folder: Folder) -> None:
    """A JSON file of a terabyte is one problem; no more of it is read than the limit."""
    fields = [{"name": "d", "path": "d", "defaultValue": 1, "valueDataType": "NUMERIC_INT"}]
    folder.put(f"{METADATA}/schema.json", fields)
    folder.put(key, b"[")
    most = []
    real = os.read

    def read(descriptor: int, n_bytes: int) -> bytes:
        most.append(n_bytes)
        return real(descriptor, n_bytes)

    with pytest.MonkeyPatch.context() as patch:
        os.truncate(folder.root / key, 1 << 40)
        patch.setattr(os, "read", read)
        codes = codes_of(folder)
    assert ("file-too-large", key) in codes
    assert max(most) == MAX_FILE_BYTES + 1


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"predictions": [', b'{"predictions":[{"bbox":'])
@pytest.mark.parametrize(
    "key",
    [*FILES, f"{METADATA}/schema.json"],
)
def test_deep_nesting(key: str, opening: bytes, folder: Folder) -> None:
    """A hundred thousand open brackets are a problem of their file, in whichever file they stand."""
    fields = [{"name": "d", "path": "d", "defaultValue": 1, "valueDataType": "NUMERIC_INT"}]
    folder.put(f"{METADATA}/schema.json", fields)
    folder.put(key, opening * 100_000)
    assert "json-depth" in {code for code, file in codes_of(folder) if file == key}


@pytest.mark.parametrize("name", ["../out", "/etc", "a/../../b", "cars/../..", "a\0b", "a\\..\\b", ".", "a//b"])
def test_tasks_stay_below_their_folder(name: str, folder: Folder) -> None:
    """A task whose name leads elsewhere is a problem, and no folder of that name is looked at."""
    outside = folder.root.parent / "out"
    outside.mkdir()
    (outside / "schema.json").write_text(SECRET)
    folder.put(f"{PREDICTIONS}/tasks.json", ["cars", name])
    found = problems_of(folder)
    assert "task-name" in {problem.code for problem in found}
    assert SECRET not in str(found)
    assert [task.name for task in tamis.open(folder.root).tasks] == ["cars"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\b.png", "1.png\0", "..", "x" * 10_000])
def test_file_names_are_compared_and_nothing_else(name: str, folder: Folder) -> None:
    """Whatever `file_name` says, it opens nothing: it names its sample, or the file is dropped."""
    folder.predict("cars", "1", box(), file_name=name)
    assert ("file-name-mismatch", f"{PREDICTIONS}/cars/1.json") in codes_of(folder)


def test_ids_of_an_index_that_came_with_the_data(folder: Folder, tmp_path: Path) -> None:
    """An index whose shards lie elsewhere is damaged; a scan builds it anew and touches nothing else."""
    other = Folder(tmp_path / "other")
    fill(other, 5)
    scan(open_sources(other.root), OPTIONS)
    before = state_of(other.root)
    scan(open_sources(folder.root), OPTIONS)
    root = folder.root / ".lightly" / "tamis"
    manifest = root / "snapshots" / f"{(root / 'latest').read_text()}.json"
    good = json.loads(manifest.read_bytes())
    theirs = next(iter((other.root / ".lightly" / "tamis" / "shards").glob("*/*.units.parquet")))
    for bad in (str(theirs).removesuffix(".units.parquet"), "../../../../other/x", "a/../../b", "a/b/c", ""):
        manifest.write_bytes(msgspec.json.encode({**good, "shards": [{**good["shards"][0], "id": bad}]}))
        with pytest.raises(IndexMissingError, match="expected the id of a shard"):
            open_sources(folder.root).index.latest()
        with dry_scan(open_sources(folder.root), OPTIONS) as result:
            assert result.n_read == 3
    assert scan(open_sources(folder.root), OPTIONS).n_read == 3
    assert state_of(other.root) == before


def test_links_in_an_index_that_came_with_the_data(folder: Folder, tmp_path: Path) -> None:
    """Neither writing nor cleaning up goes through links of an index: the files they lead to stay."""
    precious = tmp_path / "precious"
    precious.mkdir()
    for name in ("results.parquet", "000000.units.parquet"):
        (precious / name).write_bytes(b"mine")
    before = state_of(precious)
    scan(open_sources(folder.root), OPTIONS)
    shards = folder.root / ".lightly" / "tamis" / "shards"
    (shards / "20260101T000000Z-00000000").symlink_to(precious)
    for _ in range(2):
        scan(open_sources(folder.root), OPTIONS)
    assert state_of(precious) == before
    for name in ("snapshots", "shards", "pools"):
        hostile = Folder(tmp_path / f"hostile-{name}")
        fill(hostile, 2)
        (hostile.root / ".lightly" / "tamis").mkdir()
        (hostile.root / ".lightly" / "tamis" / name).symlink_to(precious)
        with pytest.raises(DatasourceError, match="is a link"):
            scan(open_sources(hostile.root), OPTIONS)
    assert state_of(precious) == before


def test_what_a_link_leads_to_is_not_printed(folder: Folder, tmp_path: Path) -> None:
    """A prediction file that is a link to a text elsewhere is a problem that does not quote it at length."""
    secret = tmp_path / "id_rsa"
    secret.write_text("-----BEGIN KEY-----\n" + SECRET * 20)
    (folder.root / PREDICTIONS / "cars" / "1.json").unlink()
    (folder.root / PREDICTIONS / "cars" / "1.json").symlink_to(secret)
    found = [p for p in problems_of(folder) if p.file == f"{PREDICTIONS}/cars/1.json"]
    assert found
    assert SECRET not in str(found)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_images_that_grow(folder: Folder) -> None:
    """A small PNG of 3.6 billion pixels is a sample of that size; its pixels are never made."""
    rows = zlib.compress(bytes(1 << 20), 9)
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    folder.put("1.png", data)
    assert codes_of(folder) == {("category-unused", None)}
    rows_of = tamis.open(folder.root).samples().to_arrow().to_pylist()
    assert {row["key"]: row["width"] for row in rows_of}["1.png"] == 60_000
    with pytest.raises(PictureError, match=r"more pixels than|pixels are more"):
        thumbnail(data, max_side_px=100)


def test_texts_in_images_that_grow() -> None:
    """A comment in a PNG that unpacks to a gigabyte is damage, not a gigabyte in memory."""
    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    text = b"Comment\0\0" + zlib.compress(bytes(1 << 28), 9)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"zTXt", text)
    data += chunk(b"IDAT", zlib.compress(bytes(13 * 4))) + chunk(b"IEND", b"")
    with pytest.raises(PictureError, match="damaged"):
        thumbnail(data, max_side_px=100)


def test_image_files_of_any_length(folder: Folder) -> None:
    """An image file of a terabyte is a sample, of which a scan reads the header; to show it, it is not read."""
    os.truncate(folder.root / "1.png", 1 << 40)
    assert codes_of(folder) == {("category-unused", None)}
    with pytest.raises(PictureError, match=f"more than the {MAX_PICTURE_BYTES:,}"):
        read_picture(LocalStore(folder.root), "1.png")


def test_videos_that_never_end(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video stops at a frame for each of its bytes, with a problem that says so."""
    folder.put("clip.mp4", video(12))
    monkeypatch.setattr(videos, "_size_bytes", lambda _: 5)
    folder_codes = codes_of(folder)
    assert ("video-unreadable", "clip.mp4") in folder_codes
    monkeypatch.setattr(videos, "_size_bytes", lambda _: 12)
    counted = count_frames(video_source(LocalStore(folder.root), "clip.mp4"))
    assert (counted.decoded, counted.fault) == (12, None)
    gif = folder.root / "clip.avi"
    gif.write_bytes(endless(12))
    monkeypatch.setattr(videos, "_size_bytes", lambda _: 7)
    counted = count_frames(gif)
    assert counted.decoded == 7
    assert "goes on" in str(counted.fault)


def endless(n_frames: int) -> bytes:
    """Return a video whose header promises no number of frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for _ in range(n_frames):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def test_videos_of_huge_frames(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of more pixels than the limit are not decoded: a problem names their size."""
    folder.put("clip.mp4", video(3))
    monkeypatch.setattr(videos, "MAX_FRAME_PIXELS", 32 * 16 - 1)
    assert ("video-unreadable", "clip.mp4") in codes_of(folder)
    with pytest.raises(VideoError, match="32 x 16 pixels, more than are decoded"):
        count_frames(folder.root / "clip.mp4")


def test_pipes_and_devices(folder: Folder) -> None:
    """What would be read without an end, or not at all, is skipped and named."""
    os.mkfifo(folder.root / "pipe.mp4")
    os.mkfifo(folder.root / PREDICTIONS / "cars" / "pipe.json")
    (folder.root / "zero.png").symlink_to("/dev/zero")
    found = codes_of(folder)
    assert ("path-skipped", "pipe.mp4") in found
    assert ("path-skipped", "zero.png") in found
