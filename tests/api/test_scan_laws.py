"""What every scan keeps to, on datasources made and edited at random."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from strategies_datasource import (
    METADATA,
    PREDICTIONS,
    Folder,
    box,
    content,
    edit,
    fill,
    png,
    predict_something,
    state_of,
    video,
)
from tamis.api.check import check, report_problems
from tamis.api.options import ScanOptions
from tamis.api.scanning import chunk_reader as chunk_module
from tamis.api.scanning import scan as scan_module
from tamis.api.scanning.scan import ScanResult, dry_scan, scan
from tamis.api.sources import open_sources

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.engine import Progress


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data")


def run(folder: Folder, **options: Any) -> ScanResult:
    return scan(open_sources(folder.root), ScanOptions(**options))


def fresh(folder: Folder, **options: Any) -> dict[str, list[str]]:
    """Return what a scan from scratch says, without a trace."""
    sources = open_sources(folder.root)
    with dry_scan(sources, ScanOptions(full=True, **options)) as result:
        return content(result.snapshot)


@pytest.mark.parametrize("seed", range(3))
def test_scanning_twice_changes_nothing(seed: int, folder: Folder) -> None:
    """A second scan reads nothing and says the same."""
    fill(folder, 40, tasks=("cars", "cars/night"), seed=seed)
    first = run(folder)
    assert first.n_read == first.n_units == 40
    again = run(folder)
    assert (again.n_read, again.n_removed, again.n_units) == (0, 0, first.n_units)
    assert content(again.snapshot) == content(first.snapshot)
    assert again.snapshot.manifest.shards == first.snapshot.manifest.shards


@pytest.mark.parametrize("seed", range(6))
def test_a_scan_of_changes_equals_one_from_scratch(seed: int, folder: Folder) -> None:
    """After each of many edits, the index that followed them says what a new one says."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    fill(folder, 25, seed=seed)
    run(folder)
    for _ in range(9):
        done = [edit(folder, rng) for _ in range(rng.choice([1, 1, 3, 8]))]
        assert content(run(folder).snapshot) == fresh(folder), done
        assert run(folder).n_read == 0


def test_only_what_changed_is_read(folder: Folder) -> None:
    """Of many samples, the changed, added and moved are read; a removed one is counted."""
    fill(folder, 90)
    run(folder)
    folder.predict("cars", "0", box())
    folder.put("new.png", png(5, 5))
    assert (run(folder).n_read, run(folder).n_read) == (2, 0)
    folder.rename("3.png", "4x.png")
    folder.remove("6.png")
    has_files = sum((folder.root / PREDICTIONS / "cars" / f"{i}.json").exists() for i in (3, 6))
    has_notes = sum((folder.root / METADATA / f"{i}.json").exists() for i in (3, 6))
    result = run(folder)
    assert 1 <= result.n_read <= 1 + has_files + has_notes
    assert run(folder).n_read == 0
    assert content(run(folder).snapshot) == fresh(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.tasks("cars", categories=[{"id": 0, "name": "car"}]),
        lambda f: f.tasks("cars", task_type="classification"),
        lambda f: f.tasks("cars", "new"),
        lambda f: f.put(f"{PREDICTIONS}/tasks.json", []),
        lambda f: f.put(f"{PREDICTIONS}/cars/schema.json", "{"),
        lambda f: f.put(f"{METADATA}/schema.json", []),
        lambda f: f.remove(f"{METADATA}/schema.json"),
        lambda f: f.remove(f"{PREDICTIONS}/tasks.json"),
    ],
)
def test_a_new_schema_counts_for_every_file(change: Any, folder: Folder) -> None:
    """When tasks, categories or metadata fields change, the index is what a new one would be, and then settles."""
    fill(folder, 20)
    run(folder)
    change(folder)
    result = run(folder)
    assert result.n_read == result.n_units
    assert content(result.snapshot) == fresh(folder)
    assert run(folder).n_read == 0


def test_strictness_counts_for_every_file(folder: Folder) -> None:
    """An option that decides what is found makes every file be read again."""
    fill(folder, 10)
    folder.put(f"{PREDICTIONS}/cars/0.json", '{"predictions": [], "predictions": [], "x": 1}')
    lax, strict = run(folder), run(folder, strict=True)
    assert strict.n_read == strict.n_units
    assert content(strict.snapshot) != content(lax.snapshot)
    assert content(run(folder).snapshot) == content(lax.snapshot)


