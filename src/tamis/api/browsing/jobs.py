"""Jobs: work in processes of their own, which a restart of the server does not touch.

Everything about a job is in files of its folder, `jobs/<id>/` in the folder of the index:
```
request.json    what to do; written by the server
lock            held by the worker as long as it lives
pid             of the worker
progress.json   how far it is, replaced as it goes on
outcome.json    how it ended; the last thing that is written
log             what the worker said on stderr
out/            its results
```
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tamis.api.browsing.pages import NoSampleError
from tamis.api.browsing.values_work import Job, JobKind, JobState
from tamis.errors import DatasourceError, UsageError
from tamis.storage import LocalStore, is_free

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tamis.api.sources import Sources

Kind = TypeVar("Kind")

_POLL_SECS = 0.25
_STARTING_SECS = 15.0  # a worker takes its lock within that, or never lived
_TERM_SECS = 5.0
_KEPT = 30  # finished jobs; selections stay until somebody deletes them


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to do.

    Attributes:
        kind: which work.
        title: in words.
        created: ISO 8601.
        source: the input datasource.
        lightly: the lightly datasource.
        index: folder of the index; `None` where it is a mirror of one in a bucket.
        details: what the work needs to know, of its own kind.
    """

    kind: JobKind
    title: str
    created: str
    source: str
    lightly: str
    index: str | None
    details: dict[str, Any] = {}


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a worker is; `began` is when the stage began, in seconds since 1970."""

    stage: str
    done: int
    total: int | None
    unit: str
    note: str
    began: float


class JobOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended."""

    state: JobState
    finished: str
    message: str | None = None
    hint: str | None = None


