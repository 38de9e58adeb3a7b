from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert_helpers import not_taken, picture, put_images, put_json, put_texts, read_task, run_import
from tamis.errors import UsageError
from tamis.formats import ForeignError, parse_xml
from tamis.model import TaskType, masks

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {"a.png": (40, 20), "day 1/b.png": (10, 10), "day 1/c.png": (10, 10)}
VOC_OBJECT = (
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>{}</xmax><ymax>6</ymax></bndbox></object>"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", SIZES)


def test_voc_boxes_are_corners(tmp_path: Path, root: Path) -> None:
    """A box reaches from xmin to xmax; names become categories by their order, and bad objects are named."""
    objects = [("tree", 4), ("car", 9), ("car", "x"), ("tree", "inf")]
    text = "".join(VOC_OBJECT.format(*one) for one in objects)
    size = "<size><width>40</width><height>20</height></size>"
    files = {
        "a.xml": f"<annotation><filename>a.png</filename>{size}{text}</annotation>",
        "b.xml": "<annotation><filename>b.png</filename></annotation>",
        "c.xml": "<annotation><object>",
        "d.xml": '<!DOCTYPE x [<!ENTITY a "b">]><annotation/>',
    }
    report = run_import(root, "voc", put_texts(tmp_path / "voc", files), score=1.0)
    task, found = read_task(root)
    assert task.category_names == ("car", "tree")
    assert [(p.category_id, p.bbox) for p in found["a.png"]] == [(1, (1, 2, 3, 4)), (0, (1, 2, 8, 4))]
    assert found["day 1/b.png"] == []
    assert not_taken(report) == {"record-unreadable": 2, "file-unreadable": 2}


def test_categories_that_are_not_named_are_counted(tmp_path: Path, root: Path) -> None:
    """With a list of categories, labels of others are left out by name."""
    files = {"a.xml": f"<annotation>{VOC_OBJECT.format('tree', 4)}{VOC_OBJECT.format('dog', 4)}</annotation>"}
    names = put_texts(tmp_path, {"names.txt": "car\ntree\n"}) / "names.txt"
    report = run_import(root, "voc", put_texts(tmp_path / "voc", files), score=1.0, classes=str(names))
    assert not_taken(report) == {"category-name-unknown": 1}
    assert [p.category_id for p in read_task(root)[1]["a.png"]] == [1]


@pytest.mark.parametrize("data", [b"<!DOCTYPE a><a/>", b"<a>\0</a>", b"\xff\xfe<\0a\0", b"<a>", b""])
def test_xml_that_could_expand_is_refused(data: bytes) -> None:
    """Entities need a DOCTYPE, and other encodings could hide one."""
    with pytest.raises(ForeignError, match="expected XML"):
        parse_xml(data)


@pytest.mark.parametrize("encoding", ["gb2312", "Shift_JIS", "iso-8859-1", "utf-8", "UTF-8"])
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path: Path, root: Path, encoding: str) -> None:
    """Any encoding that Python knows gives the same names."""
    name = "b\xe9b\xe9" if encoding.startswith("iso") else "\u6c34"
    text = f'<?xml version="1.0" encoding="{encoding}"?><annotation>{VOC_OBJECT.format(name, 4)}</annotation>'
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc/a.xml").write_bytes(text.encode(encoding))
    assert run_import(root, "voc", tmp_path / "voc", score=1.0).predictions == 1
    assert read_task(root)[0].category_names == (name,)


@pytest.mark.parametrize("encoding", ["latin-9x", "hex", "utf-7", "utf-16", "undefined", "ascii", "idna", "gb2312"])
def test_xml_in_no_encoding_is_named(tmp_path: Path, root: Path, encoding: str) -> None:
    """An encoding that nobody knows, or that the bytes are not in, is one file that cannot be read."""
    start = f'<?xml version="1.0" encoding="{encoding}"?><annotation><a>'.encode()
    voc = put_texts(tmp_path / "voc", {"a.xml": f"<annotation>{VOC_OBJECT.format('car', 4)}</annotation>"})
    (voc / "b.xml").write_bytes(start + b"\xff\xfe+2AA-</a></annotation>")
    report = run_import(root, "voc", voc, score=1.0)
    assert (report.predictions, not_taken(report)) == (1, {"file-unreadable": 1})


@pytest.mark.parametrize("size", [("40.0", "21.0"), (" 41 ", "20"), ("40.", "21")])
def test_sizes_of_labels_are_compared(tmp_path: Path, root: Path, size: tuple[str, str]) -> None:
    """However a file writes the size of its image, another one than the image has is said."""
    said = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    text = f"<annotation>{said}{VOC_OBJECT.format('car', 4)}</annotation>"
    report = run_import(root, "voc", put_texts(tmp_path / "voc", {"a.xml": text}), score=1.0)
    assert [group.code for group in report.notes] == ["image-size-differs"]


def test_files_that_name_no_categories_say_why(tmp_path: Path, root: Path) -> None:
    """Where nothing can be read, what is the matter with the first file is said."""
    with pytest.raises(UsageError, match=r"name no categories; `a\.xml` cannot be read: expected XML"):
        run_import(root, "voc", put_texts(tmp_path / "voc", {"a.xml": "<a>", "b.xml": "<a/>"}), score=1.0)


