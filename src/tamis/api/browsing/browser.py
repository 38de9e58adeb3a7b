"""A datasource while people look at it: the newest snapshot, opened in the background, and how far that is."""

from __future__ import annotations

import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

import tamis
from tamis.api.browsing.overview import show_overview
from tamis.api.browsing.values import IndexState, Status
from tamis.api.browsing.view import View
from tamis.api.freshness import changed_since
from tamis.errors import DatasourceError, IndexMissingError, TamisError
from tamis.index import build_tables, forget_tables, open_tables
from tamis.storage import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.api.browsing.filters import Lists
    from tamis.api.sources import Sources
    from tamis.index import SampleTable, Snapshot

_GONE = "The index is gone"
_WATCH_SECS = 2.0
_STALE_EVERY = 5  # of these


@dataclass(slots=True, eq=False)
class Browser:
    """Opens snapshots as scans make them. `start` it, ask for its `view`, `close` it.

    Args:
        sources: the places of the project.
        lists: where lists of samples are found that filters name.
        changed: called whenever the status may be another one.
    """

    sources: Sources
    lists: Lists
    changed: Callable[[], None] = lambda: None
    _view: View | None = None
    _state: IndexState = IndexState.LOADING
    _message: str | None = "Opening the index"
    _hint: str | None = None
    _stale: str | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _look: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _failed: str | None = None  # id of a snapshot that could not be opened

    def start(self) -> None:
        """Open the newest snapshot, and every one after it, in a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="tamis-index", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking for snapshots."""
        self._ended.set()
        self._look.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        if self._view is not None:
            self._view.close()

    def look_again(self) -> None:
        """Look for a newer snapshot now."""
        if self.sources.index.shared is not None:
            self.sources.index.shared.forget()
        self._look.set()

    @property
    def view(self) -> View:
        """What is looked at.

        Raises:
            IndexMissingError: when there is nothing to look at (yet).
        """
        view = self._view
        if view is None:
            raise IndexMissingError(self._message or "There is no index yet", hint=self._hint)
        return view

    def is_gone(self) -> bool:
        """Whether files of what is looked at are there no longer."""
        return self._view is not None and bool(self._view.snapshot.missing_files())

    def status(self) -> Status:
        """Say what is at hand."""
        view = self._view
        return Status(
            version=tamis.__version__,
            source=self.sources.input.url,
            lightly=self.sources.lightly.url,
            index=str(self.sources.index.root),
            state=self._state,
            snapshot=None if view is None else view.snapshot.id,
            scanned=None if view is None else view.snapshot.manifest.created,
            samples=0 if view is None else len(view.samples),
            stale=self._stale,
            message=self._message,
            hint=self._hint,
        )

    def _watch(self) -> None:
        turns = 0
        while not self._ended.is_set():
            self._look.clear()
            try:
                self._open_latest()
                if turns % _STALE_EVERY == 0 and self._state is IndexState.READY:
                    self._see_changes()
            except Exception:  # noqa: BLE001 (the outermost handler of this thread, which must go on)
                if self.is_gone():
                    self._say(IndexState.BROKEN, _GONE, "scan again")
                else:
                    traceback.print_exc()
                    self._say(IndexState.BROKEN, "This is a bug of tamis", "the terminal has the details")
            turns += 1
            self._look.wait(_WATCH_SECS)

    def _open_latest(self) -> None:
        try:
            snapshot = self.sources.index.latest()
        except UnavailableError as error:  # a bucket: what was fetched of its index is still shown
            if self._view is None:
                self._say(IndexState.BROKEN, error.message, error.hint)
            return
        except (TamisError, OSError) as error:
            hint = error.hint if isinstance(error, TamisError) else None
            self._say(IndexState.BROKEN, str(getattr(error, "message", error)), hint or "scan again")
            return
        if snapshot is None:
            if self._view is not None:
                self._say(IndexState.BROKEN, _GONE, "scan again")
            else:
                self._say(IndexState.MISSING, "This datasource was not scanned yet", "scan it")
            return
        if self._view is not None and self._view.snapshot.id == snapshot.id and self._view.tasks is not None:
            self._say(IndexState.READY, None, None)
        elif snapshot.id != self._failed:
            self._open(snapshot)

    def _open(self, snapshot: Snapshot) -> None:
        try:
            if self._show_made(snapshot):
                return
            build_tables(
                snapshot,
                ready=lambda samples: self._show_samples(snapshot, samples),
                listen=lambda task, done, total: self._say_reading(
                    f"Reading the predictions of `{task}` ({done + 1} of {total} tasks)"
                ),
            )
            if not self._show(snapshot):
                raise DatasourceError("What the page reads is gone as soon as it is written")
        except (TamisError, OSError, ValueError) as error:
            self._failed = snapshot.id
            hint = getattr(error, "hint", None) or "scan again with `tamis scan --full`"
            self._say(IndexState.BROKEN, str(getattr(error, "message", error)), hint)

    def _show_made(self, snapshot: Snapshot) -> bool:
        """Look at a snapshot whose arrays were made before, unless they are damaged: then they are made anew."""
        try:
            return self._show(snapshot)
        except (OSError, ValueError, msgspec.MsgspecError):
            forget_tables(snapshot)
            return False

    def _show(self, snapshot: Snapshot) -> bool:
        """Look at a snapshot whose arrays are there."""
        tables = open_tables(snapshot)
        if tables is None:
            return False
        samples, tasks, problems = tables
        view = View(snapshot, samples, self.lists, tasks, problems)
        self._view = view
        self._stale = None
        self._say(IndexState.READY, None, None)
        with suppress(TamisError, OSError, ValueError):
            show_overview(view)  # so that the first who looks need not wait
            view.columns.infos()
        return True

    def _show_samples(self, snapshot: Snapshot, samples: SampleTable) -> None:
        """Look at the samples alone, unless an older snapshot is whole."""
        if self._view is None:
            self._view = View(snapshot, samples, self.lists)
            self._say_reading("Reading the predictions")

    def _say_reading(self, message: str) -> None:
        """Say how far reading is. An older snapshot that is whole answers until the newer one does."""
        is_whole = self._view is not None and self._view.tasks is not None
        self._say(IndexState.READY if is_whole else IndexState.LOADING, message, None)

    def _see_changes(self) -> None:
        view = self._view
        stale = None if view is None else changed_since(view.snapshot, self.sources.lightly)
        if stale != self._stale:
            self._stale = stale
            self.changed()

    def _say(self, state: IndexState, message: str | None, hint: str | None) -> None:
        if (state, message, hint) != (self._state, self._message, self._hint):
            self._state, self._message, self._hint = state, message, hint
            self.changed()
