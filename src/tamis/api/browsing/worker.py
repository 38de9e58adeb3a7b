"""The process of one job: `python -m tamis.api.browsing.worker FOLDER`."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.api.browsing.jobs import JobOutcome, JobProgress, JobRequest, now
from tamis.api.browsing.values_work import JobKind, JobState
from tamis.api.sources import open_sources
from tamis.errors import TamisError
from tamis.storage import LocalStore, locked

if TYPE_CHECKING:
    from types import FrameType

    from tamis.api.sources import Sources
    from tamis.engine import Progress

_EVERY_SECS = 0.2


class _CancelledError(BaseException):
    """Somebody stopped the job."""


@dataclass(slots=True, eq=False)
class _Reporter:
    """Writes how far the work is, a few times a second."""

    store: LocalStore
    _stage: str = ""
    _began: float = 0.0
    _written: float = 0.0

    def __call__(self, progress: Progress) -> None:
        """Listen to progress."""
        if progress.stage != self._stage:
            self._stage, self._began, self._written = progress.stage, time.time(), 0.0
        if time.monotonic() - self._written < _EVERY_SECS and progress.done != progress.total:
            return
        self._written = time.monotonic()
        value = JobProgress(**progress._asdict(), began=self._began)
        self.store.write("progress.json", msgspec.json.encode(value))


def main(folder: Path) -> None:
    """Do the job of a folder, and say in it how it ended."""
    signal.signal(signal.SIGTERM, _stop)
    store = LocalStore(folder)
    with locked(folder / "lock"):
        store.write("pid", str(os.getpid()).encode())
        try:
            message = _work(folder, store)
            outcome = JobOutcome(state=JobState.DONE, finished=now(), message=message)
        except _CancelledError:
            outcome = JobOutcome(state=JobState.CANCELLED, finished=now(), message="Stopped; what was there stands")
        except TamisError as error:
            outcome = JobOutcome(state=JobState.FAILED, finished=now(), message=error.message, hint=error.hint)
        except Exception:  # noqa: BLE001 (the outermost handler: a bug must end as an outcome, too)
            traceback.print_exc()
            hint = f"`{folder / 'log'}` has the details"
            outcome = JobOutcome(state=JobState.FAILED, finished=now(), message="This is a bug of tamis", hint=hint)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        store.write("outcome.json", msgspec.json.encode(outcome))


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise _CancelledError


def _work(folder: Path, store: LocalStore) -> str:
    """Do the work and return what was done, in words."""
    request = msgspec.json.decode((folder / "request.json").read_bytes(), type=JobRequest)
    sources = open_sources(request.source, lightly=request.lightly, index=request.index)
    listen = _Reporter(store)
    match request.kind:
        case JobKind.SCAN:
            return _scan(sources, request, listen)
        case JobKind.SELECTION:
            from tamis.api.browsing.selecting import work_selection  # noqa: PLC0415 (what a job needs, no more)

            return work_selection(sources, folder, request, listen)
        case JobKind.PLOT:
            from tamis.api.browsing.plotting import work_plot  # noqa: PLC0415 (as above)

            return work_plot(sources, request, listen)
        case JobKind.EMBEDDING:
            from tamis.api.browsing.embedding import work_embedding  # noqa: PLC0415 (as above)

            return work_embedding(sources, listen)
        case JobKind.DUPLICATES:
            from tamis.api.browsing.comparing import work_duplicates  # noqa: PLC0415 (as above)

            return work_duplicates(sources, request, listen)


def _scan(sources: Sources, request: JobRequest, listen: _Reporter) -> str:
    from tamis.api.options import ScanOptions  # noqa: PLC0415 (as above)
    from tamis.api.scanning.scan import scan  # noqa: PLC0415 (as above)

    result = scan(sources, ScanOptions(full=bool(request.details.get("full"))), listen=listen)
    return f"{result.n_units:,} units, {result.n_read:,} read, {result.n_removed:,} gone, {result.seconds:.1f} s"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
