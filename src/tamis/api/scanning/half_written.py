"""Files that somebody is writing while they are read: asked for again for some time, then taken as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tamis.formats import MAX_FILE_BYTES
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.storage import Blob, Store

# A file that did not change for longer is as its writer left it.
_RECENT_NS = 60 * 10**9
_FIRST_PAUSE_SECS = 0.05


def await_whole(
    store: Store, keys: Sequence[str], blobs: Iterable[Blob | StoreError], *, patience_secs: float
) -> Iterable[Blob | StoreError]:
    """Return what was read of JSON files; those that look half written are read again until they are whole.

    Args:
        store: holds the files.
        keys: of the files.
        blobs: what was read, for each key.
        patience_secs: how long to go on trying, for all of them together; 0 is not at all.
    """
    if not patience_secs:
        return blobs
    found = list(blobs)
    ends_secs, pause_secs = time.monotonic() + patience_secs, _FIRST_PAUSE_SECS
    while doubtful := [i for i, blob in enumerate(found) if _looks_half_written(blob)]:
        if time.monotonic() + pause_secs > ends_secs:
            break
        time.sleep(pause_secs)
        pause_secs *= 2
        again = store.read_many([keys[i] for i in doubtful], n_bytes=MAX_FILE_BYTES + 1)
        for i, blob in zip(doubtful, again, strict=True):
            found[i] = blob
    return found


def _looks_half_written(blob: Blob | StoreError) -> bool:
    """Whether a file changed just now and its JSON object does not end."""
    if isinstance(blob, StoreError):
        return False
    data, stamp = blob
    return abs(time.time_ns() - stamp.mtime_ns) < _RECENT_NS and not data[-64:].rstrip().endswith(b"}")
