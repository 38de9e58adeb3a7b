"""Where images lie, and which of them a name of another machine means: the same for every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert_helpers import not_taken, picture, put_images, put_json, read_task, run_import
from tamis.model import stem_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from tamis.api.converting.values import ImportReport

_SIZE = (20, 10)
_BOX = '<box label="car" xtl="1" ytl="1" xbr="4" ybr="5"/>'
_VOC = (
    "<annotation><filename>{}</filename><object><name>car</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax>"
    "<ymax>5</ymax></bndbox></object></annotation>"
)
_KINDS = ["coco", "results", "yolo", "voc", "cvat", "masks", "table"]


def import_names(base: Path, root: Path, kind: str, names: Sequence[str], **options: Any) -> ImportReport:
    """Import one object for each of some names of images, in their order; its score tells which, where it can."""
    scores = [(i + 1) / 100 for i in range(len(names))]
    classes = base / "classes.txt"
    classes.write_text("car")
    folder = base / "in"
    if kind == "coco":
        images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
        records = [
            {"image_id": i, "category_id": 0, "bbox": [1, 1, 3, 4], "score": score}
            for i, score in enumerate(scores)
        ]
        document = {"images": images, "annotations": records, "categories": [{"id": 0, "name": "car"}]}
        return run_import(root, kind, put_json(base / "l.json", document), **options)
    if kind == "results":
        results = [
            {"image_id": name, "category_id": 0, "bbox": [1, 1, 3, 4], "score": score}
            for name, score in zip(names, scores, strict=True)
        ]
        path = put_json(base / "r.json", results)
        return run_import(root, "coco", path, classes=str(classes), **options)
    if kind == "table":
        rows = [f"{name},car,1,1,4,5,{score}\n" for name, score in zip(names, scores, strict=True)]
        (base / "t.csv").write_text("image,label,x1,y1,x2,y2,score\n" + "".join(rows))
        return run_import(root, kind, base / "t.csv", **options)
    if kind == "cvat":
        elements = [f'<image name="{name}" width="20" height="10">{_BOX}</image>' for name in names]
        (base / "a.xml").write_text(f"<annotations>{''.join(elements)}</annotations>")
        return run_import(root, kind, base / "a.xml", score=1.0, **options)
    ending = {"yolo": ".txt", "voc": ".xml", "masks": ".png"}[kind]
    for name, score in zip(names, scores, strict=True):
        content = {
            "yolo": f"0 0.5 0.5 0.5 0.5 {score}".encode(),
            "voc": _VOC.format(name.rpartition("/")[2]).encode(),
            "masks": picture(np.zeros(_SIZE[::-1], np.uint8)),
        }[kind]
        path = folder / f"{stem_of(name)}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    more: dict[str, dict[str, Any]] = {
        "voc": {"score": 1.0},
        "masks": {"score": 1.0, "classes": str(classes)},
        "yolo": {"classes": str(classes)},
    }
    return run_import(root, kind, folder, **more[kind], **options)


def notes(report: ImportReport) -> dict[str, int]:
    return {group.code: group.count for group in report.notes}


@pytest.mark.parametrize("kind", _KINDS)
def test_an_image_of_another_folder_is_another_image(tmp_path: Path, kind: str) -> None:
    """An image in a folder that is not there is counted as missing, never taken for one of the same name."""
    root = put_images(tmp_path / "data", {"cam1/0001.jpg": _SIZE, "cam1/0002.jpg": _SIZE})
    report = import_names(tmp_path, root, kind, ["cam2/0001.jpg", "cam1/0001.jpg", "cam2/0002.jpg"])
    assert not_taken(report) == {"image-missing": 2}
    assert notes(report) == {}
    assert set(read_task(root)[1]) == {"cam1/0001.jpg"}


@pytest.mark.parametrize("kind", _KINDS)
def test_what_is_found_by_its_end_is_said(tmp_path: Path, kind: str) -> None:
    """An image that lies in a folder that its name does not say is taken, and every format says so."""
    root = put_images(tmp_path / "data", {"images/train/1.jpg": _SIZE, "images/val/2.jpg": _SIZE, "3.jpg": _SIZE})
    report = import_names(tmp_path, root, kind, ["train/1.jpg", "2.jpg", "3.jpg"])
    assert not_taken(report) == {}
    assert notes(report) == {"image-elsewhere": 2}
    assert set(read_task(root)[1]) == {"images/train/1.jpg", "images/val/2.jpg", "3.jpg"}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["1.jpg", "a/1.jpg", "b/1.jpg", "x/a/1.jpg", "2.jpg", "a/2.jpg"]), unique=True, min_size=1
    ),
    st.sampled_from(["coco", "results", "yolo", "table"]),
)
def test_no_sample_gets_two_images(tmp_path_factory: pytest.TempPathFactory, names: list[str], kind: str) -> None:
    """In whatever order images are named: one named exactly has its sample; one that others may be is no one's."""
    base = tmp_path_factory.mktemp("law")
    root = put_images(base / "data", {"1.jpg": _SIZE, "a/2.jpg": _SIZE})
    report = import_names(base, root, kind, names)
    expected = {}
    for key, exact in (("1.jpg", "1.jpg"), ("a/2.jpg", "a/2.jpg")):
        mean_it = [name for name in names if name.endswith(key[-5:])]
        winner = exact if exact in mean_it else mean_it[0] if len(mean_it) == 1 else None
        if winner is not None:
            expected[key] = [(names.index(winner) + 1) / 100]
    there = (root / ".lightly").exists()
    assert {
        key: [one.score for one in ones] for key, ones in (read_task(root)[1] if there else {}).items()
    } == expected
    lost = len(names) - len(expected)
    assert not_taken(report) == ({"image-shared": lost} if lost else {})


