"""Drivers that are stopped: the old snapshot stands, and no process of Ray lives on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ray_nodes import NOT_INSTALLED
from strategies_datasource import Folder, content, fill, leftovers
from tamis.api.options import ScanOptions
from tamis.api.scanning.scan import scan
from tamis.api.sources import open_sources

if TYPE_CHECKING:
    from ray_nodes import Nodes

HERE = Path(__file__).parents[1]


def _start(folder: Folder, index: Path, mark: str, *address: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(HERE), "TAMIS_TEST_MARK": mark}
    words: list[str | Path] = [sys.executable, HERE / "ray_endless_scan.py", folder.root, index, *address]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _marked(mark: str) -> list[str]:
    """Return the processes that a driver started, directly or not: they have its environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"TAMIS_TEST_MARK={mark}".encode() in path.joinpath("environ").read_bytes():
                found.append(path.joinpath("cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended
            continue
    return found


@pytest.mark.parametrize(
    ("how", "own", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGKILL, False, -9)],
    ids=["Ctrl-C", "killed on a cluster"],
)
def test_a_stopped_driver_leaves_the_old_index_and_no_process(
    how: signal.Signals,
    own: bool,  # noqa: FBT001
    code: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """A scan stopped while workers read leaves the last snapshot; its tasks end, and so does a Ray of its own."""
    pytest.importorskip("ray", reason=NOT_INSTALLED)
    folder = Folder(tmp_path / "data")
    fill(folder, 60)
    sources = open_sources(folder.root, index=tmp_path / "index")
    before = content(scan(sources, ScanOptions(workers=1)).snapshot)
    fill(folder, 60, seed=1)
    mark = uuid.uuid4().hex
    nodes: Nodes | None = None if own else request.getfixturevalue("nodes")
    driver = _start(folder, sources.index.root, mark, *([] if nodes is None else [nodes.address]))
    while not (tmp_path / "reading").exists():
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)
    driver.send_signal(how)
    _, said = driver.communicate()
    assert driver.returncode == code
    if how == signal.SIGINT:
        assert said.decode().splitlines()[-1].endswith("the last index stands")
        assert _marked(mark) == []
    while _marked(mark) or (nodes is not None and nodes.busy()):  # they notice by themselves
        time.sleep(0.1)
    latest = sources.index.latest()
    assert latest is not None
    assert content(latest) == before
    scan(sources, ScanOptions(workers=1))
    assert not leftovers(sources.index.root)
