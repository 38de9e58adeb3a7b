"""Published average precision of real detections, and two real detectors side by side."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import tamis
from convert_helpers import run_import
from real_data import DATA, needs_data, read_json
from tamis.model import TaskType

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data
VOC, COCO_API = DATA / "voc100", DATA / "cocoapi"
BOXES = TaskType.OBJECT_DETECTION


def test_voc_has_the_published_average_precision(tmp_path: Path) -> None:
    """VOC's detections have AP .347 and AP50 .610 against its labels."""
    root = tmp_path / "data"
    shutil.copytree(VOC / "images", root, copy_function=shutil.copyfile)
    labels = VOC / "gts/coco_format_v2/instances_v2.json"
    run_import(root, "coco", labels, task="truth", score=1.0, task_type=BOXES)
    run_import(root, "coco", VOC / "dets/coco_format/coco_dets.json", task="detections")
    source = tamis.open(root)
    source.scan()
    report = source.evaluate("detections", "truth").report
    assert [report.metrics[name] for name in ("AP", "AP50")] == pytest.approx([0.347, 0.610], abs=0.0005)
    assert report.outcomes["correct"] + report.outcomes["missed"] <= 273
    assert report.calibration is not None
    assert sum(one.count for one in report.calibration.bins) == 452


def test_results_of_the_coco_api_have_the_published_average_precision(tmp_path: Path) -> None:
    """The COCO API's example has AP .504 and AP50 .697; an image without result counts as nothing predicted."""
    root = tmp_path / "data"
    root.mkdir()
    described = COCO_API / "gts/sampled_gts_bbox_area.json"
    for image in read_json("cocoapi/gts/sampled_gts_bbox_area.json")["images"]:
        Image.new("L", (image["width"], image["height"])).save(root / image["file_name"])
    results = COCO_API / "results/instances_val2014_fakebbox100_results.json"
    run_import(root, "coco", described, task="truth", score=1.0, task_type=BOXES)
    run_import(root, "coco", results, task="model", annotations=str(described))
    source = tamis.open(root)
    source.scan()
    report = source.evaluate("model", "truth").report
    assert [report.metrics[name] for name in ("AP", "AP50")] == pytest.approx([0.504, 0.697], abs=0.0005)
    assert report.samples_without_predictions == 1
    only = source.evaluate("model", "truth", tamis.EvaluateOptions(only_predicted=True)).report
    assert [only.metrics[name] for name in ("AP", "AP50")] == pytest.approx([0.506, 0.699], abs=0.0005)
