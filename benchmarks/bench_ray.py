"""Measure what a Ray of two nodes costs beside two processes of this machine.

    python benchmarks/bench_ray.py [--repeats 3] [--n 100000]

Runs in the environment of `make test-ray`. Two raylets with a processor each, on one machine, so that nothing is
won: what is more is overhead. The same files are scanned, and the same samples selected, in turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_inputs import build

from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources
from tamis.engine.ray_engine import RayEngine
from tamis.selection import Diversity, Sharding, open_shard, select

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
WIDTH = 128


def compare(name: str, ways: dict[str, Callable[[], Any]], repeats: int) -> None:
    """Run all ways in turn, see that they give the same, and print the medians."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        results = []
        for way, run in ways.items():
            began = time.perf_counter()
            results.append(run())
            times[way].append(time.perf_counter() - began)
        if any(result != results[0] for result in results):
            raise RuntimeError(f"{name}: not all gave the same")
    local, ray = (median(times[way]) for way in ways)
    spread = "; ".join(f"{way} {min(found):.2f}-{max(found):.2f} s" for way, found in times.items())
    print(f"| {name} | {local:.2f} s | {ray:.2f} s | {ray / local:.2f}x | {spread} |", flush=True)


def scanned(folder: Path, options: ScanOptions) -> int:
    """Scan everything anew; return how many predictions there are."""
    snapshot = scan(open_sources(folder), options).snapshot
    return int(np.sum(snapshot.table("files", ["n_predictions"])["n_predictions"].to_numpy()))


def selected(points: np.ndarray[Any, Any], n_picks: int, address: str | None) -> list[int]:
    """Select by DIVERSITY, here or on the cluster."""
    strategies = [Diversity(name="diversity", embeddings=points)]
    everyone = np.ones(len(points), np.bool_)
    if address is None:
        found = select(strategies, n_samples=n_picks, candidate=everyone)
        return [int(pick) for pick in found.picks]
    with RayEngine(address) as engine:
        sharding = Sharding(open=partial(engine.hold, open_shard), n_shards=engine.workers)
        found = select(strategies, n_samples=n_picks, candidate=everyone, sharding=sharding)
    return [int(pick) for pick in found.picks]


def main() -> None:
    """Start the nodes, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n", type=int, default=100_000, help="files, and samples")
    options = parser.parse_args()
    folder = build(HERE / "work", options.n).root
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # loopback alone
    sys.path.insert(0, str(HERE.parent / "tests"))
    from ray_nodes import Nodes  # noqa: PLC0415 (starts Ray)

    nodes = Nodes()
    ray = ScanOptions(full=True, engine="ray", ray_address=nodes.address)
    points = np.random.default_rng(0).standard_normal((options.n, WIDTH)).astype(np.float32)
    print("| work | 2 processes | 2 nodes of Ray | ratio | spread |\n|---|---|---|---|---|")
    compare(
        f"scan, {options.n:,} files of 8 boxes, and as many images",
        {
            "local": lambda: scanned(folder, ScanOptions(full=True, workers=2)),
            "ray": lambda: scanned(folder, ray),
        },
        options.repeats,
    )
    n_picks = options.n // 20
    compare(
        f"DIVERSITY, {options.n:,} x {WIDTH}, {n_picks:,} picks",
        {
            "local": lambda: selected(points, n_picks, None),
            "ray": lambda: selected(points, n_picks, nodes.address),
        },
        options.repeats,
    )
    nodes.cluster.shutdown()


if __name__ == "__main__":
    main()
