"""Time one selection of tamis, without the time to load its inputs: `run_tamis.py CASE FOLDER K`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection import Balance, Distribution, Diversity, Similarity, Typicality, Weights, select

if TYPE_CHECKING:
    from tamis.selection import Strategy

OBJECTS_A_SAMPLE = 10
N_QUERIES = 1000


def queries(points: Any) -> Any:  # noqa: ANN401 - an array
    """Return 1,000 unit vectors that lie between two points each, nearer to the first."""
    between = points[:N_QUERIES] + 0.5 * points[-N_QUERIES:]
    return between / np.linalg.norm(between, axis=1, keepdims=True)


def strategies(case: str, folder: Path) -> list[Strategy]:
    points: Any = np.load(folder / "points.npy")
    if case == "objects":
        owner = np.arange(len(points)) // OBJECTS_A_SAMPLE
        return [Diversity(name="diversity", embeddings=points, owner=owner)]
    if case == "typicality":
        return [Typicality(name="typicality", embeddings=points, n_neighbours=20)]
    if case == "similarity":
        return [Similarity(name="similarity", embeddings=points, queries=queries(points))]
    diversity = Diversity(name="diversity", embeddings=points)
    if case == "diversity":
        return [diversity]
    rows = np.load(folder / "rows.npy")
    classes = [str(i) for i in range(rows.shape[1])]
    return [
        diversity,
        Weights(name="weights", values=np.load(folder / "weights.npy")),
        Balance(name="balance", rows=rows, classes=classes, distribution=Distribution.UNIFORM),
    ]


def main() -> None:
    case, folder, n_picks = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    chosen = strategies(case, folder)
    n = len(chosen[0].embeddings) if isinstance(chosen[0], Diversity | Similarity | Typicality) else 0
    n //= OBJECTS_A_SAMPLE if case == "objects" else 1
    began, cpu = time.perf_counter(), time.process_time()
    picks = select(chosen, n_samples=n_picks, candidate=np.ones(n, bool)).picks
    answer = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": _peak_bytes(),
        "picks": picks.tolist(),
    }
    print(json.dumps(answer))


def _peak_bytes() -> int:
    """Return the most memory that the process ever held, its inputs included."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
