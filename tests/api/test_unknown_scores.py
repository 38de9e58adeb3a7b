"""What is not known is never a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import tamis

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_lost_all_its_predictions_is_unknown(tmp_path: Path) -> None:
    """No predictions is a score of 0; predictions that were all dropped, or no file, are null and no candidates."""
    good = {"category_id": 0, "bbox": [0, 0, 4, 4], "score": 0.4}
    files = {"empty": [], "lost": [{**good, "score": 1.5}], "half": [good, {**good, "score": float("nan")}]}
    folder = tmp_path / ".lightly/predictions/cars"
    folder.mkdir(parents=True)
    (folder.parent / "tasks.json").write_text('["cars"]')
    schema = {"task_type": "object-detection", "categories": [{"id": 0, "name": "car"}]}
    (folder / "schema.json").write_text(json.dumps(schema))
    for name in [*files, "none"]:
        (tmp_path / f"{name}.pgm").write_bytes(b"P5\n8 8\n255\n" + bytes(64))
    for name, predictions in files.items():
        (folder / f"{name}.json").write_text(json.dumps({"predictions": predictions}))
    ds = tamis.open(tmp_path)
    ds.scan()
    scores = ds.sample_scores("cars").to_arrow().to_pylist()
    assert {row["sample"]: row["objectness_least_confidence"] for row in scores} == {
        "empty.pgm": 0.0,
        "half.pgm": 0.6,
    }
    run = ds.select(n=4, scores=["cars:objectness_least_confidence"])
    assert run.keys == ["half.pgm", "empty.pgm"]
