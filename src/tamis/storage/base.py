"""What every storage can do: bytes at keys below one root.

A key is a relative POSIX path: no empty part, no `.` or `..`, no leading `/`, no NUL, no backslash. Every
operation refuses any other (`check_key`), so nothing outside the root can be named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from tamis.errors import DatasourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Stamp(NamedTuple):
    """What changes when the bytes at a key do.

    Attributes:
        size_bytes: length of the content.
        mtime_ns: time of the last change in nanoseconds since the epoch.
    """

    size_bytes: int
    mtime_ns: int


class Blob(NamedTuple):
    """Bytes read, and the stamp that they had."""

    data: bytes
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what lies directly in a folder, in no order; columns, as folders hold millions of names.

    Attributes:
        names: names of files.
        sizes_bytes: their sizes, empty where the listing was asked for names only.
        mtimes_ns: their times of change, empty likewise.
        folders: names of subfolders.
        skipped: what cannot be listed: (name, reason), e.g. a symlink that leads back up.
    """

    names: list[str] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


class StoreError(DatasourceError):
    """One key could not be read, listed or written; the rest of the store may be fine."""


class NotFoundError(StoreError):
    """Nothing is at that key."""


class UnusableKeyError(StoreError):
    """No file can be at that key: its name is too long, it is a folder's, or a file is where a folder should be."""


class UnavailableError(DatasourceError):
    """The store as a whole does not answer, or knows none of our credentials: no key can be blamed.

    Not a `StoreError`, so that work on many keys stops instead of taking each of them for damaged.
    """


@runtime_checkable
class Store(Protocol):
    """Bytes at keys. Implementations can be pickled, so that worker processes read by themselves.

    Besides the errors that each operation names, all of them raise `UnavailableError` where a store on a network
    does not answer, `read_many` included.
    """

    @property
    def url(self) -> str:
        """The root as the user would write it."""

    @property
    def local_root(self) -> Path | None:
        """The root as a path of this machine, or `None` where there is none."""

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        """List one folder ("" is the root) page by page; a folder that is not there is empty.

        Raises:
            StoreError: when it may not be listed.
        """

    def read(self, key: str) -> Blob:
        """Read all bytes at a key.

        Raises:
            NotFoundError: when nothing is there.
            StoreError: when it may not or cannot be read.
        """

    def read_start(self, key: str, n_bytes: int) -> Blob:
        """Read at most the first `n_bytes`; the stamp's size is that of the whole. Raises as `read`."""

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        """Read at most `n_bytes` from byte `start` on, none past the end.

        The stamp's size is that of the whole. Raises as `read`.
        """

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        """Yield for each key, in their order, what `read` (with `n_bytes`: `read_start`) returns or raises."""

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key atomically: a reader sees the old or the new content whole.

        Raises:
            StoreError: when it may not or cannot be written; the old content stands.
        """

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        """Put bytes at a key, as `write` does, if that still holds what had this stamp, or nothing for `None`.

        Of several at once with one stamp, one is told that it wrote. Also `True` where the key holds these bytes
        already: an answer that got lost is asked for again.

        Raises:
            StoreError: when it may not or cannot be written; the old content stands.
        """

    def delete(self, key: str) -> None:
        """Remove what is at a key; nothing there is fine.

        Raises:
            StoreError: when it may not be removed.
        """


NO_NAMES = frozenset({"", ".", ".."})
"""What no part of a key may be."""


def check_key(key: str) -> str:
    """Return the key if it is one.

    Raises:
        StoreError: when it is empty, absolute, or could leave the root.
    """
    if "\0" in key or "\\" in key or not NO_NAMES.isdisjoint(key.split("/")):
        raise StoreError(f"`{key!r}` is not a key: expected a relative path without `.`, `..`, backslash or NUL")
    return key


def join_key(folder: str, name: str) -> str:
    """Join a folder key ("" is the root) and a name."""
    return f"{folder}/{name}" if folder else name
