"""Laws of mapping, for every engine. Workers cannot import tests: loky sends these functions by value."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tamis.engine import Engine, InlineEngine, ProcessEngine, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENGINES: dict[str, Callable[[], Engine]] = {"inline": InlineEngine, "processes": lambda: ProcessEngine(2)}


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with ENGINES[request.param]() as made:
        yield made


def square(number: int) -> int:
    return number * number


def fail_at_3(number: int) -> int:
    if number == 3:
        raise ZeroDivisionError("three")
    return number


def die_at_3(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def who(_: int) -> int:
    return os.getpid()


def waiting_signals(_: int) -> list[int]:
    return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, set()))


def sleep_long(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended but was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 (sent by value: nothing imported)
            return file.read().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_until_dead(pids: set[int]) -> None:
    for _ in range(200):
        if not any(map(is_alive, pids)):
            return
        time.sleep(0.05)
    raise AssertionError(f"still alive: {pids}")


@pytest.mark.parametrize("n_items", [0, 1, 2, 25])
def test_every_item_has_one_result(engine: Engine, n_items: int) -> None:
    """Mapping gives the results of a loop, in any order, and an engine can be used again."""
    for _ in range(2):
        assert sorted(engine.map(square, range(n_items))) == [i * i for i in range(n_items)]


def test_items_are_taken_as_there_is_room(engine: Engine) -> None:
    """Of endless items only a few a worker are taken ahead of the results: memory does not grow with the work."""
    taken = count()
    results = engine.map(square, (next(taken) for _ in count()))
    for n_done in range(1, 30):
        next(results)
        n_taken = int(repr(taken)[6:-1])
        assert n_taken <= n_done + 4 * engine.workers


def test_an_error_of_the_function_comes_out(engine: Engine) -> None:
    """What the function raises is raised to the caller as it is, and the engine can be used again."""
    with pytest.raises(ZeroDivisionError, match="three"):
        list(engine.map(fail_at_3, range(6)))
    assert sorted(engine.map(square, range(4))) == [0, 1, 4, 9]


def test_an_error_of_the_items_comes_out(engine: Engine) -> None:
    """What the iterator of items raises is raised to the caller."""

    def items() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(engine.map(square, items()))


def test_a_killed_worker_is_an_error() -> None:
    """A worker that is killed, as by lack of memory, ends the map with an error that says what to try."""
    with pytest.raises(WorkerError) as caught, ProcessEngine(2) as engine:
        list(engine.map(die_at_3, range(8)))
    assert caught.value.exit_code == 3
    assert "fewer `--workers`" in str(caught.value)


def test_workers_work_at_once_and_end() -> None:
    """As many processes as asked for do the work, none of them this one, and none outlives the engine."""
    with ProcessEngine(2) as engine:
        engine.start()
        pids = set(engine.map(who, range(40)))
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids
    wait_until_dead(pids)


def test_nobody_waits_for_work_after_an_error() -> None:
    """Leaving by an error kills the workers instead of waiting for what they do."""
    pids: set[int] = set()

    def give_up() -> None:
        with ProcessEngine(1) as engine:
            pids.update(engine.map(who, [0]))
            results = engine.map(sleep_long, [0.0, 300.0])
            next(results)
            raise LookupError

    with pytest.raises(LookupError):
        give_up()
    wait_until_dead(pids)


def test_every_worker_is_warmed_up_once() -> None:
    """The warm-up runs in the workers before their first item."""

    def warm_up() -> None:
        os.environ["TAMIS_WARM"] = os.environ.get("TAMIS_WARM", "") + "x"

    def warmth(_: int) -> tuple[str, str]:
        return os.environ["TAMIS_WARM"], os.environ["OPENBLAS_NUM_THREADS"]

    with ProcessEngine(1, warm_up=warm_up) as engine:
        assert set(engine.map(warmth, range(3))) == {("x", "1")}
    assert "TAMIS_WARM" not in os.environ


SCRIPT = """
import os, sys, time
from tamis.engine import ProcessEngine
def pid(_): return os.getpid()
def sleep(seconds): time.sleep(seconds); return seconds
with ProcessEngine(2) as engine:
    found = set()
    while len(found) < 2:  # until both are up
        found.update(engine.map(pid, range(20)))
    print(*found, flush=True)
    print(list(engine.map(sleep, [{seconds}] * 2)))
"""


def start(folder: Path, seconds: float) -> tuple[subprocess.Popen[str], set[int]]:
    """Start a script without a `__main__` guard and return it with its workers' ids."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(seconds=seconds))
    process = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, {int(pid) for pid in process.stdout.readline().split()}


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    """Ctrl-C, which the terminal sends to the whole group, ends the script and its workers at once."""
    process, pids = start(tmp_path, seconds=300)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode != 0
    assert complaints.count("KeyboardInterrupt") == 1  # of the parent alone
    wait_until_dead(pids)


def test_workers_never_hear_of_ctrl_c() -> None:
    """They are deaf to it from their first instruction, as what they import would end with a trace; we are not."""
    with ProcessEngine(1) as engine:
        assert list(engine.map(waiting_signals, [0])) == [[signal.SIGINT]]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_workers_of_a_killed_parent_end(tmp_path: Path) -> None:
    """When the parent is killed, its workers end too, whatever they are doing: nothing is left running."""
    process, pids = start(tmp_path, seconds=300)
    process.kill()
    wait_until_dead(pids)
    process.communicate(timeout=30)


def test_scripts_need_no_guard(tmp_path: Path) -> None:
    """A script that uses processes at its top level runs once, and to its end."""
    process, pids = start(tmp_path, seconds=0)
    assert process.stdout is not None
    rest = process.stdout.read()  # what `readline` read ahead, too
    _, complaints = process.communicate(timeout=60)
    assert (rest, complaints, process.returncode) == ("[0, 0]\n", "", 0)
    wait_until_dead(pids)
