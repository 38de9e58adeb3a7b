"""What the last run could not read: no row of a set, for the next run tries it again, but not unseen either.

`unread.json` lies beside the rows of a set. Each run replaces it, and it stays on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.storage import LocalStore

if TYPE_CHECKING:
    from tamis.index.embedding_sets import EmbeddingSet

_NAME = "unread.json"


class UnreadRows(msgspec.Struct, frozen=True, kw_only=True):
    """Which samples or objects the store did not give; columns of one length.

    Attributes:
        keys: of the samples.
        positions: of the objects in their prediction files, `IMAGE_POSITION` for images.
        fingerprints: of what was to be read.
    """

    keys: list[str] = []
    positions: list[int] = []
    fingerprints: list[int] = []


def write_unread(one: EmbeddingSet, rows: UnreadRows) -> None:
    """Note what could not be read, in place of what was noted before.

    Raises:
        StoreError: when that cannot be written.
    """
    if rows.keys:
        LocalStore(one.folder).write(_NAME, msgspec.json.encode(rows))
    else:
        (one.folder / _NAME).unlink(missing_ok=True)


def read_unread(one: EmbeddingSet) -> UnreadRows:
    """Return what was noted; nothing where the note is damaged: the next run writes it anew."""
    try:
        return msgspec.json.decode((one.folder / _NAME).read_bytes(), type=UnreadRows)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return UnreadRows()


def unread_stamp(one: EmbeddingSet) -> int:
    """Return what changes when the note does; 0 where there is none."""
    try:
        return (one.folder / _NAME).stat().st_mtime_ns
    except OSError:
        return 0
