"""The obvious loop: `json.load` of every prediction file of a list, in two processes.

python benchmarks/json_loop.py LIST PROCESSES
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def n_predictions(path: str) -> int:
    with open(path, "rb") as file:  # noqa: PTH123 (what most would write)
        return len(json.load(file)["predictions"])


def main() -> None:
    listed, processes = Path(sys.argv[1]), int(sys.argv[2])
    paths = [line[2:] for line in listed.read_text().splitlines() if line.startswith("J ")]
    with ProcessPoolExecutor(processes) as pool:
        print(sum(pool.map(n_predictions, paths, chunksize=1000)))


if __name__ == "__main__":
    main()
