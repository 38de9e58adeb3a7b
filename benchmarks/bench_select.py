"""Selections against `lightly-mundig`: same inputs, same number of picks, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import bench_select_growth
from bench_measure import spread
from bench_results import Row
from bench_select_inputs import WIDTH, build

HERE = Path(__file__).parent
PEER = "lightly-mundig==0.1.16"
QUICK_PART = 10
LONGEST_SECS = 120.0


@dataclass(frozen=True, slots=True)
class Case:
    """One selection.

    Attributes:
        name: as `run_tamis.py` and `run_mundig.py` know it.
        what: what the table calls it.
        n: number of points.
        n_picks: number of picks.
        times_peer: how many times faster than the peer it should be, `None` for information only.
    """

    name: str
    what: str
    n: int
    n_picks: int
    times_peer: int | None = None


CASES = (
    Case("diversity", "DIVERSITY", 100_000, 5_000, times_peer=12),
    Case("objects", "DIVERSITY of objects, 10 a sample", 100_000, 1_000, times_peer=50),
    Case("product", "DIVERSITY x WEIGHTS x BALANCE", 50_000, 1_000, times_peer=10),
    Case("similarity", "SIMILARITY to 1,000 queries", 50_000, 1_000),
    Case("typicality", "TYPICALITY, 20 neighbours", 20_000, 1_000),
    Case("typicality", "TYPICALITY, 20 neighbours", 50_000, 1_000),
)
LARGE = Case("diversity", "DIVERSITY", 1_000_000, 10_000)


def run(work: Path, *, quick: bool, repeats: int) -> list[Row]:
    """Return a row for each case; `quick` takes a tenth of points and picks, and leaves out the largest."""
    part = QUICK_PART if quick else 1
    rows = [_row(case, work, case.n // part, case.n_picks // part, repeats) for case in CASES]
    if quick:
        return rows
    return [*rows, _large_row(work, repeats), *bench_select_growth.run(work)]


def _row(case: Case, work: Path, n: int, n_picks: int, repeats: int) -> Row:
    folder, peer = build(work, n), _peer(work)
    mine, theirs = [], []
    for _ in range(repeats):
        mine.append(_timed(Path(sys.executable), "run_tamis.py", case.name, folder, n_picks))
        theirs.append(_timed(peer, "run_mundig.py", case.name, folder, n_picks))
    ours = [answer["seconds"] for answer in mine]
    ours_text = f"{spread(ours)} s ({_cpu(mine)} s of CPU)"
    name = f"{case.what}, N={n:,}, d={WIDTH}, k={n_picks:,}"
    target = "for information" if case.times_peer is None else f">= {case.times_peer}x `{PEER}`"
    finished = [answer for answer in theirs if answer is not None]
    if len(finished) < len(theirs):
        least = LONGEST_SECS / median(ours)
        return Row(name, target, f"{ours_text} against > {LONGEST_SECS:.0f} s", f"> {least:.1f}x", repeats)
    ratio = median(b["seconds"] / a["seconds"] for a, b in zip(mine, finished, strict=True))
    same = _n_same(mine[0]["picks"], finished[0]["picks"])
    return Row(
        f"{name}; first {same:,} picks alike",
        target,
        f"{ours_text} against {spread([b['seconds'] for b in finished])} s ({_cpu(finished)} s of CPU)",
        f"{ratio:.1f}x",
        repeats,
    )


def _large_row(work: Path, repeats: int) -> Row:
    folder = build(work, LARGE.n)
    answers = [
        _timed(Path(sys.executable), "run_tamis.py", LARGE.name, folder, LARGE.n_picks) for _ in range(repeats)
    ]
    peak = max(answer["peak_bytes"] for answer in answers)
    ours = [answer["seconds"] for answer in answers]
    return Row(
        f"{LARGE.what}, N={LARGE.n:,}, d={WIDTH}, k={LARGE.n_picks:,}",
        "<= 40 s; memory <= 1.5x the embeddings",
        f"{spread(ours)} s ({_cpu(answers)} s of CPU)",
        f"memory {peak / (4 * WIDTH * LARGE.n):.2f}x",
        repeats,
        peak,
    )


def _cpu(answers: list[dict[str, Any]]) -> str:
    return f"{median(answer['cpu_seconds'] for answer in answers):.2f}"


def _peer(work: Path) -> Path:
    python = work / "peers" / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, "numpy"], check=True)
    return python


def _timed(python: Path, script: str, case: str, folder: Path, n_picks: int) -> Any:  # noqa: ANN401 - JSON
    """Return what a run says, `None` for a peer that takes too long."""
    command: list[str | Path] = [python, HERE / script, case, folder, str(n_picks)]
    longest = LONGEST_SECS if script == "run_mundig.py" else None
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=longest)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout)


def _n_same(mine: list[int], other: list[int]) -> int:
    pairs = zip(mine, other, strict=True)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), len(mine))
