from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from convert_helpers import build, export, losses, put_images, read_task, run_import
from strategies_convert import HEIGHT, KEYS, WIDTH, datasources
from tamis.errors import UsageError
from tamis.media.label_maps import read_label_map
from tamis.model import Category, Prediction, Task, TaskType, masks

if TYPE_CHECKING:
    from pathlib import Path

MASKS = [TaskType.SEMANTIC_SEGMENTATION, TaskType.INSTANCE_SEGMENTATION]


def seen(predictions: list[Prediction]) -> dict[int, np.ndarray[Any, np.dtype[np.bool_]]]:
    """What is seen of each: brute force, pixel by pixel, the highest score stands, the first of equals."""
    layers = [masks.decode(one.segmentation or (), HEIGHT, WIDTH) for one in predictions]
    shown: dict[int, np.ndarray[Any, np.dtype[np.bool_]]] = {}
    for i in range(len(predictions)):
        shown[i] = np.zeros((HEIGHT, WIDTH), bool)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            here = [i for i, layer in enumerate(layers) if layer[y, x]]
            if here:
                shown[max(here, key=lambda i: (predictions[i].score or 0, -i))][y, x] = True
    return shown


def test_a_picture_without_a_mask_is_said_to_read_as_not_labelled(tmp_path: Path) -> None:
    """Its pixels are all those of no category, as of an image that nobody labelled."""
    task = Task(name="t", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=0, name="car"),))
    report = export(build(tmp_path / "data", task, {KEYS[0]: []}), "masks", tmp_path / "out")
    assert losses(report)["samples in which nothing was seen: their pictures read as not labelled"] == 1
    assert (np.asarray(Image.open(tmp_path / "out" / KEYS[0])) == 255).all()


@settings(max_examples=15, deadline=None)
@given(datasources(MASKS))
def test_panoptic_segments_come_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported as panoptic and imported again, each mask is what is seen of it, with its class and score."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    report = export(root, "panoptic", base / "out")
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    kind = TaskType.INSTANCE_SEGMENTATION
    assert run_import(back, "panoptic", base / "out/panoptic.json", task_type=kind, score=0.5).not_taken == []
    found = read_task(back)[1]
    n_hidden = 0
    for key, ones in files.items():
        shown = seen(ones)
        expected = [
            (one.category_id, one.score, masks.encode(shown[i]).tolist())
            for i, one in enumerate(ones)
            if shown[i].any()
        ]
        assert [(p.category_id, p.score, list(p.segmentation or ())) for p in found[key]] == expected
        n_hidden += sum(masks.area(one.segmentation or ()) - int(shown[i].sum()) for i, one in enumerate(ones))
    assert losses(report).get("pixels of masks that another mask with a higher score hides", 0) == n_hidden


@settings(max_examples=15, deadline=None)
@given(datasources(MASKS))
def test_masks_of_categories_come_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]]
) -> None:
    """Exported as pictures of category ids and imported again, every pixel has the category that is seen."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    export(root, "masks", base / "out")
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    schema = str(root / ".lightly/predictions/t/schema.json")
    report = run_import(back, "masks", base / "out", classes=schema, score=0.5)
    assert report.not_taken == []
    found = read_task(back)[1]
    for key, ones in files.items():
        expected = np.full((HEIGHT, WIDTH), 255)
        for i, shown in seen(ones).items():
            expected[shown] = ones[i].category_id
        again = np.full((HEIGHT, WIDTH), 255)
        for one in found.get(key, []):
            again[masks.decode(one.segmentation or (), HEIGHT, WIDTH)] = one.category_id
        assert (again == expected).all()


@pytest.mark.parametrize(("largest", "dtype", "background"), [(254, np.uint8, 255), (255, np.uint16, 65535)])
def test_large_ids_take_more_bits(tmp_path: Path, largest: int, dtype: type, background: int) -> None:
    """Ids up to 254 take 8 bits, larger ones 16; what no mask covers is the largest number."""
    task = Task(name="t", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=largest, name="car"),))
    one = Prediction(category_id=largest, segmentation=(0, 2, WIDTH * HEIGHT - 2), score=0.5)
    root = build(tmp_path / "data", task, {"a.png": [one]})
    report = export(root, "masks", tmp_path / "out")
    pixels = read_label_map((tmp_path / "out/a.png").read_bytes())
    assert pixels.dtype == dtype
    assert (np.unique(pixels).tolist(), int((pixels == largest).sum())) == ([largest, background], 2)
    assert losses(report)["scores"] == 1


def test_what_has_no_masks_is_refused(tmp_path: Path) -> None:
    """Boxes are no pictures, and ids beyond 16 bits no pixels."""
    task = Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=0, name="car"),))
    root = build(tmp_path / "data", task, {})
    for kind in ("masks", "panoptic"):
        with pytest.raises(UsageError, match="has no masks: it is object-detection"):
            export(root, kind, tmp_path / "out")
    large = msgspec.structs.replace(
        task, task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=70_000, name="car"),)
    )
    root = build(tmp_path / "large", large, {})
    with pytest.raises(UsageError, match="Pixels hold category ids below 65535, got 70000"):
        export(root, "masks", tmp_path / "out")


def test_a_panoptic_file_has_the_documented_shape(tmp_path: Path) -> None:
    """Images, annotations with a picture and segments by number, categories."""
    task = Task(name="t", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=(Category(id=3, name="car"),))
    one = Prediction(category_id=3, segmentation=(1, 2, WIDTH * HEIGHT - 3), score=0.5)
    root = build(tmp_path / "data", task, {KEYS[1]: [one]})
    export(root, "panoptic", tmp_path / "out")
    assert json.loads((tmp_path / "out/panoptic.json").read_text("utf-8")) == {
        "categories": [{"id": 3, "name": "car"}],
        "images": [{"id": 2, "file_name": KEYS[1], "width": WIDTH, "height": HEIGHT}],
        "annotations": [
            {
                "image_id": 2,
                "file_name": "day 1/b.c.png",
                "segments_info": [
                    {"id": 1, "category_id": 3, "area": 2, "bbox": [1, 0, 2, 1], "iscrowd": 0, "score": 0.5}
                ],
            }
        ],
    }
    pixels = read_label_map((tmp_path / "out/panoptic/day 1/b.c.png").read_bytes())
    assert pixels[0, :4].tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
