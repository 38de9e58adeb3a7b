from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from convert_helpers import build, export, losses, put_images, read_task, run_import
from strategies_convert import HEIGHT, KEYS, WIDTH, datasources
from tamis.model import Category, Prediction, Task, TaskType, masks
from tamis.model.polygons import rasterize

if TYPE_CHECKING:
    from pathlib import Path

CVAT_TYPES = [TaskType.CLASSIFICATION, TaskType.OBJECT_DETECTION, TaskType.SEMANTIC_SEGMENTATION]


class Region(msgspec.Struct, forbid_unknown_fields=True):
    """What Label Studio documents of a region of an image."""

    id: str
    type: str
    from_name: str
    to_name: str
    value: dict[str, Any]
    score: float | None = None
    original_width: int | None = None
    original_height: int | None = None
    image_rotation: int | None = None


class Predicted(msgspec.Struct, forbid_unknown_fields=True):
    """What it documents of a prediction."""

    model_version: str
    result: list[Region]


class LabelTask(msgspec.Struct, forbid_unknown_fields=True):
    """What it documents of a task."""

    data: dict[str, str]
    predictions: list[Predicted]


def without(prediction: Prediction, **changes: Any) -> Prediction:
    return msgspec.structs.replace(prediction, probabilities=None, **changes)


@settings(max_examples=15, deadline=None)
@given(datasources(CVAT_TYPES))
def test_cvat_shapes_come_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported for CVAT and imported again, boxes, masks and tags are what they were; lost scores are counted."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    report = export(root, "cvat", base / "annotations.xml")
    n_scores = sum(one.score is not None for ones in files.values() for one in ones)
    assert losses(report).get("scores", 0) == n_scores
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    options = {"classes": str(root / ".lightly/predictions/t/schema.json"), "task_type": task.task_type}
    score = None if task.task_type is TaskType.CLASSIFICATION else 0.5
    assert run_import(back, "cvat", base / "annotations.xml", score=score, **options).not_taken == []
    found = read_task(back)[1]
    assert set(found) == set(files)
    for key, ones in files.items():
        held = [one for one in ones if one.segmentation is None or masks.area(one.segmentation)]
        assert [without(one, bbox=None) for one in found[key]] == [
            without(one, bbox=None, score=score) for one in held
        ]
        for one, other in zip(found[key], held, strict=True):
            assert one.bbox == (other.bbox and pytest.approx(other.bbox, abs=1e-9))


def test_a_cvat_file_has_the_documented_shape(tmp_path: Path) -> None:
    """Version, labels, and images by number with name and size; keypoints are points beside their box."""
    task = Task(name="t", task_type=TaskType.KEYPOINT_DETECTION, categories=(Category(id=7, name="a<b"),))
    one = Prediction(category_id=7, bbox=(1, 2, 3, 4), keypoints=(1, 2, 0.5, 3, 4, 1), score=0.5)
    root = build(tmp_path / "data", task, {"a.png": [one]})
    export(root, "cvat", tmp_path / "a.xml")
    document = ET.parse(tmp_path / "a.xml").getroot()  # noqa: S314 (our own file)
    assert document.findtext("version") == "1.1"
    assert [label.findtext("name") for label in document.iter("label")] == ["a<b"]
    assert document.findtext("meta/task/size") == "1"
    [image] = document.iter("image")
    assert image.attrib == {"id": "0", "name": "a.png", "width": "12", "height": "8"}
    common = {"label": "a<b", "source": "auto", "occluded": "0", "z_order": "0"}
    box = {"xtl": "1.0", "ytl": "2.0", "xbr": "4.0", "ybr": "6.0"}
    assert [(shape.tag, shape.attrib) for shape in image] == [
        ("box", common | box),
        ("points", common | {"points": "1.0,2.0;3.0,4.0"}),
    ]


@settings(max_examples=15, deadline=None)
@given(datasources())
def test_label_studio_tasks_hold_every_prediction(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Tasks have the documented keys; percents and pixels agree, and polygons draw the mask that they came from."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    export(root, "label-studio", base / "tasks.json", base="https://x.org/d")
    tasks = msgspec.json.decode((base / "tasks.json").read_bytes(), type=list[LabelTask])
    assert sorted(one.data["image"] for one in tasks) == sorted(f"https://x.org/d/{_quoted(key)}" for key in files)
    for label_task in tasks:
        key = next(key for key in files if label_task.data["image"].endswith(f"/d/{_quoted(key)}"))
        [predicted] = label_task.predictions
        for number, one in enumerate(files[key]):
            regions = [region for region in predicted.result if region.id.startswith(f"{number}-")]
            _assert_held(task, one, regions)


def _quoted(key: str) -> str:
    return key.replace(" ", "%20").replace("é", "%C3%A9")


def _assert_held(task: Task, one: Prediction, regions: list[Region]) -> None:
    name = task.by_id[one.category_id].name
    if one.segmentation is not None:
        layers = [
            rasterize([np.array(region.value["points"]) * [WIDTH / 100, HEIGHT / 100]], HEIGHT, WIDTH)
            for region in regions
        ]
        drawn = np.zeros((HEIGHT, WIDTH), bool)
        for runs in layers:
            drawn |= masks.decode(runs, HEIGHT, WIDTH)
        assert (drawn == masks.decode(one.segmentation, HEIGHT, WIDTH)).all()
    elif one.bbox is not None:
        value = regions[0].value
        scale = (WIDTH / 100, HEIGHT / 100, WIDTH / 100, HEIGHT / 100)
        sides = (value["x"], value["y"], value["width"], value["height"])
        assert tuple(a * b for a, b in zip(sides, scale, strict=True)) == pytest.approx(one.bbox, abs=1e-9)
        assert value["rectanglelabels"] == [name]
    elif one.keypoints is None:
        assert [region.value for region in regions] == [{"choices": [name]}]
    points = [region for region in regions if region.type == "keypointlabels"]
    assert [region.score for region in points] == list((one.keypoints or ())[2::3])
    others = [region.score for region in regions if region.type != "keypointlabels"]
    assert others == [one.score] * len(others)


def test_what_label_studio_cannot_hold_is_said(tmp_path: Path) -> None:
    """Probabilities, and masks that become several regions, are counted."""
    task = Task(name="t", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=0, name="car"),))
    runs = (0, 1, 1, 1, WIDTH * HEIGHT - 3)
    ones = [Prediction(category_id=0, segmentation=runs, score=0.5, probabilities=(1.0,))]
    root = build(tmp_path / "data", task, {"a.png": ones})
    report = export(root, "label-studio", tmp_path / "t.json")
    assert losses(report) == {
        "probabilities": 1,
        "masks of several pieces: each is a region of its own": 1,
        "samples without a valid prediction file": 2,
    }
    assert len(json.loads((tmp_path / "t.json").read_text())[0]["predictions"][0]["result"]) == 2
