"""The page of results: one table, and what it was measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("tamis", "msgspec", "numpy", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done.
        target: what it should take.
        measured: medians, with the range in brackets.
        ratio: what is compared with the target.
        n_runs: rounds that the medians are of.
        peak_bytes: of all processes together, `None` where it was not measured.
    """

    work: str
    target: str
    measured: str
    ratio: str
    n_runs: int
    peak_bytes: int | None = None

    def line(self) -> str:
        """Return the row as Markdown."""
        cells = (self.work, self.target, self.measured, self.ratio, self.n_runs, _memory(self.peak_bytes))
        return f"| {' | '.join(map(str, cells))} |"


def render(rows: list[Row], *, notes: str) -> str:
    """Return the page as Markdown."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores, system = len(os.sched_getaffinity(0)), f"{platform.system()} {platform.release()}"
    table = "\n".join(row.line() for row in rows)
    return f"""# Results of `make bench`

{_processor()}, {cores} cores, {system}, Python {platform.python_version()}, {packages}.
Load of the machine, this benchmark included: {os.getloadavg()[2]:.1f} (mean of 15 minutes).
Medians of interleaved runs with a warm page cache, (fastest-slowest) in brackets; ratios are medians of
the ratios within a round.

| work | target | result | ratio | runs | peak memory |
|---|---|---|---|---|---|
{table}

{notes}"""


def put_rows(page: Path, rows: list[Row], *, of: str) -> None:
    """Put rows into a page of results: in place of those whose work begins alike, or below the others."""
    lines = page.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"| {of},")]
    below = max(i for i, line in enumerate(kept) if line.startswith("|")) + 1
    page.write_text("\n".join([*kept[:below], *(row.line() for row in rows), *kept[below:]]) + "\n")


def _memory(peak_bytes: int | None) -> str:
    return "" if peak_bytes is None else f"{peak_bytes / 1e6:.0f} MB"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
