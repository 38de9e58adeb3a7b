from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from labelformat.formats import KittiObjectDetectionOutput, YOLOv8ObjectDetectionInput
from labelformat.model.binary_mask_segmentation import BinaryMaskSegmentation
from labelformat.model.multipolygon import MultiPolygon

from convert_helpers import not_taken, put_images, read_task, run_import
from tamis import ImportOptions, UsageError, masks
from tamis import open as open_datasource

if TYPE_CHECKING:
    from pathlib import Path

SPACE = "1.5 1.6 3.7 -2.7 1.7 46.7 -1.6"
CAR = f"Car 0.00 0 -1.58 1 2 11.5 12 {SPACE}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", {"image_2/0.png": (40, 20), "image_2/1.png": (40, 20)})


def labels(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name.strip('_')}.txt").write_text(text)
    return folder


def test_kitti_lines_are_boxes_with_scores_where_they_have_them(tmp_path: Path, root: Path) -> None:
    """Left, top, right, bottom in pixels; the 15th number is a score; `DontCare` is no object: alone it is none."""
    path = labels(
        tmp_path / "l",
        _0=f"{CAR} 0.75\nBig van 0 0 0 0 0 4 5 {SPACE} 0.5\n",
        _1=f"DontCare -1 -1 -10 0 0 4 5 {SPACE}\n",
    )
    report = run_import(root, "kitti", path)
    assert (report.predictions, not_taken(report)) == (2, {})
    assert [group.code for group in report.notes if group.code != "image-elsewhere"] == ["region-ignored"]
    task, files = read_task(root)
    assert task.category_names == ("Big van", "Car")
    assert {key: [(one.category_id, one.bbox, one.score) for one in found] for key, found in files.items()} == {
        "image_2/0.png": [(1, (1, 2, 10.5, 10), 0.75), (0, (0, 0, 4, 5), 0.5)],
        "image_2/1.png": [],
    }


def test_broken_kitti_lines_are_named_and_the_rest_goes_in(tmp_path: Path, root: Path) -> None:
    """Too few numbers, letters, a type that no class has, bytes that are no text."""
    path = labels(tmp_path / "l", _0=f"{CAR}\nCar 0 0 0 x 2 3 4 {SPACE}\nCar 1 2 3\nBus 0 0 0 0 0 4 5 {SPACE}\n")
    (path / "1.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "names.txt").write_text("Car\n")
    report = run_import(root, "kitti", path, score=1.0, classes=str(tmp_path / "names.txt"))
    assert report.predictions == 1
    assert not_taken(report) == {"record-unreadable": 2, "category-name-unknown": 1, "file-unreadable": 1}
    with pytest.raises(UsageError, match="have no scores"):
        run_import(root, "kitti", path, task="u")


class Reader:
    """A reader as labelformat's are, with boxes, polygons or masks."""

    def __init__(self, *found: Any, fault: Exception | None = None) -> None:
        self._found, self._fault = found, fault

    def get_categories(self) -> Any:
        return [SimpleNamespace(id=3, name="car")]

    def get_images(self) -> Any:
        return [self._image()]

    def get_labels(self) -> Any:
        yield SimpleNamespace(image=self._image(), objects=list(self._found))
        if self._fault is not None:
            raise self._fault

    def _image(self) -> Any:
        return SimpleNamespace(id=0, filename="image_2/0.png", width=40, height=20)


CATEGORY = SimpleNamespace(id=3, name="car")


def boxed(**more: Any) -> Any:
    box = SimpleNamespace(xmin=1.0, ymin=2.0, xmax=11.0, ymax=12.5, to_format=lambda **_: [1.0, 2.0, 11.0, 12.5])
    return SimpleNamespace(category=CATEGORY, box=box, **more)


def test_kitti_as_labelformat_writes_it_is_read(tmp_path: Path, root: Path) -> None:
    """What another program wrote in this format is the boxes that it was given."""
    KittiObjectDetectionOutput(tmp_path / "out").save(Reader(boxed()))  # type: ignore[arg-type]
    run_import(root, "kitti", tmp_path / "out", score=1.0)
    assert [one.bbox for one in read_task(root)[1]["image_2/0.png"]] == [(1, 2, 10, 10.5)]


def test_any_reader_of_labelformat_can_be_taken(tmp_path: Path, root: Path) -> None:
    """Boxes with their confidences, polygons and masks; a real reader of YOLO gives what our own gives."""
    ds = open_datasource(root)
    ds.import_labels(Reader(boxed(confidence=0.5)), ImportOptions(task="b"))
    assert [(one.category_id, one.bbox, one.score) for one in read_task(root, "b")[1]["image_2/0.png"]] == [
        (3, (1, 2, 10, 10.5), 0.5)
    ]
    ring = MultiPolygon([[(0, 0), (8, 0), (8, 8)]])
    runs = [0, 3, 797]
    mask = BinaryMaskSegmentation.from_rle(runs, 40, 20)
    shapes = [SimpleNamespace(category=CATEGORY, segmentation=one) for one in (ring, mask)]
    report = ds.import_labels(Reader(*shapes), ImportOptions(task="m", score=1))
    assert report.task_type == "instance-segmentation"
    assert [one.segmentation for one in read_task(root, "m")[1]["image_2/0.png"]] == [
        tuple(masks.rasterize([[0, 0, 8, 0, 8, 8]], 20, 40).tolist()),
        tuple(runs),
    ]
    config = tmp_path / "y/data.yaml"
    (tmp_path / "y/labels").mkdir(parents=True)
    config.write_text(f"path: {root}\ntrain: image_2\nnames: [car]\n")
    put_images(tmp_path / "y/images", {"0.png": (40, 20)})
    config.write_text("path: .\ntrain: images\nnames: [car]\n")
    (tmp_path / "y/labels/0.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    ds.import_labels(YOLOv8ObjectDetectionInput(config, "train"), ImportOptions(task="y", score=1))
    run_import(root, "yolo", tmp_path / "y/labels", task="own", classes=str(config), score=1.0)
    assert read_task(root, "y")[1] == read_task(root, "own")[1]


def test_a_reader_that_stops_or_warns_is_counted(root: Path) -> None:
    """What was given before the fault is taken; the fault, and warnings of what was left out, are in the report."""
    report = open_datasource(root).import_labels(
        Reader(boxed(confidence=0.5), fault=KeyError("bus")), ImportOptions(task="b")
    )
    assert (report.predictions, not_taken(report)) == (1, {"reader-stopped": 1})
    assert report.not_taken[0].examples[0].message == "expected labels to the end, got KeyError: 'bus'"
