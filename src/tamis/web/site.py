"""What handlers are given: the project, and how many of them may work at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import msgspec

    from tamis.api.browsing.project import Project
    from tamis.web.routing import Endpoint

# More threads than processors only take the interpreter from each other; pictures and queries may wait for files.
_AT_ONCE = {"pictures": 8, "slow": 4, "pages": 3}
_PICTURES = frozenset({"/api/picture", "/api/crop", "/api/masks"})
_SLOW = frozenset(
    {
        "/api/sql",
        "/api/selection/export",
        "/api/job/cancel",
        "/api/overview",
        "/api/columns",
        "/api/embeddings",
    }
)


@dataclass(slots=True, eq=False)
class Site:
    """One served project."""

    project: Project
    _limiters: dict[str, anyio.CapacityLimiter] = field(default_factory=dict)
    _streams: set[asyncio.Queue[tuple[str, msgspec.Struct] | None]] = field(default_factory=set)

    def limiter(self, endpoint: Endpoint) -> anyio.CapacityLimiter:
        """Return what limits the threads of an endpoint: slow ones must not keep pages waiting."""
        kind = "pictures" if endpoint.path in _PICTURES else "slow" if endpoint.path in _SLOW else "pages"
        if kind not in self._limiters:
            self._limiters[kind] = anyio.CapacityLimiter(_AT_ONCE[kind])
        return self._limiters[kind]

    async def events(self) -> AsyncIterator[tuple[str, msgspec.Struct]]:
        """Yield the status, the running jobs, and then every change, until the server ends."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[str, msgspec.Struct] | None] = asyncio.Queue()

        def listener(name: str, value: msgspec.Struct) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, (name, value))

        stop: Callable[[], None] = self.project.listen(listener)
        self._streams.add(queue)
        try:
            yield "status", await anyio.to_thread.run_sync(self.project.status)
            for job in await anyio.to_thread.run_sync(self.project.jobs.all):
                yield "job", job
            while (event := await queue.get()) is not None:
                yield event
        finally:
            stop()
            self._streams.discard(queue)

    def end_streams(self) -> None:
        """End all streams: a server that waits for them would never end."""
        for queue in self._streams:
            queue.put_nowait(None)