def now() -> str:
    """Return the time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(slots=True, eq=False)
class Jobs:
    """The jobs of one index.

    Args:
        sources: the places of the project.
        changed: called with a job whenever it is further than before.
    """

    sources: Sources
    changed: Callable[[Job], None] = lambda _: None
    _children: dict[str, threading.Thread] = field(
        default_factory=dict
    )  # each waits for the worker that it started
    _seen: dict[str, Job] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root(self) -> Path:
        """Folder of all jobs."""
        return self.sources.index.root / "jobs"

    def folder(self, job_id: str) -> Path:
        """Return the folder of a job.

        Raises:
            NoSampleError: when there is no such job.
        """
        folder = self.root / job_id
        if not job_id.replace("-", "").isalnum() or not job_id.isascii() or not (folder / "request.json").is_file():
            raise NoSampleError(f"There is no job `{job_id}`")
        return folder

    def start(
        self, kind: JobKind, title: str, details: dict[str, Any], files: dict[str, bytes] | None = None
    ) -> Job:
        """Start a worker.

        Args:
            kind: which work.
            title: in words.
            details: what the work needs to know.
            files: more files for the job's folder.

        Raises:
            DatasourceError: when the job cannot be written or started.
        """
        job_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        folder = self.root / job_id
        request = JobRequest(
            kind=kind,
            title=title,
            created=now(),
            source=self.sources.input.url,
            lightly=self.sources.lightly.url,
            index=None if self.sources.index.shared is not None else str(self.sources.index.root),
            details=details,
        )
        try:
            folder.mkdir(parents=True)
            store = LocalStore(folder)
            for name, data in (files or {}).items():
                store.write(name, data)
            store.write("request.json", msgspec.json.encode(request))
            self._children[job_id] = _spawn(folder)
        except OSError as error:
            raise DatasourceError(f"The job cannot be started: {(error.strerror or str(error)).lower()}") from None
        job = self.job(job_id)
        self.changed(job)
        return job

    def start_once(self, kind: JobKind, title: str, details: dict[str, Any], *, per: str | None = None) -> Job:
        """Start a worker, or return the one of that kind that runs, whatever it was asked for.

        Args:
            kind: which work.
            title: in words.
            details: what the work needs to know.
            per: a detail each value of which may have a worker of its own.

        Raises:
            DatasourceError: when the job cannot be written or started.
        """
        with self._starting:  # two windows may ask at the same moment
            wanted = {} if per is None else {per: details[per]}
            return self.running(kind, **wanted) or self.start(kind, title, details)

    def job(self, job_id: str) -> Job:
        """Say how far a job is.

        Raises:
            NoSampleError: when there is no such job.
        """
        folder = self.folder(job_id)
        request = self.request(job_id)
        outcome = _read(folder / "outcome.json", JobOutcome)
        progress = _read(folder / "progress.json", JobProgress)
        if outcome is None and not self._lives(job_id, folder):
            # It may have ended between the two looks.
            outcome = _read(folder / "outcome.json", JobOutcome) or JobOutcome(
                state=JobState.INTERRUPTED,
                finished=now(),
                message="Its process was killed before it ended",
                hint="start it again; often there was not enough memory",
            )
        job = Job(
            id=job_id, kind=request.kind, title=request.title, state=JobState.RUNNING, created=request.created
        )
        if progress is not None:
            job = msgspec.structs.replace(job, **_speed(progress, running=outcome is None))
        if outcome is not None:
            job = msgspec.structs.replace(
                job, state=outcome.state, finished=outcome.finished, message=outcome.message, hint=outcome.hint
            )
        return job

    def request(self, job_id: str) -> JobRequest:
        """Return what a job was asked to do.

        Raises:
            NoSampleError: when there is no such job, or what it says is damaged.
        """
        request = _read(self.folder(job_id) / "request.json", JobRequest)
        if request is None:
            raise NoSampleError(f"What job `{job_id}` was to do cannot be read")
        return request

    def all(self, kind: JobKind | None = None) -> list[Job]:
        """Return the jobs, the newest first."""
        try:
            names = sorted((path.name for path in self.root.iterdir() if path.is_dir()), reverse=True)
        except OSError:
            return []
        jobs = []
        for name in names:
            with suppress(NoSampleError):
                job = self.job(name)
                if kind is None or job.kind is kind:
                    jobs.append(job)
        return jobs

    def running(self, kind: JobKind, **details: object) -> Job | None:
        """Return a job of a kind that is running: any, or one that has these details."""
        for job in self.all(kind):
            if job.state is JobState.RUNNING and details.items() <= self.request(job.id).details.items():
                return job
        return None

    def cancel(self, job_id: str) -> Job:
        """Stop a job; what was there before it stands.

        Raises:
            NoSampleError: when there is no such job.
        """
        folder = self.folder(job_id)
        if self.job(job_id).state is JobState.RUNNING:
            _send(folder, signal.SIGTERM)
            deadline = time.monotonic() + _TERM_SECS
            while self.job(job_id).state is JobState.RUNNING and time.monotonic() < deadline:
                time.sleep(0.05)
            if self.job(job_id).state is JobState.RUNNING:
                _send(folder, signal.SIGKILL)
                outcome = JobOutcome(state=JobState.CANCELLED, finished=now())
                LocalStore(folder).write("outcome.json", msgspec.json.encode(outcome))
        job = self.job(job_id)
        self.changed(job)
        return job

    def delete(self, job_id: str) -> None:
        """Remove a job that has ended, and its results.

        Raises:
            NoSampleError: when there is no such job.
            UsageError: when it runs.
        """
        folder = self.folder(job_id)
        if self.job(job_id).state is JobState.RUNNING:
            raise UsageError("The job is running", hint="cancel it first")
        shutil.rmtree(folder, ignore_errors=True)
        self._seen.pop(job_id, None)

    def start_watching(self) -> None:
        """Tell `changed` of what workers do, in a thread of its own."""
        self._clean_up()
        self._thread = threading.Thread(target=self._watch, name="tamis-jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; workers go on."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        ended = {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED}
        while not self._ended.wait(_POLL_SECS):
            with suppress(OSError):
                for name in [path.name for path in self.root.iterdir()]:
                    if name in self._seen and self._seen[name].state in ended:
                        continue
                    with suppress(NoSampleError):
                        job = self.job(name)
                        if job != self._seen.get(name):
                            was_known = name in self._seen
                            self._seen[name] = job
                            if was_known or job.state is JobState.RUNNING or job.id in self._children:
                                self.changed(job)

    def _lives(self, job_id: str, folder: Path) -> bool:
        child = self._children.get(job_id)
        if child is not None and child.is_alive():
            return True
        if (folder / "lock").exists():
            return not is_free(folder / "lock")
        age = time.time() - (folder / "request.json").stat().st_mtime
        return child is None and age < _STARTING_SECS

    def _clean_up(self) -> None:
        """Remove all but the last finished jobs, and no selection."""
        old = [job for job in self.all() if job.kind is not JobKind.SELECTION and job.state is not JobState.RUNNING]
        for job in old[_KEPT:]:
            shutil.rmtree(self.root / job.id, ignore_errors=True)


def _spawn(folder: Path) -> threading.Thread:
    """Start a worker in a session of its own: Ctrl-C in the server's terminal does not reach it.

    Returns:
        A thread that ends with the worker.
    """
    with (folder / "log").open("wb") as log:
        worker = subprocess.Popen(  # noqa: S603 (this Python, and a folder of our own)
            [sys.executable, "-P", "-m", "tamis.api.browsing.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
        )
    waiting = threading.Thread(target=worker.wait, name="tamis-worker", daemon=True)
    waiting.start()
    return waiting


def _send(folder: Path, number: signal.Signals) -> None:
    """Send a signal to the worker of a job, if it lives: then its number is that of no other process."""
    with suppress(OSError, ValueError):
        if not is_free(folder / "lock"):
            os.kill(int((folder / "pid").read_text("ascii")), number)


def _speed(progress: JobProgress, *, running: bool) -> dict[str, Any]:
    elapsed = time.time() - progress.began
    per_sec = progress.done / elapsed if running and elapsed > 0 and progress.done else None
    eta = (progress.total - progress.done) / per_sec if per_sec and progress.total is not None else None
    return {
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
        "note": progress.note,
        "per_sec": None if per_sec is None else round(per_sec, 1),
        "eta_secs": None if eta is None else round(eta, 1),
    }


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
