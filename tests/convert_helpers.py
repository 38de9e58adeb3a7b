"""Small datasources to import into, and what lies in them afterwards."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from strategies_convert import HEIGHT, KEYS, WIDTH
from tamis.api.converting.choices import ExportFormat, ImportFormat
from tamis.api.converting.exporting import ExportOptions, ExportReport
from tamis.api.converting.run import export_to, import_from
from tamis.api.converting.values import ImportOptions, ImportReport
from tamis.api.options import ScanOptions, ignore_progress
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources
from tamis.api.writer import PredictionWriter
from tamis.formats import decode_predictions, decode_schema, prediction_key, schema_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tamis.model import Prediction, Task

Files = dict[str, list["Prediction"]]


def put_images(root: Path, sizes: dict[str, tuple[int, int]]) -> Path:
    """Write images of those widths and heights, and return the folder."""
    for key, size in sizes.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(np.zeros((size[1], size[0]), np.uint8), path.suffix))
    return root


def picture(pixels: np.ndarray[Any, Any], ending: str = ".png") -> bytes:
    """Return pixels as the bytes of an image."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG" if ending in {".jpg", ".jpeg"} else "PNG")
    return buffer.getvalue()


def put_json(path: Path, value: Any) -> Path:
    """Write anything as JSON, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")
    return path


def put_texts(folder: Path, files: dict[str, str]) -> Path:
    """Write label files, and return their folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def run_import(root: Path, kind: str, path: Path, **options: Any) -> ImportReport:
    """Import into the datasource at `root`, as task `t` unless another one is named."""
    wanted = ImportOptions(**{"task": "t", **options})
    return import_from(open_sources(root), ImportFormat(kind), path, wanted, listen=ignore_progress)


def read_task(root: Path, name: str = "t") -> tuple[Task, Files]:
    """Return a task and the predictions of its files, by the sample that they name; none has a problem."""
    folder = root / ".lightly/predictions" / name
    task, problems = decode_schema((root / schema_key(name)).read_bytes(), task=name, file="schema")
    assert task is not None
    assert problems == []
    files: Files = {}
    for path in sorted(folder.rglob("*.json")):
        if path == folder / "schema.json":
            continue
        data = path.read_bytes()
        key = json.loads(data)["file_name"]
        assert root / prediction_key(name, key) == path
        found, _ = decode_predictions(task, data, file=key)
        assert len(found) == len(json.loads(data)["predictions"])
        files[key] = found
    return task, files


def not_taken(report: ImportReport) -> dict[str, int]:
    """Return how many records were left out, by reason."""
    return {group.code: group.count for group in report.not_taken}


def build(root: Path, task: Task, files: Mapping[str, Sequence[Prediction]]) -> Path:
    """Write a datasource with three images, and index it."""
    put_images(root, dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    with PredictionWriter(root, task=task.name, task_type=task.task_type, categories=task.categories) as writer:
        for key, found in files.items():
            writer.write(key, found, image_size=(WIDTH, HEIGHT))
    scan(open_sources(root), ScanOptions(workers=1))
    return root


def export(root: Path, kind: str, out: Path | None, **options: Any) -> ExportReport:
    sources = open_sources(root)
    snapshot = sources.index.latest()
    assert snapshot is not None
    return export_to(snapshot, sources, ExportFormat(kind), ExportOptions(out=out, **options))


def losses(report: ExportReport) -> dict[str, int]:
    return {loss.what: loss.count for loss in report.not_held}
