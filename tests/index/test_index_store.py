"""Commits: the old snapshot or the new one, and nothing left over."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from strategies_index import Unit, make_manifest, write_shard, write_snapshot
from tamis.errors import DatasourceError, IndexMissingError
from tamis.index import Index, IndexConflictError, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def keys_of(index: Index) -> list[str]:
    snapshot = index.latest()
    assert snapshot is not None
    keys: list[str] = snapshot.table("samples", ["key"])["key"].to_pylist()
    return keys


def files_of(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def scan(index: Index, stem: str, *, keep: bool = False) -> str:
    """Do what a scan does: stage, write, commit; `keep` builds on the last snapshot. Return the id."""
    base = index.latest() if keep else None
    with index.staging() as staging:
        shard = write_shard(index, f"{staging.scan_id}/000000", [Unit(stem)])
        index.commit(make_manifest(staging.scan_id, [*(base.manifest.shards if base else ()), shard]))
    return staging.scan_id


def test_an_index_begins_empty(tmp_path: Path) -> None:
    """Before the first commit there is no snapshot, and asking makes no file."""
    assert Index(tmp_path / "index").latest() is None
    assert not (tmp_path / "index").exists()


def test_the_last_commit_counts(tmp_path: Path) -> None:
    """The snapshot is that of the last commit, with its whole manifest."""
    index = Index(tmp_path)
    for i in range(3):
        snapshot_id = scan(index, f"s{i}")
        assert keys_of(index) == [f"s{i}.jpg"]
        latest = index.latest()
        assert latest is not None
        assert latest.id == snapshot_id


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Committing and opening gives an equal manifest."""
    shards = [[Unit("a"), Unit("b")], [Unit("c")]]
    written = write_snapshot(Index(tmp_path), shards, tasks=["t/u", "v"], dead={0: [1]})
    read = Index(tmp_path).latest()
    assert read is not None
    assert read.manifest == written.manifest
    assert read.manifest.n_dead == 1


