"""A store in memory: the double that tests use, held to the same contract as the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.storage.base import Blob, NotFoundError, Page, Stamp, StoreError, check_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class MemoryStore:
    """Bytes in a dict. Each write gets a later time than the one before."""

    def __init__(self, content: dict[str, bytes] | None = None) -> None:
        self._blobs: dict[str, Blob] = {}
        self._clock_ns = 0
        for key, data in (content or {}).items():
            self.write(key, data)

    @property
    def url(self) -> str:
        """Always `memory://`."""
        return "memory://"

    @property
    def local_root(self) -> Path | None:
        """There is none."""
        return None

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        """List one folder ("" is the root) as a single page."""
        prefix = f"{check_key(folder)}/" if folder else ""
        page = Page()
        folders = set()
        for key, blob in self._blobs.items():
            if key.startswith(prefix):
                name, slash, _ = key[len(prefix) :].partition("/")
                if slash:
                    folders.add(name)
                    continue
                page.names.append(name)
                if stamps:
                    page.sizes_bytes.append(blob.stamp.size_bytes)
                    page.mtimes_ns.append(blob.stamp.mtime_ns)
        page.folders.extend(folders)
        yield page

    def read(self, key: str) -> Blob:
        """Read all bytes at a key."""
        try:
            return self._blobs[check_key(key)]
        except KeyError:
            raise NotFoundError(f"`{key}` is not in {self.url}") from None

    def read_start(self, key: str, n_bytes: int) -> Blob:
        """Read at most the first `n_bytes`."""
        return self.read_range(key, 0, n_bytes)

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        """Read at most `n_bytes` from `start` on."""
        blob = self.read(key)
        return Blob(blob.data[start : start + n_bytes], blob.stamp)

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        """Read one after the other."""
        for key in keys:
            try:
                yield self.read(key) if n_bytes is None else self.read_start(key, n_bytes)
            except StoreError as error:
                yield error

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key."""
        self._clock_ns += 1
        self._blobs[check_key(key)] = Blob(bytes(data), Stamp(len(data), self._clock_ns))

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        """Put bytes at a key that holds what had a stamp."""
        blob = self._blobs.get(check_key(key))
        if (None if blob is None else blob.stamp) != there:
            return blob is not None and blob.data == data
        self.write(key, data)
        return True

    def delete(self, key: str) -> None:
        """Remove what is at a key."""
        self._blobs.pop(check_key(key), None)
