"""Bytes at keys, wherever they lie: one contract (`Store`) for folders, buckets and memory.

`BucketStore` is in `tamis.storage.bucket`: it loads obstore, which a folder needs not wait for.
"""

from tamis.storage.base import (
    Blob,
    NotFoundError,
    Page,
    Stamp,
    Store,
    StoreError,
    UnavailableError,
    UnusableKeyError,
    check_key,
    join_key,
)
from tamis.storage.bucket_url import SCHEMES, is_url
from tamis.storage.local import LocalStore
from tamis.storage.locks import folder_locked, is_free, locked
from tamis.storage.memory import MemoryStore

__all__ = [
    "SCHEMES",
    "Blob",
    "LocalStore",
    "MemoryStore",
    "NotFoundError",
    "Page",
    "Stamp",
    "Store",
    "StoreError",
    "UnavailableError",
    "UnusableKeyError",
    "check_key",
    "folder_locked",
    "is_free",
    "is_url",
    "join_key",
    "locked",
]
