"""Whether what an index was made from has changed since: told from the times of a few files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.formats import METADATA, METADATA_SCHEMA_KEY, PREDICTIONS, TASKS_KEY, schema_key

if TYPE_CHECKING:
    from tamis.index import Snapshot
    from tamis.storage import Store

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
    root = lightly.local_root
    if root is None:
        return None
    try:
        committed_ns = snapshot.committed_ns
    except OSError:
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


def _folders(snapshot: Snapshot) -> list[str]:
    """Return the folders that held prediction files."""
    found = snapshot.connect("files").execute(
        "SELECT DISTINCT regexp_replace(file, '/[^/]*$', '') AS folder FROM files ORDER BY folder LIMIT ?",
        [_MAX_FOLDERS],
    )
    return [folder for (folder,) in found.fetchall()]
