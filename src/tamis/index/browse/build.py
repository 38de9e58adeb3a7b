"""Where the arrays of a snapshot lie, and making them: `browse/<snapshot>/` in the folder of the index.

A folder is put in place whole by its renaming, so one that is there is complete. They can be deleted at any time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import DatasourceError
from tamis.index.browse.build_task import build_task
from tamis.index.browse.owners import Owners
from tamis.index.browse.predictions import TaskRows, open_task
from tamis.index.browse.problems import ProblemRows, build_problems, open_problems
from tamis.index.browse.samples import SampleTable, build_samples, open_samples
from tamis.index.samples import SampleColumns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.index.snapshot import Snapshot

_FOLDER = "browse"
_FORMAT = 1
_KEPT = 2  # that of the last snapshot may still be looked at


def open_tables(snapshot: Snapshot) -> tuple[SampleTable, dict[str, TaskRows], ProblemRows] | None:
    """Map the arrays of a snapshot; `None` where they were not made yet.

    Raises:
        OSError: when they vanish meanwhile.
        ValueError: when they are damaged.
    """
    folder = _place(snapshot)
    if not folder.is_dir():
        return None
    tasks = {task.name: open_task(task, folder / f"task-{i}") for i, task in enumerate(snapshot.tasks)}
    return open_samples(folder), tasks, open_problems(folder)


def build_tables(
    snapshot: Snapshot, *, ready: Callable[[SampleTable], None], listen: Callable[[str, int, int], None]
) -> None:
    """Make the arrays of a snapshot.

    Args:
        snapshot: of the index.
        ready: given the samples as soon as they are known, long before the predictions.
        listen: told what is being written, how much of it was, and how much there is.

    Raises:
        DatasourceError: when they cannot be written.
    """
    place = _place(snapshot)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tamis-", dir=place.parent))
        try:
            _build(snapshot, temporary, ready, listen)
            with suppress(FileExistsError):  # another server was faster
                _put(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        _clean_up(place.parent)
    except OSError as error:
        raise DatasourceError(
            f"What the page reads cannot be written to `{place.parent}`: {(error.strerror or str(error)).lower()}",
            hint="make room, or name another folder with `--index`",
        ) from None


def forget_tables(snapshot: Snapshot) -> None:
    """Remove the arrays of a snapshot: they can be made again."""
    shutil.rmtree(_place(snapshot), ignore_errors=True)


def _place(snapshot: Snapshot) -> Path:
    return snapshot.root / _FOLDER / f"{snapshot.id}.{_FORMAT}"


def _put(folder: Path, place: Path) -> None:
    try:
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        raise FileExistsError from None


def _build(
    snapshot: Snapshot,
    folder: Path,
    ready: Callable[[SampleTable], None],
    listen: Callable[[str, int, int], None],
) -> None:
    build_samples(snapshot, folder)
    table = open_samples(folder)
    ready(table)
    samples = SampleColumns(snapshot, table.keys)
    build_problems(samples, folder)
    owners = Owners(samples, table)
    for i, task in enumerate(snapshot.tasks):
        listen(task.name, i, len(snapshot.tasks))
        (folder / f"task-{i}").mkdir()
        build_task(samples, owners, task, folder / f"task-{i}")


def _clean_up(folder: Path) -> None:
    """Remove the arrays of old snapshots; who has them open keeps them."""
    made = sorted(
        (path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.stat().st_mtime
    )
    for path in made[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
    for leftover in folder.glob(".tamis-*"):
        # Of a server that was killed while it wrote: nothing is written for an hour without a change.
        if os.stat(leftover).st_mtime < os.stat(folder).st_mtime - 3600:  # noqa: PTH116
            shutil.rmtree(leftover, ignore_errors=True)
