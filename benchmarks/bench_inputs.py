"""The datasource that the scan is measured on: images and their object detections, the same from one seed."""

from __future__ import annotations

import io
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

TASK = "detector"
N_CLASSES = 10
BOXES_A_FILE = 8
FILES_A_FOLDER = 500
MIN_IMAGE_BYTES = 4096
SEED = 20_261


@dataclass(frozen=True, slots=True)
class Inputs:
    """A datasource on disk.

    Attributes:
        root: holds the images and `.lightly`.
        file_list: a line each: `J path` of a prediction file, `I path` of its image, in the order of a scan.
        n_files: number of prediction files, and of images.
    """

    root: Path
    file_list: Path
    n_files: int


def build(work: Path, n_files: int) -> Inputs:
    """Write the datasource, or take the one that is there."""
    root = work / f"scan-{n_files}"
    inputs = Inputs(root, work / f"scan-{n_files}.txt", n_files)
    if inputs.file_list.exists():
        return inputs
    shutil.rmtree(root, ignore_errors=True)
    task = root / ".lightly" / "predictions" / TASK
    task.mkdir(parents=True)
    (task.parent / "tasks.json").write_text(json.dumps([TASK]))
    categories = [{"id": i, "name": f"class-{i}"} for i in range(N_CLASSES)]
    (task / "schema.json").write_text(json.dumps({"task_type": "object-detection", "categories": categories}))
    n_folders = -(-n_files // FILES_A_FOLDER)
    with ProcessPoolExecutor() as pool:
        parts = list(pool.map(partial(_write_folder, root, n_files), range(n_folders), chunksize=8))
    inputs.file_list.write_text("".join(parts))
    return inputs


def _write_folder(root: Path, n_files: int, folder: int) -> str:
    rng = np.random.default_rng([SEED, folder])
    images = _images(rng)
    name = f"camera-{folder:04d}"
    predictions = root / ".lightly" / "predictions" / TASK / name
    predictions.mkdir()
    (root / name).mkdir()
    lines = []
    for i in range(min(FILES_A_FOLDER, n_files - folder * FILES_A_FOLDER)):
        key = f"{name}/frame-{i:05d}.jpg"
        path = predictions / f"frame-{i:05d}.json"
        path.write_text(json.dumps({"file_name": key, "predictions": _detections(rng)}))
        (root / key).write_bytes(images[i % len(images)])
        lines.append(f"J {path}\nI {root / key}\n")
    return "".join(lines)


def _detections(rng: np.random.Generator) -> list[dict[str, object]]:
    n = int(rng.poisson(BOXES_A_FILE))
    corners = (rng.random((n, 2)) * (400, 300)).round(2)
    sizes = (10 + rng.random((n, 2)) * 150).round(2)
    # Six digits sum to 1 well within the format's 1e-3.
    probabilities = rng.dirichlet(np.full(N_CLASSES, 0.3), n).round(6)
    return [
        {
            "category_id": int(row.argmax()),
            "bbox": [*corner.tolist(), *size.tolist()],
            "score": float(row.max()),
            "probabilities": row.tolist(),
        }
        for corner, size, row in zip(corners, sizes, probabilities, strict=True)
    ]


def _images(rng: np.random.Generator) -> list[bytes]:
    """Return a few JPEGs of 640 x 480: small, but no smaller than one read of 4 KB."""
    images = []
    for _ in range(4):
        coarse = rng.integers(0, 255, (48, 64, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((640, 480)).save(buffer, "JPEG", quality=30)
        data = buffer.getvalue()
        # What follows the end of the picture is nothing to a JPEG reader.
        images.append(data + b"\0" * max(0, MIN_IMAGE_BYTES - len(data)))
    return images
