"""Bytes at keys, wherever they lie: one contract (`Store`) for folders, memory and, later, buckets."""

from tamis.storage.base import (
    Blob,
    Entry,
    Folder,
    NotFoundError,
    Stamp,
    Store,
    StoreError,
    check_key,
    join_key,
)
from tamis.storage.local import LocalStore
from tamis.storage.memory import MemoryStore

__all__ = [
    "Blob",
    "Entry",
    "Folder",
    "LocalStore",
    "MemoryStore",
    "NotFoundError",
    "Stamp",
    "Store",
    "StoreError",
    "check_key",
    "join_key",
]
