"""Frames of videos as samples: they exist, and have the size of their video."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from convert_helpers import export, not_taken, put_json, read_task, run_import
from strategies_datasource import video
from tamis.api.check import check
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources
from tamis.api.writer import PredictionWriter
from tamis.model import Category, Prediction, TaskType

if TYPE_CHECKING:
    from pathlib import Path

_CAR = (Category(id=0, name="car"),)
_MASK = (136, *(8, 24) * 7, 8, 144)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A datasource with a video of 12 frames, 32 x 16 pixels."""
    (tmp_path / "data/day 1").mkdir(parents=True)
    (tmp_path / "data/day 1/clip.mp4").write_bytes(video(12))
    return tmp_path / "data"


def coco(path: Path, names: list[str], **changes: Any) -> Path:
    """Write labels that name images, without their sizes, a box each."""
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    one = {"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5} | changes
    records = [one | {"image_id": i} for i in range(len(names))]
    return put_json(path, {"images": images, "annotations": records, "categories": [{"id": 0, "name": "car"}]})


@pytest.mark.parametrize("kind", [TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION])
@pytest.mark.parametrize("below", ["", "labels"])
def test_yolo_of_frames_comes_back(tmp_path: Path, root: Path, kind: TaskType, below: str) -> None:
    """Exported as YOLO and imported again, predictions of frames are what they were, where no scan was made too."""
    mask = _MASK if kind.has_masks else None
    one = Prediction(category_id=0, bbox=(8, 4, 8, 8), segmentation=mask, score=0.5)
    files = {"day 1/clip-03-mp4.png": [one], "day 1/clip-11-mp4.png": [one, one]}
    back = tmp_path / "back"
    shutil.copytree(root, back)
    with PredictionWriter(root, task="t", task_type=kind, categories=_CAR) as writer:
        for key, found in files.items():
            writer.write(key, found, image_size=(32, 16))
    scan(open_sources(root), ScanOptions(workers=1))
    export(root, "yolo", tmp_path / "out")
    report = run_import(back, "yolo", tmp_path / "out" / below, classes=str(tmp_path / "out/data.yaml"))
    assert (report.not_taken, report.notes) == ([], [])
    assert read_task(back)[1] == files


def test_frames_that_are_not_there_are_named(tmp_path: Path, root: Path) -> None:
    """A number beyond the end, other padding, a broken video and a box outside the frame are left out."""
    (root / "broken.mp4").write_bytes(b"?")
    names = ["day 1/clip-11-mp4.png", "day 1/clip-12-mp4.png", "day 1/clip-003-mp4.png", "broken-0-mp4.png"]
    report = run_import(root, "coco", coco(tmp_path / "l.json", names))
    assert not_taken(report) == {"frame-missing": 3}
    messages = [example.message for group in report.not_taken for example in group.examples]
    assert messages[0] == "expected a frame of `day 1/clip.mp4`, got `day 1/clip-12-mp4.png`: the last is number 11"
    assert messages[1] == "expected `day 1/clip-03-mp4`, got `day 1/clip-003-mp4.png`"
    assert messages[2].startswith("expected `broken-0-mp4.png` of `broken.mp4`, but it cannot be opened as a video")
    assert set(read_task(root)[1]) == {"day 1/clip-11-mp4.png"}
    outside = coco(tmp_path / "o.json", names[:1], bbox=[500, 500, 3, 4])
    assert not_taken(run_import(root, "coco", outside, task="o")) == {"bbox-outside-image": 1}
    (root / "broken.mp4").unlink()
    assert check(open_sources(root), ScanOptions(workers=1)).errors == 0


def test_frames_are_kept_that_are_not_there(tmp_path: Path, root: Path) -> None:
    """With `keep_missing` predictions of frames that the video lacks are written as named."""
    report = run_import(root, "coco", coco(tmp_path / "l.json", ["day 1/clip-12-mp4.png"]), keep_missing=True)
    assert (report.not_taken, set(read_task(root)[1])) == ([], {"day 1/clip-12-mp4.png"})


def test_frames_of_videos_elsewhere_are_found(tmp_path: Path, root: Path) -> None:
    """A frame is found by the end of its video's path as an image is, and has no folder that contradicts."""
    names = ["clip-01-mp4.jpg", "/home/me/day 1/clip-02-mp4.png", "day 2/clip-03-mp4.png", "clip-12-mp4.png"]
    report = run_import(root, "coco", coco(tmp_path / "l.json", names))
    assert set(read_task(root)[1]) == {"day 1/clip-01-mp4.png", "day 1/clip-02-mp4.png"}
    assert not_taken(report) == {"image-missing": 1, "frame-missing": 1}
    assert [(group.code, group.count) for group in report.notes] == [("image-elsewhere", 2)]


def test_polygons_of_frames_need_no_size(tmp_path: Path, root: Path) -> None:
    """Polygons are drawn in the size of the video, where the file says none; another size that it says is noted."""
    square = [[8, 4, 16, 4, 16, 12, 8, 12]]
    path = coco(tmp_path / "l.json", ["day 1/clip-03-mp4.png"], segmentation=square)
    assert run_import(root, "coco", path).not_taken == []
    assert [one.segmentation for one in read_task(root)[1]["day 1/clip-03-mp4.png"]] == [_MASK]
    path.write_text(path.read_text().replace('"id": 0,', '"id": 0, "width": 64, "height": 32,', 1))
    assert [group.code for group in run_import(root, "coco", path, task="u").notes] == ["image-size-differs"]


def test_a_video_that_a_scan_knows_is_not_decoded(tmp_path: Path, root: Path) -> None:
    """What a scan counted holds while size and time of the video are the same: bytes are not looked at again."""
    scan(open_sources(root), ScanOptions(workers=1))
    path = root / "day 1/clip.mp4"
    before = path.stat()
    path.write_bytes(b"?" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    labels = coco(tmp_path / "l.json", ["day 1/clip-03-mp4.png"])
    assert run_import(root, "coco", labels).predictions == 1
    os.utime(path, ns=(0, 0))
    assert not_taken(run_import(root, "coco", labels, task="u")) == {"frame-missing": 1}
