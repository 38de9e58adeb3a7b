from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from labelformat.formats import YOLOv8ObjectDetectionInput

from convert_helpers import build, export, losses, put_images, put_json, read_task, run_import
from strategies_convert import HEIGHT, KEYS, WIDTH, datasources
from tamis.api.sources import open_sources
from tamis.errors import UsageError
from tamis.index import Pool
from tamis.model import Category, Prediction, Task, TaskType, masks

if TYPE_CHECKING:
    from pathlib import Path

COCO_TYPES = [kind for kind in TaskType if kind is not TaskType.CLASSIFICATION]


@settings(max_examples=15, deadline=None)
@given(datasources(COCO_TYPES))
def test_coco_annotations_come_back_whole(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported as COCO annotations and imported again, task, files and numbers are what they were."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    report = export(root, "coco", base / "coco.json")
    assert losses(report) in ({}, {"samples without a valid prediction file": 3 - len(files)})
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    imported = run_import(back, "coco", base / "coco.json", task_type=task.task_type)
    assert imported.not_taken == []
    again, found = read_task(back)
    assert {c.id: c for c in again.categories} == {c.id: c for c in task.categories}
    assert found == files


@settings(max_examples=15, deadline=None)
@given(datasources(COCO_TYPES))
def test_coco_results_come_back_whole(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported as results with boxes and imported again, every prediction is what it was; image ids are kept."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    export(root, "coco", base / "coco.json")
    export(root, "coco-results", base / "results.json", boxes=True)
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    described = {"annotations": str(base / "coco.json"), "task_type": task.task_type, "empty": True}
    assert run_import(back, "coco", base / "results.json", **described).not_taken == []
    assert read_task(back)[1] == files
    ids = {image["id"] for image in json.loads((base / "coco.json").read_text())["images"]}
    assert {record["image_id"] for record in json.loads((base / "results.json").read_text())} <= ids


@settings(max_examples=15, deadline=None)
@given(datasources())
def test_json_lines_are_the_files(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Each line of JSON Lines is what the sample's prediction file says."""
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", *made)
    export(root, "jsonl", base / "out.jsonl")
    lines = [json.loads(line) for line in (base / "out.jsonl").read_text("utf-8").splitlines()]
    assert {line["file_name"]: line for line in lines} == {
        json.loads(path.read_bytes())["file_name"]: json.loads(path.read_bytes())
        for path in (root / ".lightly/predictions/t").rglob("*.json")
        if path.name != "schema.json"
    }


@settings(max_examples=15, deadline=None)
@given(datasources())
def test_tables_have_a_row_a_prediction(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Parquet and CSV hold every prediction in order, numbers exact, lists as lists; empty files are counted."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    report = export(root, "parquet", base / "out.parquet")
    rows = pq.read_table(base / "out.parquet").to_pylist()
    expected = [
        (key, i, one.category_id, task.by_id[one.category_id].name, one.score, one.bbox, one.probabilities,
         one.segmentation, one.keypoints)
        for key in sorted(files, key=str.encode) for i, one in enumerate(files[key])
    ]  # fmt: skip
    sides = ("bbox_x", "bbox_y", "bbox_width", "bbox_height")
    found = [
        (row["file_name"], row["position"], row["category_id"], row["category"], row["score"],
         None if row["bbox_x"] is None else tuple(row[side] for side in sides),
         *(None if row[name] is None else tuple(row[name]) for name in ("probabilities", "mask", "keypoints")))
        for row in rows
    ]  # fmt: skip
    assert found == expected
    n_empty = sum(not found for found in files.values())
    assert sum(n for what, n in losses(report).items() if what.startswith("samples whose file")) == n_empty
    export(root, "csv", base / "out.csv")
    with (base / "out.csv").open(encoding="utf-8", newline="") as file:
        texts = list(csv.DictReader(file))
    for text, one in zip(texts, expected, strict=True):
        assert (text["file_name"], text["category"]) == (one[0], one[3])
        assert (json.loads(text["score"]) if text["score"] else None) == one[4]
        assert (tuple(json.loads(text["probabilities"])) if text["probabilities"] else None) == one[6]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    task = Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=0, name="car"),))
    one = Prediction(category_id=0, bbox=(1, 1, 2, 2), score=0.5)
    return build(tmp_path / "data", task, {"a.png": [one], KEYS[1]: [one, one]})


def test_a_selection_narrows_every_export(tmp_path: Path, root: Path) -> None:
    """A list of keys, the folder of a selection and a pool all choose the same samples, in their order."""
    keys = [KEYS[1], "a.png"]
    folder = tmp_path / "picked"
    folder.mkdir()
    (folder / "selected.txt").write_text("\n".join(keys) + "\n")
    Pool(open_sources(root).index.root, "labelled").join(keys)
    for number, selection in enumerate([str(folder), str(folder / "selected.txt"), "labelled"]):
        out = tmp_path / f"{number}.txt"
        assert export(root, "names", out, selection=selection).samples == 2
        assert out.read_text("utf-8").splitlines() == keys
    assert export(root, "csv", tmp_path / "t.csv", selection="labelled").predictions == 3
    (folder / "selected.txt").write_text("a.png\n")
    assert export(root, "coco-results", tmp_path / "r.json", selection=str(folder)).predictions == 1
    with pytest.raises(UsageError, match="There is no selection `nothing`"):
        export(root, "names", None, selection="nothing")
    (folder / "selected.txt").write_text("a.png\nb.png\n")
    with pytest.raises(UsageError, match="1 of 2 selected samples are not in the index"):
        export(root, "names", None, selection=str(folder))


def test_images_are_copied_or_linked(tmp_path: Path, root: Path) -> None:
    """Copies and links lie below the same folders with the same bytes; what is there is kept unless told."""
    for link in (False, True):
        out = tmp_path / f"out {link}"
        assert export(root, "files", out, link=link).samples == 3
        assert {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()} == {
            key: (root / key).read_bytes() for key in KEYS
        }
        assert (out / "a.png").is_symlink() == link
        with pytest.raises(UsageError, match="is not empty"):
            export(root, "files", out, link=link)
        assert export(root, "files", out, link=link, replace=True).samples == 3
    (root / "a.png").unlink()
    assert losses(export(root, "files", tmp_path / "later")) == {"images that are gone since the scan": 1}


@pytest.mark.parametrize(("kind", "folder", "ending"), [("yolo", "labels/", ".txt"), ("masks", "", ".png")])
def test_a_folder_that_is_replaced_holds_one_export(tmp_path: Path, kind: str, folder: str, ending: str) -> None:
    """Files of samples that are not exported any more go, as classes may be numbered anew; other files stay."""
    one = Prediction(category_id=0, score=0.5, bbox=(1, 1, 2, 2), segmentation=(0, WIDTH * HEIGHT))
    task = Task(name="t", task_type=TaskType.INSTANCE_SEGMENTATION, categories=(Category(id=0, name="cat"),))
    root = build(tmp_path / "data", task, {key: [one] for key in KEYS})
    out, few = tmp_path / "out", tmp_path / "few.txt"
    assert export(root, kind, out).removed == 0
    (out / folder / f"mine{ending}").write_bytes(b"mine")
    few.write_text(f"{KEYS[0]}\n")
    assert export(root, kind, out, selection=str(few), replace=True).removed == 2
    left = {str(path.relative_to(out / folder)) for path in (out / folder).rglob(f"*{ending}")}
    assert left == {f"{KEYS[0].removesuffix('.png')}{ending}", f"mine{ending}"}


def test_pictures_that_were_there_stay_and_are_named(tmp_path: Path, root: Path) -> None:
    """No image is ever removed: it is said which are of samples that are not exported."""
    few = tmp_path / "few.txt"
    few.write_text(f"{KEYS[0]}\n")
    export(root, "files", tmp_path / "out")
    report = export(root, "files", tmp_path / "out", selection=str(few), replace=True)
    assert losses(report) == {"images of other samples, which were in the folder before and stay": 2}
    assert all((tmp_path / "out" / key).exists() for key in KEYS)


def test_names_become_paths_and_urls(tmp_path: Path, root: Path) -> None:
    """With a base, each name is a path below a folder, or a URL that a browser understands."""
    export(root, "names", tmp_path / "n.txt", base="https://pictures.org/d")
    assert (tmp_path / "n.txt").read_text().splitlines() == [
        "https://pictures.org/d/a.png",
        "https://pictures.org/d/day%201/b.c.png",
        "https://pictures.org/d/day%201/%C3%A9/d.png",
    ]


def test_an_export_never_replaces_unasked(tmp_path: Path, root: Path) -> None:
    """A file that is there stays, and no half-written one is left, until `replace` is said."""
    out = tmp_path / "r.json"
    out.write_text("mine")
    for kind in ("coco", "coco-results", "csv", "parquet", "jsonl", "names"):
        with pytest.raises(UsageError, match="is there already"):
            export(root, kind, out)
    assert out.read_text() == "mine"
    export(root, "coco", out, replace=True)
    assert len(json.loads(out.read_text())["annotations"]) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"data", "r.json"}


