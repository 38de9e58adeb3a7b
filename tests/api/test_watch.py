"""Watching: what arrives is indexed with its predictions, half-written files are waited for, nothing is torn."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest

import tamis
from strategies_datasource import PREDICTIONS, Folder, box, content, edit, fill, leftovers, png, state_of
from tamis.api.options import ScanOptions
from tamis.api.scanning import partition
from tamis.api.scanning.scan import dry_scan
from tamis.api.scanning.watch import Round, watch
from tamis.api.sources import Sources, open_sources
from tamis.errors import DatasourceError, UsageError
from tamis.index import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPTIONS = ScanOptions(workers=1)
WHOLE = json.dumps({"predictions": [box()]}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    fill(made, 12)
    return made


def truth(folder: Folder) -> dict[str, list[str]]:
    with dry_scan(open_sources(folder.root), ScanOptions(full=True, workers=1)) as result:
        return content(result.snapshot)


def rounds(sources: Sources, between: list[Callable[[], object]]) -> Iterator[Round]:
    """Watch, with something done in the pause before each round but the first."""
    todo = iter(between)

    def pause(_: float) -> None:
        next(todo)()

    return islice(watch(sources, OPTIONS, pause=pause), len(between) + 1)


def current(sources: Sources) -> dict[str, list[str]]:
    snapshot = sources.index.latest()
    assert snapshot is not None
    return content(snapshot)


def test_what_arrives_is_indexed_and_the_pool_stays(folder: Folder) -> None:
    """Samples, predictions, changes and removals are in the index after the next round; pools stay as they are."""
    sources = open_sources(folder.root)
    Pool(sources.index.root, "done").join(["0.png", "3.png"])

    def arrive() -> None:
        folder.put("new/1.png", png(30, 40))
        folder.predict("cars", "new/1", box())

    def change() -> None:
        folder.predict("cars", "new/1", box(score=0.25), box(3))
        folder.remove("0.png")

    seen = []
    for looked in rounds(sources, [arrive, change, lambda: None]):
        assert looked.result is not None
        seen.append((looked.result.n_read, looked.has_changed))
        assert current(sources) == truth(folder)
    assert [read for read, _ in seen][1:] == [1, 2, 0]
    assert [changed for _, changed in seen] == [True, True, True, False]
    assert Pool(sources.index.root, "done").members() == ["0.png", "3.png"]


def test_a_round_without_news_writes_nothing(folder: Folder) -> None:
    """Where nothing changed, the snapshot stays the one it was, so that no reader loses its files."""
    sources = open_sources(folder.root)
    looked = list(rounds(sources, [lambda: None] * 5))
    assert len({r.result.snapshot.id for r in looked if r.result}) == 1
    assert len(list((sources.index.root / "snapshots").glob("*.json"))) == 1
    assert not leftovers(sources.index.root)


def test_a_change_of_the_schema_alone_is_news(folder: Folder) -> None:
    """A problem of no sample that comes or goes makes a new snapshot, though nothing else changed."""
    sources = open_sources(folder.root)
    ids = [
        r.result.snapshot.id
        for r in rounds(sources, [lambda: folder.put(f"{PREDICTIONS}/tasks.json", ["cars", "cars"])])
        if r.result
    ]
    assert ids[0] != ids[1]
    assert current(sources) == truth(folder)


def write_slowly(path: Path, delay_secs: float) -> threading.Thread:
    """Write half of a file, and the rest after some time."""
    path.write_bytes(WHOLE[:20])

    def finish() -> None:
        time.sleep(delay_secs)
        path.write_bytes(WHOLE)

    thread = threading.Thread(target=finish)
    thread.start()
    return thread


def test_half_written_files_are_waited_for(folder: Folder) -> None:
    """A file that is finished while a round waits is read whole: nobody ever sees it as a problem."""
    sources = open_sources(folder.root)
    folder.put("slow.png", png(30, 40))
    path = folder.root / PREDICTIONS / "cars" / "slow.json"
    thread = write_slowly(path, 0.3)
    (looked,) = rounds(sources, [])
    thread.join()
    assert looked.result is not None
    files = {row["file"]: row["valid"] for row in looked.result.snapshot.table("files").to_pylist()}
    assert files[f"{PREDICTIONS}/cars/slow.json"]
    assert current(sources) == truth(folder)


def test_half_written_files_become_problems_and_then_do_not(folder: Folder) -> None:
    """A file that stays half written is a problem after some seconds, until it is whole."""
    sources = open_sources(folder.root)
    path = folder.root / PREDICTIONS / "cars" / "slow.json"
    folder.put("slow.png", png(30, 40))
    path.write_bytes(WHOLE[:20])
    began = time.monotonic()
    for looked, expected in zip(rounds(sources, [lambda: path.write_bytes(WHOLE)]), (True, False), strict=True):
        assert looked.result is not None
        found = {row["file"] for row in looked.result.snapshot.table("problems").to_pylist()}
        assert (f"{PREDICTIONS}/cars/slow.json" in found) is expected
    assert time.monotonic() - began > 1
    assert current(sources) == truth(folder)


def test_old_damage_costs_no_time(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are broken but did not change lately are not waited for."""
    for i in range(12):
        folder.put(f"{PREDICTIONS}/cars/{i}.json", WHOLE[:20])
    slept: list[float] = []
    monkeypatch.setattr("tamis.api.scanning.half_written.time.sleep", slept.append)
    list(rounds(open_sources(folder.root), []))
    assert not slept


