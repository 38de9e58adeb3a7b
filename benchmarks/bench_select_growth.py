"""How long DIVERSITY takes as points and picks grow: rows of a table, and `benchmarks/growth-select.svg`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench_plot import draw
from bench_results import Row
from bench_select_inputs import WIDTH, build

HERE = Path(__file__).parent
POINTS = (10_000, 100_000, 1_000_000)
PICKS = (1_000, 10_000)


def run(work: Path) -> list[Row]:
    """Measure each number of points with each of picks once, and draw what was found."""
    seconds = {(n, k): _seconds(build(work, n), k) for k in PICKS for n in POINTS}
    curves = {f"{k:,} picks": [(n, seconds[n, k]) for n in POINTS] for k in PICKS}
    title = f"DIVERSITY, d = {WIDTH}: seconds over points"
    (HERE / "growth-select.svg").write_text(draw(curves, title=title))
    return [
        Row(
            f"DIVERSITY, N={n:,}, d={WIDTH}, k={k:,}",
            "growth",
            f"{took:.2f} s",
            f"{1e9 * took / n / k:.2f} ns/nk",
            1,
        )
        for (n, k), took in seconds.items()
    ]


def _seconds(folder: Path, n_picks: int) -> float:
    command: list[str | Path] = [sys.executable, HERE / "run_tamis.py", "diversity", folder, str(n_picks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["seconds"])
