from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert_helpers import not_taken, put_images, read_task, run_import
from tamis import masks
from tamis.errors import DatasourceError, UsageError
from tamis.formats import ForeignError, decode_example
from tamis.model import TaskType
from tf_records import crc32c, example, record

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {"a.png": (40, 20), "day 1/b.png": (10, 10)}
LABELS: dict[str, Any] = {
    "image/filename": [b"a.png"],
    "image/width": [40],
    "image/height": [20],
    "image/object/bbox/xmin": [0.25, 0.0],
    "image/object/bbox/ymin": [0.5, 0.0],
    "image/object/bbox/xmax": [0.75, 0.5],
    "image/object/bbox/ymax": [1.0, 0.5],
    "image/object/class/label": [7, 3],
    "image/object/class/text": [b"dog", b"cat"],
}
BOXES = [(7, (10, 10, 20, 10), 1), (3, (0, 0, 20, 10), 1)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", SIZES)


def write(path: Path, *records: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(records))
    return path


def test_the_checksum_is_castagnolis() -> None:
    """The check value of CRC-32C, of its catalogue."""
    assert crc32c(b"123456789") == 0xE3069283


@given(
    features=st.dictionaries(
        st.text(max_size=9),
        st.one_of(
            st.lists(st.binary(max_size=9), min_size=1),
            st.lists(st.floats(width=32, allow_nan=False), min_size=1),
            st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1),
        ),
    ),
    packed=st.booleans(),
)
def test_examples_are_what_was_written(features: Any, packed: bool) -> None:  # noqa: FBT001 (hypothesis gives it)
    """Every feature has its values, packed or not."""
    found = decode_example(example(features, packed=packed))
    assert {name: list(values) for name, values in found.items()} == features


@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_example_are_named(data: bytes) -> None:
    """Any bytes are features, or one error of ours."""
    try:
        decode_example(data)
    except ForeignError as error:
        assert error.code == "record-unreadable"  # noqa: PT017 (bytes may be an example by chance)


@pytest.mark.parametrize("packed", [True, False])
def test_labels_of_tfrecord_are_boxes_in_pixels(tmp_path: Path, root: Path, packed: bool) -> None:  # noqa: FBT001
    """Shares of the image become pixels; categories are the numbers and names that occur; nothing is nothing."""
    empty: dict[str, Any] = {"image/filename": [b"day 1/b.png"], "image/width": [10], "image/height": [10]}
    path = write(tmp_path / "x.tfrecord", *(record(example(one, packed=packed)) for one in (LABELS, empty)))
    report = run_import(root, "tfrecord", path, score=1.0)
    assert (report.records, report.predictions, report.files_empty, report.not_taken) == (2, 2, 1, [])
    task, files = read_task(root)
    assert {one.id: one.name for one in task.categories} == {7: "dog", 3: "cat"}
    assert [(one.category_id, one.bbox, one.score) for one in files["a.png"]] == BOXES
    assert files["day 1/b.png"] == []


def test_results_of_tfrecord_have_scores_and_need_names(tmp_path: Path, root: Path) -> None:
    """What a model detected is taken before labels, with its scores; a label map names the numbers."""
    results = LABELS | {
        f"image/detection/bbox/{side}": [value]
        for side, value in {"xmin": 0.5, "ymin": 0.5, "xmax": 1.0, "ymax": 1.0}.items()
    }
    results |= {"image/detection/label": [3], "image/detection/score": [0.25]}
    write(tmp_path / "t/x.record-00000-of-00002", record(example(results)))
    write(tmp_path / "t/x.record-00001-of-00002")
    (tmp_path / "t/label_map.pbtxt").write_text("item {\n id: 3\n name: 'cat'\n}")
    run_import(root, "tfrecord", tmp_path / "t")
    assert [(one.category_id, one.bbox, one.score) for one in read_task(root)[1]["a.png"]] == [
        (3, (20, 10, 20, 10), 0.25)
    ]


def test_broken_records_are_named_and_the_rest_goes_in(tmp_path: Path, root: Path) -> None:
    """A record that is none, other counts, an unknown label, no name, and a file that ends early."""
    whole = record(example(LABELS))
    path = write(
        tmp_path / "x.tfrecord",
        record(b"\xff\xff"),
        record(example(LABELS | {"image/filename": [b"day 1/b.png"], "image/object/class/label": [7]})),
        record(example({"image/width": [3]})),
        record(example(LABELS | {"image/object/bbox/xmin": [b"x", b"y"]})),
        record(example(LABELS | {"image/object/class/label": [7, 9]})),
        whole[:-9],
    )
    names = tmp_path / "names.pbtxt"
    names.write_text('item { name: "dog" id: 7 } item { name: "cat" id: 3 }')
    report = run_import(root, "tfrecord", path, score=1.0, classes=str(names))
    assert not_taken(report) == {"record-unreadable": 4, "category-name-unknown": 1, "file-unreadable": 1}
    assert report.predictions == 1
    [cut] = [group.examples[0] for group in report.not_taken if group.code == "file-unreadable"]
    assert (cut.place, cut.message) == (
        "x.tfrecord record 6",
        f"expected {len(example(LABELS)):,} bytes of record 6, got fewer",
    )