def test_names_are_keys_or_full_paths(tmp_path: Path, root: Path) -> None:
    """In the datasource itself with `full`, below another place with `base`, and not both."""
    export(root, "names", tmp_path / "keys.txt")
    listed = (tmp_path / "keys.txt").read_text().splitlines()
    assert listed == sorted(KEYS)
    export(root, "names", tmp_path / "base.txt", base="/data")
    assert (tmp_path / "base.txt").read_text().splitlines() == [f"/data/{key}" for key in listed]
    export(root, "names", tmp_path / "full.txt", full=True)
    assert (tmp_path / "full.txt").read_text().splitlines() == [str(root.absolute() / key) for key in listed]
    with pytest.raises(UsageError, match="exclude each other"):
        export(root, "names", tmp_path / "both.txt", full=True, base="/data")


def test_another_program_reads_the_same_boxes_from_yolo(tmp_path: Path, root: Path) -> None:
    """labelformat finds the images of `data.yaml` and the boxes that were written, in pixels."""
    export(root, "yolo", tmp_path / "y", scores=False)
    shutil.copytree(root, tmp_path / "y/images", ignore=shutil.ignore_patterns(".lightly"))
    reader = YOLOv8ObjectDetectionInput(tmp_path / "y/data.yaml", "train")
    read = {label.image.filename: [one.box for one in label.objects] for label in reader.get_labels()}
    written = read_task(root)[1]
    assert sum(map(len, read.values())) == sum(map(len, written.values())) > 0
    for key, found in written.items():
        for box, one in zip(read[key], found, strict=True):
            assert one.bbox is not None
            x, y, width, height = one.bbox
            assert (box.xmin, box.ymin, box.xmax, box.ymax) == pytest.approx(
                (x, y, x + width, y + height), abs=1e-3
            )


