"""Datasources of real images and videos with what real models said about them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np

from real_data import DATA, copy_images, results_by_file, write_detections
from tamis.api.writer import PredictionWriter
from tamis.formats import from_coco
from tamis.model import frame_name

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = "coco128/results"
DEEPLAB = f"{RESULTS}/deeplabv3_voc_coco128_val_semseg_rle.json"
MOVENET = f"{RESULTS}/movenet_multipose_coco128_val.json"
EFFICIENTNET = DATA / "clothing/results/efficientnet_lite0_clothing.npz"
MOBILENET = DATA / "clothing/results/mobilenetv2_clothing_probs.npz"
N_FRAMES = 377


def write_coco(root: Path) -> None:
    """Write 128 images with what four models said, and metadata made up from their numbers."""
    names = copy_images("coco128/images/val2017/*.jpg", root)
    for task in ("nanodet", "centernet"):
        by_file = results_by_file(f"{RESULTS}/{task}_coco128_val.json")
        write_detections(root, task, {name: by_file[name] for name in names})
    _write_poses(root, names)
    _write_masks(root, names)
    _write_metadata(root, names)


def _write_poses(root: Path, names: list[str]) -> None:
    by_file = results_by_file(MOVENET)
    with PredictionWriter(root, task="movenet", task_type="keypoint-detection", categories=["person"]) as writer:
        for name in names:
            fields = ("keypoints", "score", "bbox")
            entries = [{"category_id": 0, **{field: e[field] for field in fields}} for e in by_file[name]]
            writer.write(name, entries)


def _write_masks(root: Path, names: list[str]) -> None:
    by_file = results_by_file(DEEPLAB)
    classes = {entry["category_id"]: entry["category"] for entries in by_file.values() for entry in entries}
    with PredictionWriter(
        root, task="deeplab", task_type="semantic-segmentation", categories=dict(sorted(classes.items()))
    ) as writer:
        for name in names:
            masks = [(entry["category_id"], from_coco(entry["segmentation"]).runs) for entry in by_file[name]]
            writer.write(name, [{"category_id": c, "segmentation": runs, "score": 1.0} for c, runs in masks])


def _write_metadata(root: Path, names: list[str]) -> None:
    folder = root / ".lightly" / "metadata"
    folder.mkdir(parents=True)
    fields = [
        {"name": "number", "path": "number", "defaultValue": 0, "valueDataType": "NUMERIC_INT"},
        {"name": "half", "path": "half", "defaultValue": "", "valueDataType": "CATEGORICAL_STRING"},
    ]
    (folder / "schema.json").write_text(json.dumps(fields))
    for number, name in enumerate(names):
        values = {"number": number, "half": "first" if number < 64 else "second"}
        document = {"file_name": name, "type": "image", "metadata": values}
        (folder / name).with_suffix(".json").write_text(json.dumps(document))


def write_clothing(root: Path) -> None:
    """Write 341 photos in folders with the class probabilities of two classifiers."""
    shutil.copytree(DATA / "clothing", root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    for task, path in (("efficientnet", EFFICIENTNET), ("mobilenet", MOBILENET)):
        with np.load(path) as arrays:
            files, rows = arrays["files"].tolist(), arrays["probs"]
        classes = [f"class {i}" for i in range(rows.shape[1])]
        with PredictionWriter(root, task=task, task_type="classification", categories=classes) as writer:
            for file, row in zip(files, rows, strict=True):
                writer.write_classification(file, row)


def write_car(root: Path) -> None:
    """Write a video with what a detector said about each of its frames."""
    shutil.copy(DATA / "videos/car/car-detection.mp4", root)
    by_file = results_by_file("videos/car/nanodet_video_car-detection.json")
    results = {
        frame_name("car-detection.mp4", i, N_FRAMES): by_file[f"car-detection-{i:03}-mp4.jpg"]
        for i in range(N_FRAMES)
    }
    write_detections(root, "nanodet", results)