def test_other_files_than_tfrecord_are_refused(tmp_path: Path, root: Path) -> None:
    """No file, no such file, and one without categories: each says what to do."""
    with pytest.raises(UsageError, match="no files that end in"):
        run_import(root, "tfrecord", tmp_path / "data", score=1.0)
    with pytest.raises(DatasourceError, match="There is no file or folder"):
        run_import(root, "tfrecord", tmp_path / "nothing", score=1.0)
    with pytest.raises(UsageError, match="name no categories"):
        run_import(root, "tfrecord", write(tmp_path / "x.tfrecord", b"no record at all"), score=1.0)


def row(key: str, *objects: Any, labels: int = 1, **image: Any) -> str:
    """A line of an export of Labelbox."""
    label = {"label_kind": "Default", "annotations": {"objects": list(objects), "classifications": []}}
    return json.dumps(
        {
            "data_row": {"id": "c1", "global_key": key, "row_data": "https://x.org/y.png?z=1"} | image,
            "media_attributes": {"width": 40, "height": 20, "mime_type": "image/png"},
            "projects": {"p": {"name": "n", "labels": [label] * labels}},
        }
    )


def box(name: str, **sides: float) -> Any:
    return {"name": name, "annotation_kind": "ImageBoundingBox", "bounding_box": sides}


CAR = box("car", left=1, top=2, width=3.5, height=4)
RING = {
    "name": "tree",
    "annotation_kind": "ImagePolygon",
    "polygon": [{"x": x, "y": y} for x, y in [(0, 0), (8, 0), (8, 8)]],
}
MASK = {"name": "car", "annotation_kind": "ImageSegmentationMask", "mask": {"url": "https://x.org/1.png"}}


def test_boxes_of_labelbox_go_in(tmp_path: Path, root: Path) -> None:
    """Names count from 0 in their order; what was labelled as empty is empty, what was not labelled is left out."""
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join([row("a.png", CAR, box("bus", left=0, top=0, width=1, height=1)), "", row("b.png")]))
    report = run_import(root, "labelbox", path, score=1.0)
    assert (report.predictions, report.files_empty, report.not_taken) == (2, 1, [])
    task, files = read_task(root)
    assert task.category_names == ("bus", "car")
    assert [(one.category_id, one.bbox) for one in files["a.png"]] == [(1, (1, 2, 3.5, 4)), (0, (0, 0, 1, 1))]
    path.write_text(row("a.png", CAR) + "\n" + row("day 1/b.png", labels=0))
    report = run_import(root, "labelbox", path, score=1.0, task="u")
    assert list(read_task(root, "u")[1]) == ["a.png"]
    assert [group.code for group in report.notes] == ["not-labelled"]


def test_polygons_of_labelbox_make_masks(tmp_path: Path, root: Path) -> None:
    """A polygon makes the task one of masks; by `--type` its boxes are taken instead."""
    path = tmp_path / "export.ndjson"
    path.write_text(row("a.png", RING))
    report = run_import(root, "labelbox", path, score=1.0)
    assert report.task_type is TaskType.INSTANCE_SEGMENTATION
    [one] = read_task(root)[1]["a.png"]
    assert one.segmentation == tuple(masks.rasterize([[0, 0, 8, 0, 8, 8]], 20, 40).tolist())


def test_broken_rows_of_labelbox_are_named_and_the_rest_goes_in(tmp_path: Path, root: Path) -> None:
    """A line that is no JSON, two people's labels, no name, a mask behind an address, a box with letters."""
    lines = [
        "{",
        row("day 1/b.png", CAR, labels=2),
        row("", CAR, row_data=None),
        row("a.png", CAR, MASK, {"name": "car", "bounding_box": {"left": "x"}}, {"bounding_box": 1}),
        row("c.png", CAR),
    ]
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(lines))
    report = run_import(root, "labelbox", path, score=1.0)
    assert (report.predictions, not_taken(report)) == (1, {"record-unreadable": 6, "image-missing": 1})
    places = [one.place for group in report.not_taken for one in group.examples]
    assert "export.ndjson record 1" in places
    assert "object 2 (export.ndjson record 4)" in places
