"""DIVERSITY against `lightly-mundig`: same points, same number of picks, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_measure import spread
from bench_results import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).parent
PEER = "lightly-mundig==0.1.16"


def run(work: Path, *, quick: bool, repeats: int) -> list[Row]:
    """Return the row of DIVERSITY; `quick` takes a tenth of the points."""
    n, width, n_picks = (10_000, 128, 500) if quick else (100_000, 128, 5_000)
    points = work / f"points-{n}.npy"
    if not points.exists():
        np.save(points, _clusters(n, width))
    peer = _peer(work)
    ours: list[float] = []
    theirs: list[float] = []
    same = 0
    for _ in range(repeats):
        mine = _timed(Path(sys.executable), "run_tamis.py", points, n_picks)
        other = _timed(peer, "run_mundig.py", points, n_picks)
        ours.append(mine["seconds"])
        theirs.append(other["seconds"])
        same = _n_same(mine["picks"], other["picks"])
    ratio = median(b / a for a, b in zip(ours, theirs, strict=True))
    return [
        Row(
            f"DIVERSITY N={n:,}, d={width}, k={n_picks:,}; first {same:,} picks alike",
            f">= 12x `{PEER}`",
            f"{spread(ours)} s against {spread(theirs)} s",
            f"{ratio:.1f}x",
            repeats,
        )
    ]


def _clusters(n: int, width: int) -> NDArray[np.float32]:
    """Return unit vectors in 200 clusters of 12 dimensions, bent into `width`: as embeddings of images lie."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((200, 12))
    latent = rng.standard_normal((n, 12)) + centres[rng.integers(0, 200, n)]
    points = np.tanh(0.3 * latent @ rng.standard_normal((12, width))) + 0.05 * rng.standard_normal((n, width))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


def _peer(work: Path) -> Path:
    python = work / "peers" / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, "numpy"], check=True)
    return python


def _timed(python: Path, script: str, points: Path, n_picks: int) -> dict[str, Any]:
    command: list[str | Path] = [python, HERE / script, points, str(n_picks)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answer


def _n_same(mine: list[int], other: list[int]) -> int:
    pairs = zip(mine, other, strict=True)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), len(mine))
