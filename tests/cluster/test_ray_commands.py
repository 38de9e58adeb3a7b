"""The commands on a Ray of two nodes: index, embeddings, crops and picks are those of one machine."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from bucket_servers import use_server
from real_data import answer, needs_data, refusal
from real_sources import write_coco
from strategies_datasource import Folder, content, fill, leftovers
from tamis.api.datasource import open_datasource
from tamis.api.embedding.options import EmbedOptions
from tamis.api.options import ScanOptions
from tamis.api.scanning import scan as scanning
from tamis.api.scanning.partition import read_partition
from tamis.api.scanning.scan import dry_scan, scan
from tamis.api.selecting import run as selecting
from tamis.api.selecting.run import SelectOptions, run_selection
from tamis.api.sources import open_sources
from tamis.selection import parse_config
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from pathlib import Path

    from ray_nodes import Nodes
    from tamis.api.scanning.chunk import Partition, ScanJob
    from tamis.api.scanning.partition import PartitionResult
    from tamis.api.selecting.run import SelectionRun
    from tamis.engine import Progress

N_IMAGES = 1200
N_READ_AT_ONCE = 4
CONFIG: dict[str, Any] = {
    "n_samples": 300,
    "strategies": [
        {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}},
        {
            "input": {"type": "SCORES", "task": "cars", "score": "uncertainty_entropy"},
            "strategy": {"type": "WEIGHTS"},
        },
        {
            "input": {"type": "PREDICTIONS", "task": "cars", "name": "CLASS_DISTRIBUTION"},
            "strategy": {"type": "BALANCE", "distribution": "UNIFORM"},
        },
    ],
}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few dozen samples be worth a partition, and a shard."""
    monkeypatch.setattr(scanning, "_SMALLEST_PARTITION_UNITS", 20)
    monkeypatch.setattr(selecting, "_SMALLEST_SHARD_ROWS", 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Images of three folders, with predictions some of which are wrong."""
    made = Folder(tmp_path_factory.mktemp("generated") / "data")
    fill(made, N_IMAGES)
    return made


@pytest.fixture(scope="module")
def local(folder: Folder) -> dict[str, list[str]]:
    """What an index says that this machine made."""
    return content(scan(open_sources(folder.root), ScanOptions(workers=2)).snapshot)


@pytest.fixture(scope="module")
def vectors(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vector for each image."""
    path = tmp_path_factory.mktemp("vectors") / "vectors.npz"
    keys = [key for key in folder.files() if key.endswith(".png")]
    points = np.random.default_rng(1).normal(size=(len(keys), 16)).astype(np.float32)
    np.savez(path, names=keys, embeddings=points)
    return path


def _picks(run: SelectionRun) -> list[tuple[str, str]]:
    return [(key, run.sentence(number)) for number, key in enumerate(run.keys)]


def test_a_scan_is_the_same(
    folder: Folder, local: dict[str, list[str]], on_ray: dict[str, Any], tmp_path: Path, small_parts: None
) -> None:
    """Tables, problems and videos are those of local processes."""
    del small_parts
    sources = open_sources(folder.root, index=tmp_path / "index")
    assert content(scan(sources, ScanOptions(full=True, **on_ray)).snapshot) == local


def read_when_told(job: ScanJob, partition: Partition) -> PartitionResult:
    """Read a partition; all but the first few wait for a file."""
    while partition.number >= N_READ_AT_ONCE and not _told(job.folder.parents[2]).exists():
        time.sleep(0.01)
    return read_partition(job, partition)


def _told(folder: Path) -> Path:
    return folder / "told"


def test_a_scan_is_the_same_when_a_node_is_lost(  # noqa: PLR0913, PLR0917 (fixtures)
    folder: Folder,
    local: dict[str, list[str]],
    nodes: Nodes,
    on_ray: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_parts: None,
) -> None:
    """A node that is killed while it reads costs nothing: its partitions are read elsewhere, each counted once."""
    del small_parts
    monkeypatch.setattr(scanning, "read_partition", read_when_told)
    lost: list[str] = []

    def lose() -> None:
        while not nodes.busy():
            time.sleep(0.01)
        lost.extend(nodes.lose())
        _told(tmp_path).touch()

    sources = open_sources(folder.root, index=tmp_path / "index")
    losing = threading.Thread(target=lose, daemon=True)
    losing.start()
    result = scan(sources, ScanOptions(full=True, **on_ray))
    losing.join()
    assert [name.partition("(")[0] for name in lost] == ["ray::_work"]
    assert content(result.snapshot) == local
    shards = {shard.id.rpartition("/")[2] for shard in result.snapshot.manifest.shards}
    assert len(shards) > N_READ_AT_ONCE
    assert {path.name.partition(".")[0] for path in sources.index.root.rglob("*.parquet")} == shards
    assert not leftovers(sources.index.root)


def test_a_check_leaves_no_index(
    folder: Folder, local: dict[str, list[str]], on_ray: dict[str, Any], tmp_path: Path, small_parts: None
) -> None:
    """A check says what a scan says, and leaves nothing where the index would be but its lock."""
    del small_parts
    sources = open_sources(folder.root, index=tmp_path / "index")
    with dry_scan(sources, ScanOptions(**on_ray)) as result:
        assert content(result.snapshot) == local
    assert [path.name for path in sources.index.root.rglob("*") if path.is_file()] == ["lock"]
    assert sources.index.latest() is None


def test_an_index_in_a_bucket_needs_no_folder_that_all_see(
    on_ray: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_parts: None
) -> None:
    """Workers put shards and embeddings into the bucket, not into a folder; a check leaves nothing there."""
    del small_parts
    data = Folder(tmp_path / "data")
    fill(data, 120)
    for number in range(40):
        picture = io.BytesIO()
        Image.effect_noise((64, 48), number + 1).save(picture, "png")
        data.put(f"noise/{number}.png", picture.getvalue())
    url = use_server("s3", monkeypatch).new_bucket()
    store = BucketStore(url)
    for key in data.files():
        store.write(key, (data.root / key).read_bytes())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "driver"))
    with dry_scan(open_sources(url), ScanOptions(**on_ray)) as checked:
        expected = content(checked.snapshot)
    assert not any(page.names or page.folders for page in store.list_folder(".lightly/tamis"))
    there = open_datasource(url)
    there.scan(ScanOptions(**on_ray))
    there.embed(EmbedOptions(**on_ray))
    here = open_datasource(url, index=tmp_path / "here")
    here.scan()
    here.embed()
    assert content(there.snapshot) == content(here.snapshot) == expected
    ours, theirs = (source.vectors() for source in (here, there))
    assert ours.known.sum() == 40
    np.testing.assert_array_equal(ours.known, theirs.known)
    np.testing.assert_array_equal(ours.unit, theirs.unit)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    assert content(open_datasource(url).snapshot) == expected
    assert not leftovers(here.sources.index.root)


