"""A first scan and a rescan against loops that do less, interleaved so that noise of the machine meets all."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import bench_inputs
from bench_measure import Took, peak_bytes, run, spread
from bench_plot import draw
from bench_results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PEER = "labelformat==0.1.17"
CHANGED_SHARE = 0.01
WORKERS = 2
_ONCE = ("duckdb",)  # takes minutes
_SCAN_CODES = (0, 1)  # 1: the predictions have problems
_GROWTH_FILES = (10_000, 100_000, 1_000_000)


def compare(work: Path, *, n_files: int, repeats: int) -> Iterator[list[Row]]:
    """Yield the rows of the scan with `n_files` files, after each round what all rounds so far say."""
    inputs = bench_inputs.build(work, n_files)
    index = work / "index"
    scan = _scan(inputs, index)
    loop = _loop(work, inputs)
    task = inputs.root / ".lightly" / "predictions" / bench_inputs.TASK
    commands: dict[str, list[str | Path]] = {
        "loop": loop,
        "loop of JSON": [*loop, "json"],
        "json": [sys.executable, HERE / "json_loop.py", inputs.file_list, str(WORKERS)],
        "duckdb": [sys.executable, HERE / "duckdb_json.py", task],
        "labelformat": [_peer(work), HERE / "run_labelformat.py", task, inputs.root],
    }
    times: dict[str, list[Took]] = {name: [] for name in [*commands, "scan", "rescan", "unchanged"]}
    run(commands["loop"])  # the page cache is warm from here on
    shutil.rmtree(index, ignore_errors=True)
    peak = peak_bytes(scan)
    for repeat in range(repeats):
        for name, command in commands.items():
            if repeat == 0 or name not in _ONCE:
                times[name].append(run(command))
        shutil.rmtree(index, ignore_errors=True)
        times["scan"].append(run(scan, codes=_SCAN_CODES))
        times["unchanged"].append(run(scan, codes=_SCAN_CODES))
        _touch(inputs, repeat)
        times["rescan"].append(run(scan, codes=_SCAN_CODES))
        yield _rows(times, n_files, peak)
    shutil.rmtree(index)


def growth(work: Path) -> list[Row]:
    """Return what a first scan of more and more files costs, each beside its own loop, and draw it."""
    rows = []
    curves: dict[str, list[tuple[int, float]]] = {"scan": [], "C loop": []}
    for n_files in _GROWTH_FILES:
        inputs = bench_inputs.build(work, n_files)
        index = work / "index"
        run(_loop(work, inputs))
        loop = run(_loop(work, inputs))
        shutil.rmtree(index, ignore_errors=True)
        took = run(_scan(inputs, index), codes=_SCAN_CODES)
        shutil.rmtree(index)
        peak = peak_bytes(_scan(inputs, index))
        shutil.rmtree(index)
        curves["scan"].append((n_files, took.seconds))
        curves["C loop"].append((n_files, loop.seconds))
        rows.append(
            Row(
                f"scan of {n_files:,} files and as many images",
                "memory flat, < 400 MB",
                f"{took.seconds:.1f} s: {n_files / took.seconds:,.0f} files/s",
                f"{took.seconds / loop.seconds:.2f}x the C loop",
                1,
                peak,
            )
        )
    title = "First scan and C loop: seconds over prediction files, with as many images"
    (HERE / "growth-scan.svg").write_text(draw(curves, title=title))
    return rows


def _scan(inputs: bench_inputs.Inputs, index: Path) -> list[str | Path]:
    options: list[str | Path] = ["--index", index, "--quiet", "--workers", str(WORKERS)]
    return [sys.executable, "-m", "tamis", "scan", inputs.root, *options]


def _loop(work: Path, inputs: bench_inputs.Inputs) -> list[str | Path]:
    program = work / "read_loop"
    subprocess.run(["cc", "-O2", "-pthread", "-o", program, HERE / "read_loop.c"], check=True)
    return [program, inputs.file_list, str(WORKERS)]


def _peer(work: Path) -> Path:
    python = work / "peers" / "labelformat" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def _rows(times: dict[str, list[Took]], n_files: int, peak: int) -> list[Row]:
    def ratio(of: str, to: str) -> float:
        """Medians of ratios within one round are steadier than ratios of medians."""
        return median(a.seconds / b.seconds for a, b in zip(times[of], times[to], strict=False))

    def row(work: str, target: str, name: str, against: str, ratio: str, peak_bytes: int | None = None) -> Row:
        measured = _text(times[name]) + (f" against {_text(times[against])}" if against else "")
        return Row(work, target, measured, ratio, len(times[name]), peak_bytes)

    files = f"{n_files:,} files x 8 boxes x 10 probabilities"
    return [
        row(
            f"scan, {files}, and as many images",
            "<= 3x a C loop that opens, reads and closes the same",
            "scan",
            "loop",
            f"{ratio('scan', 'loop'):.2f}x",
            peak,
        ),
        row(
            "the same scan, its images at no cost to the loop",
            "for information",
            "scan",
            "loop of JSON",
            f"{ratio('scan', 'loop of JSON'):.2f}x",
        ),
        row(
            "the same scan against `json.load` alone in 2 processes",
            "for information",
            "scan",
            "json",
            f"{ratio('scan', 'json'):.2f}x",
        ),
        row(
            "the same scan against DuckDB's `read_json` into a table in memory",
            "for information",
            "scan",
            "duckdb",
            f"{ratio('duckdb', 'scan'):.1f}x faster",
        ),
        row(
            f"the same scan against `{PEER}`, which reads the same and keeps boxes and scores alone",
            ">= 5x faster",
            "scan",
            "labelformat",
            f"{ratio('labelformat', 'scan'):.1f}x faster",
        ),
        row(
            "rescan, 1 % of the prediction files changed",
            "<= 30 % of a full scan",
            "rescan",
            "",
            f"{ratio('rescan', 'scan'):.0%}",
        ),
        row("rescan, nothing changed", "for information", "unchanged", "", f"{ratio('unchanged', 'scan'):.0%}"),
    ]


def _text(took: list[Took]) -> str:
    processor = median(one.processor_seconds for one in took)
    return f"{spread([one.seconds for one in took])} s ({processor:.1f} s of CPU)"


def _touch(inputs: bench_inputs.Inputs, seed: int) -> None:
    paths = [line[2:] for line in inputs.file_list.read_text().splitlines() if line.startswith("J ")]
    now = time.time_ns()
    for path in random.Random(seed).sample(paths, max(1, round(len(paths) * CHANGED_SHARE))):  # noqa: S311 (no secret)
        os.utime(path, ns=(now, now))
