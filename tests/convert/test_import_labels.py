from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convert_helpers import not_taken, picture, put_images, put_json, read_task, run_import
from tamis.errors import UsageError
from tamis.formats import ForeignError, parse_columns, parse_xml
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


def put(folder: Path, files: dict[str, str]) -> Path:
    """Write label files, and return their folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def yolo(tmp_path: Path, files: dict[str, str], data: str = "names: [car, tree]\n") -> Path:
    return put(tmp_path / "labels", files | {"data.yaml": data})


def test_yolo_boxes_are_shares_of_the_image(tmp_path: Path, root: Path) -> None:
    """Centre and size become x, y, width, height in pixels; a file without lines says that nothing is there."""
    labels = yolo(tmp_path, {"a.txt": "1 0.5 0.5 0.5 0.5 0.25\n0 0.125 0.5 0.25 1 1\n", "day 1/b.txt": ""})
    report = run_import(root, "yolo", labels)
    assert (report.records, report.files, report.files_empty, report.not_taken) == (2, 2, 1, [])
    task, files = read_task(root)
    assert task.category_names == ("car", "tree")
    assert [(p.category_id, p.bbox, p.score) for p in files["a.png"]] == [
        (1, (10, 5, 20, 10), 0.25),
        (0, (0, 0, 10, 20), 1),
    ]
    assert files["day 1/b.png"] == []


def test_yolo_types_are_told_by_their_lines(tmp_path: Path, root: Path) -> None:
    """Polygons, keypoints and class probabilities are read as such, each with its score."""
    put(tmp_path / "p", {"a.txt": "0 0 0 0.5 0 0.5 0.5 0 0.5 0.75", "classes.txt": "car"})
    run_import(root, "yolo", tmp_path / "p", task="p")
    task, files = read_task(root, "p")
    assert task.task_type is TaskType.INSTANCE_SEGMENTATION
    assert [(p.bbox, p.score, masks.area(p.segmentation or ())) for p in files["a.png"]] == [
        ((0, 0, 20, 10), 0.75, 200)
    ]
    put(
        tmp_path / "k",
        {"b.txt": "0 0.5 0.5 1 1 0.1 0.2 0.75 0.3 0.4 0 0.9", "data.yaml": "names: [p]\nkpt_shape: [2, 3]"},
    )
    run_import(root, "yolo", tmp_path / "k", task="k")
    assert [(p.keypoints, p.score) for p in read_task(root, "k")[1]["day 1/b.png"]] == [
        ((1, 2, 0.75, 3, 4, 0), 0.9)
    ]
    lines = "0.75 big tree\n0.25 car\n"
    put(tmp_path / "c", {"a.txt": lines, "b.txt": "0.6 car", "data.yaml": "names: {4: car, 2: big tree}"})
    report = run_import(root, "yolo", tmp_path / "c", task="c")
    task, files = read_task(root, "c")
    assert task.task_type is TaskType.CLASSIFICATION
    assert [(p.category_id, p.score, p.probabilities) for p in files["a.png"]] == [(2, 0.75, (0.75, 0.25))]
    assert [(p.category_id, p.score, p.probabilities) for p in files["day 1/b.png"]] == [(4, 0.6, None)]
    assert [group.code for group in report.notes] == ["image-elsewhere"] or report.notes == []


def test_probabilities_that_are_left_out_are_named(tmp_path: Path, root: Path) -> None:
    """Of some of the classes the likeliest is taken, which is said; of a single one nothing is left out."""
    lines = {
        "a.txt": "0.6 car\n0.3 tree\n",
        "day 1/b.txt": "0.6 car\n",
        "day 1/c.txt": "0.6 car\n0.3 tree\n0.1 dog\n",
    }
    report = run_import(root, "yolo", yolo(tmp_path, lines, "names: [car, tree, dog]"))
    assert {group.code: group.count for group in report.notes} == {"classes-partial": 1}
    assert [one.place for one in report.notes[0].examples] == ["a.txt"]
    found = {key: (one.score, one.probabilities) for key, [one] in read_task(root)[1].items()}
    assert found == {"a.png": (0.6, None), "day 1/b.png": (0.6, None), "day 1/c.png": (0.6, (0.6, 0.3, 0.1))}


def test_shares_of_turned_images_are_named(tmp_path: Path, root: Path) -> None:
    """Shares are of the image as it is stored; where viewers turn it, that is said, for shares alone."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for key in ("turned.jpg", "none.jpg"):
        Image.new("RGB", (40, 20)).save(root / key, exif=exif)
    files = dict.fromkeys(("turned.txt", "a.txt"), "0 0.5 0.75 0.5 0.5") | {"none.txt": ""}
    report = run_import(root, "yolo", yolo(tmp_path, files), score=1.0)
    assert {group.code: group.count for group in report.notes} == {"image-turned": 1}
    assert [one.bbox for one in read_task(root)[1]["turned.jpg"]] == [(10, 10, 20, 10)]
    pixels = {"columns": "class cx cy w h", "pixels": True}
    assert run_import(root, "yolo", tmp_path / "labels", score=1.0, task="u", **pixels).notes == []


