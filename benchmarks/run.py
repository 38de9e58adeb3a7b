"""Measure tamis beside loops that do less and peers that do the same, and write `benchmarks/results.md`.

    python benchmarks/run.py [--quick]

Everything that it makes is in `benchmarks/work/`, which may be deleted. `--quick` shows that the benchmarks run: it
prints its table and leaves `results.md` alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bench_masks
import bench_scan
import bench_select
from bench_results import Row, render

HERE = Path(__file__).parent
NOTES = """The C loop (`read_loop.c`) reads with 2 threads, as the scan does with 2 processes; listing is the
scan's alone. A scan's time is that of the whole command: start of Python, listing, reading, checks, scores,
Parquet, commit and summary. Memory is the highest sum of PSS of all processes, sampled in a run of its own.
Masks are 480 round-ish shapes of 20 to 200 pixels; their times are scaled to the number that is named.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure tamis, and write benchmarks/results.md")
    parser.add_argument("--quick", action="store_true", help="small inputs, one run each, print only")
    parser.add_argument("--repeats", type=int, default=5, help="rounds, at least 5 for results to quote")
    options = parser.parse_args()
    repeats = 1 if options.quick else options.repeats
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    scans: list[Row] = []
    for scans in bench_scan.compare(work, n_files=10_000 if options.quick else 100_000, repeats=repeats):
        _put(scans, quick=options.quick)  # after each round, so that a run that is stopped leaves what it measured
    if not options.quick:
        scans += bench_scan.growth(work)
        _put(scans)
    selection = bench_select.run(work, quick=options.quick, repeats=repeats)
    masks = bench_masks.run(work, quick=options.quick, repeats=repeats)
    _put([*scans, *selection, *masks], quick=options.quick)


def _put(rows: list[Row], *, quick: bool = False) -> None:
    page = render(rows, notes=NOTES)
    print(page, flush=True)
    if not quick:
        (HERE / "results.md").write_text(page)


if __name__ == "__main__":
    main()