def test_records_without_a_class_do_not_stop_the_others(tmp_path: Path, root: Path) -> None:
    """An empty name is no category: what has it is counted where it stands, in every format that names classes."""
    empty = VOC_OBJECT.format("", 4) + VOC_OBJECT.format("car", 4)
    report = run_import(
        root, "voc", put_texts(tmp_path / "voc", {"a.xml": f"<a>{empty}</a>"}), score=1.0, task="voc"
    )
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})
    shapes = [{"label": label, "points": [[1, 1], [5, 1], [5, 4]]} for label in ("", "car")]
    put_json(tmp_path / "lm/a.json", {"imagePath": "a.png", "shapes": shapes})
    report = run_import(root, "labelme", tmp_path / "lm", score=1.0, task="lm")
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})
    assert [one.place for one in report.not_taken[0].examples] == ["shape 1 (a.json)"]
    box = '<box xtl="1" ytl="1" xbr="3" ybr="3"/><box label="car" xtl="1" ytl="1" xbr="3" ybr="3"/>'
    cvat = put_texts(tmp_path / "cvat", {"a.xml": f'<annotations><image name="a.png">{box}</image></annotations>'})
    report = run_import(root, "cvat", cvat, score=1.0, task="cvat")
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})


@pytest.mark.parametrize(
    "shape",
    [
        {"label": None, "points": []},
        {"label": 7, "points": [[1, 1], [5, 1], [5, 4]]},
        {"label": "car", "points": [[1, 1, 0], [5, 1, 0], [5, 4, 0]]},
        {"points": 3},
        "car",
    ],
)
def test_a_bad_shape_of_labelme_is_one_bad_shape(tmp_path: Path, root: Path, shape: object) -> None:
    """The other shapes of its file go in, and it is counted by its number."""
    good = {"label": "car", "points": [[1, 1], [5, 1], [5, 4]], "shape_type": "polygon"}
    put_json(tmp_path / "lm/a.json", {"imagePath": "a.png", "shapes": [good, shape, good]})
    report = run_import(root, "labelme", tmp_path / "lm", score=1.0)
    assert (report.records, report.predictions, not_taken(report)) == (3, 2, {"record-unreadable": 1})
    assert [one.place for one in report.not_taken[0].examples] == ["shape 2 (a.json)"]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.5])
def test_a_score_is_from_0_to_1(tmp_path: Path, root: Path, score: float) -> None:
    """Another number is wrong usage, before anything is read."""
    with pytest.raises(UsageError, match="Expected a score from 0 to 1"):
        run_import(root, "voc", tmp_path / "nothing", score=score)


def test_cvat_and_labelme_shapes(tmp_path: Path, root: Path) -> None:
    """Boxes and polygons of both become the same predictions; other shapes are counted."""
    ring = [[1, 1], [5, 1], [5, 4], [1, 4]]
    points = ";".join(f"{x},{y}" for x, y in ring)
    cvat = (
        '<annotations><meta><label><name>tree</name></label></meta><image name="a.png" width="40" height="20">'
        f'<polygon label="tree" points="{points}"/><ellipse label="tree"/><polygon label="tree" points="1,2;x,3"/>'
        '<box label="dog" xtl="1" ytl="1" xbr="2" ybr="2"/></image></annotations>'
    )
    report = run_import(root, "cvat", put_texts(tmp_path / "x", {"a.xml": cvat}) / "a.xml", score=1.0, task="cvat")
    assert not_taken(report) == {"record-unreadable": 2, "category-name-unknown": 1}
    shapes = [
        {"label": "tree", "points": ring, "shape_type": "polygon"},
        {"label": "tree", "points": [[5, 4], [1, 1]], "shape_type": "rectangle"},
        {"label": "tree", "points": [[1, 1]], "shape_type": "point"},
    ]
    put_json(tmp_path / "lm/a.json", {"imagePath": "..\\x\\a.png", "shapes": shapes, "imageData": None})
    put_json(tmp_path / "lm/b.json", {"shapes": "none"})
    report = run_import(root, "labelme", tmp_path / "lm", score=1.0, task="labelme")
    assert not_taken(report) == {"record-unreadable": 1, "file-unreadable": 1}
    first, second = (read_task(root, name)[1]["a.png"] for name in ("cvat", "labelme"))
    assert second == [first[0], first[0]]
    assert (first[0].bbox, masks.area(first[0].segmentation or ())) == ((1, 1, 4, 3), 12)


label_maps = st.lists(st.sampled_from([0, 7, 200]), min_size=100, max_size=100)


