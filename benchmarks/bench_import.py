"""Imports of COCO files beside labelformat and the script of the format's page, and the memory of a large one.

    python benchmarks/bench_import.py [--quick]

All three read the same annotation file: 10 boxes an image, in one folder, as the page's script knows no other.
tamis alone looks for the images, checks every box and puts each file in place whole. Needs the test extra.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench_measure import peak_bytes, run, spread
from bench_results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PEERS = {"labelformat": "`labelformat`", "page": "the page's script"}
BOXES_AN_IMAGE = 10
BYTES_A_RESULT = 88  # as `_results` writes them


def compare(work: Path, *, quick: bool, repeats: int) -> list[Row]:
    """Return a row for each peer, and one for the memory of a list of results of 2 GB."""
    n_images = 2_000 if quick else 50_000
    file, data = work / f"coco-{n_images}.json", work / "import"
    if not file.exists():
        file.write_text(json.dumps(_document(n_images)))
    commands: dict[str, list[str | Path]] = {
        "tamis": [*_tamis(file, data), "--score", "1"],
        **{name: [sys.executable, HERE / "run_coco_peer.py", name, file, data / "peer"] for name in PEERS},
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            _fresh(data)
            times[name].append(run(command).seconds)
    _fresh(data)
    memory = peak_bytes(commands["tamis"])
    ours = spread(times["tamis"])
    rows = []
    for name, peer in PEERS.items():
        ratio = sorted(b / a for a, b in zip(times["tamis"], times[name], strict=True))[repeats // 2]
        measured = f"{ours} s against {spread(times[name])} s"
        work_said = f"import of a COCO file, {n_images:,} images x {BOXES_AN_IMAGE} boxes"
        rows.append(Row(f"{work_said}, beside {peer}", "-", measured, f"{ratio:.2f}x", repeats, memory))
    return [*rows, _large(work, data, n_bytes=20_000_000 if quick else 2_000_000_000)]


def _large(work: Path, data: Path, *, n_bytes: int) -> Row:
    """Import a list of results in no order, and measure the memory of the whole run."""
    n_results = n_bytes // BYTES_A_RESULT
    n_images = max(n_results // 126, 1)  # 180,000 images of 2 GB
    results, described = work / f"results-{n_bytes}.json", work / f"described-{n_images}.json"
    if not results.exists():
        described.write_text(json.dumps(_document(n_images) | {"annotations": []}))
        with results.open("w") as file:
            file.writelines(_results(n_results, n_images))
    _fresh(data)
    peak = peak_bytes([*_tamis(results, data), "--annotations", described])
    n_files = sum(1 for _ in (data / ".lightly/predictions/t").glob("*.json")) - 1
    if n_files < 0.99 * n_images:
        raise RuntimeError(f"expected about {n_images:,} prediction files, got {n_files:,}")
    said = f"import of {results.stat().st_size / 1e9:.2f} GB of COCO results, {n_results:,} boxes in no order"
    return Row(said, "< 500 MB", f"{n_files:,} files", f"{peak / 1e6:.0f} MB", 1, peak)


def _tamis(file: Path, data: Path) -> list[str | Path]:
    return [sys.executable, "-m", "tamis", "import", "coco", file, data, "--task", "t", "--keep-missing", "--quiet"]


def _fresh(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)


def _document(n_images: int) -> dict[str, object]:
    rng = random.Random(0)  # noqa: S311 (no secret)
    return {
        "images": [{"id": i, "file_name": f"{i:07}.jpg", "width": 640, "height": 480} for i in range(n_images)],
        "categories": [{"id": i, "name": f"class {i}"} for i in range(1, 81)],
        "annotations": [
            {"id": i, "image_id": i // BOXES_AN_IMAGE, "category_id": rng.randint(1, 80), "iscrowd": 0}
            | {"bbox": [rng.randint(0, 300), rng.randint(0, 200), rng.randint(1, 300), rng.randint(1, 200)]}
            for i in range(n_images * BOXES_AN_IMAGE)
        ],
    }


def _results(n: int, n_images: int) -> Iterator[str]:
    rng = random.Random(1)  # noqa: S311 (no secret)
    for i in range(n):
        x, y, score = rng.random() * 300, rng.random() * 200, rng.random()
        box = f"[{x:.3f}, {y:.3f}, {rng.random() * 300 + 1:.3f}, {rng.random() * 200 + 1:.3f}]"
        image, category = rng.randrange(n_images), rng.randint(1, 80)
        yield f'{"," if i else "["}\n{{"image_id": {image}, "category_id": {category}, "bbox": {box}, '
        yield f'"score": {score:.4f}}}'
    yield "\n]"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure imports beside peers")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    for row in compare(work, quick=options.quick, repeats=1 if options.quick else 3):
        print(f"{row.work}: {row.measured}, {row.ratio}, {(row.peak_bytes or 0) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