def test_full_reads_everything(folder: Folder) -> None:
    """With `full` nothing of the old index is used, and it says the same."""
    fill(folder, 10)
    first, full = run(folder), run(folder, full=True)
    assert full.n_read == full.n_units
    assert content(full.snapshot) == content(first.snapshot)
    assert not set(full.snapshot.manifest.shards) & set(first.snapshot.manifest.shards)


@pytest.mark.parametrize("units", [1, 7, 10_000])
def test_partitions_and_chunks_do_not_show(units: int, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the work is cut, the index says the same."""
    fill(folder, 30, tasks=("cars", "a/b"))
    folder.put("v/clip.mp4", video(12))
    folder.put(f"{METADATA}/v/clip.json", {"type": "video", "metadata": {"day": "monday"}})
    whole = fresh(folder)
    monkeypatch.setattr(scan_module, "_PARTITION_UNITS", units)
    monkeypatch.setattr(scan_module, "_SMALLEST_PARTITION_UNITS", units)
    monkeypatch.setattr(chunk_module, "_CHUNK_UNITS", max(1, units // 3))
    monkeypatch.setattr(chunk_module, "_BLOCK_UNITS", max(1, units // 5))
    result = run(folder)
    assert content(result.snapshot) == whole
    n_shards = -(-result.n_units // units)
    assert len(result.snapshot.manifest.shards) == n_shards
    assert run(folder).n_read == 0 or n_shards >= 16  # many small shards are read anew


def test_processes_say_what_one_process_says(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by several workers or by none, the index is the same, and every unit is reported as it is read."""
    fill(folder, 60, tasks=("cars", "a/b"))
    here = fresh(folder, workers=1)
    monkeypatch.setattr(scan_module, "_INLINE_UNITS", 0)
    monkeypatch.setattr(scan_module, "_SMALLEST_PARTITION_UNITS", 9)
    said: list[Progress] = []
    result = scan(open_sources(folder.root), ScanOptions(workers=2), listen=said.append)
    assert content(result.snapshot) == here
    assert len(result.snapshot.manifest.shards) > 2
    reading = [progress for progress in said if progress.stage == "reading"]
    assert reading[-1].done == reading[-1].total == result.n_units
    assert [progress.done for progress in reading] == sorted(progress.done for progress in reading)


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    """The same files written in another order make the same index."""
    said = []
    for name, keys in (("one", range(20)), ("two", reversed(range(20)))):
        folder = Folder(tmp_path / name)
        folder.tasks("cars")
        for i in keys:
            folder.put(f"{i}.png", png(50, 50))
            folder.predict("cars", f"{i}", box(score=i / 20))
        tables = content(run(folder).snapshot)
        said.append((tables["predictions:cars"], tables["sample_scores:cars"], tables["dataset"]))
    assert said[0] == said[1]


@pytest.mark.parametrize("scanned", [False, True])
def test_checking_writes_nothing(scanned: bool, folder: Folder, tmp_path: Path) -> None:  # noqa: FBT001
    """A check says what a scan says, and leaves the datasource and its index byte by byte as they are."""
    fill(folder, 20)
    if scanned:
        run(folder)
        rng = random.Random(3)  # noqa: S311 (no secret)
        for i in range(10):
            predict_something(folder, rng, "cars", f"{i}")
    before = state_of(tmp_path)
    sources = open_sources(folder.root)
    report = check(sources)
    assert state_of(tmp_path) == before
    assert report.errors > 0
    assert report == report_problems(sources, run(folder).snapshot)


def test_problems_are_found_again(folder: Folder) -> None:
    """Problems of files that did not change are reported by every scan, with the same places."""
    fill(folder, 60)
    sources = open_sources(folder.root)
    first = report_problems(sources, run(folder).snapshot)
    folder.put("new.png", png(100, 100))
    folder.predict("cars", "new", box(score=2))
    second = report_problems(sources, run(folder).snapshot)
    assert second.errors == first.errors + 1
    assert {problem.code for problem in first.problems} >= {"json-syntax", "category-unknown", "coverage"}
    for group in first.problems:
        assert all(e.line is not None for e in group.examples if e.path is not None)


def test_an_empty_folder_is_a_datasource(folder: Folder) -> None:
    """Without any file a scan ends, finds that tasks are missing, and the next scan says the same."""
    result = run(folder)
    assert result.n_units == 0
    assert [problem.code for problem in result.snapshot.manifest.problems] == ["tasks-missing"]
    folder.put("a.png", png(3, 4))
    assert run(folder).n_read == 1
    folder.remove("a.png")
    assert content(run(folder).snapshot) == content(result.snapshot)
