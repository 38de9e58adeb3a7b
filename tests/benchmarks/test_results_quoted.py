"""What is said about speed was measured: `make bench` writes `benchmarks/results.md`, and pages quote only it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A factor such as `2.6x` or `12x`, as pages spell how fast something is.
FACTOR = re.compile(r"(?<![\w.])\d+(?:\.\d+)?x(?!\w)")
ROW = re.compile(r"\| (?P<work>[^|]+) \| (?P<target>[^|]+) \| (?P<result>[^|]+) \| (?P<ratio>[^|]+) \|[^|]*\|")


def _results() -> str:
    if not RESULTS.exists():
        pytest.skip("benchmarks/results.md is written by `make bench`, which has not run here")
    return RESULTS.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_factors_on_pages_stand_in_the_results(page: Path) -> None:
    """Every factor that a page quotes is one that the benchmarks wrote."""
    quoted = set(FACTOR.findall(page.read_text()))
    if quoted:
        assert quoted <= set(FACTOR.findall(_results()))


def test_each_row_of_the_results_is_measured() -> None:
    """A row of the results has a result in seconds and a ratio in numbers."""
    rows = [row.groupdict() for row in ROW.finditer(_results()) if row["work"] != "work"]
    assert any(row["work"].startswith("scan,") for row in rows)
    assert any(row["work"].startswith("rescan,") for row in rows)
    assert any("DIVERSITY" in row["work"] for row in rows)
    for row in rows:
        assert re.search(r"\d+\.\d+ (\(\d+\.\d+-\d+\.\d+\) )?s\b", row["result"]), row
        assert re.search(r"(^|\s)\d+(\.\d+)?(x|%| ns/nk)(\s|$)", row["ratio"].strip()), row
