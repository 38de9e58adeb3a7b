"""Whatever fails while an index is used: picks are the right ones or there are none, and a second run completes."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from faulty_store import KINDS, FaultyStore
from strategies_datasource import Folder, fill
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.selecting.config import choose_config
from tamis.api.selecting.files import write_selection
from tamis.api.selecting.run import SelectOptions, join_pool, run_selection
from tamis.api.sources import Sources, open_sources
from tamis.cli import main
from tamis.errors import TamisError
from tamis.index import Index, Pool

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.storage import Store

N_PICKS = 6
N_SEEDS = 4
N_FILES = 7
SCORE = "cars:uncertainty_margin"
CONFIG = choose_config(
    n=N_PICKS, config=None, scores=[SCORE], balance=[], diverse=True, min_gap_frames=None, select=None
)


class Case:
    """A folder that was scanned, and what is picked where nothing fails.

    Attributes:
        sources: its places.
        picks: the selection's `selected.txt`.
    """

    def __init__(self, root: Path) -> None:
        folder = Folder(root / "data")
        fill(folder, 20)
        self.sources = open_sources(folder.root)
        scan(self.sources, ScanOptions(workers=1))
        self.picks = select(self.sources, root / "truth")


def select(sources: Sources, out: Path, store: Store | None = None) -> str:
    """Select, write the report with pictures from a store, let the picks join a pool, and return them."""
    snapshot = sources.index.latest()
    assert snapshot is not None
    options = SelectOptions(pool="round", add_to_pool=store is not None)
    run = run_selection(snapshot, CONFIG, options)
    write_selection(run, Sources(store or sources.input, sources.lightly, sources.index), out)
    join_pool(run, sources, options)
    return (out / "selected.txt").read_text()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def sources(case: Case, tmp_path: Path) -> Sources:
    """Return the places with a copy of the index, as a pool grows in it."""
    index = Index(tmp_path / "index")
    shutil.copytree(case.sources.index.root, index.root)
    return Sources(case.sources.input, case.sources.lightly, index)


def check_error(error: TamisError) -> None:
    assert error.exit_code == 3
    assert "cannot be" in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize("seed", range(N_SEEDS))
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_cannot_be_read(kind: str, seed: int, case: Case, sources: Sources, tmp_path: Path) -> None:
    """A report without some pictures has the same picks; where the store is away there are none, and no pool."""
    out = tmp_path / "out"
    store = FaultyStore(case.sources.input, kind, seed, N_PICKS)
    try:
        picks = select(sources, out, store)
    except TamisError as error:
        check_error(error)
        assert store.n_broken
        assert not (out / "selected.txt").exists()
        assert not Pool(sources.index.root, "round").members()
        picks = select(sources, out, case.sources.input)
    assert picks == case.picks
    assert Pool(sources.index.root, "round").members() == picks.splitlines()
    assert (out / "report.html").stat().st_size > 1000


@pytest.mark.parametrize("n_before", range(N_FILES + 1))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_is_full(
    number: int, n_before: int, case: Case, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any number of files a full disk stops the selection; `selected.txt` is whole or not there."""
    out = tmp_path / "out"
    written: list[str] = []
    replace = os.replace

    def replace_or_fail(temporary: str, path: str) -> None:
        if len(written) >= n_before:
            raise OSError(number, "No space left on device")
        written.append(path)
        replace(temporary, path)

    is_stopped = False
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", replace_or_fail)
        try:
            assert select(sources, out, case.sources.input) == case.picks
        except TamisError as error:
            check_error(error)
            is_stopped = True
            if (out / "selected.txt").exists():
                assert (out / "selected.txt").read_text() == case.picks
    assert not list(out.glob(".tamis-*"))
    assert is_stopped is (n_before < N_FILES)
    if is_stopped:
        assert not Pool(sources.index.root, "round").members()
        assert select(sources, out, case.sources.input) == case.picks
    assert Pool(sources.index.root, "round").members() == case.picks.splitlines()


@pytest.mark.parametrize("damage", ["gone", "cut short", "replaced", "no manifest"])
@pytest.mark.parametrize("command", ["show", "select", "report"])
def test_a_damaged_index(
    command: str,
    damage: str,
    case: Case,
    sources: Sources,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every command that reads a damaged index ends with 3, says so, and works again after a scan."""
    folder = sources.index.root.parent
    (folder / "keys.txt").write_text(case.picks)
    place = [str(case.sources.input.local_root), "--index", str(sources.index.root), "--quiet"]
    options = {
        "show": [],
        "select": ["--n", "3", "--score", SCORE, "--out", str(folder / "out")],
        "report": ["--selected", str(folder / "keys.txt"), "--out", str(folder / "out")],
    }[command]
    pattern = "snapshots/*.json" if damage == "no manifest" else "shards/*/*.parquet"
    for path in sources.index.root.glob(pattern):
        if damage == "cut short":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        else:
            path.unlink()
            if damage == "replaced":
                path.mkdir()
    assert run(monkeypatch, command, *place, *options) == 3
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "index" in told
    assert "Traceback" not in told
    assert run(monkeypatch, "scan", *place, "--full") == 1, "there are errors in the data"
    assert run(monkeypatch, command, *place, *options) == 0


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["tamis", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)
