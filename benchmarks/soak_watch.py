"""Two hours of arrivals in ten minutes: a process changes files at random while `tamis scan --watch` follows.

    python benchmarks/soak_watch.py [--secs 600] [--seed 0] [--images 300]

Files are added, changed, removed, renamed and written in halves. At the end the index must say what a scan from
scratch says, nothing may be left over, and the watcher must have ended well.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from strategies_datasource import PREDICTIONS, Folder, box, content, edit, fill, leftovers, png
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import dry_scan
from tamis.api.sources import open_sources

_INTERVAL_SECS = 0.5
_PAUSE_SECS = 0.05  # between edits: 20 a second, where a camera and its model write two


def write(root: Path, secs: float, seed: int) -> None:
    """Change files until the time is over."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    folder, ends, n = Folder(root), time.monotonic() + secs, 0
    while time.monotonic() < ends:
        if rng.random() < 0.1:
            write_in_halves(folder, f"slow/{n}", rng.random())
        else:
            edit(folder, rng)
        n += 1
        time.sleep(_PAUSE_SECS * rng.random() * 2)
    print(n)


def write_in_halves(folder: Folder, stem: str, secs: float) -> None:
    """Write an image and its prediction file, which stays cut for up to a second."""
    folder.put(f"{stem}.png", png(30, 40))
    whole = json.dumps({"predictions": [box()]}).encode()
    path = folder.root / PREDICTIONS / "cars" / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole[:20])
    time.sleep(secs)
    path.write_bytes(whole)


def soak(work: Path, *, secs: float, seed: int, n_images: int) -> str:
    """Return what happened, as a line.

    Raises:
        RuntimeError: when something was lost, torn or left over.
    """
    folder, index = Folder(work / "data"), work / "index"
    fill(folder, n_images, seed=seed)
    watched: list[str | Path] = [sys.executable, "-m", "tamis", "scan", folder.root, "--index", index, "--watch"]
    watched += ["--workers", "1", "--interval", str(_INTERVAL_SECS), "--format", "json", "--quiet"]
    watcher = subprocess.Popen(watched, stdout=subprocess.PIPE, text=True)
    rounds: list[dict[str, object]] = []
    assert watcher.stdout is not None  # noqa: S101 (for the type checker)
    reader = threading.Thread(target=lambda: rounds.extend(map(json.loads, watcher.stdout or ())))
    reader.start()
    command: list[str | Path] = [sys.executable, __file__, "--write", folder.root]
    command += ["--secs", str(secs), "--seed", str(seed)]
    n_edits = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    wait_for_rest(rounds)
    peak_mb = peak_of(watcher.pid)
    watcher.terminate()
    code = watcher.wait(60)
    reader.join()
    with dry_scan(open_sources(folder.root, index=work / "other"), ScanOptions(full=True, workers=1)) as result:
        expected = content(result.snapshot)
    snapshot = open_sources(folder.root, index=index).index.latest()
    if snapshot is None or content(snapshot) != expected:
        raise RuntimeError("the index does not say what a scan from scratch says")
    if code not in {0, 1} or leftovers(index):
        raise RuntimeError(f"the watcher ended with {code} and left {leftovers(index)}")
    return (
        f"{n_edits:,} edits in {secs:.0f} s, {len(rounds):,} rounds with news, "
        f"{len(expected['samples']):,} samples at the end, peak {peak_mb:.0f} MB: equal to a scan from scratch"
    )


def wait_for_rest(rounds: list[dict[str, object]]) -> None:
    """Wait until some rounds brought nothing new."""
    before = -1
    while len(rounds) != before:
        before = len(rounds)
        time.sleep(10 * _INTERVAL_SECS + 2)


def peak_of(pid: int) -> float:
    """Return the most memory that a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description="Let files arrive at random while they are watched")
    parser.add_argument("--secs", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        write(options.write, options.secs, options.seed)
        return
    with tempfile.TemporaryDirectory(prefix="tamis-soak-") as work:
        print(soak(Path(work), secs=options.secs, seed=options.seed, n_images=options.images))


if __name__ == "__main__":
    main()
