"""Files that can be made again, kept up to a size: those not used for longest go first."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.storage import LocalStore, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_KEPT_SHARE = 0.8  # after a clean-up


@dataclass(slots=True, eq=False)
class DiskCache:
    """Bytes by name in a folder. A full disk or a folder that cannot be written only makes it slower.

    Attributes:
        folder: where the files lie; made when needed.
        max_bytes: what all of them may take.
    """

    folder: Path
    max_bytes: int
    _bytes: int | None = None  # not known before the first file is written
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: str) -> bytes | None:
        """Return the bytes of a name, `None` where they are not there."""
        path = self._path(name)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes."""
        key = self._path(name).relative_to(self.folder).as_posix()
        with suppress(StoreError):
            LocalStore(self.folder).write(key, data)
            with self._turn:
                if self._bytes is None:
                    self._bytes = sum(size for _, size, _ in self._files())
                else:
                    self._bytes += len(data)
                if self._bytes > self.max_bytes:
                    self._bytes = self._clean_up()

    def _path(self, name: str) -> Path:
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return self.folder / digest[:2] / digest[2:]

    def _files(self) -> list[tuple[int, int, str]]:
        """Return time of use, size and path of each file."""
        found = []
        with suppress(OSError):
            for folder in os.scandir(self.folder):
                if folder.is_dir():
                    for entry in os.scandir(folder.path):
                        with suppress(OSError):
                            status = entry.stat()
                            found.append((status.st_mtime_ns, status.st_size, entry.path))
        return found

    def _clean_up(self) -> int:
        """Remove the files not used for longest, and return what the others take."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= _KEPT_SHARE * self.max_bytes:
                break
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (as many as there are)
                total -= size
        return total
