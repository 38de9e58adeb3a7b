"""Laws of mapping on Ray, as those of the other engines."""

from __future__ import annotations

import os
import signal
import sys
import types
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ray_nodes import NOT_INSTALLED
from tamis.engine import WorkerError
from tamis.engine.ray_engine import RayEngine, Sight
from tamis.errors import DatasourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ray_nodes import Nodes


@pytest.fixture
def engine(nodes: Nodes) -> Iterator[RayEngine]:
    with RayEngine(nodes.address) as made:
        yield made


def square(number: int) -> int:
    return number * number


def fail_at_3(number: int) -> int:
    if number == 3:
        raise UsageError("three", hint="four")
    return number


def die_once(place: tuple[Path, int]) -> int:
    folder, number = place
    if number == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def environment(_: int) -> tuple[str | None, str | None]:
    return os.environ.get("OMP_NUM_THREADS"), os.environ.get("RAY_USAGE_STATS_ENABLED")


@pytest.mark.parametrize("n_items", [0, 1, 25])
def test_every_item_has_one_result(engine: RayEngine, n_items: int) -> None:
    """Mapping gives the results of a loop, in any order, and an engine can be used again."""
    for _ in range(2):
        assert sorted(engine.map(square, range(n_items))) == [i * i for i in range(n_items)]


def test_items_are_taken_as_there_is_room(engine: RayEngine) -> None:
    """Of endless items only a few a worker are taken ahead of the results."""
    taken = count()
    results = engine.map(square, (next(taken) for _ in count()))
    for n_done in range(1, 20):
        next(results)
        assert int(repr(taken)[6:-1]) <= n_done + 4 * engine.workers


def test_an_error_of_the_function_comes_out(engine: RayEngine) -> None:
    """What the function raises is raised as it is, with its hint, and the engine can be used again."""
    with pytest.raises(UsageError, match="three") as caught:
        list(engine.map(fail_at_3, range(6)))
    assert (caught.value.hint, caught.value.exit_code) == ("four", 2)
    assert sorted(engine.map(square, range(4))) == [0, 1, 4, 9]


def test_what_a_killed_worker_did_is_done_again(engine: RayEngine, tmp_path: Path) -> None:
    """A worker that dies loses nothing: its item is worked on by another."""
    assert sorted(engine.map(die_once, [(tmp_path, number) for number in range(6)])) == list(range(6))
    assert (tmp_path / "died").exists()


def test_work_that_always_kills_is_an_error(engine: RayEngine) -> None:
    """An item that kills each worker ends the map after some retries, and says what to look at."""
    with pytest.raises(WorkerError, match="again and again") as caught:
        list(engine.map(die, [1]))
    assert "memory" in str(caught.value.hint)


def test_what_a_worker_cannot_load_is_an_error(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node without tamis, or with another version, is said with what to do."""
    here = types.ModuleType("only_here")
    exec("def work(_): ...", vars(here))  # noqa: S102 (a module that only this process has)
    monkeypatch.setitem(sys.modules, "only_here", here)
    with pytest.raises(WorkerError, match=r"cannot load .* No module named 'only_here'") as caught:
        list(engine.map(here.work, [1]))
    assert "on every node" in str(caught.value.hint)


def test_workers_use_one_thread_each_and_report_nothing(engine: RayEngine) -> None:
    """BLAS has one thread a worker, and Ray tells its makers nothing."""
    assert set(engine.map(environment, range(4))) == {("1", "0")}


def test_a_folder_that_a_worker_does_not_see_is_an_error(nodes: Nodes, tmp_path: Path) -> None:
    """A path that is not there for a worker ends the work before anything is taken for missing data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.jpg").touch()
    with RayEngine(nodes.address, folders=[tmp_path / "data"]) as engine:
        assert list(engine.map(square, [2])) == [4]
    with (
        RayEngine(nodes.address, folders=[tmp_path / "gone"]) as engine,
        pytest.raises(DatasourceError, match=r"does not see what lies in `.*gone`") as caught,
    ):
        list(engine.map(square, [2]))
    assert "share that file system" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda _: None, True),
        (lambda folder: (folder / "1.jpg").unlink(), True),  # files come and go
        (lambda folder: [path.unlink() for path in folder.iterdir()], False),  # a mount that is not mounted
        (
            lambda folder: [path.rename(path.with_suffix(".png")) for path in folder.iterdir()],
            False,
        ),  # another disk
    ],
)
def test_a_folder_is_known_by_its_names(change: Callable[[Path], object], same: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A folder counts as shared while one of the names that the driver saw is in it."""
    for number in range(3):
        (tmp_path / f"{number}.jpg").touch()
    sight = Sight.of(tmp_path)
    change(tmp_path)
    if same:
        sight.require()
    else:
        with pytest.raises(DatasourceError, match="does not see"):
            sight.require()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:6379", "cluster"])
def test_no_cluster_at_an_address_is_an_error(address: str) -> None:
    """An address where nobody answers, or that is none, is said in one message, and soon."""
    pytest.importorskip("ray", reason=NOT_INSTALLED)
    with RayEngine(address) as engine, pytest.raises(WorkerError, match=f"answers at `{address}`") as caught:
        list(engine.map(square, [1]))
    assert caught.value.exit_code == 3


def test_an_address_of_rays_client_is_an_error() -> None:
    """Ray's client is another protocol, whose addresses are refused before anything is asked."""
    with pytest.raises(UsageError, match="Ray's client"):
        RayEngine("ray://somewhere:10001")


def test_other_versions_are_said(monkeypatch: pytest.MonkeyPatch, nodes: Nodes) -> None:
    """A cluster of another version of Ray is an error that names both versions."""
    ray = pytest.importorskip("ray", reason=NOT_INSTALLED)
    monkeypatch.setattr(ray, "__version__", "1.2.3")
    with RayEngine(nodes.address) as engine, pytest.raises(WorkerError, match=r"other versions.*1\.2\.3") as caught:
        list(engine.map(square, [1]))
    assert "same versions" in str(caught.value.hint)


def test_without_ray_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray is not installed, asking for it is a wrong call that says how to install it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with RayEngine() as engine, pytest.raises(UsageError, match="not installed") as caught:
        list(engine.map(square, [1]))
    assert "tamis[ray]" in str(caught.value.hint)
