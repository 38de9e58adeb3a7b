"""Everything that a server of one datasource holds, put together: nothing is global."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tamis.api.browsing.browser import Browser
from tamis.api.browsing.disk_cache import DiskCache
from tamis.api.browsing.jobs import Jobs
from tamis.api.browsing.lists import NamedLists
from tamis.api.browsing.pictures import Pictures
from tamis.api.browsing.selections import Selections
from tamis.api.browsing.values_work import JobKind, JobState
from tamis.api.frame_readers import FrameReaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.api.browsing.values import Status
    from tamis.api.browsing.values_work import Job
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a datasource is served.

    Attributes:
        follow_links: whether pictures and files may be shown that lie elsewhere, by links of the datasource.
        picture_cache_bytes: what the thumbnails on disk may take.
    """

    follow_links: bool = False
    picture_cache_bytes: int = 2 << 30


@dataclass(slots=True, eq=False)
class Project:
    """A datasource that is looked at. `start` it, and `close` it at the end.

    Args:
        sources: the places of the project.
        options: how it is served.
    """

    sources: Sources
    options: ServeOptions = ServeOptions()
    browser: Browser = field(init=False)
    pictures: Pictures = field(init=False)
    jobs: Jobs = field(init=False)
    selections: Selections = field(init=False)
    _listeners: list[Callable[[str, msgspec.Struct], None]] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        cache = DiskCache(self.sources.index.root / "pictures", self.options.picture_cache_bytes)
        self.pictures = Pictures(self.sources.input, cache, FrameReaders(), follow_links=self.options.follow_links)
        self.jobs = Jobs(self.sources, self._job_changed)
        self.selections = Selections(self.jobs)
        self.browser = Browser(self.sources, NamedLists(self.sources, self.selections), self._status_changed)

    def start(self) -> None:
        """Open the index and watch the jobs, in threads."""
        self.browser.start()
        self.jobs.start_watching()

    def close(self) -> None:
        """End the threads; workers go on."""
        self.jobs.close()
        self.browser.close()

    @property
    def view(self) -> View:
        """What is looked at; raises `IndexMissingError` when there is nothing (yet)."""
        return self.browser.view

    def status(self) -> Status:
        """Say what is at hand, and whether a scan is running."""
        scan = self.jobs.running(JobKind.SCAN)
        return msgspec.structs.replace(self.browser.status(), job=None if scan is None else scan.id)

    def listen(self, listener: Callable[[str, msgspec.Struct], None]) -> Callable[[], None]:
        """Tell somebody of every new status and every step of a job, from other threads; returns what ends it."""
        with self._turn:
            self._listeners.append(listener)

        def stop() -> None:
            with self._turn:
                self._listeners.remove(listener)

        return stop

    def _tell(self, name: str, value: msgspec.Struct) -> None:
        with self._turn:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(name, value)

    def _status_changed(self) -> None:
        self._tell("status", self.status())

    def _job_changed(self, job: Job) -> None:
        self._tell("job", job)
        if job.kind is JobKind.SCAN:
            if job.state is JobState.DONE:
                self.browser.look_again()
            self._status_changed()
