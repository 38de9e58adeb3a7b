"""A small datasource with everything that the page shows, a page that serves it, and its files read by hand."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from PIL import Image
from starlette.testclient import TestClient

import tamis
from strategies_datasource import video
from tamis.api.browsing.project import Project, ServeOptions
from tamis.api.sources import open_sources
from tamis.model import Category, Prediction, masks
from tamis.web.app import create_app
from tamis.web.guard import Access
from tamis.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response

WIDTH, HEIGHT = 64, 48
HOSTILE = """a/<script>alert('1')</script> "x".png"""
HOSTILE_CLASS = """<img src=x onerror="alert('2')">"""
CLASSES = ["cat", "dog", HOSTILE_CLASS]
# What a GET may need to be asked at all.
NEEDS = {
    "key": "a/003.png",
    "task": "boxes",
    "position": "0",
    "column": "sample:width",
    "space": "samples",
    "by": "sample:width",
    "point": "0",
    "query": "SELECT 1",
    "code": "mask-empty",
    "id": "x",
    "a": "x",
    "b": "x",
    "format": "names",
}
PAGE = b'<!doctype html><script type="importmap">{"imports": {}}</script><p>page</p>'


def build(folder: Path, *, n_images: int = 40, seed: int = 3) -> Path:
    """Write a datasource: images, a video, four tasks, metadata, files with faults; and scan it."""
    rng = np.random.default_rng(seed)
    keys = [f"{'abc'[i % 3]}/{i:03d}.png" for i in range(n_images)] + [HOSTILE]
    for key in keys:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png_of(rng))
    (folder / "clip.mp4").write_bytes(video(12))
    frames = [f"clip-{i:02d}-mp4.png" for i in range(12)]
    _write_boxes(folder, rng, [*keys[:-2], keys[-1], *frames[:10]])
    _write_others(folder, rng, keys)
    _write_metadata(folder, rng, keys)
    (folder / ".lightly/predictions/boxes" / "a/000.json").write_text(
        '{"file_name": "a/000.png", "predictions": 3}'
    )
    tamis.open(folder).scan(tamis.ScanOptions(workers=1))
    return folder


def png_of(rng: np.random.Generator) -> bytes:
    """Return a picture of patches of 8 x 8 pixels, which JPEG keeps apart."""
    buffer = BytesIO()
    patches = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    Image.fromarray(patches.repeat(8, axis=0).repeat(8, axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


def _write_boxes(folder: Path, rng: np.random.Generator, keys: list[str]) -> None:
    with tamis.PredictionWriter(folder, task="boxes", task_type="object-detection", categories=CLASSES) as writer:
        for key in keys:
            rows = rng.dirichlet(np.ones(3), rng.integers(0, 6))
            writer.write(
                key,
                [
                    Prediction(
                        category_id=int(row.argmax()),
                        bbox=(round(float(rng.random() * 15), 2), 2.0, 10.0 + i, 12.0),
                        score=round(float(row.max()), 2),
                        probabilities=tuple((row / row.sum()).tolist()),
                    )
                    for i, row in enumerate(rows)
                ],
            )


def _write_others(folder: Path, rng: np.random.Generator, keys: list[str]) -> None:
    with tamis.PredictionWriter(
        folder, task="kinds", task_type="classification", categories=["day", "night"]
    ) as writer:
        for key in keys:
            likely = round(float(rng.random()), 3)
            pair = (likely, round(1 - likely, 3))
            writer.write(key, [Prediction(category_id=int(likely < 0.5), score=max(pair), probabilities=pair)])
    with tamis.PredictionWriter(
        folder, task="areas", task_type="semantic-segmentation", categories=["sky", "road"]
    ) as writer:
        for key in keys[::2]:
            mask = np.zeros((HEIGHT, WIDTH), np.bool_)
            mask[10:30, 20:50] = True
            runs = tuple(masks.encode(mask).tolist())
            writer.write(key, [Prediction(category_id=1, segmentation=runs, score=0.75)])
    nose = Category(id=4, name="person", keypoint_names=("nose", "eye"), keypoint_skeleton=((0, 1),))
    with tamis.PredictionWriter(folder, task="poses", task_type="keypoint-detection", categories=[nose]) as writer:
        for key in keys[::3]:
            writer.write(key, [Prediction(category_id=4, keypoints=(5.5, 6.25, 0.5, 20, 30, 1), score=0.5)])


def _write_metadata(folder: Path, rng: np.random.Generator, keys: list[str]) -> None:
    metadata = folder / ".lightly/metadata"
    metadata.mkdir(parents=True)
    fields = [("City", "city", "nowhere", "CATEGORICAL_STRING"), ("Speed", "speed", 0.0, "NUMERIC_FLOAT")]
    names = ("name", "path", "defaultValue", "valueDataType")
    (metadata / "schema.json").write_text(json.dumps([dict(zip(names, field, strict=True)) for field in fields]))
    for key in keys[:30]:
        path = (metadata / key).with_suffix(".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        city = ["Ulm", "Aix", "Gao"][int(rng.integers(3))]
        value = {"type": "image", "metadata": {"city": city, "speed": round(float(rng.normal()), 3)}}
        path.write_text(json.dumps({"file_name": key, **value}))


def predictions_of(folder: Path, task: str) -> dict[str, list[dict[str, Any]]]:
    """Read the valid files of a task: predictions by sample key, without tamis."""
    found = {}
    for path in (folder / ".lightly/predictions" / task).rglob("*.json"):
        if path.name != "schema.json":
            content = json.loads(path.read_text())
            if isinstance(content["predictions"], list):
                found[content["file_name"]] = content["predictions"]
    return found


@dataclass(slots=True)
class Asker:
    """Asks a page and reads its answers."""

    client: TestClient
    folder: Path
    project: Project

    def get(self, path: str, **query: Any) -> Response:
        """Return an answer; lists and tuples of the query go as JSON."""
        given = {
            name: json.dumps(value) if isinstance(value, list | tuple | bool) else value
            for name, value in query.items()
        }
        return self.client.get(f"/api/{path}", params=given)

    def read(self, path: str, **query: Any) -> Any:
        """Return the JSON of an answer that must come."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        """Return the JSON of an answer to a body that must come."""
        answer = self.client.post(f"/api/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def listed(self, **query: Any) -> list[str]:
        """Return the keys of a whole list, page by page."""
        found: list[str] = []
        while True:
            page = self.read("samples", offset=len(found), limit=7, **query)
            found += [sample["key"] for sample in page["samples"]]
            if not page["samples"]:
                assert len(found) == page["total"]
                return found

    def wait(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job when it has ended."""
        until(lambda: self.read("job", id=job["id"])["state"] != "running")
        ended: dict[str, Any] = self.read("job", id=job["id"])
        return ended

    def wait_for(self, *states: str) -> None:
        """Wait until the index is in one of some states."""
        until(lambda: self.read("status")["state"] in states)


@contextmanager
def served(folder: Path, *, access: Access | None = None, options: ServeOptions | None = None) -> Iterator[Asker]:
    """Serve a datasource within this process."""
    site = Site(Project(open_sources(folder), options or ServeOptions()))
    app = create_app(site, access or Access(), page=PAGE)
    with TestClient(app, base_url="http://127.0.0.1:8765", raise_server_exceptions=False) as client:
        asker = Asker(client, folder, site.project)
        if access is None or access.token is None:
            asker.wait_for("ready", "missing", "broken")
        yield asker


def until(condition: Callable[[], bool], *, secs: float = 120.0) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def decode(answer: Response, kind: Any) -> Any:
    """Return an answer as its struct, strictly."""
    return msgspec.json.decode(answer.content, type=kind)
