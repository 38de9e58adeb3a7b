"""Turn a COCO file into prediction files without tamis: `run_coco_peer.py labelformat|page FILE FOLDER`.

`page` takes the steps of the script on the page that describes the format: all of the file in memory, no checks,
and 0 for a score that is not there.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def with_labelformat(file: Path, folder: Path) -> None:
    from labelformat.formats import (  # noqa: PLC0415 (one side only)
        COCOObjectDetectionInput,
        LightlyObjectDetectionOutput,
    )

    LightlyObjectDetectionOutput(folder).save(COCOObjectDetectionInput(file))


def with_the_pages_steps(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    document = json.loads(file.read_text())
    schema = {"task_type": "object-detection", "categories": document["categories"]}
    (folder / "schema.json").write_text(json.dumps(schema))
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in document["annotations"]:
        kept = {"category_id": one["category_id"], "bbox": one["bbox"], "score": one.get("score", 0)}
        found[one["image_id"]].append(kept)
    for image in document["images"]:
        said = {"file_name": image["file_name"], "predictions": found[image["id"]]}
        (folder / image["file_name"]).with_suffix(".json").write_text(json.dumps(said))


if __name__ == "__main__":
    work = {"labelformat": with_labelformat, "page": with_the_pages_steps}[sys.argv[1]]
    work(Path(sys.argv[2]), Path(sys.argv[3]))