def test_labels_of_keypoints_have_flags(tmp_path: Path, root: Path) -> None:
    """Without a score at the end of the line the third numbers are visibilities."""
    labels = yolo(tmp_path, {"a.txt": "0 0.5 0.5 1 1 0.5 0.5 2 0 0 0"}, "names: [p]\nkpt_shape: [2, 3]")
    run_import(root, "yolo", labels, score=1.0)
    assert [p.keypoints for p in read_task(root)[1]["a.png"]] == [(20, 10, 1, 0, 0, 0)]


def test_every_bad_yolo_line_is_named(tmp_path: Path, root: Path) -> None:
    """Letters, missing numbers, unknown classes and files of no image are counted; other lines go in."""
    good = "0 0.5 0.5 0.5 0.5 0.5"
    bad = [
        "0 a b c d",
        "0 0.5 0.5",
        "0.5 0.5 0.5 0.5 0.5",
        "0 nan 0.5 0.5 0.5",
        "7 0.5 0.5 0.5 0.5 1",
        f"{good} 1 1",
    ]
    text = "\n".join(line for one in bad for line in (one, good))
    labels = yolo(tmp_path, {"a.txt": text, "nobody.txt": good, "day 1/b.txt": good})
    (labels / "day 1/c.txt").write_bytes(b"\xff\xfe0")
    report = run_import(root, "yolo", labels)
    assert not_taken(report) == {
        "record-unreadable": 5,
        "category-unknown": 1,
        "image-missing": 1,
        "file-unreadable": 1,
    }
    assert report.predictions == len(bad) + 1
    places = [e.place for g in report.not_taken for e in g.examples if g.code == "record-unreadable"]
    assert places == ["line 1 (a.txt)", "line 3 (a.txt)", "line 5 (a.txt)", "line 7 (a.txt)", "line 11 (a.txt)"]


@pytest.mark.parametrize(
    ("columns", "pixels", "line"),
    [
        ("class score x y x2 y2", True, "1 0.5 10 5 30 15"),
        ("class score x y w h", True, "1 0.5 10 5 20 10"),
        ("x y x2 y2 class", False, "0.25 0.25 0.75 0.75 1"),
        ("class, cx, cy, w, h", False, "1 0.5 0.5 0.5 0.5"),
    ],
)
def test_other_columns_are_named(tmp_path: Path, root: Path, columns: str, line: str, *, pixels: bool) -> None:
    """Lines of other programs are read when their columns are named."""
    run_import(root, "yolo", yolo(tmp_path, {"a.txt": line}), columns=columns, pixels=pixels, score=0.5)
    assert [(p.category_id, p.bbox, p.score) for p in read_task(root)[1]["a.png"]] == [(1, (10, 5, 20, 10), 0.5)]


SCORED = "0 0.5 0.5 0.5 0.5 0.9 {}\n"
RING = "0 0 0 0.5 0 0.5 0.5 0 0.5"


