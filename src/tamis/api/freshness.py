"""Whether what an index was made from has changed since: told from the times of a few files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.formats import METADATA, METADATA_SCHEMA_KEY, PREDICTIONS, TASKS_KEY, schema_key
from tamis.index import SampleColumns
from tamis.model import kind_of_key
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tamis.index import Snapshot
    from tamis.storage import Page, Store

_LIGHTLY = ".lightly"
_MAX_FILES = 1_000
_MAX_FOLDERS = 1_000  # looking at as many takes milliseconds, on a network drive a second


def changed_since(snapshot: Snapshot, lightly: Store) -> str | None:
    """Return a file or folder below `.lightly` that changed after the index was committed, `None` where none did.

    Compares the times of `tasks.json`, the schemas and the folders of predictions: a file that is added, removed or
    replaced changes the time of its folder. One that is written over in place does not, and images and videos are
    not looked at: `None` is no promise that a scan would find nothing. Nothing is said of a datasource that is no
    folder of this machine.

    Args:
        snapshot: of the index.
        lightly: what holds `.lightly`.
    """
    root, committed_ns = lightly.local_root, _committed_ns(snapshot)
    if root is None or committed_ns is None:
        return None
    schemas = [schema_key(task.name) for task in snapshot.tasks]
    for key in [TASKS_KEY, METADATA_SCHEMA_KEY, *schemas, PREDICTIONS, METADATA, *_folders(snapshot)]:
        try:
            changed_ns = (root / key).stat().st_mtime_ns
        except OSError:
            continue  # gone, which the folder that held it tells, or never there
        if changed_ns > committed_ns:
            return key
    return None


def _committed_ns(snapshot: Snapshot) -> int | None:
    try:
        return snapshot.committed_ns
    except OSError:
        return None


def _folders(snapshot: Snapshot) -> list[str]:
    """Return the folders that held prediction files."""
    found = snapshot.connect("files").execute(
        "SELECT DISTINCT regexp_replace(file, '/[^/]*$', '') AS folder FROM files ORDER BY folder LIMIT ?",
        [_MAX_FOLDERS],
    )
    return [folder for (folder,) in found.fetchall()]


def pictures_changed_since(snapshot: Snapshot, store: Store) -> str | None:
    """Return an image or video that came, went or changed after the scan, `None` where none is seen.

    Compares size and time of files with those that the scan saw (of a thousand, spread evenly), and looks for
    names that it did not see in folders that are newer. So `None` is a promise for small datasources only. Nothing
    is said of a datasource that is no folder of this machine.

    Args:
        snapshot: of the index.
        store: what holds images and videos.
    """
    root, committed_ns = store.local_root, _committed_ns(snapshot)
    if root is None or committed_ns is None:
        return None
    samples = SampleColumns(snapshot)
    return _other_file(samples, root) or _new_file(samples, store, root, committed_ns)


def _other_file(samples: SampleColumns, root: Path) -> str | None:
    """Return the first of some files that is not as the scan saw it."""
    sizes, times = samples.integers("samples", "size_bytes"), samples.integers("samples", "mtime_ns")
    kinds, names = samples.codes("samples", "kind")
    images = np.flatnonzero(kinds == names.index("image")) if "image" in names else np.zeros(0, np.int64)
    some = images[:: -(-len(images) // _MAX_FILES) or 1].tolist()
    seen = {samples.keys[i]: (int(sizes[i]), int(times[i])) for i in some}
    videos = {one.key: (one.size_bytes, one.mtime_ns) for one in samples.snapshot.manifest.videos[:_MAX_FILES]}
    return next((key for key, stamp in (seen | videos).items() if _stamp(root / key) != stamp), None)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_size, now.st_mtime_ns


def _new_file(samples: SampleColumns, store: Store, root: Path, committed_ns: int) -> str | None:
    """Return an image or video that the scan did not see, of the folders that are newer, or that it did not see."""
    videos = {video.key for video in samples.snapshot.manifest.videos}
    folders = {folder for key in (*samples.keys, *videos) for folder in _folders_of(key)} | {""}
    todo = [one for one in sorted(folders)[:_MAX_FOLDERS] if ((_stamp(root / one) or (0, 0))[1]) > committed_ns]
    for _ in range(2 * _MAX_FOLDERS):  # those that are new may be any number
        if not todo:
            break
        folder = todo.pop()
        prefix = f"{folder}/" if folder else ""
        for page in _pages(store, folder):
            names = [f"{prefix}{name}" for name in page.names if kind_of_key(name) is not None]
            known = samples.positions(names) >= 0
            for name, is_known in zip(names, known.tolist(), strict=True):
                if not is_known and name not in videos and _is_newer(root / name, committed_ns):
                    return name
            todo += {f"{prefix}{name}" for name in page.folders if name != _LIGHTLY} - folders
    return None


def _pages(store: Store, folder: str) -> Iterator[Page]:
    try:
        yield from store.list_folder(folder, stamps=False)
    except StoreError:
        return  # the scan says that


def _folders_of(key: str) -> Iterator[str]:
    """Yield the folder of a key, and all above it."""
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


def _is_newer(path: Path, committed_ns: int) -> bool:
    """Whether a file came after a scan: one that was moved keeps the time of its content, not that of its name."""
    try:
        return path.stat().st_ctime_ns > committed_ns
    except OSError:
        return False
