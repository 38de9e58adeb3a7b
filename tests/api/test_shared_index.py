"""An index in a bucket: what one machine scans, tags, embeds and selects, another one has without a scan."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import tamis
from bucket_servers import SERVICES, use_server
from index_hashes import table_hashes
from strategies_datasource import Folder, box, fill
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.sources import Sources
from tamis.cli import main
from tamis.errors import DatasourceError, IndexMissingError
from tamis.index import EmbeddingRows, EmbeddingSet, Index, Pool, SetSpec, SharedIndex, Tag, make_set
from tamis.storage import LocalStore, StoreError, UnavailableError
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tamis.index import Snapshot
    from tamis.storage import Blob, Page, Stamp

N_IMAGES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "data")
    fill(made, N_IMAGES)
    return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Become another machine: one with a cache folder of its own."""

    def become(name: str) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))

    return become


def upload(folder: Folder, url: str) -> None:
    store = BucketStore(url)
    for key in folder.files():
        store.write(key, (folder.root / key).read_bytes())


@pytest.mark.parametrize("service", SERVICES)
def test_two_machines_work_on_one_index(
    folder: Folder, service: str, machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables, pools, tags, embeddings and picks are the same on both, whoever made them."""
    url = use_server(service, monkeypatch).new_bucket()
    upload(folder, url)
    machine("a")
    a = tamis.open(url)
    a.scan()
    a.embed()
    a.tag("night", add=["0.png", "3.png"])
    first = a.select(n=3, diverse=True, pool="round", add_to_pool=True)
    assert len(first.keys) == 3
    hashes = table_hashes(a.snapshot)

    machine("b")
    b = tamis.open(url)
    assert table_hashes(b.snapshot) == hashes
    assert b.snapshot.id == a.snapshot.id
    assert b.pool("round") == list(first.keys)
    assert b.tagged("night") == ["0.png", "3.png"]
    second = b.select(n=3, diverse=True, pool="round", add_to_pool=True)
    b.tag("night", remove=["0.png"])
    BucketStore(url).write(".lightly/predictions/cars/1.json", json.dumps({"predictions": [box()]}).encode())
    b.scan()

    machine("a")
    again = tamis.open(url)
    assert again.snapshot.id == b.snapshot.id
    assert rows(again.snapshot) == rows(b.snapshot)
    assert again.pool("round") == [*first.keys, *second.keys]
    assert again.tagged("night") == ["3.png"]
    assert [one.name for one in again.embedding_sets()] == [one.name for one in b.embedding_sets()]
    assert list(again.select(n=3, diverse=True, pool="other").keys) == list(first.keys)


def rows(snapshot: Snapshot) -> dict[str, list[object]]:
    return {name: snapshot.table(name).to_pylist() for name in ("samples", "files", "problems", "predictions:cars")}


@pytest.fixture
def url(folder: Folder, machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket that holds the folder, and no index yet; this is machine `a`."""
    made = use_server("s3", monkeypatch).new_bucket()
    upload(folder, made)
    machine("a")
    return made


def test_reading_needs_no_permission_to_write(
    url: str,
    folder: Folder,
    machine: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who may only read shows and selects from the bucket's index; a scan says what is missing and what to do."""
    tamis.open(url).scan()
    machine("b")
    with only_reading():
        assert command("show", url) == 0
        assert command("scan", url) == 3
        said = capsys.readouterr().err
        assert "may not be changed" in said
        assert "--index FOLDER" in said
        assert command("scan", url, "--index", str(folder.root.parent / "own")) in {0, 1}


@pytest.mark.parametrize("error", [StoreError, UnavailableError])
def test_where_the_bucket_takes_no_index_it_is_kept_here_and_that_is_said(
    error: type[DatasourceError],
    url: str,
    folder: Folder,
    machine: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A bucket that may only be read is scanned all the same; once it may be written to, the index goes there."""
    with only_reading(error):
        assert command("scan", url) in {0, 1}
        assert "the index is kept in" in capsys.readouterr().err
        out = str(folder.root.parent / "out")
        assert command("select", url, "--n", "2", "--diverse", "--pool", "p", "--add-to-pool", "--out", out) == 0
        assert "is not there; the index is that in" in capsys.readouterr().err
    assert command("scan", url) in {0, 1}
    assert "note" not in capsys.readouterr().err
    machine("b")
    assert len(tamis.open(url).pool("p")) == 2


def command(*arguments: str) -> int:
    """Run a command as a user would, and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tamis", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@contextmanager
def only_reading(error: type[DatasourceError] = StoreError) -> Iterator[None]:
    """Let everything that writes be refused: as by a policy, or by a server that takes no writes at all."""

    def refuse(store: BucketStore, key: str, *_: object, **__: object) -> None:
        raise error(f"`{key}` in `{store.url}` cannot be written: permission denied")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("write", "write_if", "delete"):
            patch.setattr(BucketStore, name, refuse)
        yield


class Breaking(LocalStore):
    """A bucket, as far as an index is concerned, that stops to answer at its n-th operation."""

    def __init__(self, root: Path, after: int = 10**9) -> None:
        super().__init__(root)
        self.left = after

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise UnavailableError("the bucket does not answer")

    def read(self, key: str) -> Blob:
        self._step()
        return super().read(key)

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        self._step()
        return super().list_folder(folder, stamps=stamps)

    def write(self, key: str, data: bytes) -> None:
        self._step()
        super().write(key, data)

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        self._step()
        return super().write_if(key, data, there=there)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)


@dataclass
class Machine:
    """A mirror of an index in a bucket, and the data."""

    root: Path
    bucket: Path
    data: Path

    def sources(self, after: int = 10**9) -> Sources:
        data = LocalStore(self.data)
        return Sources(data, data, Index(self.root, SharedIndex(Breaking(self.bucket, after), "tamis")))

    def index(self, after: int = 10**9) -> Index:
        return self.sources(after).index


@pytest.fixture
def machines(folder: Folder, tmp_path: Path) -> tuple[Machine, Machine]:
    (tmp_path / "bucket").mkdir()
    first, second = (Machine(tmp_path / name, tmp_path / "bucket", folder.root) for name in ("first", "second"))
    return first, second


def latest(machine: Machine) -> Snapshot:
    snapshot = machine.index().latest()
    assert snapshot is not None
    return snapshot


def test_a_bucket_that_stops_at_any_moment_keeps_the_old_index_or_has_the_new_one(
    folder: Folder, machines: tuple[Machine, Machine]
) -> None:
    """Wherever a scan is cut off from the bucket, another machine opens a whole snapshot, and a new scan works."""
    first, second = machines
    old = scan(first.sources()).snapshot
    Pool(first.root, "p").join(["0.png"])
    first.index().share()
    before = first.root.with_name("before")
    for place in (first.root, first.bucket):
        shutil.copytree(place, before / place.name)
    folder.predict("cars", "1", box())
    outcomes = []
    for after in range(200):
        for place in (first.root, first.bucket):
            shutil.rmtree(place)
            shutil.copytree(before / place.name, place)
        try:
            new = scan(first.sources(after)).snapshot
        except UnavailableError:
            seen = latest(second)
            outcomes.append(seen.id == old.id)
            assert seen.missing_files() == []
            assert Pool(second.root, "p").members() == ["0.png"]
            assert rows(latest(first)) == rows(seen)
        else:
            break
    else:
        raise AssertionError("no scan came to its end")
    assert outcomes[0]
    assert not outcomes[-1]
    assert len(outcomes) > 10
    assert latest(second).id == new.id
    assert rows(latest(second)) == rows(new)


def test_a_mirror_that_is_cut_off_at_any_moment_shows_a_whole_snapshot(
    folder: Folder, machines: tuple[Machine, Machine]
) -> None:
    """However far it came, what it has is the old snapshot or the new one, and the next try brings the rest."""
    first, second = machines
    scan(first.sources())
    old = latest(second)
    folder.predict("cars", "1", box())
    new = scan(first.sources()).snapshot
    for after in range(60):
        try:
            second.index(after).latest()
        except UnavailableError:
            alone = Index(second.root).latest()
            assert alone is not None
            assert alone.id in {old.id, new.id}
        else:
            break
    assert after > 3
    assert latest(second).id == new.id


def test_of_two_scans_at_once_the_later_stands_and_both_are_whole(
    folder: Folder, machines: tuple[Machine, Machine]
) -> None:
    """A scan that began before another one ended, and ends after it, is what both then have."""
    first, second = machines
    scan(first.sources())
    folder.predict("cars", "1", box())
    with first.index().staging():  # a scan of another machine is running
        mid = scan(second.sources()).snapshot
    folder.predict("cars", "2", box())
    last = scan(first.sources()).snapshot
    assert mid.id != last.id
    assert latest(first).id == latest(second).id == last.id
    assert rows(latest(second)) == rows(last)


def test_what_no_snapshot_refers_to_is_removed_from_the_bucket(
    folder: Folder, machines: tuple[Machine, Machine]
) -> None:
    """Three snapshots stay; shards of a scan that is running stay as well."""
    first, second = machines
    running = first.bucket / "tamis/shards/20990101T000000Z-ab"
    running.mkdir(parents=True)
    (running / "scan").touch()
    (running / "00000.samples.parquet").touch()
    (first.bucket / "tamis/shards/20200101T000000Z-cd").mkdir()
    (first.bucket / "tamis/shards/20200101T000000Z-cd/00000.samples.parquet").touch()
    for number in range(6):
        folder.predict("cars", str(number), box())
        scan(first.sources(), ScanOptions(full=True))
    bucket = first.bucket / "tamis"
    kept = {path.stem for path in (bucket / "snapshots").glob("*.json")}
    assert len(kept) == 3
    shards = {path.name for path in (bucket / "shards").iterdir() if any(path.iterdir())}
    assert shards == {*kept, running.name}
    assert latest(second).id in kept


def test_a_damaged_index_in_a_bucket_is_named_and_made_anew(machines: tuple[Machine, Machine]) -> None:
    """`latest` that is no id, a manifest cut short, a shard that is gone: one message, and a scan mends it."""
    first, second = machines
    scan(first.sources())
    bucket = first.bucket / "tamis"

    def spoil_latest() -> None:
        (bucket / "latest").write_text("../../etc")

    def cut_manifest() -> None:
        path = bucket / f"snapshots/{(bucket / 'latest').read_text()}.json"
        path.write_bytes(path.read_bytes()[:-9])

    def lose_shard() -> None:
        next((bucket / "shards" / (bucket / "latest").read_text()).glob("*.parquet")).unlink()

    for spoil in (spoil_latest, cut_manifest, lose_shard):
        spoil()
        shutil.rmtree(second.root, ignore_errors=True)
        with pytest.raises(IndexMissingError, match="cannot be read") as raised:
            second.index().latest()
        assert "tamis scan" in str(raised.value.hint)
        mended = scan(second.sources()).snapshot
        assert latest(first).id == mended.id


def test_a_mirror_that_lost_files_fetches_them_again(machines: tuple[Machine, Machine]) -> None:
    """Whatever somebody removed from the cache folder, or spoilt of its first files, is in the bucket."""
    first, second = machines
    snapshot = scan(first.sources()).snapshot
    expected = rows(latest(second))

    def lose_shard() -> None:
        next((second.root / "shards").glob("*/*.parquet")).unlink()

    def spoil_latest() -> None:
        (second.root / "latest").write_text("?")

    def cut_manifest() -> None:
        (second.root / f"snapshots/{snapshot.id}.json").write_text("{")

    for spoil in (lose_shard, spoil_latest, cut_manifest):
        spoil()
        assert rows(latest(second)) == expected


def test_pools_outlive_an_index_that_was_removed_from_the_bucket(machines: tuple[Machine, Machine]) -> None:
    """Who removes the index from the bucket removes no pool from a machine: the next scan brings all back."""
    first, second = machines
    scan(first.sources())
    Pool(first.root, "p").join(["0.png"])
    first.index().share()
    Pool(second.root, "q").join(["3.png"])
    second.index().share()
    assert Pool(second.root, "p").members() == ["0.png"]
    shutil.rmtree(first.bucket / "tamis")
    scan(first.sources())
    second.index().share()
    latest(first)
    for machine in machines:
        assert (Pool(machine.root, "p").members(), Pool(machine.root, "q").members()) == (["0.png"], ["3.png"])


def test_a_pool_that_is_removed_on_one_machine_is_removed_on_the_other(machines: tuple[Machine, Machine]) -> None:
    """The folder of a pool is the pool: without it, an exchange takes it from the bucket and the other mirror."""
    first, second = machines
    scan(first.sources())
    Pool(first.root, "p").join(["0.png"])
    first.index().share()
    latest(second)
    shutil.rmtree(first.root / "pools/p")
    first.index().share()
    latest(second)
    assert Pool(second.root, "p").members() == []


def test_a_hostile_index_in_a_bucket_writes_nothing_outside_its_mirror(machines: tuple[Machine, Machine]) -> None:
    """Ids and names that lead out of the folder are refused or ignored, and what lies there stays as it is."""
    first, second = machines
    snapshot = scan(first.sources()).snapshot
    bucket = first.bucket / "tamis"
    outside = second.root.parent / "outside.parquet"
    outside.write_text("mine")
    manifest = json.loads((bucket / f"snapshots/{snapshot.id}.json").read_text())
    manifest["shards"][0]["id"] = "../../outside"
    (bucket / f"snapshots/{snapshot.id}.json").write_text(json.dumps(manifest))
    (bucket / "pools/..evil").mkdir(parents=True)
    (bucket / "pools/..evil/1.json").write_text("[]")
    before = {path.name for path in second.root.parent.iterdir()}
    with pytest.raises(IndexMissingError, match="expected the id of a shard"):
        second.index().latest()
    assert outside.read_text() == "mine"
    assert {path.name for path in second.root.parent.iterdir()} - before == {"second"}


def test_what_another_machine_removes_during_a_fetch_is_left_out(
    machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were listed, and compacted by the other machine before they were read, are no error."""
    first, second = machines
    scan(first.sources())
    for key in ("a", "b"):
        a_set(first.root).append(one_row(key))
    first.index().share()
    gone = next((first.bucket / "tamis/embeddings").rglob("[0-9]*.parquet"))
    read = Breaking.read

    def read_late(store: Breaking, key: str) -> Blob:
        if key.endswith(gone.name):
            gone.unlink(missing_ok=True)
        return read(store, key)

    monkeypatch.setattr(Breaking, "read", read_late)
    latest(second)
    assert [row.keys for row in a_set(second.root).rows()] in ([["a"]], [["b"]])
    assert not gone.exists()


class TwoMachines(RuleBasedStateMachine):
    """Pools, tags and embeddings that two machines change, exchanging them at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        root = Path(self._folder.name)
        (root / "bucket").mkdir()
        data = Folder(root / "data")
        data.put("0.png", b"")
        self.machines = [Machine(root / name, root / "bucket", data.root) for name in ("first", "second")]
        scan(self.machines[0].sources())
        self.joined: set[str] = set()
        self.rows: set[str] = set()

    def teardown(self) -> None:
        self._folder.cleanup()

    which = st.integers(0, 1)

    @rule(which=which, keys=st.lists(st.integers(0, 30).map(str), min_size=1, max_size=3))
    def join(self, which: int, keys: list[str]) -> None:
        Pool(self.machines[which].root, "p").join(keys)
        self.joined |= set(keys)

    @rule(which=which, keys=st.lists(st.integers(0, 5).map(str), min_size=1, max_size=3), add=st.booleans())
    def tag(self, which: int, keys: list[str], *, add: bool) -> None:
        tag = Tag(self.machines[which].root, "t")
        tag.add(keys) if add else tag.remove(keys)

    @rule(which=which, key=st.integers(0, 99).map(str))
    def embed(self, which: int, key: str) -> None:
        a_set(self.machines[which].root).append(one_row(key))
        self.rows.add(key)

    @rule(which=which)
    def compact(self, which: int) -> None:
        one = a_set(self.machines[which].root)
        parts = sorted(one.folder.glob("[0-9]*.parquet"))
        for rows in list(one.rows()):
            one.append(rows)
        for part in parts:
            part.unlink()

    @rule(which=which)
    def fetch(self, which: int) -> None:
        self.machines[which].index().fetch()

    @rule(which=which)
    def share(self, which: int) -> None:
        self.machines[which].index().share()

    @rule(which=which, after=st.integers(0, 12))
    def share_until_cut_off(self, which: int, after: int) -> None:
        with suppress(UnavailableError):
            self.machines[which].index(after).share()

    @rule()
    def agree(self) -> None:
        """After an exchange of both, both have everything that either did."""
        for which in (0, 1, 0):
            self.machines[which].index().share()
        first, second = (machine.root for machine in self.machines)
        assert set(Pool(first, "p").members()) == set(Pool(second, "p").members()) == self.joined
        assert Tag(first, "t").members() == Tag(second, "t").members()
        assert len(Tag(first, "t").history()) == len(Tag(second, "t").history())
        for root in (first, second):
            assert {key for rows in a_set(root).rows() for key in rows.keys} == self.rows
        assert files_of(first) == files_of(second)


def files_of(root: Path) -> dict[str, bytes]:
    """Return what is exchanged: each file by its path."""
    found = [path for kind in ("pools", "tags", "embeddings") for path in (root / kind).rglob("*.*")]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def a_set(root: Path) -> EmbeddingSet:
    return make_set(root, SetSpec(name="e", task=None, encoder="x", source="x", n_dims=2))


def one_row(key: str) -> EmbeddingRows:
    return EmbeddingRows(
        keys=[key],
        positions=np.array([-1], np.int32),
        fingerprints=np.array([1], np.uint64),
        contents=[None],
        faults=[None],
        vectors=np.ones((1, 2), np.float32),
    )


TestTwoMachines = TwoMachines.TestCase
TestTwoMachines.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
