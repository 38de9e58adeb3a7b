"""Time one DIVERSITY run of the peer, without the time to load the points: `run_mundig.py POINTS K`."""

from __future__ import annotations

import json
import sys
import time

import lightly_mundig  # type: ignore[import-not-found]  # lives in the peer's environment only
import numpy as np


def main() -> None:
    points, n_picks = np.load(sys.argv[1]), int(sys.argv[2])
    began = time.perf_counter()
    run = lightly_mundig.Selection()
    run.add_diversifying_strategy(points, 1.0, None)
    picks = run.run_selection([], len(points), n_picks)
    print(json.dumps({"seconds": time.perf_counter() - began, "picks": [int(i) for i in picks]}))


if __name__ == "__main__":
    main()
