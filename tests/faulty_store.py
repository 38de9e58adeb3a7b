"""A store whose operations fail, by a plan that a seed fixes."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from tamis.storage import Blob, Page, Stamp, StoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tamis.storage import Store

KINDS = ("slow", "busy", "timeout", "cut short", "wrong length", "denied", "denied from then on", "clock")
_HOUR_NS = 3600 * 10**9


class FaultyStore:
    """Reads a store, with faults of one kind.

    Args:
        inner: what holds the files.
        kind: one of KINDS.
        seed: of where the faults are.
        n_operations: about how many there are to break.

    Attributes:
        n_broken: operations broken so far.
    """

    def __init__(self, inner: Store, kind: str, seed: int, n_operations: int) -> None:
        self._inner = inner
        self._kind = kind
        self._dice = random.Random(seed)  # noqa: S311 (no secret)
        self._from = self._dice.randrange(n_operations)
        self._shift_ns = self._dice.randrange(-24, 25) * _HOUR_NS
        self._n = 0
        self.n_broken = 0

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def local_root(self) -> Path | None:
        return None

    def list_folder(self, folder: str, *, stamps: bool = True) -> Iterator[Page]:
        self._operate(folder, "listed")
        for page in self._inner.list_folder(folder, stamps=stamps):
            times = [self._stamp(Stamp(0, time_ns)).mtime_ns for time_ns in page.mtimes_ns]
            yield Page(page.names, page.sizes_bytes, times, page.folders, page.skipped)

    def read(self, key: str) -> Blob:
        self._operate(key, "read")
        return self._spoil(self._inner.read(key))

    def read_start(self, key: str, n_bytes: int) -> Blob:
        self._operate(key, "read")
        return self._spoil(self._inner.read_start(key, n_bytes))

    def read_range(self, key: str, start: int, n_bytes: int) -> Blob:
        self._operate(key, "read")
        return self._spoil(self._inner.read_range(key, start, n_bytes))

    def read_many(self, keys: Sequence[str], *, n_bytes: int | None = None) -> Iterator[Blob | StoreError]:
        for key in keys:
            try:
                yield self.read(key) if n_bytes is None else self.read_start(key, n_bytes)
            except StoreError as error:
                yield error

    def write(self, key: str, data: bytes) -> None:
        self._inner.write(key, data)

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        return self._inner.write_if(key, data, there=there)

    def delete(self, key: str) -> None:
        self._inner.delete(key)

    def _operate(self, key: str, verb: str) -> None:
        """Count an operation, and fail where the plan says so."""
        self._n += 1
        is_late = self._n > self._from
        if self._kind == "slow":
            time.sleep(self._dice.random() / 500)
        elif self._kind in {"busy", "timeout"} and is_late:
            self.n_broken += 1
            reason = {"busy": "the server answers 503", "timeout": "no answer within 60 s"}[self._kind]
            raise UnavailableError(f"`{key}` in `{self.url}` cannot be {verb}: {reason}", hint="try again")
        elif (self._kind == "denied from then on" and is_late) or (self._kind == "denied" and self._is_unlucky()):
            self.n_broken += 1
            raise StoreError(f"`{key}` in `{self.url}` cannot be {verb}: permission denied")

    def _spoil(self, blob: Blob) -> Blob:
        data, stamp = blob.data, self._stamp(blob.stamp)
        if self._kind == "cut short" and data and self._is_unlucky():
            self.n_broken += 1
            data = data[: self._dice.randrange(len(data))]
        elif self._kind == "wrong length" and self._is_unlucky():
            self.n_broken += 1
            stamp = Stamp(stamp.size_bytes + self._dice.randrange(1, 1000), stamp.mtime_ns)
        return Blob(data, stamp)

    def _stamp(self, stamp: Stamp) -> Stamp:
        return stamp._replace(mtime_ns=stamp.mtime_ns + self._shift_ns) if self._kind == "clock" else stamp

    def _is_unlucky(self) -> bool:
        return self._dice.random() < 0.15