def test_ids_of_another_coco_file_are_used(tmp_path: Path, root: Path) -> None:
    """With an annotation file its ids name the images; a sample that it does not list is counted."""
    described = put_json(tmp_path / "ann.json", {"images": [{"id": 77, "file_name": "b.c.png"}], "categories": []})
    report = export(root, "coco-results", tmp_path / "r.json", annotations=str(described))
    assert {record["image_id"] for record in json.loads((tmp_path / "r.json").read_text())} == {77}
    assert losses(report)[f"samples that `{described}` does not list"] == 1


def test_ids_of_the_same_categories_of_another_coco_file_are_used(tmp_path: Path) -> None:
    """By name; a category that it does not name keeps its id, or is left out where that id is another category."""
    names = ["car", "tree", "dog"]
    task = Task(
        name="t",
        task_type=TaskType.OBJECT_DETECTION,
        categories=tuple(Category(id=i, name=name) for i, name in enumerate(names)),
    )
    ones = [Prediction(category_id=i, bbox=(0.0, 0.0, 1.0, 1.0), score=0.5) for i in range(3)]
    root = build(tmp_path / "data", task, {"a.png": ones})
    listed = [{"id": 5, "name": "car"}, {"id": 1, "name": "bus"}]
    described = put_json(
        tmp_path / "ann.json", {"images": [{"id": 77, "file_name": "a.png"}], "categories": listed}
    )
    for kind in ("coco-results", "coco"):
        report = export(root, kind, tmp_path / f"{kind}.json", annotations=str(described))
        assert losses(report)[f"predictions of categories that `{described}` does not name"] == 1
    results = json.loads((tmp_path / "coco-results.json").read_text())
    whole = json.loads((tmp_path / "coco.json").read_text())
    assert [one["category_id"] for one in results] == [one["category_id"] for one in whole["annotations"]] == [5, 2]
    assert {one["id"]: one["name"] for one in whole["categories"]} == {5: "car", 2: "dog"}


