"""Real images and predictions in buckets of three services: index, embeddings and picks are those of a folder."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bucket_servers import SERVICES, use_server
from index_hashes import table_hashes
from real_data import answer, needs_data
from real_sources import write_coco
from tamis.api.sources import open_sources
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data
SCORE = "nanodet:uncertainty_entropy"


@dataclass(frozen=True)
class Outcome:
    """What the commands made of a datasource.

    Attributes:
        tables: the hash of each table of the index.
        embeddings: what `embed` said, of images and of objects.
        crops: the hash of each picture that was cut out.
        picks: what `select` picked, in order, with the numbers that made it pick them.
    """

    tables: dict[str, str]
    embeddings: Any
    crops: dict[str, str]
    picks: list[Any]


def outcome(place: str, out: Path) -> Outcome:
    """Scan, embed, cut out and select as a user would."""
    answer("scan", place)
    snapshot = open_sources(place).index.latest()
    assert snapshot is not None
    embeddings = [answer("embed", place), answer("embed", place, "--task", "movenet")]
    answer("crops", place, "--task", "nanodet", "--min-score", 0.5, "--out", out / "crops")
    pictures = sorted((out / "crops").rglob("*.jpg"))
    crops = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pictures}
    selected = answer(
        "select", place, "--n", 20, "--score", SCORE, "--balance", "nanodet", "--diverse", "--out", out / "picks"
    )
    return Outcome(table_hashes(snapshot), embeddings, crops, selected["picks"])


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """128 images with what four models said, and metadata."""
    root = tmp_path_factory.mktemp("coco")
    write_coco(root)
    return root


@pytest.fixture(scope="module")
def local(coco: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What a folder of this machine gives."""
    root = shutil.copytree(coco, tmp_path_factory.mktemp("folder") / "coco")
    return outcome(str(root), tmp_path_factory.mktemp("near"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_bucket_gives_what_a_folder_gives(
    service: str, coco: Path, local: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of all tables are the same bit by bit, and so are 20 picks by pictures, scores and classes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = f"{use_server(service, monkeypatch).new_bucket()}/coco"
    store = BucketStore(url)
    files = [path for path in coco.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda path: store.write(str(path.relative_to(coco)), path.read_bytes()), files))
    far = outcome(url, tmp_path / "far")
    assert far == local
    assert len(local.picks) == 20
    assert len(local.crops) > 200
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    mirrored = open_sources(url).index.latest()
    assert mirrored is not None
    assert table_hashes(mirrored) == local.tables
    assert {"samples", "metadata", "problems", "predictions:nanodet", "predictions:deeplab"} <= local.tables.keys()
