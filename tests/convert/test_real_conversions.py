"""Real labels and results in many formats: every format says the same."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from convert_helpers import not_taken, read_task, run_import
from real_data import DATA, needs_data, read_json
from tamis.api.converting.choices import ExportFormat
from tamis.api.converting.exporting import ExportOptions
from tamis.api.converting.run import export_to
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources
from tamis.model import TaskType, masks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data

VOC = DATA / "voc100"
COCO_API = DATA / "cocoapi"
BOXES = TaskType.OBJECT_DETECTION
GROUND_TRUTH: dict[str, tuple[str, dict[str, Any]]] = {
    "coco_format_v1/instances_default.json": ("coco", {}),
    "coco_format_v2/instances_v2.json": ("coco", {"task_type": BOXES}),
    "pascalvoc_format": ("voc", {}),
    "imagenet_format/Annotations": ("voc", {}),
    "yolo_format/obj_train_data": ("yolo", {"classes": str(VOC / "gts/yolo_format/obj.names")}),
    "cvat_format/annotations.xml": ("cvat", {}),
    "labelme_format": ("labelme", {}),
    "openimages_format/all_bounding_boxes.csv": ("table", {}),
    "tfrecord_format": ("tfrecord", {}),
}
NAMES = {"classes": str(VOC / "voc.names")}
DETECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "coco_format/coco_dets.json": ("coco", {}),
    "rel_xywh": ("yolo", NAMES | {"columns": "class score cx cy w h"}),
    "abs_xywh": ("yolo", NAMES | {"columns": "class score x y w h", "pixels": True}),
    "abs_xyx2y2": ("yolo", NAMES | {"columns": "class score x y x2 y2", "pixels": True}),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("voc") / "data"
    shutil.copytree(VOC / "images", root, copy_function=shutil.copyfile)
    return root


def contents(root: Path, task: str) -> list[tuple[str, str, float, list[float]]]:
    """What a task says: image, class, score and box of everything, sorted."""
    described, files = read_task(root, task)
    rows = [
        (key, described.by_id[one.category_id].name, one.score or 0, list(one.bbox or ()))
        for key, found in files.items()
        for one in found
    ]
    return sorted(rows, key=lambda row: (*row[:2], round(row[2], 5), [round(side) for side in row[3]]))


def assert_same(found: list[tuple[str, str, float, list[float]]], expected: Any) -> None:
    """Texts with six digits are as exact as that: a share of a millionth of 500 pixels."""
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected], abs=1e-6)
    for row, other in zip(found, expected, strict=True):
        assert row[3] == pytest.approx(other[3], abs=1e-3)


@pytest.mark.parametrize("path", GROUND_TRUTH)
def test_ground_truth_of_every_format_is_the_same(photos: Path, path: str) -> None:
    """Each format of the same labels gives the same 273 boxes of the same classes in the same images."""
    kind, options = GROUND_TRUTH[path]
    task = path.partition("/")[0]
    report = run_import(photos, kind, VOC / "gts" / path, task=task, score=1.0, **options)
    assert (report.predictions, not_taken(report)) == (273, {})
    first = "reference"
    if not (photos / ".lightly/predictions" / first).exists():
        run_import(
            photos, "coco", VOC / "gts/coco_format_v2/instances_v2.json", task=first, score=1.0, task_type=BOXES
        )
    assert_same(contents(photos, task), contents(photos, first))


@pytest.mark.parametrize("path", DETECTIONS)
def test_detections_of_every_format_are_the_same(photos: Path, path: str) -> None:
    """Each format of the same results gives the same 452 boxes with their scores."""
    kind, options = DETECTIONS[path]
    report = run_import(photos, kind, VOC / "dets" / path, task=path.partition("/")[0], **options)
    assert (report.predictions, not_taken(report)) == (452, {})
    first = "results"
    if not (photos / ".lightly/predictions" / first).exists():
        run_import(photos, "coco", VOC / "dets/coco_format/coco_dets.json", task=first)
    assert_same(contents(photos, path.partition("/")[0]), contents(photos, first))


def test_exported_detections_have_the_published_average_precision(photos: Path, tmp_path: Path) -> None:
    """The COCO API opens both exports of VOC's labels and detections: AP .347, AP50 .610."""
    labels = VOC / "gts/coco_format_v2/instances_v2.json"
    run_import(photos, "coco", labels, task="truth", score=1.0, task_type=BOXES)
    run_import(photos, "coco", VOC / "dets/coco_format/coco_dets.json", task="detections")
    sources = open_sources(photos)
    snapshot = scan(sources).snapshot
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    export_to(snapshot, sources, ExportFormat.COCO, ExportOptions(out=truth, task="truth"))
    options = ExportOptions(out=results, task="detections", annotations=str(truth))
    export_to(snapshot, sources, ExportFormat.COCO_RESULTS, options)
    assert average_precision(truth, results) == pytest.approx((0.347, 0.610), abs=0.0005)


