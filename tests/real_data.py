"""Real images and real model results as small datasources; tests that need them skip where there are none."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tamis.api.writer import PredictionWriter
from tamis.cli.app import app
from tamis.errors import TamisError

DATA = Path(os.environ.get("TAMIS_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"there is no real data at {DATA}: set TAMIS_REAL_DATA to its folder"
)
COCO_CLASSES = [f"class {i}" for i in range(80)]

Entry = dict[str, Any]


def read_json(path: str) -> Any:
    """Read a JSON file of the real data."""
    return json.loads((DATA / path).read_text("utf-8"))


def results_by_file(path: str) -> dict[str, list[Entry]]:
    """Read a list of results, by the image that they are of."""
    by_file: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_json(path):
        by_file[entry["file"]].append(entry)
    return by_file


def copy_images(pattern: str, into: Path) -> list[str]:
    """Copy images of the real data flat into a folder, and return their names in order."""
    into.mkdir(parents=True, exist_ok=True)
    paths = sorted(DATA.glob(pattern))
    for path in paths:
        shutil.copy(path, into / path.name)
    return [path.name for path in paths]


def image_size(path: Path) -> tuple[int, int]:
    """Return the width and height of an image in pixels."""
    with Image.open(path) as image:
        return image.size


def write_detections(root: Path, task: str, results: dict[str, list[Entry]]) -> None:
    """Write boxes by sample key, with class probabilities where the results have them."""
    with PredictionWriter(root, task=task, task_type="object-detection", categories=COCO_CLASSES) as writer:
        for key, entries in results.items():
            writer.write(key, [_detection(entry) for entry in entries])


def _detection(entry: Entry) -> Entry:
    return {
        "category_id": entry["category"],
        "bbox": entry["bbox"],
        "score": entry["score"],
        "probabilities": entry.get("probs"),
    }


def answer(*words: object) -> Any:
    """Run a command that has to succeed, or to find errors in the data, and return its JSON."""
    result = _run(*words, "--format", "json", "--quiet")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.stdout)


def refusal(*words: object) -> tuple[int, str]:
    """Run a command that has to refuse, and return its exit code and message; any other exception is raised."""
    result = _run(*words, "--quiet")
    if isinstance(result.exception, TamisError):
        return result.exception.exit_code, str(result.exception)
    if not isinstance(result.exception, SystemExit):
        raise result.exception or AssertionError(result.output)
    return result.exit_code, result.output


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])
