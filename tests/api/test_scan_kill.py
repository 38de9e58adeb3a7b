"""Scans that are killed, and scans that meet: the index is the old one or the new one, and nothing piles up."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strategies_datasource import Folder, box, content, fill, leftovers, png
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import dry_scan, scan
from tamis.api.sources import INDEX_FOLDER, open_sources

N_KILLS = 8


def start(folder: Folder, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tamis", "scan", str(folder.root), "--quiet", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def latest(folder: Folder) -> dict[str, list[str]] | None:
    """Return what the index says."""
    snapshot = open_sources(folder.root).index.latest()
    return None if snapshot is None else content(snapshot)


def truth(folder: Folder) -> dict[str, list[str]]:
    with dry_scan(open_sources(folder.root), ScanOptions(full=True, workers=1)) as result:
        return content(result.snapshot)


@pytest.mark.parametrize("scanned", [False, True])
def test_a_scan_killed_before_any_step_leaves_the_old_index_or_the_new(
    scanned: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    """Killed before each file that it opens, renames, locks or removes, a first or a later scan tears nothing."""
    folder = Folder(tmp_path / "data")
    folder.tasks("cars")
    for i in range(3):
        folder.put(f"{i}.png", png(100, 100))
        folder.predict("cars", f"{i}", box(score=i / 4))
    old = [0.0, 0.25, 0.5] if scanned else []
    if scanned:
        for _ in range(3):  # so that the commit removes a snapshot
            scan(open_sources(folder.root), ScanOptions(full=True))
        folder.predict("cars", "2", box(score=0.75))
    new = [0.0, 0.25, 0.75] if scanned else [0.0, 0.25, 0.5]
    driver = Path(__file__).with_name("crash_points.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, driver, folder.root], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) > 8
    assert steps[-1]["lived"]
    assert all(step["after"] in (old, new) for step in steps)
    assert all(step["mended"] == new for step in steps)
    # The new index stands from some step on, and never before.
    kinds = [step["after"] == new for step in steps]
    assert kinds == sorted(kinds)
    assert {False, True} == set(kinds)
    assert not any(step["leftovers"] for step in steps)


def test_killed_scans_of_many_files(tmp_path: Path) -> None:
    """Killed at random moments, the command leaves the old index or the new one, and the next scan mends all."""
    rng = random.Random(7)  # noqa: S311 (no secret)
    folder = Folder(tmp_path / "data")
    fill(folder, 1000)
    began = time.monotonic()
    first = start(folder)
    first.communicate()
    assert first.returncode == 1  # errors in the data
    whole_secs = time.monotonic() - began
    old = latest(folder)
    for kill in range(N_KILLS):
        for i in range(400):
            folder.predict("cars", f"a/b/{2 + 3 * (i % 300)}", box(score=kill / N_KILLS))
        new = truth(folder)
        process = start(folder)
        time.sleep(rng.uniform(0.3, 1.1) * whole_secs)
        process.kill()
        process.communicate()
        assert latest(folder) in (old, new)
        scan(open_sources(folder.root), ScanOptions(workers=1))
        assert latest(folder) == new
        assert not leftovers(folder.root / INDEX_FOLDER)
        old = new


def test_two_scans_at_once(tmp_path: Path) -> None:
    """Two commands that scan the same folder at the same time both end, and the index is that of a fresh scan."""
    folder = Folder(tmp_path / "data")
    fill(folder, 600)
    for change in range(2):
        processes = [start(folder), start(folder)]
        outputs = [process.communicate(timeout=120) for process in processes]
        for process, (_, complaints) in zip(processes, outputs, strict=True):
            assert process.returncode == 1, complaints.decode()
            assert complaints == b""
        assert latest(folder) == truth(folder)
        assert scan(open_sources(folder.root)).n_read == 0
        assert not leftovers(folder.root / INDEX_FOLDER)
        for i in range(200):
            folder.predict("cars", f"{3 * i}", box(score=change / 4))
