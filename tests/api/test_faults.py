"""Whatever fails: a scan is right, names what it could not read, or stops; nothing is torn, the next is right."""

from __future__ import annotations

import errno
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from faulty_store import KINDS, FaultyStore
from strategies_datasource import Folder, content, edit, fill, leftovers, video
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import dry_scan, scan
from tamis.api.sources import Sources, open_sources
from tamis.errors import TamisError
from tamis.index import Index, ShardWriter
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ScanOptions(workers=1)
N_SEEDS = 24
N_OPERATIONS = 60
N_WRITES = 14


class Case:
    """A folder with an index that is out of date.

    Attributes:
        folder: the files as they are now.
        index: of the files as they were.
        old: what it says.
        truth: what an index of the files as they are says.
    """

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root / "data")
        self.index = root / "index"
        fill(self.folder, 10)
        self.folder.put("clip.mp4", video(2))
        sources = open_sources(self.folder.root, index=self.index)
        self.old = content(scan(sources, OPTIONS).snapshot)
        rng = random.Random(1)  # noqa: S311 (no secret)
        for _ in range(6):
            edit(self.folder, rng)
        with dry_scan(sources, ScanOptions(full=True, workers=1)) as result:
            self.truth = content(result.snapshot)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("faults"))


def current(index: Index) -> dict[str, list[str]]:
    snapshot = index.latest()
    assert snapshot is not None
    return content(snapshot)


def check_error(error: TamisError) -> None:
    """An error for people: what, where, and the exit code of what could not be done."""
    assert error.exit_code == 3
    assert "cannot be" in error.message
    assert 20 < len(error.message) < 400
    assert "\n" not in error.message


@pytest.mark.parametrize("seed", range(N_SEEDS))
@pytest.mark.parametrize("kind", KINDS)
def test_reading(kind: str, seed: int, case: Case, tmp_path: Path) -> None:
    """With any fault of reading a scan names what it missed or stops; a second one without faults is right."""
    index = Index(tmp_path / "index")
    shutil.copytree(case.index, index.root)
    local = LocalStore.open(case.folder.root)
    store = FaultyStore(local, kind, seed, N_OPERATIONS)
    try:
        result = scan(Sources(store, store, index), ScanOptions(workers=1, full=seed % 2 == 0))
    except TamisError as error:
        check_error(error)
        assert store.n_broken
        assert current(index) == case.old
    else:
        said = content(result.snapshot)
        assert current(index) == said
        if not store.n_broken and kind != "clock":
            assert said == case.truth
        elif said != case.truth and kind in {"denied", "denied from then on", "cut short"}:
            assert len(said["problems"]) + len(said["dataset"]) > 0
    assert not leftovers(index.root)
    scan(Sources(local, local, index), OPTIONS)
    assert current(index) == case.truth
    assert not leftovers(index.root)


@pytest.mark.parametrize("n_before", range(N_WRITES))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_writing(number: int, n_before: int, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full or broken after any number of writes stops the scan; one of the two indexes is whole."""
    index = Index(tmp_path / "index")
    shutil.copytree(case.index, index.root)
    local = LocalStore.open(case.folder.root)
    n_writes = 0

    def fail_late() -> None:
        nonlocal n_writes
        n_writes += 1
        if n_writes > n_before:
            raise OSError(number, "No space left on device")

    add, write = ShardWriter.add, LocalStore.write

    def add_or_fail(self: ShardWriter, *arguments: object) -> None:
        fail_late()
        add(self, *arguments)  # type: ignore[arg-type]

    def write_or_fail(self: LocalStore, *arguments: object) -> None:
        fail_late()
        write(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "add", add_or_fail)
        patch.setattr(LocalStore, "write", write_or_fail)
        try:
            scan(Sources(local, local, index), OPTIONS)
        except TamisError as error:
            check_error(error)
            assert current(index) == case.old
        else:
            assert n_writes <= n_before
            assert current(index) == case.truth
    assert not leftovers(index.root)
    scan(Sources(local, local, index), OPTIONS)
    assert current(index) == case.truth
