"""Time one DIVERSITY run of tamis, without the time to load the points: `run_tamis.py POINTS K`."""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from tamis.selection import Diversity, select


def main() -> None:
    points, n_picks = np.load(sys.argv[1]), int(sys.argv[2])
    began = time.perf_counter()
    strategy = Diversity(name="diversity", embeddings=points)
    picks = select([strategy], n_samples=n_picks, candidate=np.ones(len(points), bool)).picks
    print(json.dumps({"seconds": time.perf_counter() - began, "picks": picks.tolist()}))


if __name__ == "__main__":
    main()
