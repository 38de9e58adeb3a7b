"""What a scan costs, counted in calls rather than seconds: the same on every machine, and it cannot be noise."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from strategies_datasource import png
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources

if TYPE_CHECKING:
    from pathlib import Path

# What was counted when 100,000 files and as many images took 6 seconds of one processor; half as much again fails.
_CALLS_A_FILE = 94
_TOLERANCE = 1.5
_CATEGORIES = [{"id": i, "name": f"class {i}"} for i in range(4)]


def fill(root: Path, n_files: int, n_boxes: int) -> None:
    """Write images and their predictions in folders of 100."""
    task = root / ".lightly" / "predictions" / "cars"
    task.mkdir(parents=True)
    (task.parent / "tasks.json").write_text('["cars"]')
    (task / "schema.json").write_text(json.dumps({"task_type": "object-detection", "categories": _CATEGORIES}))
    box: dict[str, Any] = {"category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5}
    boxes = [{**box, "probabilities": [0.25, 0.5, 0.125, 0.125]} for _ in range(n_boxes)]
    for i in range(n_files):
        key = f"{i // 100}/{i:05d}"
        for path in (root / f"{key}.png", task / f"{key}.json"):
            path.parent.mkdir(exist_ok=True)
        (root / f"{key}.png").write_bytes(png(640, 480))
        (task / f"{key}.json").write_text(json.dumps({"file_name": f"{key}.png", "predictions": boxes}))


def n_calls(root: Path) -> int:
    """Count the calls of Python and C functions in a first scan by one process."""
    count = 0

    def listen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sources = open_sources(root)
    before = sys.getprofile()
    sys.setprofile(listen)
    try:
        scan(sources, ScanOptions(workers=1))
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, int], int]:
    """Calls by (files, boxes a file); the first scan of a process loads modules and is left out."""
    found = {}
    for n_files, n_boxes in [(50, 8), (500, 8), (1500, 8), (500, 80)]:
        root = tmp_path_factory.mktemp("calls") / "data"
        fill(root, n_files, n_boxes)
        found[n_files, n_boxes] = n_calls(root)
    return found


def test_calls_of_a_file(calls: dict[tuple[int, int], int]) -> None:
    """A further file with its image costs a bounded number of calls."""
    a_file = (calls[1500, 8] - calls[500, 8]) / 1000
    assert a_file < _CALLS_A_FILE * _TOLERANCE


def test_predictions_cost_no_calls(calls: dict[tuple[int, int], int]) -> None:
    """Ten times the predictions in as many files cost next to no further calls: none is a Python object of ours."""
    further = calls[500, 80] - calls[500, 8]
    assert further < 0.05 * 500 * (80 - 8)
