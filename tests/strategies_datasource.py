"""Small datasources on disk, edits of them, and what an index says of them, to be compared."""

from __future__ import annotations

import io
import json
import os
import random
import struct
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.index import Snapshot

PREDICTIONS = ".lightly/predictions"
METADATA = ".lightly/metadata"
CATEGORIES = [{"id": 0, "name": "car"}, {"id": 3, "name": "van"}]
FIELDS = [
    {"name": "Day", "path": "day", "defaultValue": 1, "valueDataType": "NUMERIC_INT"},
    {"name": "scene", "path": "place.kind", "defaultValue": None, "valueDataType": "CATEGORICAL_STRING"},
]


def png(width: int, height: int) -> bytes:
    """Return the header of a PNG: all that a scan reads of it."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", width, height, 8, 2, 0, 0, 0, 0)


def video(n_frames: int) -> bytes:
    """Return a video of 32 x 16 pixels."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for i in range(n_frames):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), i * 9, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def box(category_id: int = 0, score: float = 0.5, **changes: Any) -> dict[str, Any]:
    return {"category_id": category_id, "bbox": [1, 2, 30, 40], "score": score, **changes}


class Folder:
    """A datasource that is written file by file; each file gets a later time than the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._clock_ns = 1_700_000_000_000_000_000
        root.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, content: Any) -> None:
        """Write bytes, text or anything as JSON."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        self._clock_ns += 1
        os.utime(path, ns=(self._clock_ns, self._clock_ns))

    def remove(self, key: str) -> None:
        (self.root / key).unlink()

    def rename(self, key: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).rename(self.root / new)

    def tasks(self, *names: str, task_type: str = "object-detection", categories: Any = CATEGORIES) -> None:
        """List tasks, each with the same schema."""
        self.put(f"{PREDICTIONS}/tasks.json", list(names))
        for name in names:
            self.put(f"{PREDICTIONS}/{name}/schema.json", {"task_type": task_type, "categories": categories})

    def predict(self, task: str, stem: str, *predictions: Any, **rest: Any) -> None:
        """Write a prediction file; `file_name` and other keys may be given."""
        self.put(f"{PREDICTIONS}/{task}/{stem}.json", {**rest, "predictions": list(predictions)})

    def describe(self, stem: str, metadata: Any, kind: str = "image") -> None:
        """Write a metadata file."""
        self.put(f"{METADATA}/{stem}.json", {"type": kind, "metadata": metadata})

    def files(self, start: str = "") -> list[str]:
        """Return the keys of all files but those of the index, sorted."""
        keys = (str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())
        return sorted(key for key in keys if key.startswith(start) and not key.startswith(".lightly/tamis/"))


def fill(folder: Folder, n_images: int, *, tasks: tuple[str, ...] = ("cars",), seed: int = 0) -> None:
    """Write images in three folders, and predictions for most of them, some with faults."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    folder.tasks(*tasks)
    folder.put(f"{METADATA}/schema.json", FIELDS)
    for i in range(n_images):
        stem = f"{('', 'day 1/', 'a/b/')[i % 3]}{i}"
        folder.put(f"{stem}.png", png(100 + i % 7, 80))
        for task in tasks:
            predict_something(folder, rng, task, stem)
        if rng.random() < 0.3:
            folder.describe(stem, {"day": rng.randrange(9)})


def predict_something(folder: Folder, rng: random.Random, task: str, stem: str) -> None:
    """Write any prediction file, or none."""
    dice = rng.random()
    if dice < 0.8:
        ones = [box(rng.choice([0, 3]), rng.random(), probabilities=[0.5, 0.5]) for _ in range(rng.randrange(4))]
        folder.predict(task, stem, *ones, file_name=f"{stem}.png")
    elif dice < 0.85:
        folder.predict(task, stem, box(9), box(score=7.5), {"category_id": "x"})
    elif dice < 0.9:
        folder.put(f"{PREDICTIONS}/{task}/{stem}.json", '{"predictions": [{]')


def edit(folder: Folder, rng: random.Random) -> str:  # noqa: C901 (a flat list of edits)
    """Change something at random and return what it was."""
    images = [key for key in folder.files() if key.endswith((".png", ".jpg"))]
    jsons = [key for key in folder.files(f"{PREDICTIONS}/cars/") if not key.endswith("schema.json")]
    notes = [key for key in folder.files(f"{METADATA}/") if not key.endswith("schema.json")]
    kind = rng.choice(
        ["add", "resize", "remove", "rename", "predict", "unpredict", "orphan", "twin", "note", "unnote", "schema"]
    )
    image = rng.choice(images) if images else "0.png"
    stem = image.rpartition(".")[0]
    if kind == "add":
        new = f"{rng.choice(['', 'a/', 'new/'])}{rng.randrange(1000)}"
        folder.put(f"{new}.png", png(50, 60))
        predict_something(folder, rng, "cars", new)
    elif kind == "resize":
        folder.put(image, png(rng.randrange(1, 500), 80))
    elif kind == "remove" and images:
        folder.remove(image)
    elif kind == "rename" and images:
        folder.rename(image, f"renamed/{rng.randrange(1000)}.png")
    elif kind == "predict":
        predict_something(folder, rng, "cars", stem)
    elif kind == "unpredict" and jsons:
        folder.remove(rng.choice(jsons))
    elif kind == "orphan":
        folder.predict("cars", f"nobody/{rng.randrange(100)}", box())
    elif kind == "twin":
        folder.put(f"{stem}.jpg", png(40, 40))
    elif kind == "note":
        folder.describe(stem, rng.choice([{"day": 5}, {"place": {"kind": "city"}}, {"day": "monday"}, 7]))
    elif kind == "unnote" and notes:
        folder.remove(rng.choice(notes))
    elif kind == "schema":
        folder.tasks("cars", categories=[*CATEGORIES, {"id": rng.randrange(10, 20), "name": "bus"}])
    return kind


def content(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return all that an index says, in no order: what two indexes of the same files must agree on."""
    names = ["samples", "files", "problems", "metadata"]
    names += [f"{kind}:{task.name}" for task in snapshot.tasks for kind in ("predictions", "sample_scores")]
    tables = {name: sorted(map(repr, snapshot.table(name).to_pylist())) for name in names}
    manifest = snapshot.manifest
    return {
        **tables,
        "dataset": sorted(map(repr, manifest.problems)),
        "videos": sorted(map(repr, manifest.videos)),
        "tasks": sorted(map(repr, manifest.tasks)),
        "settings": [manifest.settings],
    }


def leftovers(index: Path) -> set[str]:
    """Return the folders of shards that no snapshot refers to, and half-written files."""
    manifests = [json.loads(path.read_bytes()) for path in (index / "snapshots").glob("*.json")]
    used = {shard["id"].partition("/")[0] for manifest in manifests for shard in manifest["shards"]}
    # The last scan's own folder may hold nothing but its lock.
    used |= {manifest["id"] for manifest in manifests}
    return {path.name for path in (index / "shards").iterdir()} - used | {p.name for p in index.rglob(".tamis-*")}


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return every file below a folder with its time and bytes: nothing was written if it stays equal."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }
