"""Random labels and predictions as a datasource, and the same as the COCO API takes them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import tamis
from strategies_datasource import png
from tamis.model import masks

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 160
NAMES = ("cat", "dog", "emu")
Entries = dict[str, list[dict[str, Any]]]


@dataclass
class Random:
    """Labels, and predictions that are near to some of them, of one kind of objects.

    Masks, and keypoints, take a part of their box: objects of many are of another size than their box.
    """

    kind: str
    compared: str = ""  # as the kind, or "bbox" of masks
    n_images: int = 12
    labels: Entries = field(default_factory=dict)
    predictions: Entries = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(7)
        for i in range(self.n_images):
            key = f"{i:02}.png"
            boxes = [(self._box(rng), int(rng.integers(3))) for _ in range(rng.integers(0, 7))]
            self.labels[key] = [self._entry(box, category, rng) for box, category in boxes]
            near = [
                (np.abs(box + rng.normal(0, rng.choice([0.3, 1, 4]), 4)), int(rng.choice([category] * 4 + [0])))
                for box, category in boxes
                if rng.random() < 0.85
            ]
            near += near[2:3] + [(self._box(rng), int(rng.integers(3))) for _ in range(rng.integers(0, 3))]
            found = [self._entry(box, category, rng) for box, category in near]
            # Scores with one digit: some are the same.
            self.predictions[key] = [{**entry, "score": float(rng.integers(1, 10)) / 10} for entry in found]

    def _box(self, rng: np.random.Generator) -> Any:
        return np.concatenate([rng.uniform(0, 60, 2), rng.uniform(4, SIDE - 62, 2)])

    def _entry(self, box: Any, category: int, rng: np.random.Generator) -> dict[str, Any]:
        x, y, width, height = np.round(box, 3).tolist()
        entry = {"category_id": category, "bbox": [x, y, min(width, SIDE - x), min(height, SIDE - y)], "score": 1.0}
        if self.kind == "segm":
            pixels = np.zeros((SIDE, SIDE), np.bool_)
            pixels[int(y) : int(y + height), int(x) : int(x + width)] = True
            pixels[int(y + height / 2), ::2] = False
            pixels &= np.add.outer(np.arange(SIDE) - y, np.arange(SIDE) - x) < (width + height) * 0.6
            entry["segmentation"] = masks.encode(pixels).tolist()
        if self.kind == "keypoints":
            points = np.stack([np.linspace(x, x + width * 0.7, 17), np.linspace(y, y + height * 0.7, 17)], axis=1)
            shown = np.ones((17, 1)) if rng.random() < 0.5 else (rng.random((17, 1)) < 0.7).astype(float)
            entry["keypoints"] = np.concatenate([points, shown], axis=1).ravel().tolist()
        return entry

    @property
    def task_type(self) -> str:
        """What tamis calls it."""
        names = {"bbox": "object-detection", "segm": "instance-segmentation", "keypoints": "keypoint-detection"}
        return names[self.kind]

    def write(self, root: Path) -> tamis.Datasource:
        """Write and scan both as tasks; the predictions number their categories another way."""
        root.mkdir(parents=True)
        for key in self.labels:
            (root / key).write_bytes(png(SIDE, SIDE))
        put_task(root, "labels", self.task_type, NAMES, self.labels)
        turned = {
            key: [{**entry, "category_id": 2 - entry["category_id"]} for entry in entries]
            for key, entries in self.predictions.items()
        }
        put_task(root, "model", self.task_type, NAMES[::-1], turned)
        source = tamis.open(root)
        source.scan()
        return source

    def coco_stats(self) -> Any:
        """Return what the COCO API says, in its order."""
        truth: dict[str, Any] = {
            "images": [{"id": i, "width": SIDE, "height": SIDE} for i in range(self.n_images)],
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(NAMES)],
            "annotations": self._records(self.labels),
        }
        results = [
            {name: value for name, value in record.items() if name not in {"id", "area", "iscrowd"}}
            for record in self._records(self.predictions)
        ]
        compared = self.compared or self.kind
        if compared == "bbox":
            results = [{k: v for k, v in one.items() if k != "segmentation"} for one in results]
        else:
            results = [{k: v for k, v in one.items() if k != "bbox"} for one in results]
        with contextlib.redirect_stdout(io.StringIO()):
            labels = COCO()
            labels.dataset = truth
            labels.createIndex()
            evaluation = COCOeval(labels, labels.loadRes(results), compared)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation.stats

    def _records(self, entries: Entries) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        for image, found in enumerate(entries.values()):
            for entry in found:
                record = {
                    "id": len(records) + 1,
                    "image_id": image,
                    "category_id": entry["category_id"] + 1,
                    "bbox": entry["bbox"],
                    "area": entry["bbox"][2] * entry["bbox"][3],
                    "iscrowd": 0,
                    "score": entry["score"],
                }
                if self.kind == "segm":
                    pixels = masks.decode(entry["segmentation"], SIDE, SIDE)
                    record["segmentation"] = coco_masks.encode(np.asfortranarray(pixels.astype(np.uint8)))
                    record["area"] = int(pixels.sum())
                if self.kind == "keypoints":
                    record["keypoints"] = entry["keypoints"]
                    record["num_keypoints"] = sum(v > 0 for v in entry["keypoints"][2::3])
                records.append(record)
        return records


def put_task(root: Path, task: str, task_type: str, names: Any, entries: Entries) -> None:
    """Write a task beside images that are there."""
    with tamis.PredictionWriter(root, task=task, task_type=task_type, categories=list(names)) as writer:
        for key, found in entries.items():
            writer.write(key, found)
