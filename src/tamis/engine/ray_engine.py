"""Work spread over the machines of a Ray cluster.

A task whose worker or node dies is run again elsewhere by Ray, so what is mapped must be idempotent: a second run
leads to the same, also while the first is not quite dead.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tamis.engine.ray_holders import RayHolders
from tamis.engine.ray_session import RaySession, plain_errors
from tamis.errors import DatasourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from tamis.engine.base import Item, Result

_IN_FLIGHT_PER_WORKER = 3  # more than there are processors: an autoscaler adds nodes for what waits
_RETRIES = 5
_LOOKS = 16


class RayEngine:
    """Tasks of a Ray cluster, which is asked for when there is something to do.

    Args:
        address: of the cluster, see `RaySession`.
        workers: how many items are worked on at once; `None` is as many as the cluster has processors.
        folders: paths that the work reads or writes. They must lie on a file system that all machines share; a
            worker that does not see one ends the work with an error instead of finding nothing there.
    """

    def __init__(
        self, address: str | None = None, *, workers: int | None = None, folders: Sequence[Path] = ()
    ) -> None:
        self._session = RaySession(address, workers)
        self._workers = workers
        self._folders = folders
        self._holders: list[RayHolders] = []

    @property
    def workers(self) -> int:
        """How many items are worked on at once; grows with the cluster."""
        return self._workers or self._session.n_cpus

    def start(self) -> None:
        """Do nothing: a cluster is there, or not."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results as they come; at most a few items a worker are in flight."""
        source = iter(items)
        if (first := list(islice(source, 1))) == []:
            return
        ray = self._session.ray
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_work)
        shared = ray.put((function, self._sights()))
        pending: list[Any] = []
        try:
            while True:
                room = self.workers * _IN_FLIGHT_PER_WORKER - len(pending)
                some = [*first, *islice(source, max(room - len(first), 0))]
                pending += [task.remote(shared, item) for item in some]
                first = []
                if not pending:
                    return
                with plain_errors(ray):
                    done, pending = ray.wait(pending, num_returns=1)
                    results = ray.get(done)
                yield from results
        finally:
            for left in pending:
                ray.cancel(left, force=True)

    def hold(self, make: Callable[[Any], Callable[[Any], Any]], arguments: Iterable[Any]) -> RayHolders:
        """Let workers make something of each argument and keep it until the engine ends, see `RayHolders`."""
        holders = RayHolders(self._session.ray, make, arguments)
        self._holders.append(holders)
        return holders

    def _sights(self) -> tuple[Sight, ...]:
        return tuple(Sight.of(folder) for folder in self._folders)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for holders in self._holders:
            holders.close()
        self._holders.clear()
        self._session.close()


@dataclass(frozen=True, slots=True)
class Sight:
    """What this machine sees at a path, so that another one can tell whether it sees the same.

    Attributes:
        path: absolute.
        names: some of what lies in it, where it is a folder.
    """

    path: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> Sight:
        """Look at a path."""
        path = path.absolute()
        if not path.is_dir():
            return cls(str(path))
        with os.scandir(path) as entries:
            return cls(str(path), tuple(entry.name for entry in islice(entries, _LOOKS)))

    def require(self) -> None:
        """See that this machine has the same.

        Raises:
            DatasourceError: when it has not.
        """
        path = Path(self.path)
        # One of the names is enough: files come and go.
        same = any(os.path.lexists(path / name) for name in self.names) if self.names else path.exists()
        if not same:
            raise DatasourceError(
                f"The machine `{socket.gethostname()}` of the cluster does not see what lies in `{path}`",
                hint="a path serves a cluster only where all its machines share that file system (NFS, EFS, "
                "Filestore, ...): mount it on each at the same place, or use a bucket",
            )


_seen: set[Sight] = set()


def _work(shared: tuple[Callable[[Item], Result], tuple[Sight, ...]], item: Item) -> Result:
    """Do one item in a worker, once it is sure that the worker sees the files."""
    function, sights = shared
    for sight in sights:
        if sight not in _seen:
            sight.require()
            _seen.add(sight)
    return function(item)
