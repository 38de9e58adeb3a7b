"""An index in a bucket: every machine works on a mirror of it, in a folder of its own.

The bucket holds the same files as the folder. All but `latest` never change once they are written, so a mirror only
fetches what it has not, and `latest` is replaced last: who reads it finds everything that it names. To read, no
permission to write is needed.
"""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import DatasourceError, IndexMissingError
from tamis.index.exchange import Exchange
from tamis.index.manifest import KEPT_SNAPSHOTS, read_id
from tamis.index.shards import shard_files, table_path
from tamis.storage import LocalStore, StoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tamis.index.manifest import Manifest, Shard
    from tamis.index.snapshot import Snapshot
    from tamis.storage import Store

    Told = Callable[[int, int], None]

_AT_ONCE = 8  # files on their way: each has some megabytes, and is held whole meanwhile
_SEEN_SECS = 10.0  # so long nobody asks the bucket again: a page that is left open asks all day
_MARK = "scan"  # beside the shards of a scan that is running
_LONGEST_SCAN_NS = 24 * 3600 * 10**9  # an older mark is of one that was killed


def told_nobody(done: int, of: int) -> None:
    """Tell nobody how far something is."""


@dataclass(slots=True)
class SharedIndex:
    """The index in a bucket.

    Attributes:
        store: the bucket.
        folder: key of the index in it.
        refusal: why the bucket, which holds no index yet, takes none; `None` where that was not tried or works.
    """

    store: Store
    folder: str
    refusal: str | None = None
    _latest: str | None = field(default=None, repr=False)
    _seen_secs: float = field(default=-math.inf, repr=False)
    _mirrored_secs: float = field(default=-math.inf, repr=False)

    @property
    def url(self) -> str:
        """Where it is, as a user would write it."""
        return f"{self.store.url}/{self.folder}"

    def latest(self) -> str | None:
        """Return the id of the current snapshot, `None` where there is no index, or none that may be read.

        Raises:
            UnavailableError: when the bucket does not answer.
            IndexMissingError: when it is damaged.
        """
        if time.monotonic() - self._seen_secs > _SEEN_SECS:
            self._latest = self._read_latest()
            self._seen_secs = time.monotonic()
        return self._latest

    def is_mirrored(self) -> bool:
        """Whether a mirror was brought up to date so lately that the bucket need not be asked again."""
        return time.monotonic() - self._mirrored_secs < _SEEN_SECS

    def mirrored(self) -> None:
        """Take note that a mirror is up to date."""
        self._mirrored_secs = time.monotonic()

    def forget(self) -> None:
        """Ask the bucket anew the next time."""
        self._seen_secs = self._mirrored_secs = -math.inf

    def fetch(self, root: Path, snapshot_id: str, open_snapshot: Callable[[str], Snapshot], told: Told) -> None:
        """Bring a snapshot into a mirror, and make it the current one there.

        Args:
            root: folder of the mirror.
            snapshot_id: as `latest` says.
            open_snapshot: opens one by its id, whose manifest is in the mirror.
            told: given how many files came and how many come.

        Raises:
            NotFoundError: when a file of it is gone: another scan replaced it meanwhile.
            UnavailableError: when the bucket does not answer.
        """
        mirror = LocalStore(root)
        manifest = f"snapshots/{snapshot_id}.json"
        blob = self.store.read(self._key(manifest))
        mirror.write(manifest, blob.data)
        # When it was committed, by the clock of the files that this is compared with.
        os.utime(root / manifest, ns=(blob.stamp.mtime_ns, blob.stamp.mtime_ns))
        self.fetch_files(open_snapshot(snapshot_id), told)
        mirror.write("latest", snapshot_id.encode())

    def put_shard(self, folder: Path, shard: Shard) -> None:
        """Bring a shard of a running scan into the bucket, from wherever a worker wrote it. Raises as `put`."""
        for table in shard.tables:
            key = table_path(Path("shards") / shard.id, table).as_posix()
            self.store.write(self._key(key), table_path(folder / Path(shard.id).name, table).read_bytes())

    def fetch_files(self, snapshot: Snapshot, told: Told) -> None:
        """Bring into a mirror what a snapshot refers to and it has not. Raises as `fetch`."""
        mirror = LocalStore(snapshot.root)
        missing = [path.relative_to(snapshot.root).as_posix() for path in snapshot.missing_files()]
        _each(missing, lambda key: mirror.write(key, self.store.read(self._key(key)).data), told)

    def put(self, snapshot: Snapshot, told: Told) -> None:
        """Bring a snapshot from a mirror into the bucket, and make it the current one there.

        Args:
            snapshot: all its files are in the mirror; its manifest need not be.
            told: given how many files went and how many go.

        Raises:
            StoreError: when the bucket may not be written to.
            UnavailableError: when it does not answer. In both cases the old snapshot stands.
        """
        manifest = snapshot.manifest
        self._put_missing(snapshot, told)
        self.store.write(self._key(f"snapshots/{manifest.id}.json"), msgspec.json.encode(manifest))
        self.store.write(self._key("latest"), manifest.id.encode())
        self.forget()
        # The clean-up of another scan may have taken meanwhile what only this snapshot still refers to.
        self._put_missing(snapshot, told_nobody)

    @contextmanager
    def scanning(self, scan_id: str) -> Iterator[None]:
        """Keep clean-ups of other machines away from the shards of a scan while it runs.

        Raises:
            StoreError: when there is an index that may not be changed; where there is none, `refusal` says why.
            UnavailableError: when the bucket does not answer.
        """
        mark = self._key(f"shards/{scan_id}/{_MARK}")
        self.refusal = self._try_to_mark(mark)
        is_marked = self.refusal is None
        try:
            yield
        finally:
            with suppress(StoreError, UnavailableError):  # a later clean-up removes it
                if is_marked:
                    if not any(name == f"{scan_id}.json" for name, _ in self._files("snapshots")):
                        self._delete(f"shards/{scan_id}/{name}" for name, _ in self._files(f"shards/{scan_id}"))
                    self.store.delete(mark)

    def clean_up(self, decode: Callable[[bytes], Manifest]) -> None:
        """Remove snapshots beyond the last few, and shards that none of these refers to and no running scan made.

        What may not be removed stays: nothing refers to it.

        Args:
            decode: decodes a manifest; raises `IndexMissingError` or an error of msgspec where it cannot.

        Raises:
            UnavailableError: when the bucket does not answer.
        """
        with suppress(StoreError):
            snapshots = sorted(self._files("snapshots"), key=lambda one: one[1])
            for name, _ in snapshots[:-KEPT_SNAPSHOTS]:
                self.store.delete(self._key(f"snapshots/{name}"))
            needed: set[str] = set()
            for name, _ in snapshots[-KEPT_SNAPSHOTS:]:
                try:
                    needed.update(shard_files(decode(self.store.read(self._key(f"snapshots/{name}")).data)))
                except (IndexMissingError, msgspec.MsgspecError):
                    return  # of another version, which may need anything
            now_ns = max((time_ns for _, time_ns in snapshots), default=0)  # by the clock of the bucket
            for scan_id in self._folders("shards"):
                files = self._files(f"shards/{scan_id}")
                if not any(name == _MARK and time_ns > now_ns - _LONGEST_SCAN_NS for name, time_ns in files):
                    self._delete({f"shards/{scan_id}/{name}" for name, _ in files} - needed)

    def exchange(self, root: Path) -> Exchange:
        """Return what keeps pools, tags and embeddings alike in the bucket and in a mirror."""
        return Exchange(root, self.store, self.folder)

    def _try_to_mark(self, mark: str) -> str | None:
        """Write a mark; return why a bucket without an index takes none. Raises as `scanning`."""
        try:
            self.store.write(mark, b"")
        except DatasourceError as error:  # denied, or a server that takes no writes at all
            if self.latest() is None:
                return error.message
            if not isinstance(error, StoreError):
                raise
            raise StoreError(
                f"The index `{self.url}` may not be changed: {error.message}",
                hint="keep one of your own with `--index FOLDER`, or ask for the permission to write",
            ) from None
        return None

    def _delete(self, keys: Iterable[str]) -> None:
        _each(keys, lambda key: self.store.delete(self._key(key)), told_nobody)

    def _read_latest(self) -> str | None:
        try:
            return read_id(self.store.read(self._key("latest")).data, self.url)
        except StoreError:
            return None

    def _put_missing(self, snapshot: Snapshot, told: Told) -> None:
        keys = shard_files(snapshot.manifest)
        folders = {key.rpartition("/")[0] for key in keys}
        there = {f"{folder}/{name}" for folder in folders for name, _ in self._files(folder)}
        missing = sorted(keys - there)
        _each(missing, lambda key: self.store.write(self._key(key), (snapshot.root / key).read_bytes()), told)

    def _files(self, folder: str) -> list[tuple[str, int]]:
        """Return names and times of change of the files of a folder."""
        pages = self.store.list_folder(self._key(folder))
        return [one for page in pages for one in zip(page.names, page.mtimes_ns, strict=True)]

    def _folders(self, folder: str) -> list[str]:
        return [name for page in self.store.list_folder(self._key(folder), stamps=False) for name in page.folders]

    def _key(self, key: str) -> str:
        return f"{self.folder}/{key}"


def _each(keys: Iterable[str], work: Callable[[str], None], told: Told) -> None:
    """Do something for each key, some at a time; the first error ends it."""
    waiting = list(keys)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tamis-index") as threads:
        try:
            for done, _ in enumerate(threads.map(work, waiting), start=1):
                told(done, len(waiting))
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
