"""Write the index of a large datasource without its files: what the page reads, in the shapes of a scan.

    python benchmarks/page_index.py FOLDER [--samples 1000000] [--boxes 8]

Boxes, scores and metadata are drawn from distributions like those of a detector on street scenes: a few categories
have most objects, most scores are low, and the number of objects of a sample varies widely.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.index import Index, Manifest, MetadataColumn, ScoreNames, ShardWriter, shard_schemas, words
from tamis.model import Category, Ragged, Task, TaskType

if TYPE_CHECKING:
    from tamis.index import Shard

N_CATEGORIES = 20
_UNITS = 5_000
_OBJECT_SCORES = ("uncertainty_least_confidence", "uncertainty_margin", "uncertainty_entropy")
_SAMPLE_SCORES = (*_OBJECT_SCORES, "objectness_least_confidence", "object_frequency")
_CITIES = ["Aachen", "Bremen", "Celle", "Dresden", "Essen", "Freiburg", "Gera"]
TASK = Task(
    name="street",
    task_type=TaskType.OBJECT_DETECTION,
    categories=tuple(Category(id=i, name=f"class {i}") for i in range(N_CATEGORIES)),
)


def write_index(folder: Path, *, n_samples: int, mean_boxes: float, seed: int = 0) -> Path:
    """Write a datasource that has nothing but an index, unless it is there."""
    root = folder / ".lightly" / "tamis"
    if Index(root).latest() is not None:
        return folder
    predictions = folder / ".lightly" / "predictions"
    (predictions / TASK.name).mkdir(parents=True, exist_ok=True)
    (predictions / "tasks.json").write_text(json.dumps([TASK.name]))
    rng = np.random.default_rng(seed)
    scores = {TASK.name: ScoreNames(objects=_OBJECT_SCORES, samples=_SAMPLE_SCORES)}
    metadata = (
        MetadataColumn(name="City", column="City", type="string"),
        MetadataColumn(name="Temperature", column="Temperature", type="float"),
    )
    schemas = shard_schemas(scores, metadata)
    with Index(root).staging() as staging:
        shards: list[Shard] = []
        for first in range(0, n_samples, _UNITS):
            writer = ShardWriter(staging.folder, f"{staging.scan_id}/{len(shards):05d}", schemas)
            for table, columns in _rows(rng, first, min(_UNITS, n_samples - first), mean_boxes).items():
                writer.add(table, columns)
            shards.append(writer.close())
        Index(root).commit(
            Manifest(
                id=staging.scan_id,
                created="2026-01-01T00:00:00+00:00",
                source=str(folder),
                lightly=str(folder),
                settings="generated",
                tasks=(TASK,),
                scores=scores,
                metadata=metadata,
                shards=tuple(shards),
                dead={},
                videos=(),
                problems=(),
            )
        )
    return folder


def _rows(rng: np.random.Generator, first: int, n: int, mean_boxes: float) -> dict[str, dict[str, Any]]:
    unit = np.arange(n, dtype=np.int32)
    stems = [f"camera {(first + i) // 1000 % 40:02d}/{first + i:08d}" for i in range(n)]
    keys = [f"{stem}.jpg" for stem in stems]
    counts = np.minimum(rng.geometric(1 / (mean_boxes + 1), n) - 1, 100)
    owner = np.repeat(unit, counts)
    n_boxes = int(counts.sum())
    score = rng.beta(1.2, 2.0, n_boxes).round(4)
    uncertain = {name: rng.random(n_boxes).round(6) for name in _OBJECT_SCORES}
    x, y = rng.random(n_boxes) * 1200, rng.random(n_boxes) * 600
    position = np.arange(n_boxes) - np.repeat(np.cumsum(counts) - counts, counts)
    none = Ragged(np.zeros(0), np.full(n_boxes, -1, np.int64))
    return {
        "units": {"unit": unit, "stem": stems, "fingerprint": np.arange(first, first + n, dtype=np.uint64)},
        "samples": {
            "unit": unit,
            "key": keys,
            "kind": ["image"] * n,
            "video": [None] * n,
            "width": np.full(n, 1280, np.int32),
            "height": np.full(n, 720, np.int32),
            "size_bytes": rng.integers(100_000, 400_000, n),
            "mtime_ns": np.zeros(n, np.int64),
        },
        f"predictions:{TASK.name}": {
            "unit": owner,
            "sample": words(owner, keys),
            "position": position,
            "category_id": np.minimum(rng.geometric(0.25, n_boxes) - 1, N_CATEGORIES - 1),
            "score": score,
            "bbox_x": x.round(2),
            "bbox_y": y.round(2),
            "bbox_width": (rng.random(n_boxes) * (1280 - x)).round(2),
            "bbox_height": (rng.random(n_boxes) * (720 - y)).round(2),
            "probabilities": none,
            "mask": Ragged(np.zeros(0, np.int64), none.lengths),
            "keypoints": none,
            **uncertain,
        },
        f"sample_scores:{TASK.name}": {
            "unit": unit,
            "sample": keys,
            "n_predictions": counts.astype(np.int32),
            **{name: rng.random(n).round(6) for name in _SAMPLE_SCORES},
        },
        "metadata": {
            "unit": unit,
            "sample": keys,
            "City": [_CITIES[i] for i in rng.integers(0, len(_CITIES), n)],
            "Temperature": rng.normal(12, 8, n).round(1),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the index of a large datasource without its files")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--boxes", type=float, default=8)
    options = parser.parse_args()
    write_index(options.folder, n_samples=options.samples, mean_boxes=options.boxes)


if __name__ == "__main__":
    main()
