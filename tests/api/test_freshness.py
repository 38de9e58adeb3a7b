"""Whether an index is older than what it was made from."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

import tamis
from strategies_datasource import METADATA, PREDICTIONS, Folder, box, png
from tamis.api.freshness import changed_since, pictures_changed_since
from tamis.storage import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _newest(path: Path) -> None:
    """Give what was just written a time that no clock's coarse steps can hide."""
    later = time.time_ns() + 1_000_000_000
    os.utime(path, ns=(later, later))


def _stale(folder: Folder) -> str | None:
    datasource = tamis.open(folder.root)
    return changed_since(datasource.snapshot, datasource.sources.lightly)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.tasks("cars", "night/cars")
    for stem in ("a", "day/b"):
        folder.put(f"{stem}.png", png(8, 8))
        folder.predict("cars", stem, box())
    tamis.open(tmp_path).scan()
    return folder


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda folder: folder.remove(f"{PREDICTIONS}/cars/day/b.json"), f"{PREDICTIONS}/cars/day"),
        (lambda folder: folder.predict("cars", "new", box()), f"{PREDICTIONS}/cars"),
        (lambda folder: folder.predict("cars", "dusk/new", box()), f"{PREDICTIONS}/cars"),
        (lambda folder: folder.put(f"{PREDICTIONS}/other/schema.json", {}), PREDICTIONS),
        (lambda folder: folder.describe("a", {}), METADATA),
    ],
)
def test_folders_tell_of_files_that_came_or_went(
    folder: Folder, change: Callable[[Folder], None], key: str
) -> None:
    """After a scan nothing is newer; a file that comes or goes makes its folder newer, until the next scan."""
    assert _stale(folder) is None
    change(folder)
    if (folder.root / key).stat().st_mtime_ns <= tamis.open(folder.root).snapshot.committed_ns:
        _newest(folder.root / key)  # the file system's clock has not moved on since the scan
    assert _stale(folder) == key


@pytest.mark.parametrize("key", [f"{PREDICTIONS}/tasks.json", f"{PREDICTIONS}/night/cars/schema.json"])
def test_files_above_the_predictions_tell_themselves(folder: Folder, key: str) -> None:
    """A task list or schema that is written over is seen by its own time."""
    _newest(folder.root / key)
    assert _stale(folder) == key


def test_nothing_is_said_of_what_is_no_folder(folder: Folder) -> None:
    """A store without folders of this machine has no times to compare, a snapshot that is gone neither."""
    snapshot = tamis.open(folder.root).snapshot
    _newest(folder.root / PREDICTIONS)
    assert changed_since(snapshot, MemoryStore()) is None
    (folder.root / ".lightly/tamis/snapshots" / f"{snapshot.id}.json").unlink()
    assert changed_since(snapshot, tamis.open(folder.root).sources.lightly) is None


def _changed_picture(folder: Folder) -> str | None:
    datasource = tamis.open(folder.root)
    return pictures_changed_since(datasource.snapshot, datasource.sources.input)


def _put(path: str) -> Callable[[Folder], None]:
    """Put an image that the scan did not see."""
    return lambda folder: folder.put(path, png(9, 9))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (_put("new.png"), "new.png"),
        (_put("day/new.png"), "day/new.png"),
        (_put("dusk/late/new.png"), "dusk/late/new.png"),
        (_put("day/b.png"), "day/b.png"),
        (lambda folder: folder.remove("a.png"), "a.png"),
        (lambda folder: os.utime(folder.root / "a.png"), "a.png"),
        (lambda folder: folder.put("day/notes.txt", b"none"), None),
        (lambda folder: folder.put("out/report.html", b"none"), None),
        (lambda folder: folder.predict("cars", "new", box()), None),
    ],
)
def test_pictures_that_came_went_or_changed_are_told(
    folder: Folder, change: Callable[[Folder], None], key: str | None
) -> None:
    """After a scan no picture is new; any change of one is told until the next scan, other files are not."""
    assert _changed_picture(folder) is None
    time.sleep(0.02)  # for the file system's clock to move on since the scan
    change(folder)
    assert _changed_picture(folder) == key
    tamis.open(folder.root).scan()
    assert _changed_picture(folder) is None


def test_nothing_is_said_of_pictures_in_no_folder(folder: Folder) -> None:
    """A store without folders of this machine, and a snapshot that is gone, tell nothing."""
    snapshot = tamis.open(folder.root).snapshot
    folder.put("new.png", png(9, 9))
    assert pictures_changed_since(snapshot, MemoryStore()) is None
    (folder.root / ".lightly/tamis/snapshots" / f"{snapshot.id}.json").unlink()
    assert pictures_changed_since(snapshot, tamis.open(folder.root).sources.input) is None