def average_precision(truth: Path, results: Path) -> tuple[float, float]:
    """AP and AP50 of boxes as the COCO API says, over all images of the labels: also those without a result."""
    with contextlib.redirect_stdout(io.StringIO()):
        labels = COCO(str(truth))
        evaluation = COCOeval(labels, labels.loadRes(str(results)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[0], evaluation.stats[1]


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_results_of_the_coco_api_come_back_unchanged(tmp_path: Path, kind: str) -> None:
    """Boxes, masks and keypoints in and out again as COCO results are the records that they were."""
    name = "person_keypoints_val2014_fake" if kind == "keypoints" else "instances_val2014_fake"
    results = COCO_API / f"results/{name}{kind}100_results.json"
    described = COCO_API / "gts/sampled_gts_bbox_area.json"
    root = tmp_path / "data"
    root.mkdir()
    for image in read_json("cocoapi/gts/sampled_gts_bbox_area.json")["images"]:
        Image.new("L", (image["width"], image["height"])).save(root / image["file_name"])
    report = run_import(root, "coco", results, annotations=str(described), visibility=kind == "keypoints")
    assert not_taken(report) == {}
    sources = open_sources(root)
    snapshot = scan(sources).snapshot
    out = tmp_path / "out.json"
    options = ExportOptions(out=out, annotations=str(described), visibility=True)
    export_to(snapshot, sources, ExportFormat.COCO_RESULTS, options)
    assert sorted(map(_plain, json.loads(out.read_text()))) == sorted(map(_plain, json.loads(results.read_text())))
    if kind == "bbox":  # one of the 100 images has no result; over the other 99 it would be .506 and .699
        assert average_precision(described, out) == pytest.approx((0.504, 0.697), abs=0.0005)


def _plain(record: dict[str, Any]) -> str:
    """A record as text; 12 and 12.0 are one number."""
    return json.dumps(json.loads(json.dumps(record), parse_int=float), sort_keys=True)


def test_yolo_labels_of_coco128_go_in_whole(tmp_path: Path) -> None:
    """Boxes and polygons of two splits in subfolders are all taken, but for those whose image is not there."""
    root = _coco128(tmp_path)
    stems = {str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.jpg")}
    for folder, task in (("object_detection", "boxes"), ("instance_segmentation", "polygons")):
        labels = DATA / "coco128" / folder / "labels"
        there = missing = 0
        for path in labels.rglob("*.txt"):
            n_lines = sum(bool(line.strip()) for line in path.read_text().splitlines())
            if str(path.relative_to(labels).with_suffix("")) in stems:
                there += n_lines
            else:
                missing += n_lines
        options = {"classes": str(labels.parent / "config.yaml"), "score": 1.0, "task": task}
        report = run_import(root, "yolo", labels, **options)
        assert there > 1000
        assert (report.records, report.predictions) == (there + missing, there)
        assert sum(not_taken(report).values()) == missing
        assert report.task_type is (BOXES if task == "boxes" else TaskType.INSTANCE_SEGMENTATION)


def test_semantic_masks_of_coco128_are_the_same_pixels(tmp_path: Path) -> None:
    """The masks of an image, put together, are its picture again, and so is the picture that is exported."""
    root = _coco128(tmp_path, "val2017")
    folder = DATA / "coco128/semantic_segmentation"
    report = run_import(root, "masks", folder / "masks", classes=str(folder / "config.yaml"), score=1.0)
    pictures = sorted((folder / "masks/val2017").glob("*.png"))
    n_missing = len(list((folder / "masks/train2017").glob("*.png")))
    assert not_taken(report).keys() <= {"image-missing"}
    assert not_taken(report).get("image-missing", 0) >= n_missing
    found = read_task(root)[1]
    for path in pictures[:20]:
        pixels = np.asarray(Image.open(path))
        again = np.full(pixels.shape, -1)
        for one in found[f"val2017/{path.stem}.jpg"]:
            again[masks.decode(one.segmentation or (), *pixels.shape)] = one.category_id
        assert (again == pixels).all()
    _export(root, ExportFormat.MASKS, tmp_path / "out")
    for out in (tmp_path / "out/val2017").iterdir():
        was = Image.open(folder / "masks/val2017" / out.name)
        assert (np.asarray(Image.open(out)) == np.asarray(was)).all()


def test_panoptic_segments_of_coco128_are_the_same_pixels(tmp_path: Path) -> None:
    """Every segment is a mask of its own with the area and the box that the file says, and so it is out again."""
    root = _coco128(tmp_path, "val2017")
    path = DATA / "coco128/panoptic_segmentation/annotations/panoptic_val2017.json"
    report = run_import(root, "panoptic", path, score=1.0, prefix="val2017")
    assert not_taken(report) == {}
    document = json.loads(path.read_text())
    names = {image["id"]: image["file_name"] for image in document["images"]}
    found = read_task(root)[1]
    for image in document["annotations"]:
        said = [(s["category_id"], s["area"], tuple(s["bbox"])) for s in image["segments_info"]]
        taken = [
            (one.category_id, masks.area(one.segmentation or ()), one.bbox)
            for one in found[f"val2017/{names[image['image_id']]}"]
        ]
        assert taken == said
    _export(root, ExportFormat.PANOPTIC, tmp_path / "out")
    exported = {str(one.name) for one in (tmp_path / "out/panoptic/val2017").iterdir()}
    for image in document["annotations"]:
        if image["file_name"] not in exported:
            continue
        was = _segments(path.with_suffix("") / image["file_name"])
        now = _segments(tmp_path / "out/panoptic/val2017" / image["file_name"])
        assert len(np.unique(was << 24 | now)) == len(np.unique(was)) == len(np.unique(now))


def _segments(path: Path) -> Any:
    """The number of each pixel's segment."""
    pixels = np.asarray(Image.open(path)).astype(np.int64)
    return pixels[..., 0] | pixels[..., 1] << 8 | pixels[..., 2] << 16


def _export(root: Path, kind: ExportFormat, out: Path) -> None:
    """Export the first few images."""
    sources = open_sources(root)
    keys = sorted(str(path.relative_to(root)) for path in root.rglob("*.jpg"))
    picked = out.with_suffix(".txt")
    picked.write_text("\n".join(keys[:15]))
    report = export_to(scan(sources).snapshot, sources, kind, ExportOptions(out=out, selection=str(picked)))
    assert report.samples >= 10


def _coco128(tmp_path: Path, *splits: str) -> Path:
    root = tmp_path / "data"
    for split in splits or ("train2017", "val2017"):
        shutil.copytree(DATA / "coco128/images" / split, root / split, copy_function=shutil.copyfile)
    return root
