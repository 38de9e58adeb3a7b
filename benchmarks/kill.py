"""Kill `tamis scan` and `tamis select` at random moments and count what they leave: `python benchmarks/kill.py`.

After each kill the index must open and hold exactly the old or the new predictions, a pool exactly its old members
or those with the picks, each result file its old or its new content whole; no worker may live on, and the command
run again must put everything right, with nothing left over.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.api.sources import open_sources
from tamis.index import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TASK = "detector"
POOL = "labelled"
PICKS = 20
RESULTS = ("selected.txt", "selection.json", "selection.parquet", "report.html", "report.json")
WORKERS_END_SECS = 5.0
Scores = dict[str, float]


@dataclass
class Datasource:
    """Images, each with a prediction whose score is known."""

    root: Path
    n_images: int
    scores: Scores = field(default_factory=dict)

    def build(self) -> None:
        png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 640, 480, 8, 2, 0, 0, 0, 0)
        task = self.root / ".lightly" / "predictions" / TASK
        task.mkdir(parents=True)
        schema = {"task_type": "object-detection", "categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]}
        (task / "schema.json").write_text(json.dumps(schema))
        (task.parent / "tasks.json").write_text(json.dumps([TASK]))
        for i in range(self.n_images):
            path = self.root / self.key(i)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(png)
            self.predict(i, i / self.n_images)

    def key(self, number: int) -> str:
        return f"{number % 5}/{number:06d}.png"

    def predict(self, number: int, score: float) -> None:
        key = self.key(number)
        box = {
            "category_id": number % 2,
            "bbox": [1, 2, 30, 40],
            "score": score,
            "probabilities": [score, 1 - score],
        }
        path = (self.root / ".lightly" / "predictions" / TASK / key).with_suffix(".json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"file_name": key, "predictions": [box]}))
        self.scores[key] = score

    def indexed(self) -> Scores:
        """Return the scores that the index holds; raises if it cannot be read."""
        snapshot = open_sources(self.root).index.latest()
        if snapshot is None:
            return {}
        table = snapshot.table(f"predictions:{TASK}", ["sample", "score"])
        return dict(zip(table["sample"].to_pylist(), table["score"].to_pylist(), strict=True))

    @property
    def index(self) -> Path:
        return self.root / ".lightly" / "tamis"

    def leftovers(self) -> int:
        """Count half-written files, and folders of shards that no snapshot knows."""
        manifests = [json.loads(path.read_bytes()) for path in (self.index / "snapshots").glob("*.json")]
        used = {shard["id"].partition("/")[0] for manifest in manifests for shard in manifest["shards"]}
        used |= {manifest["id"] for manifest in manifests}
        folders = {path.name for path in (self.index / "shards").iterdir()}
        return len(folders - used) + sum(1 for _ in self.index.rglob(".tamis-*"))


def processes_of(session: int) -> list[int]:
    """Return the processes of a session that run, but for loky's tracker, which ends by itself."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rpartition(")")[2].split()
            command = stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(rest[3]) == session and rest[0] not in "ZX" and b"resource_tracker" not in command:
            found.append(int(stat.parent.name))
    return found


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "tamis", *map(str, arguments), "--quiet"]


def run_whole(arguments: Sequence[str]) -> float:
    """Run a command to its end and return how long it took."""
    began = time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - began


