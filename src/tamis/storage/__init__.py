"""Bytes at keys, wherever they lie: one contract (`Store`) for folders, memory and, later, buckets."""

from tamis.storage.base import (
    Blob,
    NotFoundError,
    Page,
    Stamp,
    Store,
    StoreError,
    check_key,
    join_key,
)
from tamis.storage.local import LocalStore
from tamis.storage.locks import folder_locked, is_free, locked
from tamis.storage.memory import MemoryStore

__all__ = [
    "Blob",
    "LocalStore",
    "MemoryStore",
    "NotFoundError",
    "Page",
    "Stamp",
    "Store",
    "StoreError",
    "check_key",
    "folder_locked",
    "is_free",
    "join_key",
    "locked",
]