def test_a_scan_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Staged shards of a scan that ends without a commit are removed, and the old snapshot stands."""
    index = Index(tmp_path)
    scan(index, "old")
    before = files_of(tmp_path)

    def fail() -> None:
        with index.staging() as staging:
            write_shard(index, f"{staging.scan_id}/000000", [Unit("new")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert files_of(tmp_path) == before
    assert keys_of(index) == ["old.jpg"]


def test_old_snapshots_go_and_readers_have_time(tmp_path: Path) -> None:
    """A snapshot opened two commits ago still reads whole; after many commits the index has not grown."""
    index = Index(tmp_path)
    sizes = []
    for i in range(12):
        scan(index, f"s{i}")
        opened = index.latest()
        assert opened is not None
        scan(index, f"t{i}")
        scan(index, f"u{i}")
        assert opened.table("samples", ["key"])["key"].to_pylist() == [f"s{i}.jpg"]
        sizes.append(len(files_of(tmp_path)))
    assert sizes[2:] == [sizes[2]] * 10
    assert len(list((tmp_path / "snapshots").iterdir())) == 3
    assert len(list((tmp_path / "shards").iterdir())) == 3


def test_shards_stay_as_long_as_they_are_referred_to(tmp_path: Path) -> None:
    """A shard of the first scan survives any number of later scans that keep it."""
    index = Index(tmp_path)
    for i in range(8):
        scan(index, f"s{i}", keep=True)
    assert keys_of(index) == [f"s{i}.jpg" for i in range(8)]


def test_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    """What a killed scan staged or was writing is removed by the next commit; what is not ours is left."""
    index = Index(tmp_path)
    scan(index, "old")
    write_shard(index, "20200101T000000Z-dead/000000", [Unit("half")])
    (tmp_path / "shards" / "20200101T000000Z-dead" / "lock").touch()
    (tmp_path / "shards" / "empty").mkdir()
    for name in (".tamis-abc", "snapshots/.tamis-def"):
        (tmp_path / name).write_bytes(b"{")
    (tmp_path / "shards" / ".DS_Store").write_bytes(b"")
    scan(index, "new")
    assert not (tmp_path / "shards" / "20200101T000000Z-dead").exists()
    assert not (tmp_path / "shards" / "empty").exists()
    assert not list(tmp_path.rglob(".tamis-*"))
    assert (tmp_path / "shards" / ".DS_Store").exists()
    assert keys_of(index) == ["new.jpg"]


def test_a_living_scan_keeps_its_shards(tmp_path: Path) -> None:
    """A commit does not take the staged shards of another scan that is still running."""
    index = Index(tmp_path)
    with index.staging() as staging:
        shard = write_shard(index, f"{staging.scan_id}/000000", [Unit("slow")])
        for i in range(5):
            scan(index, f"quick{i}")
        index.commit(make_manifest(staging.scan_id, [shard]))
    assert keys_of(index) == ["slow.jpg"]


def test_stagings_never_share_a_folder(tmp_path: Path) -> None:
    """Scans that begin in the same second have folders of their own, which no clean-up takes as they begin."""
    index = Index(tmp_path)
    faults: list[BaseException] = []

    def many() -> None:
        try:
            for i in range(15):
                scan(index, f"s{i}")
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            faults.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert keys_of(index) == ["s14.jpg"]


def test_a_commit_on_shards_that_are_gone_is_refused(tmp_path: Path) -> None:
    """A scan that built on a snapshot which others replaced too often says so, and the index stands."""
    index = Index(tmp_path)
    scan(index, "base")
    base = index.latest()
    assert base is not None
    for i in range(3):
        scan(index, f"other{i}")
    with pytest.raises(IndexConflictError) as caught:
        index.commit(make_manifest("late", base.manifest.shards))
    assert caught.value.exit_code == 3
    assert caught.value.hint == "run `tamis scan` again"
    assert keys_of(index) == ["other2.jpg"]
    assert not (tmp_path / "snapshots" / "late.json").exists()


def test_the_current_snapshot_survives_a_clock_set_back(tmp_path: Path) -> None:
    """Although its manifest is the oldest by the clock, what was just committed stays."""
    index = Index(tmp_path)
    for i in range(3):
        snapshot_id = scan(index, f"s{i}")
        os.utime(tmp_path / "snapshots" / f"{snapshot_id}.json", ns=(2**62, 2**62 + i))
    scan(index, "now")
    assert keys_of(index) == ["now.jpg"]


def damage(path: str, data: bytes | None) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        (target,) = root.glob(path)
        if data is None:
            target.unlink()
        else:
            target.write_bytes(data)

    return do


DAMAGES = {
    "latest empty": damage("latest", b""),
    "latest no text": damage("latest", b"\xff\xfe"),
    "latest with NUL": damage("latest", b"a\0b"),
    "latest elsewhere": damage("latest", b"../../etc/passwd"),
    "latest unknown": damage("latest", b"20200101T000000Z-00000000"),
    "latest long": damage("latest", b"x" * 5000),
    "manifest gone": damage("snapshots/*.json", None),
    "manifest empty": damage("snapshots/*.json", b""),
    "manifest cut": damage("snapshots/*.json", b'{"format_version":1,"id":"x","crea'),
    "manifest of other things": damage("snapshots/*.json", b'{"format_version":1}'),
    "manifest no object": damage("snapshots/*.json", b"[]"),
    "manifest no UTF-8": damage("snapshots/*.json", b'{"format_version":1,"id":"\xff"}'),
    "shard gone": damage("shards/*/*.samples.parquet", None),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_said_and_can_be_mended(kind: str, tmp_path: Path) -> None:
    """A damaged index says how to make it anew, and a new scan mends it whatever the damage is."""
    index = Index(tmp_path)
    scan(index, "old")
    DAMAGES[kind](tmp_path)
    with pytest.raises(IndexMissingError) as caught:
        index.latest()
    assert f"The index in `{tmp_path}` cannot be read: " in caught.value.message
    assert (
        caught.value.hint == "make it anew from the files with `tamis scan --full`; pools, tags and embeddings stay"
    )
    scan(index, "new")
    assert keys_of(index) == ["new.jpg"]


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_version_is_not_read(version: int, tmp_path: Path) -> None:
    """An index of another format version is refused by its number, whatever else its manifest holds."""
    index = Index(tmp_path)
    path = tmp_path / "snapshots" / f"{scan(index, 'a')}.json"
    path.write_bytes(msgspec.json.encode({"format_version": version, "shards": {"new": "things"}}))
    with pytest.raises(IndexMissingError, match=f"expected format version 1, got {version}"):
        index.latest()
    scan(index, "b")
    assert keys_of(index) == ["b.jpg"]


def test_the_id_of_a_snapshot_sorts_by_time(tmp_path: Path) -> None:
    """Ids are unique and start with the time in UTC."""
    index = Index(tmp_path)
    ids = [scan(index, "a") for _ in range(5)]
    assert len(set(ids)) == 5
    stamps = [name.partition("-")[0] for name in ids]
    assert stamps == sorted(stamps)
    assert all(len(stamp) == len("20240506T070809Z") for stamp in stamps)


def test_where_no_index_can_be_is_said(tmp_path: Path) -> None:
    """Where its folder cannot be made, a scan ends with a message that names it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasourceError) as caught, Index(tmp_path / "file" / "index").staging():
        pass
    assert (
        caught.value.message == f"The index cannot be written to `{tmp_path / 'file' / 'index'}`: not a directory"
    )


@not_root
def test_where_no_index_may_be_is_said(tmp_path: Path) -> None:
    """Likewise without permission."""
    (tmp_path / "sealed").mkdir(mode=0o500)
    with pytest.raises(DatasourceError, match="permission denied"), Index(tmp_path / "sealed" / "x").staging():
        pass


def test_the_manifest_is_strict() -> None:
    """A manifest with a wrong type is not read as something else."""
    manifest = msgspec.json.encode(make_manifest("a", []))
    assert msgspec.json.decode(manifest, type=Manifest) == make_manifest("a", [])
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(manifest.replace(b'"dead":{}', b'"dead":{"x":["y"]}'), type=Manifest)
