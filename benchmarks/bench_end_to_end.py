"""All that a user does with a million prediction files, one command after the other.

    python benchmarks/bench_end_to_end.py [--files 1000000] [--picks 10000]

Prints a table: seconds, files a second, and the most memory that all processes of a command held together. Memory
is looked at once a second, which costs the command less than one percent.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import bench_inputs
from bench_measure import tree_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
_LOOK_SECS = 1.0
_CODES = (0, 1)  # 1: the predictions have problems


class Step(NamedTuple):
    """A command that ran.

    Attributes:
        what: it is.
        seconds: from start to exit.
        peak_bytes: of all its processes together.
    """

    what: str
    seconds: float
    peak_bytes: int


def steps(root: Path, n_picks: int, place: Path) -> Iterator[Step]:
    """Run the commands in their order."""
    index = place / "index"
    tamis = [sys.executable, "-m", "tamis"]
    own = [str(root), "--index", str(index), "--quiet"]
    task = bench_inputs.TASK
    yield _step("check", [*tamis, "check", *own])
    yield _step("scan: read, check, score, write the index", [*tamis, "scan", *own])
    yield _step("scan again, nothing changed", [*tamis, "scan", *own])
    yield _step("show", [*tamis, "show", *own])
    what = f"select {n_picks:,} by diversity x entropy x balance, with report"
    chosen = ["--diverse", "--score", f"{task}:uncertainty_entropy", "--balance", task]
    out = ["--n", str(n_picks), "--out", str(place / "selection")]
    yield _step(what, [*tamis, "select", *own, *chosen, *out])


def _step(what: str, command: Sequence[str]) -> Step:
    began, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        while True:
            try:
                process.wait(_LOOK_SECS)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, tree_bytes(process.pid))
        seconds = time.perf_counter() - began
        if process.returncode not in _CODES:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read()}")
    return Step(what, seconds, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time check, scan, show and select on many prediction files")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--picks", type=int, default=10_000)
    options = parser.parse_args()
    inputs = bench_inputs.build((HERE / "work").resolve(), options.files)
    place = Path(tempfile.mkdtemp(prefix="end-to-end-", dir=HERE / "work"))
    try:
        print("| step | seconds | files/s | peak memory |\n|---|---|---|---|")
        for step in steps(inputs.root, options.picks, place):
            rate = f"{options.files / step.seconds:,.0f}"
            print(f"| {step.what} | {step.seconds:.1f} | {rate} | {step.peak_bytes / 1e6:.0f} MB |", flush=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
