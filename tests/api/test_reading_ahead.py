"""Of a bucket, what comes next is asked for while the last answers are looked at: some of it, and nothing else."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from strategies_datasource import Folder, content, fill, video
from tamis.api.options import ScanOptions
from tamis.api.scanning import chunk_reader
from tamis.api.scanning.scan import dry_scan
from tamis.api.sources import Sources, open_sources
from tamis.index import Index
from tamis.storage import MemoryStore, StoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tamis.storage import Blob, Page

N_IMAGES = 200
OPTIONS = ScanOptions(workers=1)


class FarStore(MemoryStore):
    """A bucket in memory that takes its time, and remembers what was asked of it at once."""

    def __init__(self, content: dict[str, bytes]) -> None:
        super().__init__(content)
        self.listing = 0
        self.most_listing = 0
        self.started = 0
        self.most_started = 0
        self.denied: str | None = None
        self._lock = threading.Lock()

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        with self._lock:
            self.listing += 1
            self.most_listing = max(self.most_listing, self.listing)
        time.sleep(0.01)
        with self._lock:
            self.listing -= 1
        yield from super().list_folder(folder, stamps=stamps)
        if folder == self.denied:
            raise StoreError(f"`{folder}` cannot be listed: permission denied")

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        self.started += len(keys)
        self.most_started = max(self.most_started, self.started)
        return self._answers(super().read_many(keys, n_bytes=n_bytes))

    def _answers(self, blobs: Iterator[Blob | StoreError]) -> Iterator[Blob | StoreError]:
        for blob in blobs:
            self.started -= 1
            yield blob


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    fill(made, N_IMAGES)
    made.put("a/clip.mp4", video(3))
    made.predict("cars", "a/clip-1-mp4")
    for i in range(40):
        made.put(f"many/{i:02d}/x.gif", b"GIF89a" + bytes([5, 0, 7, 0]))
    return made


def far(folder: Folder, index: Path) -> tuple[FarStore, Sources]:
    store = FarStore({key: (folder.root / key).read_bytes() for key in folder.files()})
    return store, Sources(store, store, Index(index))


def said(sources: Sources) -> dict[str, list[str]]:
    with dry_scan(sources, OPTIONS) as result:
        tables = content(result.snapshot)
        tables["samples"] = sorted(str(row["key"]) for row in result.snapshot.table("samples").to_pylist())
        tables["files"] = sorted(str(row["file"]) for row in result.snapshot.table("files").to_pylist())
        tables["videos"] = []
        return tables


@pytest.mark.parametrize("sizes", [(1, 1), (3, 10), (64, 1000)])
def test_reading_ahead_changes_nothing(
    sizes: tuple[int, int], folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the sizes of blocks and chunks, a far place says what a folder says, and the reads are bounded."""
    block, chunk = sizes
    monkeypatch.setattr(chunk_reader, "_BLOCK_UNITS", block)
    monkeypatch.setattr(chunk_reader, "_CHUNK_UNITS_OF_BUCKET", chunk)
    store, sources = far(folder, tmp_path / "index")
    assert said(sources) == said(open_sources(folder.root))
    slots, blocks = 3, chunk_reader._BLOCKS_AHEAD + 1  # noqa: SLF001 (what the bound is)
    units = len(folder.files())
    assert min(units, block * 3) <= store.most_started <= slots * block * blocks


def test_folders_are_listed_several_at_once(folder: Folder, tmp_path: Path) -> None:
    """Of many folders several are listed at once, but not all."""
    store, sources = far(folder, tmp_path / "index")
    said(sources)
    assert 4 < store.most_listing <= 16


def test_a_folder_that_may_not_be_listed_to_its_end(folder: Folder, tmp_path: Path) -> None:
    """What was listed before a refusal counts, and the refusal is one problem that names the folder."""
    store, sources = far(folder, tmp_path / "index")
    store.denied = "many/07"
    with dry_scan(sources, OPTIONS) as result:
        problems = [p for p in result.snapshot.manifest.problems if p.code == "path-skipped"]
        keys = {row["key"] for row in result.snapshot.table("samples").to_pylist()}
    assert [(p.file, "permission denied" in p.message) for p in problems] == [("many/07", True)]
    assert "many/07/x.gif" in keys


def test_a_place_that_stops_answering_while_it_is_listed(folder: Folder, tmp_path: Path) -> None:
    """What a place as a whole cannot do reaches the caller, though a thread asked for it."""
    store, sources = far(folder, tmp_path / "index")

    def gone(folder: str, *, stamps: bool = True) -> Iterator[Page]:
        if folder.startswith("many/2"):
            raise UnavailableError("gone")
        return FarStore.list_folder(store, folder, stamps=stamps)

    store.list_folder = gone  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="gone"), dry_scan(sources, OPTIONS):
        pass
