"""Which engine a call works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tamis.api.options import ScanOptions
from tamis.engine import EngineName, InlineEngine, ProcessEngine
from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tamis.engine import Engine
    from tamis.engine.ray_engine import RayEngine
    from tamis.storage import Store


class EngineOptions(Protocol):
    """The options of a call that say where it works."""

    @property
    def engine(self) -> str:
        """A name of `EngineName`."""

    @property
    def ray_address(self) -> str | None:
        """Of a Ray cluster."""


class WorkerOptions(EngineOptions, Protocol):
    """Likewise, and how many workers there are."""

    @property
    def workers(self) -> int | None:
        """`None` is one for each processor."""


def on_ray(options: EngineOptions) -> bool:
    """Return whether a call works on Ray.

    Raises:
        UsageError: when there is no such engine, or an address is given to one that has none.
    """
    if options.engine not in list(EngineName):
        raise UsageError(f"There is no engine `{options.engine}`", hint=f"engines: {', '.join(EngineName)}")
    if options.ray_address is not None and options.engine != EngineName.RAY:
        raise UsageError("The address of a Ray cluster is for the engine `ray`", hint="give `--engine ray`, too")
    return options.engine == EngineName.RAY


def open_engine(
    options: WorkerOptions,
    places: Sequence[Store | Path | None],
    *,
    n_jobs: int | None = None,
    warm_up: Callable[[], None] | None = None,
) -> Engine:
    """Return the engine that a call asks for.

    Args:
        options: of the call.
        places: what the workers read and write: on Ray, paths among them must be seen by every machine.
        n_jobs: how much there is to do, `None` where that is not known yet.
        warm_up: called once in each local worker process, to import what the work needs.

    Raises:
        UsageError: when there is no such engine, or an address is given to one that has none.
    """
    if on_ray(options):
        return open_ray(options, places, workers=options.workers)
    n_workers = ScanOptions(workers=options.workers).n_workers
    if n_jobs is None:
        return ProcessEngine(n_workers, warm_up=warm_up)
    return local_engine(min(n_workers, n_jobs), warm_up=warm_up)


def local_engine(n_workers: int, *, warm_up: Callable[[], None] | None = None) -> Engine:
    """Return so many processes of this machine, or this process where one worker is enough."""
    return ProcessEngine(n_workers, warm_up=warm_up) if n_workers > 1 else InlineEngine()


def open_ray(
    options: EngineOptions, places: Sequence[Store | Path | None] = (), *, workers: int | None = None
) -> RayEngine:
    """Return an engine on Ray, which connects when there is something to do; arguments as for `open_engine`."""
    from tamis.engine.ray_engine import RayEngine  # noqa: PLC0415 (for those who ask for it)

    paths = [place if isinstance(place, Path) else place.local_root for place in places if place is not None]
    folders = list(dict.fromkeys(path for path in paths if path is not None))
    return RayEngine(options.ray_address, workers=workers, folders=folders)
