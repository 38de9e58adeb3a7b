"""Time one selection of the peer, without the time to load its inputs: `run_mundig.py CASE FOLDER K`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import lightly_mundig  # type: ignore[import-not-found]  # lives in the peer's environment only
import numpy as np

OBJECTS_A_SAMPLE = 10
N_QUERIES = 1000
N_NEIGHBOURS = 20


def queries(points: Any) -> Any:  # noqa: ANN401 - an array
    """Return 1,000 unit vectors that lie between two points each, nearer to the first."""
    between = points[:N_QUERIES] + 0.5 * points[-N_QUERIES:]
    return between / np.linalg.norm(between, axis=1, keepdims=True)


def add(run: Any, case: str, folder: Path, points: Any) -> int:  # noqa: ANN401 - the peer has no types
    """Add a case's strategies; return the number of samples."""
    n = len(points)
    if case == "objects":
        n //= OBJECTS_A_SAMPLE
        objects = np.arange(len(points)).reshape(n, OBJECTS_A_SAMPLE).tolist()
        run.add_subpart_diversifying_strategy(points, objects, 1.0, None)
    elif case == "typicality":
        run.add_subpart_typicality_strategy(points, [[i] for i in range(n)], 1.0, N_NEIGHBOURS, None)
    elif case == "similarity":
        near = lightly_mundig.Similarity(points).calculate_similarity(queries(points))
        run.add_weighting_strategy(near, 1.0)
    else:
        run.add_diversifying_strategy(points, 1.0, None)
    if case == "product":
        rows = np.load(folder / "rows.npy")
        run.add_weighting_strategy(np.load(folder / "weights.npy").tolist(), 1.0)
        run.add_balancing_strategy(rows, [1.0 / rows.shape[1]] * rows.shape[1], 1.0)
    return n


def main() -> None:
    case, folder, n_picks = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    points = np.load(folder / "points.npy")
    began, cpu = time.perf_counter(), time.process_time()
    run = lightly_mundig.Selection()
    picks = run.run_selection([], add(run, case, folder, points), n_picks)
    answer = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "picks": [int(i) for i in picks],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