def run_killed(arguments: Sequence[str], after_secs: float) -> tuple[bool, int]:
    """Run a command, kill it; say whether it was still running, and how many of its workers outlived it."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(after_secs)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    deadline = time.monotonic() + WORKERS_END_SECS
    while (alive := processes_of(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return was_running, len(alive)


def kill_scans(data: Datasource, n_kills: int, rng: random.Random) -> Counter[str]:
    """Change a fifth of the files, scan, kill; then look, scan again, and look again."""
    counts: Counter[str] = Counter()
    scan = command("scan", data.root, "--workers", "2")
    run_whole(scan)
    _change(data, rng)
    whole_secs = run_whole(scan)
    while counts["killed while it ran"] < n_kills:
        old = dict(data.scores)
        _change(data, rng)
        was_running, n_alive = run_killed(scan, rng.uniform(0.2, 1.05) * whole_secs)
        counts["killed while it ran" if was_running else "had ended before"] += 1
        counts["workers that lived on"] += n_alive
        counts[_state(data.indexed, {"old": old, "new": data.scores})] += 1
        run_whole(scan)
        counts["index right after the next scan"] += data.indexed() == data.scores
        counts["leftovers after the next scan"] += data.leftovers()
    return counts


def kill_selects(data: Datasource, n_kills: int, rng: random.Random) -> Counter[str]:
    """Select into a pool, kill; then look, select again, and look again."""
    counts: Counter[str] = Counter()
    out = data.root.parent / "out"
    options = ["--n", str(PICKS), "--score", f"{TASK}:uncertainty_entropy", "--diverse"]
    select = command("select", data.root, *options, "--pool", POOL, "--add-to-pool", "--out", out)
    whole_secs = run_whole(select)
    while counts["killed while it ran"] < n_kills:
        before, files = _pool(data), _results(out)
        was_running, n_alive = run_killed(select, rng.uniform(0.2, 1.05) * whole_secs)
        counts["killed while it ran" if was_running else "had ended before"] += 1
        counts["workers that lived on"] += n_alive
        picks = (out / "selected.txt").read_text().split()
        counts[_state(lambda: _pool(data), {"pool old": before, "pool new": [*before, *picks]})] += 1
        counts["result files torn"] += sum(not _is_whole(name, out / name) for name in RESULTS)
        counts["result files new"] += sum(files[name] != text for name, text in _results(out).items())
        before = _pool(data)
        run_whole(select)
        picks = (out / "selected.txt").read_text().split()
        counts["pool right after the next select"] += _pool(data) == [*before, *picks] and len(picks) == PICKS
        counts["half-written files beside the results"] += sum(1 for _ in out.glob(".tamis-*"))
    return counts


def _change(data: Datasource, rng: random.Random) -> None:
    for number in rng.sample(range(data.n_images), data.n_images // 5):
        data.predict(number, rng.random())


def _state(look: Callable[[], object], expected: dict[str, object]) -> str:
    try:
        found = look()
    except Exception as error:  # noqa: BLE001 (whatever goes wrong is what is counted here)
        return f"WRONG: cannot be read: {error}"
    return next((name for name, value in expected.items() if found == value), "WRONG: neither old nor new")


def _pool(data: Datasource) -> list[str]:
    return Pool(data.index, POOL).members()


def _results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in RESULTS}


def _is_whole(name: str, path: Path) -> bool:
    data = path.read_bytes()
    if name.endswith(".json"):
        return isinstance(json.loads(data), dict)
    if name.endswith(".parquet"):
        return data[:4] == data[-4:] == b"PAR1"
    if name.endswith(".html"):
        return data.rstrip().endswith(b"</html>")
    return data.count(b"\n") == PICKS


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill scans and selections, and count what they leave.")
    parser.add_argument("--kills", type=int, default=50, help="of each command")
    parser.add_argument("--images", type=int, default=[1000, 4000], nargs="+", help="sizes; kills are shared out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 (no secret)
    n_wrong = 0
    for number, n_images in enumerate(options.images):
        n_kills = len(range(number, options.kills, len(options.images)))
        with tempfile.TemporaryDirectory(prefix="tamis-kill-") as folder:
            data = Datasource(Path(folder) / "data", n_images)
            data.build()
            for name, kill in (("scan", kill_scans), ("select", kill_selects)):
                counts = kill(data, n_kills, rng)
                n_wrong += sum(
                    n for what, n in counts.items() if what.startswith(("WRONG", "workers", "leftovers"))
                )
                n_wrong += counts["result files torn"]
                n_runs = counts["killed while it ran"] + counts["had ended before"]
                n_wrong += sum(n_runs - n for what, n in counts.items() if "right after the next" in what)
                print(f"{name} of {n_images:,} images, {n_kills} kills on {os.cpu_count()} processors:", flush=True)
                for what, n in sorted(counts.items()):
                    print(f"  {n:5d}  {what}", flush=True)
    print("nothing went wrong" if not n_wrong else f"{n_wrong} things went wrong")
    raise SystemExit(1 if n_wrong else 0)


main()
