"""Work spread over processes of this machine (threads would wait for each other: decoding holds the GIL).

loky rather than `concurrent.futures`: its workers never import the caller's `__main__`, so that notebooks and
scripts without a `__main__` guard work, and a worker that is killed is an error instead of a hang.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Self

from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool

from tamis.engine.base import Item, Result, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

# One BLAS thread a worker: the workers themselves are the parallelism.
_WORKER_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_IN_FLIGHT_PER_WORKER = 3
_PARENT_CHECK_SECS = 1.0


class ProcessEngine:
    """Worker processes, started by the first item or by `start`, so that imports overlap with other work.

    Args:
        workers: number of processes, >= 1.
        warm_up: called once in each worker before its first item, e.g. to import what the work needs.
    """

    def __init__(self, workers: int, *, warm_up: Callable[[], None] | None = None) -> None:
        self.workers = workers
        self._pool = ProcessPoolExecutor(
            max_workers=workers, initializer=_start, initargs=(os.getpid(), warm_up), env=_WORKER_ENVIRONMENT
        )

    def start(self) -> None:
        """Start the processes before there is anything to do."""
        with _unreachable():
            self._pool.submit(_nothing)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results as they come; at most a few items a worker are in flight."""
        source = iter(items)
        pending: set[Future[Any]] = set()
        try:
            while True:
                room = self.workers * _IN_FLIGHT_PER_WORKER - len(pending)
                for item in islice(source, room):
                    with _unreachable():
                        pending.add(self._pool.submit(function, item))
                if not pending:
                    return
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError(
                "A worker process was killed before it finished",
                hint="often there is not enough memory: try again with fewer `--workers`",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error or Ctrl-C nobody waits for work whose result nobody will take.
        self._pool.shutdown(wait=True, kill_workers=kind is not None)


@contextmanager
def _unreachable() -> Iterator[None]:
    """Let started processes inherit that Ctrl-C waits: while they import, it would end them with a trace."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it is started with the first worker, and then lets Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(parent: int, warm_up: Callable[[], None] | None) -> None:
    # Ctrl-C reaches the whole process group; the parent alone decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if warm_up is not None:
        warm_up()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a parent that was killed cannot end its workers."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECS)
    os._exit(1)


def _nothing() -> None:
    return None