def test_what_coco_cannot_hold_is_said(tmp_path: Path) -> None:
    """Boxes that results leave out are counted, and classifications are refused."""
    runs = (0, 5, WIDTH * HEIGHT - 5)
    task = Task(name="t", task_type=TaskType.INSTANCE_SEGMENTATION, categories=(Category(id=0, name="car"),))
    own, same = ((x, 0.0, 5.0, 1.0) for x in (0.5, 0.0))
    ones = [Prediction(category_id=0, bbox=box, segmentation=runs, score=0.5) for box in (own, same)]
    root = build(tmp_path / "data", task, {"a.png": ones})
    report = export(root, "coco-results", tmp_path / "r.json")
    assert losses(report)["boxes of masks or keypoints; `--boxes` keeps them"] == 1
    task = Task(name="t", task_type=TaskType.CLASSIFICATION, categories=(Category(id=0, name="car"),))
    root = build(tmp_path / "other", task, {"a.png": [Prediction(category_id=0)]})
    with pytest.raises(UsageError, match="hold no classifications"):
        export(root, "coco", tmp_path / "c.json")


@settings(max_examples=15, deadline=None)
@given(datasources([TaskType.OBJECT_DETECTION, TaskType.KEYPOINT_DETECTION]))
def test_yolo_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported as YOLO and imported again, boxes, keypoints and scores are what they were; the rest is counted."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    report = export(root, "yolo", base / "yolo")
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    imported = run_import(back, "yolo", base / "yolo/labels", task_type=task.task_type)
    assert imported.not_taken == []
    again, found = read_task(back)
    assert again.category_names == task.category_names
    n_names = len(task.categories[0].keypoint_names or ())
    assert [one.keypoint_names for one in again.categories] == [
        one.keypoint_names if len(one.keypoint_names or ()) == n_names else None for one in task.categories
    ]
    assert ("skeleton of the keypoints" in losses(report)) == any(one.keypoint_skeleton for one in task.categories)
    number = {category_id: i for i, category_id in enumerate(task.category_ids)}
    for key, expected in files.items():
        held = [one for one in expected if one.bbox is not None]
        assert [(p.category_id, p.score) for p in found[key]] == [(number[p.category_id], p.score) for p in held]
        for one, other in zip(found[key], held, strict=True):
            assert one.bbox == pytest.approx(other.bbox, abs=1e-9)
            assert one.keypoints == (other.keypoints and pytest.approx(other.keypoints, abs=1e-9))
    assert report.predictions == sum(map(len, found.values()))
    without_box = sum(one.bbox is None for ones in files.values() for one in ones)
    assert losses(report).get("keypoints without a box", 0) == without_box


def test_yolo_polygons_draw_the_same_mask(tmp_path: Path) -> None:
    """A mask of one piece, a hole included, is the same pixels after it was a polygon; other pieces are counted."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[1:6, 1:8] = True
    mask[2:4, 3:5] = False
    two = mask.copy()
    two[7, 11] = True
    task = Task(name="t", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=0, name="car"),))
    ones = [Prediction(category_id=0, segmentation=tuple(masks.encode(m).tolist()), score=0.5) for m in (mask, two)]
    root = build(tmp_path / "data", task, {"a.png": ones[:1], KEYS[1]: ones[1:]})
    report = export(root, "yolo", tmp_path / "yolo", scores=False)
    assert losses(report)["pieces of masks but the largest"] == 1
    back = put_images(tmp_path / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    run_import(back, "yolo", tmp_path / "yolo/labels", task_type=task.task_type, score=0.5)
    assert [p.segmentation for found in read_task(back)[1].values() for p in found] == [ones[0].segmentation] * 2