@settings(max_examples=20, deadline=None)
@given(label_maps)
def test_masks_of_categories_are_the_same_pixels(
    tmp_path_factory: pytest.TempPathFactory, values: list[int]
) -> None:
    """A picture of category ids becomes one mask for each id, which together are the picture again."""
    base = tmp_path_factory.mktemp("law")
    root = put_images(base / "data", SIZES)
    pixels = np.array(values, np.uint8).reshape(10, 10)
    (base / "masks/day 1").mkdir(parents=True)
    (base / "masks/day 1/b.png").write_bytes(picture(pixels))
    classes = put_texts(base, {"c.yaml": "classes: {0: none, 7: sky, 200: wall}"}) / "c.yaml"
    report = run_import(root, "masks", base / "masks", classes=str(classes), score=0.5)
    assert report.not_taken == []
    again = np.full((10, 10), 99)
    found = read_task(root)[1]["day 1/b.png"]
    for one in found:
        again[masks.decode(one.segmentation or (), 10, 10)] = one.category_id
    assert (again == pixels).all()
    assert len(found) == len(set(values))


def test_masks_that_cannot_be_taken_are_named(tmp_path: Path, root: Path) -> None:
    """Another size, colours, unknown values and broken files are counted; pixels of 255 are only said."""
    folder = tmp_path / "masks"
    (folder / "day 1").mkdir(parents=True)
    (folder / "a.png").write_bytes(picture(np.zeros((9, 9), np.uint8)))
    (folder / "day 1/b.png").write_bytes(picture(np.zeros((10, 10, 3), np.uint8)))
    mixed = np.zeros((10, 10), np.uint8)
    mixed[0, :3] = 255
    mixed[1] = 9
    (folder / "day 1/c.png").write_bytes(picture(mixed))
    (folder / "day 1/d.png").write_bytes(b"broken")
    classes = str(put_texts(tmp_path, {"c.txt": "sky"}) / "c.txt")
    report = run_import(root, "masks", folder, classes=classes, score=1.0)
    assert not_taken(report) == {"mask-size": 1, "file-unreadable": 2, "category-name-unknown": 1}
    assert {g.code: g.count for g in report.notes} == {"pixels-ignored": 1, "image-size-differs": 1}
    assert [masks.area(p.segmentation or ()) for p in read_task(root)[1]["day 1/c.png"]] == [87]
    with pytest.raises(UsageError, match="none are invented"):
        run_import(root, "masks", folder, classes=classes, task="u")


@settings(max_examples=20, deadline=None)
@given(label_maps, st.sampled_from([TaskType.INSTANCE_SEGMENTATION, TaskType.SEMANTIC_SEGMENTATION]))
def test_panoptic_segments_are_the_same_pixels(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], task_type: TaskType
) -> None:
    """Segments, each or put together by category, are the pixels of the picture; the rest belongs to none."""
    base = tmp_path_factory.mktemp("law")
    root = put_images(base / "data", SIZES)
    ids = np.array(values).reshape(10, 10) * 1000
    colours = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).astype(np.uint8)
    (base / "pan").mkdir()
    (base / "pan/b.png").write_bytes(picture(colours))
    segments = [{"id": i, "category_id": 3, "iscrowd": 0} for i in sorted({*values} - {0}) for i in [i * 1000]]
    document = {
        "images": [{"id": 1, "file_name": "day 1/b.png", "width": 10, "height": 10}],
        "annotations": [{"image_id": 1, "file_name": "b.png", "segments_info": segments}],
        "categories": [{"id": 3, "name": "thing", "isthing": 1}],
    }
    report = run_import(root, "panoptic", put_json(base / "pan.json", document), score=1.0, task_type=task_type)
    assert report.not_taken == []
    found = read_task(root)[1]["day 1/b.png"]
    layers = [masks.decode(one.segmentation or (), 10, 10) for one in found]
    assert (np.sum(layers, axis=0) == (ids > 0)).all() if layers else (ids == 0).all()
    assert len(found) == (len(segments) if task_type is TaskType.INSTANCE_SEGMENTATION else bool(segments))


def test_panoptic_faults_are_named(tmp_path: Path, root: Path) -> None:
    """A missing picture, an unknown image, a segment without pixels and pixels without a segment are counted."""
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[0, 0, 0], pixels[1, 1, 0] = 5, 6
    (tmp_path / "pan").mkdir()
    (tmp_path / "pan/b.png").write_bytes(picture(pixels))
    segments = [{"id": 5, "category_id": 3, "iscrowd": 1}, {"id": 8, "category_id": 3}]
    document = {
        "images": [{"id": 1, "file_name": "day 1/b.png"}],
        "annotations": [
            {"image_id": 1, "file_name": "b.png", "segments_info": segments},
            {"image_id": 1, "file_name": "gone.png", "segments_info": []},
            {"image_id": 2, "file_name": "b.png", "segments_info": []},
            {"image_id": 2},
        ],
        "categories": [{"id": 3, "name": "thing"}],
    }
    report = run_import(root, "panoptic", put_json(tmp_path / "pan.json", document), score=1.0)
    assert not_taken(report) == {
        "mask-missing": 1,
        "segment-unknown": 1,
        "file-unreadable": 1,
        "image-unknown": 1,
        "record-unreadable": 1,
    }
    assert [g.code for g in report.notes] == ["crowd"]
    assert [p.bbox for p in read_task(root)[1]["day 1/b.png"]] == [(0, 0, 1, 1)]
