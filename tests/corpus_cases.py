"""A small datasource of all task types, and what a case does to it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tamis.api.options import ScanOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PREDICTIONS = ".lightly/predictions"
METADATA = ".lightly/metadata"
TASKS = ("cars", "weather")
SAMPLES = ("a", "b", "c")
WIDTH, HEIGHT = 40, 30
DEFAULT = ScanOptions(workers=1)

_TYPES = {
    "cars": "object-detection",
    "weather": "classification",
    "ground": "semantic-segmentation",
    "parts": "instance-segmentation",
    "poses": "keypoint-detection",
}
_FIELDS = {
    "cars": {"category_id": "0", "bbox": "[1, 2, 10, 8]", "score": "0.9"},
    "weather": {"category_id": "0", "score": "0.9"},
    "ground": {"category_id": "0", "segmentation": "[600, 600]", "score": "0.9"},
    "parts": {"category_id": "0", "bbox": "[1, 2, 10, 8]", "segmentation": "[600, 600]", "score": "0.9"},
    "poses": {"category_id": "0", "keypoints": "[3, 4, 0.9, 7, 8, 0.5]", "score": "0.9"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing done to the datasource.

    Attributes:
        name: of the case, and of its section in `expected.txt`.
        files: bytes to write at keys, over what is there.
        removed: keys to remove, files or folders.
        links: symlinks to make: key to target.
        pipes: named pipes to make, at keys.
        folders: folders to make, at keys.
        codes: of the problems that must be found, each as often as it has an example, in alphabetical order.
        tasks: that the datasource has.
        touched: the `task/sample` of the prediction files, or the tasks, whose predictions may change.
        options: of the check.
    """

    name: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    pipes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = TASKS
    touched: tuple[str, ...] = ()
    options: ScanOptions = DEFAULT

    def write(self, root: Path) -> None:
        """Write the datasource at `root`, with the fault."""
        write_base(root, self.tasks)
        for key in self.removed:
            _remove(root / key)
        for key, data in self.files.items():
            put(root, key, data)
        for key, target in self.links.items():
            _remove(root / key)
            (root / key).symlink_to(target)
        for key in self.pipes:
            _remove(root / key)
            os.mkfifo(root / key)
        for key in self.folders:
            _remove(root / key)
            (root / key).mkdir(parents=True)


def one(task: str, name: str, data: str | bytes, *codes: str, strict: bool = False) -> Case:
    """Return the case of other bytes in a task's file for the sample `a.png`."""
    content = data if isinstance(data, bytes) else data.encode()
    return Case(
        name=name,
        files={f"{PREDICTIONS}/{task}/a.json": content},
        codes=codes,
        tasks=tuple(dict.fromkeys((*TASKS, task))),
        touched=(f"{task}/a.png",),
        options=ScanOptions(workers=1, strict=strict),
    )


def faulty(task: str, name: str, *codes: str, **fields: str | None) -> Case:
    """Return the case of one prediction with these fields (JSON text; `None` leaves it out), beside a good one."""
    return one(task, name, file_of(prediction(task, **fields), prediction(task, category_id="1")), *codes)


def prediction(task: str, **fields: str | None) -> str:
    """Return the JSON of a prediction that is right, but for these fields."""
    values = {**_FIELDS[task], **fields}
    return "{" + ", ".join(f'"{key}": {value}' for key, value in values.items() if value is not None) + "}"


def file_of(*predictions: str) -> str:
    """Return the JSON of a prediction file, one prediction a line."""
    return '{"predictions": [\n' + ",\n".join(predictions) + "\n]}\n"


def schema(task: str) -> str:
    """Return the schema of a task."""
    names = ', "keypoint_names": ["nose", "tail"]' if task == "poses" else ""
    categories = f'[{{"id": 0, "name": "car"{names}}}, {{"id": 1, "name": "bus"}}]'
    return f'{{"task_type": "{_TYPES[task]}", "categories": {categories}}}'


def put(root: Path, key: str, data: bytes) -> None:
    """Write a file and the folders that it needs."""
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_base(root: Path, tasks: Sequence[str] = TASKS) -> None:
    """Write a datasource of these tasks in which nothing is wrong."""
    listed = ", ".join(f'"{task}"' for task in tasks)
    put(root, f"{PREDICTIONS}/tasks.json", f"[{listed}]".encode())
    for sample in SAMPLES:
        put(root, f"{sample}.png", image())
    for task in tasks:
        put(root, f"{PREDICTIONS}/{task}/schema.json", schema(task).encode())
        for sample, score in zip(SAMPLES, ("0.25", "0.5", "0.75"), strict=True):
            both = (prediction(task, score=score), prediction(task, category_id="1"))
            put(root, f"{PREDICTIONS}/{task}/{sample}.json", file_of(*both).encode())


@cache
def image() -> bytes:
    """Return a PNG of WIDTH x HEIGHT pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), "teal").save(buffer, "png")
    return buffer.getvalue()


@cache
def video(n_frames: int) -> bytes:
    """Return an AVI of so many frames, each a key frame, so that cutting it leaves whole ones."""
    import av  # noqa: PLC0415 (.2 s that only the cases with videos need)

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuvj420p"
        for i in range(n_frames):
            pixels = np.full((16, 32, 3), 20 + 9 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