@pytest.mark.parametrize("losing", [False, True], ids=["all nodes live", "a node is lost"])
def test_a_selection_is_the_same_whatever_is_lost(  # noqa: PLR0913, PLR0917 (fixtures)
    folder: Folder,
    local: dict[str, list[str]],
    vectors: Path,
    nodes: Nodes,
    on_ray: dict[str, Any],
    losing: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Picks, their order and their reasons are those of one machine, with a node killed between rounds, too."""
    del local
    monkeypatch.setattr(selecting, "_SMALLEST_SHARD_ROWS", 300)
    monkeypatch.setattr(selecting, "_PROGRESS_EVERY_PICKS", 1)
    lost: list[str] = []

    def lose(progress: Progress) -> None:
        early = progress.stage == "selecting" and progress.done < CONFIG["n_samples"]
        if losing and not lost and early and any("_Holder" in name for name in nodes.busy()):
            lost.extend(nodes.lose())

    snapshot = open_datasource(folder.root).snapshot
    config = parse_config(json.dumps(CONFIG), source="test")
    here = run_selection(snapshot, config, SelectOptions(embeddings=vectors))
    for _ in range(6 if losing else 1):  # Ray may put both shards on the other node
        there = run_selection(snapshot, config, SelectOptions(embeddings=vectors, **on_ray), listen=lose)
        assert _picks(there) == _picks(here)
        if lost:
            break
    assert len(here.keys) == CONFIG["n_samples"]
    np.testing.assert_allclose(there.selection.objectives, here.selection.objectives, rtol=1e-12)
    assert all("_Holder" in name for name in lost)
    assert bool(lost) == losing


@needs_data
def test_commands_on_real_data_give_the_same(nodes: Nodes, tmp_path: Path, small_parts: None) -> None:
    """Images of COCO with a real detector: a cluster says and writes what this machine does."""
    del small_parts
    write_coco(tmp_path / "coco")
    ray = ["--engine", "ray", "--ray-address", nodes.address]
    answers, picks, tables, crops = [], [], [], []
    for name, engine in (("here", []), ("there", ray)):
        at = [tmp_path / "coco", "--index", tmp_path / name, *engine]
        answer("scan", *at)
        tables.append(content(open_datasource(tmp_path / "coco", index=tmp_path / name).snapshot))
        embedded = answer("embed", *at)
        cut = answer("crops", *at, "--task", "nanodet", "--min-score", 0.5, "--out", tmp_path / f"crops {name}")
        answers.append([embedded, {**cut, "out": None}])
        crops.append({path.name: path.read_bytes() for path in sorted((tmp_path / f"crops {name}").rglob("*.jpg"))})
        call = ["--n", 40, "--score", "nanodet:uncertainty_entropy", "--diverse", "--balance", "nanodet"]
        picks.append(answer("select", *at, *call, "--out", tmp_path / f"out {name}")["picks"])
    assert tables[0] == tables[1]
    assert answers[0] == answers[1]
    assert crops[0] == crops[1]
    assert len(crops[0]) > 100
    assert picks[0] == picks[1]
    assert len(picks[0]) == 40


def test_wrong_engines_are_wrong_calls(folder: Folder, local: dict[str, list[str]]) -> None:
    """An engine that is none, or an address without the engine, is said before anything is read."""
    del local
    for command in ("scan", "check", "embed"):
        assert refusal(command, folder.root, "--engine", "spark") == (
            2,
            "There is no engine `spark`\nhint: engines: local, ray",
        )
    code, message = refusal("scan", folder.root, "--ray-address", "auto")
    assert (code, "give `--engine ray`, too" in message) == (2, True)
