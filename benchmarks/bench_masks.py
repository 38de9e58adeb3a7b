"""Masks against pycocotools: the same masks, coded, decoded, measured and compared, each in its own process.

    python benchmarks/bench_masks.py [--quick]

Each side starts from what it holds a mask as: pycocotools from compressed run lengths, tamis from run lengths in
arrays. Both get many masks in one call: those of an image where bitmaps are made or read (more are a measure of the
memory), else all; but pycocotools those of an image where it compares them (it knows no more), and 200 where it
counts their pixels (its `area` fails on more than 255). Times are those of a few hundred masks, scaled.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_measure import spread
from bench_results import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HERE = Path(__file__).parent
PEER = "pycocotools==2.0.11"
HEIGHT, WIDTH = 480, 640
N_FOUND, N_LABELLED = 50, 10  # of an image: each mask that a model found is compared with each label
SECONDS_A_MEASURE = 0.5
# What is done, and how often for the time that is written; areas and IoU take well below a microsecond each.
WORK = {
    "encode": ("10,000 bitmaps to run lengths", 10_000),
    "decode": ("10,000 run lengths to bitmaps", 10_000),
    "area": ("areas of 1,000,000 masks", 1_000_000),
    "iou": ("IoU of 1,000,000 pairs of masks", 1_000_000),
}


def run(work: Path, *, quick: bool, repeats: int) -> list[Row]:
    """Return a row of each kind of work; `quick` takes a fifth of the masks."""
    n = 60 if quick else 480
    path = work / f"masks-{n}.npy"
    if not path.exists():
        np.save(path, _blobs(n))
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(repeats):
        mine, other = _timed(Path(sys.executable), "--ours", path), _timed(_peer(work), "--peer", path)
        _compare(mine, other)
        ours.append(mine["microseconds"])
        theirs.append(other["microseconds"])
    return [_row(kind, [one[kind] for one in ours], [one[kind] for one in theirs]) for kind in WORK]


def _row(kind: str, ours_us: list[float], theirs_us: list[float]) -> Row:
    what, n = WORK[kind]
    ours, theirs = [one * n / 1e6 for one in ours_us], [one * n / 1e6 for one in theirs_us]
    ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
    measured = f"{spread(ours)} s against {spread(theirs)} s"
    return Row(f"{what} of {WIDTH} x {HEIGHT}", f">= 1x `{PEER}`", measured, f"{ratio:.1f}x", len(ours))


def _blobs(n: int) -> NDArray[np.bool_]:
    """Return round-ish shapes as labelling tools make them: 30 corners, 20 to 200 pixels wide."""
    from tamis import masks  # noqa: PLC0415 (the peer's process has no tamis)

    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    shapes = []
    for _ in range(n):
        radius = rng.uniform(10, 100) * rng.uniform(0.8, 1.2, 30)
        corners = np.stack((radius * np.cos(angles), radius * np.sin(angles) * rng.uniform(0.5, 1)), axis=1)
        shapes.append([corners + rng.uniform((0, 0), (WIDTH, HEIGHT))])
    return masks.decode_all(masks.rasterize_all(shapes, [(HEIGHT, WIDTH)] * n), HEIGHT, WIDTH)


def _peer(work: Path) -> Path:
    python = work / "peers" / "pycocotools" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, "numpy"], check=True)
    return python


def _timed(python: Path, side: str, path: Path) -> dict[str, Any]:
    command: list[str | Path] = [python, Path(__file__), side, path]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answer


def _compare(mine: dict[str, Any], other: dict[str, Any]) -> None:
    if mine["areas"] != other["areas"] or not np.allclose(mine["ious"], other["ious"], rtol=1e-12):
        raise RuntimeError("tamis and pycocotools do not agree")


def _best_us(function: Callable[[], object], n: int) -> float:
    """Return the fastest of several runs, in microseconds for one of `n`."""
    best = float("inf")
    until = time.perf_counter() + SECONDS_A_MEASURE
    while time.perf_counter() < until or best == float("inf"):
        began = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - began)
    return best / n * 1e6


def _images(n: int) -> list[tuple[slice, slice]]:
    """Return where the masks found in each image are, and where the labels are."""
    n_images = n // (N_FOUND + N_LABELLED)
    found = [slice(at * N_FOUND, (at + 1) * N_FOUND) for at in range(n_images)]
    after = n_images * N_FOUND
    return [(some, slice(after + at * N_LABELLED, after + (at + 1) * N_LABELLED)) for at, some in enumerate(found)]


def measure_ours(bitmaps: NDArray[np.bool_]) -> dict[str, Any]:
    from tamis import masks  # noqa: PLC0415 (the peer's process has no tamis)

    n = len(bitmaps)
    an_image = N_FOUND + N_LABELLED
    runs, few = masks.encode_all(bitmaps), masks.encode_all(bitmaps[:an_image])
    n_images = n // an_image
    found, labels = masks.encode_all(bitmaps[: n_images * N_FOUND]), masks.encode_all(bitmaps[n_images * N_FOUND :])
    one_image = np.stack(np.divmod(np.arange(N_FOUND * N_LABELLED), N_LABELLED), axis=1)
    pairs = np.concatenate([one_image + np.array([at * N_FOUND, at * N_LABELLED]) for at in range(n_images)])
    times = {
        "encode": _best_us(lambda: masks.encode_all(bitmaps[:an_image]), an_image),
        "decode": _best_us(lambda: masks.decode_all(few, HEIGHT, WIDTH), an_image),
        "area": _best_us(lambda: masks.areas(runs), n),
        "iou": _best_us(lambda: masks.iou(found, labels, width=WIDTH, pairs=pairs), len(pairs)),
    }
    ious = masks.iou(found, labels, width=WIDTH, pairs=pairs)
    return {"microseconds": times, "areas": masks.areas(runs).tolist(), "ious": ious.tolist()}


def measure_peer(bitmaps: NDArray[np.bool_]) -> dict[str, Any]:
    from pycocotools import mask as coco  # noqa: PLC0415 (the peer's process only)

    n = len(bitmaps)
    columns_first = np.asfortranarray(bitmaps.transpose(1, 2, 0).astype(np.uint8))
    an_image = N_FOUND + N_LABELLED
    few = np.asfortranarray(columns_first[:, :, :an_image])
    runs = coco.encode(columns_first)
    images = [(runs[found], runs[labels]) for found, labels in _images(n)]
    n_pairs = sum(len(found) * len(labels) for found, labels in images)
    times = {
        "encode": _best_us(lambda: coco.encode(few), an_image),
        "decode": _best_us(lambda: coco.decode(runs[:an_image]), an_image),
        "area": _best_us(lambda: [coco.area(runs[at : at + 200]) for at in range(0, n, 200)], n),
        "iou": _best_us(lambda: [coco.iou(a, b, [0] * len(b)) for a, b in images], n_pairs),
    }
    ious = np.concatenate([coco.iou(a, b, [0] * len(b)).ravel() for a, b in images])
    areas = [float(area) for at in range(0, n, 200) for area in coco.area(runs[at : at + 200])]
    return {"microseconds": times, "areas": areas, "ious": ious.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure masks beside pycocotools")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--ours", type=Path)
    parser.add_argument("--peer", type=Path)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(measure_ours(np.load(options.ours))))
    elif options.peer:
        print(json.dumps(measure_peer(np.load(options.peer))))
    else:
        work = HERE / "work"
        work.mkdir(exist_ok=True)
        for row in run(work, quick=options.quick, repeats=1 if options.quick else 3):
            print(f"{row.work}: {row.measured}, {row.ratio}")


if __name__ == "__main__":
    main()
