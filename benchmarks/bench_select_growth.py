"""How long DIVERSITY takes as points and picks grow: rows of a table, and `benchmarks/growth.svg`."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

from bench_results import Row
from bench_select_inputs import WIDTH, build

HERE = Path(__file__).parent
POINTS = (10_000, 100_000, 1_000_000)
PICKS = (1_000, 10_000)
COLOURS = ("#1f6feb", "#d1570b")
_LEFT, _TOP, _WIDE, _HIGH = 60, 20, 420, 260


def run(work: Path) -> list[Row]:
    """Measure each number of points with each of picks once, and draw what was found."""
    seconds = {(n, k): _seconds(build(work, n), k) for k in PICKS for n in POINTS}
    (HERE / "growth.svg").write_text(_drawn(seconds))
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


def _drawn(seconds: dict[tuple[int, int], float]) -> str:
    """Return an SVG of seconds over points, both logarithmic, a line for each number of picks."""
    low, high = -2, max(2, math.ceil(math.log10(max(seconds.values()))))
    first, last = math.log10(POINTS[0]), math.log10(POINTS[-1])

    def x(n: float) -> float:
        return _LEFT + _WIDE * (math.log10(n) - first) / (last - first)

    def y(took: float) -> float:
        return _TOP + _HIGH * (high - math.log10(took)) / (high - low)

    parts = [
        f'<line x1="{_LEFT}" x2="{_LEFT + _WIDE}" y1="{y(10.0**e):.0f}" y2="{y(10.0**e):.0f}" stroke="#ccc"/>'
        f'<text x="{_LEFT - 6}" y="{y(10.0**e) + 4:.0f}" text-anchor="end">{10.0**e:g} s</text>'
        for e in range(low, high + 1)
    ]
    parts += [f'<text x="{x(n):.0f}" y="{_TOP + _HIGH + 18}" text-anchor="middle">{n:,}</text>' for n in POINTS]
    for k, colour in zip(PICKS, COLOURS, strict=True):
        line = " ".join(f"{x(n):.1f},{y(seconds[n, k]):.1f}" for n in POINTS)
        end = y(seconds[POINTS[-1], k]) + 4
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{_LEFT + _WIDE + 6}" y="{end:.0f}" fill="{colour}">{k:,} picks</text>')
    title = f'<text x="{_LEFT}" y="{_TOP + _HIGH + 38}">DIVERSITY, d = {WIDTH}: seconds over points</text>'
    size = f'width="{_LEFT + _WIDE + 90}" height="{_TOP + _HIGH + 50}"'
    body = "\n".join([*parts, title])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" fill="#333">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )
