"""`doctor`: is everything there that the work needs, and what to do next."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

import tamis
from tamis.api.options import ScanOptions
from tamis.api.scanning.project import read_project
from tamis.api.sources import open_sources
from tamis.errors import TamisError
from tamis.formats import TASKS_KEY
from tamis.model import SampleKind, Severity, kind_of_key
from tamis.storage import LocalStore, Store, StoreError, join_key

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.sources import Sources

_LIBRARIES = ("msgspec", "numpy", "pyarrow", "duckdb", "pillow", "av")
_FOLDERS_LOOKED_INTO = 200


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
        findings.append(Finding(name="datasource", verdict=Verdict.BAD, detail=error.message, hint=error.hint))
        return Diagnosis(findings=tuple(findings), next_step="mend the path")
    findings += [_listing(sources.input), _reading(sources.input), *_project(sources), _index(sources)]
    return Diagnosis(findings=tuple(findings), next_step=_next_step(sources, source, findings))


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
            pending += [join_key(folder, name) for name in sorted(page.folders) if name != ".lightly"]
    return n, first, not pending


def _listing(store: Store) -> Finding:
    try:
        n, _, is_all = _first_samples(store)
    except StoreError as error:
        return Finding(
            name="list", verdict=Verdict.BAD, detail=error.message, hint="ask for the permission to list"
        )
    more = "" if is_all else " or more"
    if not n:
        return Finding(
            name="list",
            verdict=Verdict.NOTE if not is_all else Verdict.BAD,
            detail=f"no image and no video below `{store.url}`",
            hint="SRC is the folder that sample keys are relative to; `.lightly` may lie elsewhere: `--lightly`",
        )
    return Finding(name="list", verdict=Verdict.GOOD, detail=f"{n:,}{more} images and videos below `{store.url}`")


def _reading(store: Store) -> Finding:
    try:
        _, key, _ = _first_samples(store)
        if key is None:
            return Finding(name="read", verdict=Verdict.NOTE, detail="nothing to read")
        blob = store.read_start(key, 4096)
    except StoreError as error:
        return Finding(
            name="read", verdict=Verdict.BAD, detail=error.message, hint="ask for the permission to read"
        )
    return Finding(name="read", verdict=Verdict.GOOD, detail=f"`{key}` ({blob.stamp.size_bytes:,} bytes)")


def _project(sources: Sources) -> list[Finding]:
    try:
        project = read_project(sources.lightly, ScanOptions())
    except StoreError as error:
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
        name = f"task {problem.task}" if problem.task else "tasks"
        detail = f"{problem.file}: {problem.message}" if problem.file != TASKS_KEY else problem.message
        findings.append(Finding(name=name, verdict=verdict, detail=detail, hint=problem.advice))
    return findings


def _index(sources: Sources) -> Finding:
    root = sources.index.root
    try:
        snapshot = sources.index.latest()
    except TamisError as error:
        return Finding(name="index", verdict=Verdict.BAD, detail=error.message, hint=error.hint)
    writable = _can_write(root)
    if writable is not None:
        return Finding(
            name="index",
            verdict=Verdict.BAD,
            detail=f"`{root}` cannot be written: {writable}",
            hint="give `--index FOLDER`, a folder that you may write to",
        )
    where = f"in `{root}`" + ("" if sources.index_note is None else " (the datasource cannot be written)")
    if snapshot is None:
        return Finding(name="index", verdict=Verdict.NOTE, detail=f"none yet; it will be {where}")
    return Finding(name="index", verdict=Verdict.GOOD, detail=f"of {snapshot.manifest.created}, {where}")


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


def _next_step(sources: Sources, source: str | Path, findings: list[Finding]) -> str:
    if any(finding.verdict is Verdict.BAD for finding in findings):
        return "mend what is marked as bad"
    if sources.index.latest() is None:
        return f"tamis scan {source}"
    return f"tamis select {source} --n 50 --diverse"