def test_a_file_that_goes_while_it_is_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is removed between being listed and being read is a problem for one round only."""
    sources = open_sources(folder.root)
    folder.predict("cars", "3", box())
    real = partition.read_partition

    def read_later(*arguments: object) -> object:
        path = folder.root / PREDICTIONS / "cars" / "3.json"
        path.unlink(missing_ok=True)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("tamis.api.scanning.scan.read_partition", read_later)
    list(rounds(sources, [lambda: None]))
    assert current(sources) == truth(folder)


def test_errors_of_later_rounds_are_told_and_tried_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that is away for a round is an error of that round; the first round raises it."""
    sources = open_sources(folder.root)
    away = folder.root.with_name("away")

    def leave() -> None:
        folder.root.rename(away)
        folder.root.mkdir(mode=0o755)
        (folder.root / ".lightly").symlink_to(away / ".lightly")
        monkeypatch.setattr("tamis.api.scanning.scan.read_project", gone)

    def come_back() -> None:
        (folder.root / ".lightly").unlink()
        folder.root.rmdir()
        away.rename(folder.root)
        monkeypatch.undo()

    def gone(*_: object) -> None:
        raise DatasourceError("away")

    first, second, third = rounds(sources, [leave, come_back])
    assert (first.error, third.error) == (None, None)
    assert str(second.error) == "away"
    assert second.has_changed
    assert current(sources) == truth(folder)
    monkeypatch.setattr("tamis.api.scanning.scan.read_project", gone)
    with pytest.raises(DatasourceError, match="away"):
        next(watch(sources, OPTIONS))


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_intervals_are_positive(interval: float, folder: Folder) -> None:
    """An interval of no time is wrong usage, before anything is read."""
    with pytest.raises(UsageError, match="more than 0 seconds"):
        next(watch(open_sources(folder.root), interval_secs=interval))


@pytest.mark.parametrize("seed", range(3))
def test_a_soak(seed: int, folder: Folder, tmp_path: Path) -> None:
    """While another thread edits files at random, rounds go on; when it rests, the index is that of the files."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    sources, done = open_sources(folder.root, index=tmp_path / "index"), threading.Event()

    def write() -> None:
        try:
            for _ in range(40):
                edit(folder, rng)
                time.sleep(0.01)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    n_after = 0
    for _ in watch(sources, OPTIONS, interval_secs=0.01):
        n_after += done.is_set()
        if n_after == 2:
            break
    writer.join()
    assert current(sources) == truth(folder)
    assert not leftovers(sources.index.root)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_what_changes_and_ends_well(ending: signal.Signals, folder: Folder) -> None:
    """`scan --watch` writes a line for each change; Ctrl-C ends it with the index whole and nothing left over."""
    command = [sys.executable, "-m", "tamis", "scan", str(folder.root), "--watch", "--interval", "0.2"]
    process = subprocess.Popen(
        [*command, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = json.loads(process.stdout.readline())
    folder.put("late.png", png(30, 40))
    second = json.loads(process.stdout.readline())
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert (first["samples"], second["samples"], second["read"]) == (12, 13, 1)
    assert process.returncode == (1 if second["errors"] else 0)
    assert out == ""
    assert "Traceback" not in err
    assert "stopped; the last index stands" in err
    root = folder.root / ".lightly" / "tamis"
    assert not leftovers(root)
    assert current(open_sources(folder.root)) == truth(folder)


def test_watching_from_python(folder: Folder) -> None:
    """`Datasource.watch` gives rounds; leaving the loop ends it."""
    for looked in tamis.open(folder.root).watch(OPTIONS, interval_secs=1):
        assert looked.number == 1
        break
    assert state_of(folder.root / ".lightly" / "tamis")
    assert os.path.exists(folder.root / ".lightly" / "tamis" / "latest")  # noqa: PTH110 (its name is a file)
