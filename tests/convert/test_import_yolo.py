from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from convert_helpers import not_taken, put_images, put_texts, read_task, run_import
from tamis.errors import UsageError
from tamis.formats import parse_columns
from tamis.model import TaskType, masks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", {"a.png": (40, 20), "day 1/b.png": (10, 10), "day 1/c.png": (10, 10)})


def yolo(tmp_path: Path, files: dict[str, str], data: str = "names: [car, tree]\n") -> Path:
    return put_texts(tmp_path / "labels", files | {"data.yaml": data})


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
    put_texts(tmp_path / "p", {"a.txt": "0 0 0 0.5 0 0.5 0.5 0 0.5 0.75", "classes.txt": "car"})
    run_import(root, "yolo", tmp_path / "p", task="p")
    task, files = read_task(root, "p")
    assert task.task_type is TaskType.INSTANCE_SEGMENTATION
    assert [(p.bbox, p.score, masks.area(p.segmentation or ())) for p in files["a.png"]] == [
        ((0, 0, 20, 10), 0.75, 200)
    ]
    put_texts(
        tmp_path / "k",
        {"b.txt": "0 0.5 0.5 1 1 0.1 0.2 0.75 0.3 0.4 0 0.9", "data.yaml": "names: [p]\nkpt_shape: [2, 3]"},
    )
    run_import(root, "yolo", tmp_path / "k", task="k")
    assert [(p.keypoints, p.score) for p in read_task(root, "k")[1]["day 1/b.png"]] == [
        ((1, 2, 0.75, 3, 4, 0), 0.9)
    ]
    lines = "0.75 big tree\n0.25 car\n"
    put_texts(tmp_path / "c", {"a.txt": lines, "b.txt": "0.6 car", "data.yaml": "names: {4: car, 2: big tree}"})
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
        run_import(root, "yolo", put_texts(tmp_path / "other/folder", {"a.txt": ""}))