@pytest.mark.parametrize(
    ("files", "boxes"),
    [
        ([SCORED.format(17) + SCORED.format(3), SCORED.format(3)], [0.9, 0.9]),
        ([SCORED.format(4) + "0 0.5 0.5 0.5 0.5 0.75\n"], [0.9, 0.75]),
        (["0 0.5 0.5 0.5 0.5 1\n0 0.25 0.5 0.25 0.5 2\n", "0 0.5 0.5 0.5 0.5\n"], [0.5, 0.5]),
        ([f"{RING} 0.75 3", f"{RING} 0.75"], [0.75]),
        ([f"{RING} 3\n{RING} 1\n"], [0.5, 0.5]),
    ],
)
def test_numbers_of_tracks_are_no_scores(tmp_path: Path, root: Path, files: list[str], boxes: list[float]) -> None:
    """Whole numbers at the ends of lines, each once in its file, are left out, and said: what is before counts."""
    labels = yolo(tmp_path, dict(zip(("a.txt", "day 1/b.txt"), files, strict=False)))
    report = run_import(root, "yolo", labels, score=0.5)
    assert report.not_taken == []
    assert {"track-left-out"} == {group.code for group in report.notes}
    found = read_task(root)[1]["a.png"]
    assert [one.score for one in found] == boxes
    assert all(one.bbox is None or one.bbox[2:] in {(20, 10), (10, 10)} for one in found)


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.5 0.5 1\n0 0.5 0.5 0.25 0.5 1\n", "0 0.5 0.5 0.5 0.5 0.25\n", RING])
def test_scores_and_corners_are_no_tracks(tmp_path: Path, root: Path, text: str) -> None:
    """Scores of 1 are those of labels; shares of an image are no whole numbers."""
    report = run_import(root, "yolo", yolo(tmp_path, {"a.txt": text}), score=0.5)
    assert (report.notes, report.not_taken) == ([], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SCORED.format(1), "have 7 numbers each: boxes with a score and something more, or triangles"),
        ("0 0.5 0.5 0.5 0.5 0.1 0.9\n", "or triangles"),
        ("0 0.5 0.5 0.5 0.5 -0.7\n0 0.5 0.5 0.5 0.5 0.2\n", "1 of 2 are not from 0 to 1"),
        ("0 0.5 0.5 0.5 0.5 90\n0 0.5 0.5 0.5 0.5 90\n", "end in numbers that are no scores"),
    ],
)
def test_lines_that_may_be_several_things_are_refused(tmp_path: Path, root: Path, text: str, said: str) -> None:
    """What lines cannot be told by is asked for, and read as it is said then."""
    labels = yolo(tmp_path, {"a.txt": text})
    with pytest.raises(UsageError, match=said):
        run_import(root, "yolo", labels, score=0.5)
    columns = "class cx cy w h score track" if said.endswith("triangles") else "class cx cy w h track"
    report = run_import(root, "yolo", labels, columns=columns, score=0.5)
    assert {group.code for group in report.notes} == {"track-left-out"}
    assert {one.bbox for one in read_task(root)[1]["a.png"]} == {(10, 5, 20, 10)}


@pytest.mark.parametrize("line", ["0 10 10 50 10 50 40", "0 70 10 90 10 90 40", "0 10 10 50 40 0.5"])
def test_pixels_are_no_shares(tmp_path: Path, root: Path, line: str) -> None:
    """Lengths many times as large as the image are refused, and nothing is written of them."""
    report = run_import(root, "yolo", yolo(tmp_path, {"a.txt": line}), score=0.5)
    assert (not_taken(report), report.files) == ({"shares-expected": 1}, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "track",
        "class track cx cy w h",
        "class",
        "score x y w h",
        "class x y",
        "class class x y w h",
        "class w h x y",
    ],
)
def test_columns_that_say_too_little_are_refused(text: str) -> None:
    """Columns are a class, perhaps a score, and one kind of box."""
    with pytest.raises(ValueError, match="expected `class`"):
        parse_columns(text, is_pixels=True)


@pytest.mark.parametrize(
    ("files", "options", "said"),
    [
        ({"a.txt": "0 0.5 0.5 1 1"}, {}, "have no scores, and none are invented"),
        ({"a.txt": "0 0.5 0.5 1 1 2 2 0"}, {"task_type": TaskType.KEYPOINT_DETECTION}, "How many keypoints"),
        ({"a.txt": ""}, {"pixels": True}, "says nothing without"),
        ({"a.txt": ""}, {"columns": "class"}, "expected `class`, perhaps"),
        ({"a.jpg": ""}, {}, "holds no files that end in .txt"),
    ],
)
def test_what_yolo_needs_is_asked_for(
    tmp_path: Path, root: Path, files: dict[str, str], options: dict[str, Any], said: str
) -> None:
    """A call that leaves something open is refused before anything is written."""
    with pytest.raises(UsageError, match=said):
        run_import(root, "yolo", yolo(tmp_path, files), **options)
    assert not (root / ".lightly").exists()


