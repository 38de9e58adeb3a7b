"""`doctor`: is everything there that the work needs, and what to do next."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import tamis
from tamis.api.freshness import changed_since
from tamis.api.options import ScanOptions
from tamis.api.scanning.project import read_project
from tamis.api.sources import open_sources, open_store
from tamis.errors import DatasourceError, TamisError
from tamis.formats import METADATA, PREDICTIONS, TASKS_KEY
from tamis.model import SampleKind, Severity, kind_of_key
from tamis.storage import LocalStore, Store, StoreError, is_url, join_key

if TYPE_CHECKING:
    from tamis.api.sources import Sources

_LIBRARIES = ("msgspec", "numpy", "pyarrow", "duckdb", "obstore", "pillow", "av")
_FOLDERS_LOOKED_INTO = 200
_LIGHTLY = ".lightly"


class Verdict(StrEnum):
    """How one point of the examination came out."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One point.

    Attributes:
        name: what was looked at.
        verdict: how it is.
        detail: what was found.
        hint: what to do, `None` where nothing is.
    """

    name: str
    verdict: Verdict
    detail: str
    hint: str | None = None


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """All points, and the next step.

    Attributes:
        findings: in the order in which they were looked at.
        next_step: a command, or what to mend first.
    """

    findings: tuple[Finding, ...]
    next_step: str


def diagnose(
    source: str | Path, *, lightly: str | Path | None = None, index: str | Path | None = None
) -> Diagnosis:
    """Look at versions, at what can be listed, read and written, and at tasks and schemas.

    Never raises for a datasource in any state: what is wrong is a finding.
    """
    findings = [_versions()]
    try:
        sources = open_sources(source, lightly=lightly, index=index)
    except TamisError as error:
        findings += [_not_opened([source, lightly], error), *_without_listing(lightly or source)]
        return Diagnosis(findings=tuple(findings), next_step="tamis doctor FOLDER")
    findings += [*_samples(sources.input), *_project(sources), *_writing(sources.lightly), *_index(sources)]
    given = [str(source)]
    given += [
        word for name, place in (("--lightly", lightly), ("--index", index)) if place for word in (name, str(place))
    ]
    return Diagnosis(findings=tuple(findings), next_step=_next_step(shlex.join(given), findings))


def _not_opened(places: list[str | Path | None], error: TamisError) -> Finding:
    file = next((Path(place) for place in places if place is not None and Path(place).is_file()), None)
    hint = error.hint if file is None else f"name the folder that it is in: `{file.parent}`"
    return Finding(name="datasource", verdict=Verdict.BAD, detail=error.message, hint=hint)


def _without_listing(lightly: str | Path) -> list[Finding]:
    """Return what else works in a bucket that cannot be listed, where it can be asked at all."""
    try:
        store = open_store(lightly) if is_url(lightly) else None
    except TamisError:
        return []
    return [] if store is None else [_reading(store, TASKS_KEY), *_writing(store)]


def _versions() -> Finding:
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    detail = f"tamis {tamis.__version__}, Python {platform.python_version()}, " + ", ".join(versions)
    return Finding(name="versions", verdict=Verdict.GOOD, detail=detail)


def _first_samples(store: Store) -> tuple[int, str | None, bool]:
    """Return how many images and videos lie in the first folders, one of them, and whether that is all."""
    n, first, pending, seen = 0, None, [""], 0
    while pending and seen < _FOLDERS_LOOKED_INTO:
        folder = pending.pop(0)
        seen += 1
        for page in store.list_folder(folder, stamps=False):
            keys = [join_key(folder, name) for name in page.names if kind_of_key(name) is not None]
            images = [key for key in keys if kind_of_key(key) is SampleKind.IMAGE]
            first = first or next(iter(images or keys), None)
            n += len(keys)
            pending += [join_key(folder, name) for name in sorted(page.folders) if name != _LIGHTLY]
    return n, first, not pending


def _samples(store: Store) -> list[Finding]:
    """Return whether images and videos can be listed and the first of them be read."""
    try:
        n, key, is_all = _first_samples(store)
    except DatasourceError as error:
        hint = error.hint or "ask for the permission to list"
        return [Finding(name="samples", verdict=Verdict.BAD, detail=error.message, hint=hint)]
    if key is None:
        verdict, where = Verdict.BAD if is_all else Verdict.NOTE, "" if is_all else "the first folders of "
        detail = f"no image and no video in {where}`{store.url}`"
        hint = "SRC is the folder of the images; where predictions lie in another one, name that with `--lightly`"
        return [Finding(name="samples", verdict=verdict, detail=detail, hint=hint)]
    many = f"{n:,} images and videos" if n > 1 else "one image or video"
    detail = f"{many}{'' if is_all else ', or more,'} in `{store.url}`"
    return [Finding(name="samples", verdict=Verdict.GOOD, detail=detail), _reading(store, key)]


def _reading(store: Store, key: str) -> Finding:
    try:
        blob = store.read_start(key, 4096)
    except DatasourceError as error:
        hint = error.hint or "ask for the permission to read"
        return Finding(name="read", verdict=Verdict.BAD, detail=error.message, hint=hint)
    return Finding(name="read", verdict=Verdict.GOOD, detail=f"`{key}` ({blob.stamp.size_bytes:,} bytes)")


def _writing(store: Store) -> list[Finding]:
    """Return whether predictions can be written into a bucket: a small object is put there, and removed."""
    if store.local_root is not None:
        return []  # the index lies there, and whether that can be written is a finding of its own
    name = f"{_LIGHTLY}/.tamis-doctor-{secrets.token_hex(4)}"
    try:
        store.write(name, b"")
        store.delete(name)
    except DatasourceError as error:
        hint = error.hint if store.url.startswith("https://") else f"only needed to write predictions: {error.hint}"
        return [Finding(name="write", verdict=Verdict.NOTE, detail=error.message, hint=hint)]
    return [Finding(name="write", verdict=Verdict.GOOD, detail=f"`{store.url}/{_LIGHTLY}`")]


def _project(sources: Sources) -> list[Finding]:
    if not _has_folder(sources.lightly, PREDICTIONS):
        return [
            Finding(
                name="tasks",
                verdict=Verdict.BAD,
                detail=f"there is no folder `{PREDICTIONS}` in `{sources.lightly.url}`",
                hint="name the folder that holds `.lightly` with `--lightly`, or write predictions with "
                "`tamis.PredictionWriter` or `tamis import`; `tamis demo` makes an example",
            )
        ]
    try:
        project = read_project(sources.lightly, ScanOptions())
    except DatasourceError as error:
        return [Finding(name="tasks", verdict=Verdict.BAD, detail=error.message, hint=error.hint)]
    findings = [
        Finding(
            name=f"task {task.name}",
            verdict=Verdict.GOOD,
            detail=f"{task.task_type}, {len(task.categories)} categories",
        )
        for task in project.tasks
    ]
    for problem in project.problems:
        verdict = Verdict.BAD if problem.severity is Severity.ERROR else Verdict.NOTE
        about = "metadata" if (problem.file or "").startswith(f"{METADATA}/") else "tasks"
        name = f"task {problem.task}" if problem.task else about
        detail = f"{problem.file}: {problem.message}" if problem.file != TASKS_KEY else problem.message
        findings.append(Finding(name=name, verdict=verdict, detail=detail, hint=problem.advice))
    return findings


def _has_folder(store: Store, key: str) -> bool:
    """Whether anything is in a folder; where that cannot be said, reading it will."""
    try:
        return any(page.names or page.folders for page in store.list_folder(key, stamps=False))
    except DatasourceError:
        return True


def _index(sources: Sources) -> list[Finding]:
    root = sources.index.root
    try:
        snapshot = sources.index.latest()
    except TamisError as error:
        return [Finding(name="index", verdict=Verdict.BAD, detail=error.message, hint=error.hint)]
    writable = _can_write(root)
    if writable is not None:
        detail = f"`{root}` cannot be written: {writable}"
        hint = "give `--index FOLDER`, a folder that you may write to"
        return [Finding(name="index", verdict=Verdict.BAD, detail=detail, hint=hint)]
    shared = sources.index.shared
    if shared is not None and (snapshot is None or shared.latest() is not None):
        where = f"in `{shared.url}`, mirrored in `{root}`"
    else:
        where = f"in `{root}`" + ("" if sources.index_note is None else " (the datasource cannot be written)")
    if snapshot is None:
        return [Finding(name="index", verdict=Verdict.NOTE, detail=f"none yet; it will be {where}")]
    made = f"made {snapshot.manifest.created}, {where}"
    if snapshot.manifest.source != sources.input.url:
        detail = f"{made}; it is of `{snapshot.manifest.source}`"
        return [
            Finding(name="index", verdict=Verdict.NOTE, detail=detail, hint="scan, or give the SRC that it is of")
        ]
    changed = changed_since(snapshot, sources.lightly)
    if changed is not None:
        detail = f"{made}; `{changed}` changed after that"
        return [Finding(name="index", verdict=Verdict.NOTE, detail=detail)]
    return [Finding(name="index", verdict=Verdict.GOOD, detail=made)]


def _can_write(folder: Path) -> str | None:
    """Write, and remove, a small file where the index goes; return why that fails, or `None`."""
    existing = folder
    while not existing.exists() and existing.parent != existing:
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        return "permission denied"
    store = LocalStore(existing)
    name = f".tamis-doctor-{secrets.token_hex(4)}"
    try:
        store.write(name, b"")
        store.delete(name)
    except StoreError as error:
        return error.message
    return None


def _next_step(given: str, findings: list[Finding]) -> str:
    """Return the command that helps most now; `given` are the arguments that name the places."""
    verdicts = {finding.name: finding.verdict for finding in findings}
    if Verdict.BAD in verdicts.values():
        return f"mend what is bad, then: tamis doctor {given}"
    if verdicts["index"] is Verdict.NOTE:
        return f"tamis scan {given}"
    return f"tamis select {given} --n 50 --diverse"
