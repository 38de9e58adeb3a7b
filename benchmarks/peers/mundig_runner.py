"""Run selections with the peer: JSON problems on stdin, one line each; picks on stdout. Needs the peer's Python."""

from __future__ import annotations

import json
import sys
from typing import Any

import lightly_mundig  # type: ignore[import-not-found]  # lives in the peer's environment only
import numpy as np

Array = Any
Peer = Any


def as_floats(rows: Array, width: int | None = None) -> Array:
    return np.asarray(rows, np.float32).reshape(-1, width) if width else np.asarray(rows, np.float32)


def add(run: Peer, s: dict[str, Any]) -> None:
    kind, strength = s["kind"], s["strength"]
    if kind == "WEIGHTS":
        run.add_weighting_strategy(as_floats(s["values"]).tolist(), strength)
    elif kind == "BALANCE":
        run.add_balancing_strategy(as_floats(s["rows"]), as_floats(s["target"]).tolist(), strength)
    elif s["objects"] is None:
        add_image_strategy(run, s)
    else:
        add_object_strategy(run, s)


def add_image_strategy(run: Peer, s: dict[str, Any]) -> None:
    points = as_floats(s["points"], s["width"])
    if s["kind"] == "DIVERSITY":
        run.add_diversifying_strategy(points, s["strength"], s["stop"])
    elif s["kind"] == "SIMILARITY":
        near = lightly_mundig.Similarity(points).calculate_similarity(as_floats(s["queries"], s["width"]))
        run.add_weighting_strategy(near, s["strength"])
    else:
        objects = [[i] for i in range(len(points))]
        run.add_subpart_typicality_strategy(points, objects, s["strength"], s["k"], s["stop"])


def add_object_strategy(run: Peer, s: dict[str, Any]) -> None:
    points, objects = as_floats(s["points"], s["width"]), s["objects"]
    if s["kind"] == "DIVERSITY":
        run.add_subpart_diversifying_strategy(points, objects, s["strength"], s["stop"])
    elif s["kind"] == "SIMILARITY":
        queries = as_floats(s["queries"], s["width"])
        run.add_subpart_similarity_strategy(points, queries, objects, s["strength"])
    else:
        run.add_subpart_typicality_strategy(points, objects, s["strength"], s["k"], s["stop"])


def main() -> None:
    for line in sys.stdin:
        problem = json.loads(line)
        run = lightly_mundig.Selection()
        for strategy in problem["strategies"]:
            add(run, strategy)
        pool = problem["pool"]
        picks = list(run.run_selection(pool, problem["n"], len(pool) + problem["n_samples"]))
        print(json.dumps([int(i) for i in picks[len(pool) :]]), flush=True)


if __name__ == "__main__":
    main()