def test_keypoints_without_confidence_are_refused(tmp_path: Path, root: Path) -> None:
    """Keypoints of two numbers have no third one, and none is invented."""
    labels = yolo(tmp_path, {"a.txt": ""}, "names: [p]\nkpt_shape: [2, 2]")
    with pytest.raises(UsageError, match="none is invented"):
        run_import(root, "yolo", labels)
    with pytest.raises(UsageError, match="mean is not said"):
        run_import(root, "yolo", put(tmp_path / "other/folder", {"a.txt": ""}))


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
    report = run_import(root, "voc", put(tmp_path / "voc", files), score=1.0)
    task, found = read_task(root)
    assert task.category_names == ("car", "tree")
    assert [(p.category_id, p.bbox) for p in found["a.png"]] == [(1, (1, 2, 3, 4)), (0, (1, 2, 8, 4))]
    assert found["day 1/b.png"] == []
    assert not_taken(report) == {"record-unreadable": 2, "file-unreadable": 2}


def test_categories_that_are_not_named_are_counted(tmp_path: Path, root: Path) -> None:
    """With a list of categories, labels of others are left out by name."""
    files = {"a.xml": f"<annotation>{VOC_OBJECT.format('tree', 4)}{VOC_OBJECT.format('dog', 4)}</annotation>"}
    names = put(tmp_path, {"names.txt": "car\ntree\n"}) / "names.txt"
    report = run_import(root, "voc", put(tmp_path / "voc", files), score=1.0, classes=str(names))
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
    voc = put(tmp_path / "voc", {"a.xml": f"<annotation>{VOC_OBJECT.format('car', 4)}</annotation>"})
    (voc / "b.xml").write_bytes(start + b"\xff\xfe+2AA-</a></annotation>")
    report = run_import(root, "voc", voc, score=1.0)
    assert (report.predictions, not_taken(report)) == (1, {"file-unreadable": 1})


@pytest.mark.parametrize("size", [("40.0", "21.0"), (" 41 ", "20"), ("40.", "21")])
def test_sizes_of_labels_are_compared(tmp_path: Path, root: Path, size: tuple[str, str]) -> None:
    """However a file writes the size of its image, another one than the image has is said."""
    said = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    text = f"<annotation>{said}{VOC_OBJECT.format('car', 4)}</annotation>"
    report = run_import(root, "voc", put(tmp_path / "voc", {"a.xml": text}), score=1.0)
    assert [group.code for group in report.notes] == ["image-size-differs"]


def test_files_that_name_no_categories_say_why(tmp_path: Path, root: Path) -> None:
    """Where nothing can be read, what is the matter with the first file is said."""
    with pytest.raises(UsageError, match=r"name no categories; `a\.xml` cannot be read: expected XML"):
        run_import(root, "voc", put(tmp_path / "voc", {"a.xml": "<a>", "b.xml": "<a/>"}), score=1.0)


def test_records_without_a_class_do_not_stop_the_others(tmp_path: Path, root: Path) -> None:
    """An empty name is no category: what has it is counted where it stands, in every format that names classes."""
    empty = VOC_OBJECT.format("", 4) + VOC_OBJECT.format("car", 4)
    report = run_import(root, "voc", put(tmp_path / "voc", {"a.xml": f"<a>{empty}</a>"}), score=1.0, task="voc")
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})
    shapes = [{"label": label, "points": [[1, 1], [5, 1], [5, 4]]} for label in ("", "car")]
    put_json(tmp_path / "lm/a.json", {"imagePath": "a.png", "shapes": shapes})
    report = run_import(root, "labelme", tmp_path / "lm", score=1.0, task="lm")
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})
    assert [one.place for one in report.not_taken[0].examples] == ["shape 1 (a.json)"]
    box = '<box xtl="1" ytl="1" xbr="3" ybr="3"/><box label="car" xtl="1" ytl="1" xbr="3" ybr="3"/>'
    cvat = put(tmp_path / "cvat", {"a.xml": f'<annotations><image name="a.png">{box}</image></annotations>'})
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
    report = run_import(root, "cvat", put(tmp_path / "x", {"a.xml": cvat}) / "a.xml", score=1.0, task="cvat")
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
    classes = put(base, {"c.yaml": "classes: {0: none, 7: sky, 200: wall}"}) / "c.yaml"
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
    classes = str(put(tmp_path, {"c.txt": "sky"}) / "c.txt")
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
