"""A first scan and a rescan against loops that do less, interleaved so that noise of the machine meets all."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import bench_inputs
from bench_measure import peak_bytes, seconds, spread
from bench_results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CHANGED_SHARE = 0.01
WORKERS = 2


def run(work: Path, *, n_files: int, repeats: int) -> Iterator[list[Row]]:
    """Yield the rows of the scan with `n_files` files, after each round what all rounds so far say."""
    inputs = bench_inputs.build(work, n_files)
    loop = _compile(work)
    index = work / "index"
    scan: list[str | Path] = [
        sys.executable,
        "-m",
        "tamis",
        "scan",
        inputs.root,
        "--index",
        index,
        "--quiet",
        "--workers",
    ]
    scan.append(str(WORKERS))
    commands: dict[str, list[str | Path]] = {
        "loop": [loop, inputs.file_list, str(WORKERS)],
        "loop of JSON": [loop, inputs.file_list, str(WORKERS), "json"],
        "json": [sys.executable, HERE / "json_loop.py", inputs.file_list, str(WORKERS)],
    }
    times: dict[str, list[float]] = {name: [] for name in [*commands, "scan", "rescan", "unchanged"]}
    seconds(commands["loop"])  # the page cache is warm from here on
    shutil.rmtree(index, ignore_errors=True)
    peak = peak_bytes(scan)
    for repeat in range(repeats):
        for name, command in commands.items():
            times[name].append(seconds(command))
        shutil.rmtree(index, ignore_errors=True)
        times["scan"].append(seconds(scan, codes=(0, 1)))
        times["unchanged"].append(seconds(scan, codes=(0, 1)))
        _touch(inputs, repeat)
        times["rescan"].append(seconds(scan, codes=(0, 1)))
        yield _rows(times, n_files, peak)
    shutil.rmtree(index)


def _rows(times: dict[str, list[float]], n_files: int, peak: int) -> list[Row]:
    def ratio(of: str, to: str) -> float:
        """Medians of ratios within one round are steadier than ratios of medians."""
        return median(a / b for a, b in zip(times[of], times[to], strict=True))

    files = f"{n_files:,} files x 8 boxes x 10 probabilities"
    scanned = f"{spread(times['scan'])} s"
    n_runs = len(times["scan"])
    return [
        Row(
            f"scan, {files}, and as many images",
            "<= 3x a C loop that opens, reads and closes the same",
            f"{scanned} against {spread(times['loop'])} s",
            f"{ratio('scan', 'loop'):.2f}x",
            n_runs,
            peak,
        ),
        Row(
            "the same scan, its images at no cost to the loop",
            "for information",
            f"{scanned} against {spread(times['loop of JSON'])} s",
            f"{ratio('scan', 'loop of JSON'):.2f}x",
            n_runs,
        ),
        Row(
            "the same scan against `json.load` alone in 2 processes",
            "for information",
            f"{scanned} against {spread(times['json'])} s",
            f"{ratio('scan', 'json'):.2f}x",
            n_runs,
        ),
        Row(
            "rescan, 1 % of the prediction files changed",
            "<= 30 % of a full scan",
            f"{spread(times['rescan'])} s",
            f"{ratio('rescan', 'scan'):.0%}",
            n_runs,
        ),
        Row(
            "rescan, nothing changed",
            "for information",
            f"{spread(times['unchanged'])} s",
            f"{ratio('unchanged', 'scan'):.0%}",
            n_runs,
        ),
    ]


def _compile(work: Path) -> Path:
    program = work / "read_loop"
    subprocess.run(["cc", "-O2", "-pthread", "-o", program, HERE / "read_loop.c"], check=True)
    return program


def _touch(inputs: bench_inputs.Inputs, seed: int) -> None:
    paths = [line[2:] for line in inputs.file_list.read_text().splitlines() if line.startswith("J ")]
    now = time.time_ns()
    for path in random.Random(seed).sample(paths, max(1, round(len(paths) * CHANGED_SHARE))):  # noqa: S311 (no secret)
        os.utime(path, ns=(now, now))