@pytest.mark.parametrize("kind", ["coco", "table"])
def test_images_that_are_not_told_apart_are_kept_by_their_names(tmp_path: Path, kind: str) -> None:
    """With `keep_missing`, two names that may mean one image are written as two images that are not there."""
    root = put_images(tmp_path / "data", {"1.jpg": _SIZE})
    report = import_names(tmp_path, root, kind, ["a/1.jpg", "b/1.jpg", "/abs/1.jpg"], keep_missing=True)
    assert set(read_task(root)[1]) == {"a/1.jpg", "b/1.jpg"}
    assert not_taken(report) == {"image-shared": 1}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("images//val/1.jpg", "images/val/1.jpg"),
        ("images/train/../val/1.jpg", "images/val/1.jpg"),
        (".\\images\\val\\1.jpg", "images/val/1.jpg"),
        ("{root}/images/val/1.jpg", "images/val/1.jpg"),
        ("/home/me/images/val/1.jpg", "images/val/1.jpg"),
        ("C:\\Users\\me\\val\\1.jpg", "images/val/1.jpg"),
        ("../val/1.jpg", "images/val/1.jpg"),
        ("2.jpg", "images/train/2.jpg"),
        ("2.png", "masks/2.png"),
        ("train/images/2.jpg", "images/train/2.jpg"),
        ("images/2.jpg", "images/train/2.jpg"),
        ("day 1/3.jpg", "images/3.jpg"),
        ("1.jpg", "image-ambiguous"),
        ("images/1.jpg", "image-ambiguous"),
        ("test/1.jpg", "image-missing"),
        ("/home/me/images/test/1.jpg", "image-missing"),
        ("images/train/2.png", "image-missing"),
        ("3.JPG", "image-missing"),
    ],
)
def test_names_of_other_machines(tmp_path: Path, name: str, key: str) -> None:
    """The end of the path decides; a name is refused only where folders contradict or several agree."""
    keys = ["images/train/1.jpg", "images/val/1.jpg", "images/train/2.jpg", "masks/2.png", "images/3.jpg"]
    root = put_images(tmp_path / "data", dict.fromkeys(keys, _SIZE))
    report = import_names(tmp_path, root, "coco", [name.format(root=root)])
    if key.startswith("image-"):
        assert not_taken(report) == {key: 1}
    else:
        assert (set(read_task(root)[1]), not_taken(report)) == ({key}, {})


@pytest.mark.parametrize(
    ("kind", "label", "key"),
    [
        ("yolo", "train/labels/1.jpg", "train/images/1.jpg"),
        ("yolo", "labels/train/1.jpg", "images/train/1.jpg"),
        ("yolo", "obj_train_data/1.jpg", "day 1/1.jpg"),
        ("voc", "VOC2007/Annotations/1.jpg", "VOC2007/JPEGImages/1.jpg"),
        ("masks", "train/masks/1.jpg", "train/images/1.jpg"),
    ],
)
def test_folders_of_labels_stand_beside_those_of_images(tmp_path: Path, kind: str, label: str, key: str) -> None:
    """A folder that says that files are labels does not contradict one that says that they are images."""
    root = put_images(tmp_path / "data", {key: _SIZE, "other/1.jpg": _SIZE} if "train" in key else {key: _SIZE})
    report = import_names(tmp_path, root, kind, [label])
    assert (set(read_task(root)[1]), not_taken(report)) == ({key}, {})


def test_a_prefix_says_where_images_lie(tmp_path: Path) -> None:
    """Below a prefix names are found as below the root, by their ends too, and nothing outside it is."""
    keys = ["a/x/1.jpg", "b/x/1.jpg", "a/deep/2.jpg", "b/3.jpg"]
    root = put_images(tmp_path / "data", dict.fromkeys(keys, _SIZE))
    report = import_names(tmp_path, root, "coco", ["x/1.jpg", "2.jpg", "3.jpg"], prefix="a")
    assert set(read_task(root)[1]) == {"a/x/1.jpg", "a/deep/2.jpg"}
    assert not_taken(report) == {"image-missing": 1}
    report = import_names(tmp_path, root, "coco", ["a/x/1.jpg"], prefix="./a/", task="whole")
    assert (set(read_task(root, "whole")[1]), notes(report)) == ({"a/x/1.jpg"}, {})
