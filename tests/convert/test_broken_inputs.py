"""Files with bytes changed at random: whatever is in them, an import ends in a report or in one clear error."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from convert_helpers import picture, put_images, put_json, read_task, run_import
from tamis.errors import TamisError
from tamis.formats import to_coco
from tf_records import example, record

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 60
_TOKENS = (
    b"-1 1e400 NaN 99999999999999999999999 'x' [ ] { } , null \xff \0 9223372036854775808 true < & \" 0.5 "
    b"1e18 [[]] -9223372036854775809 2147483648 1e-320"
).split(b" ")


_VOC = (
    b"<annotation><filename>a.png</filename><size><width>10</width><height>10</height></size><object><name>car</name>"
    b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>5</ymax></bndbox></object></annotation>"
)
_CVAT = (
    b'<annotations><image name="a.png" width="10" height="10"><box label="car" xtl="1" ytl="1" xbr="4" ybr="5"/>'
    b'<mask label="car" left="1" top="1" width="2" height="2" rle="0, 4"/></image></annotations>'
)
_LABELBOX = (
    b'{"data_row": {"global_key": "a.png"}, "media_attributes": {"width": 10, "height": 10}, "projects": '
    b'{"p": {"labels": [{"annotations": {"objects": [{"name": "car", "annotation_kind": "ImageBoundingBox", '
    b'"bounding_box": {"left": 1, "top": 1, "width": 3, "height": 4}}, {"name": "car", "polygon": '
    b'[{"x": 1, "y": 1}, {"x": 5, "y": 1}, {"x": 5, "y": 5}]}]}}]}}}'
)
_EXAMPLE: dict[str, Any] = {
    "image/filename": [b"a.png"],
    "image/width": [10],
    **{f"image/object/bbox/{side}": [0.25, 0.5] for side in ("xmin", "ymin")},
    **{f"image/object/bbox/{side}": [0.75, 1.0] for side in ("xmax", "ymax")},
    "image/object/class/text": [b"car", b"car"],
    "image/object/class/label": [0, 0],
}


def _inputs(folder: Path) -> dict[str, tuple[str, Path, dict[str, Any]]]:
    """A valid input of each format: its name, the path, and options."""
    rle = to_coco([0, 40, 60], 10, 10, compressed=True)
    images = [{"id": 1, "file_name": "a.png", "width": 10, "height": 10}, {"id": 2, "file_name": "b.png"}]
    labels = [
        {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "segmentation": rle, "score": 0.5, "iscrowd": 0},
        {"image_id": 2, "category_id": 3, "bbox": [1, 2, 3, 4], "segmentation": [[1, 1, 5, 1, 5, 5]], "score": 0.5},
    ]
    people = [{"image_id": 1, "category_id": 3, "keypoints": [1, 2, 0.5, 3, 4, 1], "score": 0.5}]
    categories = [{"id": 3, "name": "car"}]
    coco = {"images": images, "annotations": labels, "categories": categories}
    panoptic = [{"image_id": 1, "file_name": "a.png", "segments_info": [{"id": 5, "category_id": 3}]}]
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:4, :, 0] = 5
    for name, content in {
        "yolo/a.txt": b"0 0.5 0.5 0.5 0.5 0.5\n0 0.1 0.1 0.1 0.1\n",
        "yolo/data.yaml": b"names: [car]\nkpt_shape: null\n",
        "voc/a.xml": _VOC,
        "voc/b.xml": _VOC.replace(b"a.png", b"b.png"),
        "cvat.xml": _CVAT,
        "labelme/a.json": b'{"imagePath": "a.png", "shapes": [{"label": "car", "points": [[1, 1], [4, 5]], '
        b'"shape_type": "rectangle"}], "imageWidth": 10, "imageHeight": 10}',
        "masks/a.png": picture(np.array([[0] * 10] * 10, np.uint8)),
        "pan/a.png": picture(pixels),
        "t.csv": b'file_name,category,score,x1,y1,x2,y2,keypoints\na.png,car,0.5,1,2,3,4,"[1, 2, 0.5]"\n',
        "names.txt": b"car\n",
        "kitti/a.txt": b"car 0 0 0 1 1 4 5 1 1 1 1 1 1 1 0.5\n" * 2,
        "box.ndjson": _LABELBOX + b"\n" + _LABELBOX.replace(b"a.png", b"b.png") + b"\n",
        "x.tfrecord": record(example(_EXAMPLE)) + record(example(_EXAMPLE | {"image/filename": [b"b.png"]})),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    described = str(put_json(folder / "described.json", coco))
    return {
        "annotations": ("coco", put_json(folder / "ann.json", coco), {}),
        "results": ("coco", put_json(folder / "results.json", labels), {"annotations": described}),
        "keypoints": ("coco", put_json(folder / "kp.json", people), {"annotations": described}),
        "yolo": ("yolo", folder / "yolo", {}),
        "voc": ("voc", folder / "voc", {}),
        "cvat": ("cvat", folder / "cvat.xml", {}),
        "labelme": ("labelme", folder / "labelme", {}),
        "masks": ("masks", folder / "masks", {"classes": str(folder / "names.txt")}),
        "panoptic": ("panoptic", put_json(folder / "pan.json", coco | {"annotations": panoptic}), {}),
        "table": ("table", folder / "t.csv", {}),
        "kitti": ("kitti", folder / "kitti", {}),
        "labelbox": ("labelbox", folder / "box.ndjson", {}),
        "tfrecord": ("tfrecord", folder / "x.tfrecord", {}),
    }


_NAMES = [
    "annotations", "results", "keypoints", "yolo", "voc", "cvat", "labelme", "masks", "panoptic", "table", "kitti",
    "labelbox", "tfrecord",
]  # fmt: skip


def _mutated(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(3)
        if kind == 0:
            data = data[:at] + rng.choice(_TOKENS) + data[at + rng.randrange(4) :]
        elif kind == 1:
            data = data[:at] + data[at + rng.randrange(1, 9) :]
        else:  # a whole number or word becomes another token
            end = at + 1
            while end < len(data) and data[end : end + 1].isalnum():
                end += 1
            data = data[:at] + rng.choice(_TOKENS) + data[end:]
    return data


@pytest.mark.parametrize("name", _NAMES)
def test_changed_bytes_never_escape(tmp_path: Path, name: str) -> None:
    """Bytes changed at random give a report or one error of ours, and whatever was written is valid."""
    rng = random.Random(name)  # noqa: S311 (no secret)
    root = put_images(tmp_path / "data", {"a.png": (10, 10), "b.png": (10, 10)})
    kind, path, options = _inputs(tmp_path)[name]
    files = [path] if path.is_file() else sorted(one for one in path.iterdir() if one.is_file())
    if name == "panoptic":
        files.append(tmp_path / "pan/a.png")
    originals = {file: file.read_bytes() for file in files}
    n_reports = 0
    for _ in range(ROUNDS):
        file = rng.choice(files)
        file.write_bytes(_mutated(originals[file], rng))
        shutil.rmtree(root / ".lightly", ignore_errors=True)
        with suppress(TamisError):
            report = run_import(root, kind, path, score=0.5, **options)
            n_reports += 1
            there = (root / ".lightly").exists()
            written = read_task(root)[1] if there else {}
            assert (len(written), sum(map(len, written.values()))) == (report.files, report.predictions)
        file.write_bytes(originals[file])
    assert n_reports >= ROUNDS // 20


_DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("annotations", '"iscrowd": 0', f'"iscrowd": {_DEEP}'),
        ("annotations", '"iscrowd": 0', f'"x": {_DEEP}'),
        ("annotations", '"categories": ', f'"categories": {_DEEP}, "c": '),
        ("annotations", '"images": ', f'"x": {_DEEP}, "images": '),
        ("results", '"score": 0.5', f'"x": {_DEEP}, "score": 0.5'),
        ("panoptic", '"category_id": 3', f'"x": {_DEEP}, "category_id": 3'),
        ("labelme", '"shapes": [', f'"shapes": [{_DEEP}, '),
        ("labelme", '"imageWidth"', f'"x": {_DEEP}, "imageWidth"'),
        ("labelbox", '"name": "car", "annotation_kind"', f'"x": {_DEEP}, "name": "car", "annotation_kind"'),
        ("labelbox", '"media_attributes"', f'"x": {_DEEP}, "media_attributes"'),
        ("table", '"[1, 2, 0.5]"', f'"{_DEEP[:1000]}{_DEEP[-1000:]}"'),
    ],
)
def test_values_nested_without_end_never_escape(tmp_path: Path, name: str, old: str, new: str) -> None:
    """However deep a value is nested, it is one thing that cannot be read, or one error of ours."""
    root = put_images(tmp_path / "data", {"a.png": (10, 10), "b.png": (10, 10)})
    kind, path, options = _inputs(tmp_path)[name]
    file = path if path.is_file() else next(one for one in path.iterdir() if one.is_file())
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with suppress(TamisError):
        report = run_import(root, kind, path, score=0.5, **options)
        assert report.n_not_taken or report.predictions == report.records > 0
