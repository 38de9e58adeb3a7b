"""The index on disk: snapshots, shards, and the one file whose replacement is the commit.

```
latest                  id of the current snapshot; replaced atomically, last
snapshots/<id>.json     manifests
shards/<scan id>/...    Parquet files; a lock file tells those of a living scan from leftovers
pools/<name>/...        append-only lists of selected samples
```
A process killed at any moment leaves `latest` and everything it names untouched. Where the index is in a bucket
(`shared.py`), the folder is a mirror of it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import DatasourceError, IndexMissingError, TamisError
from tamis.index.damage import damaged
from tamis.index.manifest import FORMAT_VERSION, KEPT_SNAPSHOTS, Manifest, read_id
from tamis.index.shards import shard_files
from tamis.index.shared import told_nobody
from tamis.index.snapshot import Snapshot
from tamis.storage import LocalStore, NotFoundError, is_free, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tamis.index.embedding_sets import EmbeddingSet
    from tamis.index.shared import SharedIndex, Told

_SHARD_ID = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9-]+")
_FOLDERS = ("snapshots", "shards", "pools")
_TRIES = 3


class IndexConflictError(TamisError):
    """Another scan changed the index in a way that this one cannot build on."""


class _Version(msgspec.Struct):
    format_version: int


@dataclass(frozen=True, slots=True)
class Staging:
    """A folder for the shards of one scan, protected from clean-up while the scan lives."""

    scan_id: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Index:
    """The index below one folder of this machine.

    Attributes:
        root: the folder.
        shared: the index in a bucket that the folder is a mirror of, `None` where it stands alone.
    """

    root: Path
    shared: SharedIndex | None = None

    def latest(self) -> Snapshot | None:
        """Open the current snapshot, or return `None` where nothing was ever committed.

        Raises:
            IndexMissingError: when it is damaged or from another version.
            UnavailableError: when it is in a bucket that does not answer.
        """
        self.fetch()
        snapshot_id = self._latest_here()
        if snapshot_id is None:
            return None
        snapshot = self._open(snapshot_id)
        if gone := snapshot.missing_files():
            raise damaged(self.root, f"{len(gone)} of its files are not there, `{gone[0]}` is the first")
        return snapshot

    def note(self) -> str | None:
        """Say where the index of a bucket is, where the bucket holds none.

        Raises:
            UnavailableError: when the bucket does not answer.
        """
        if self.shared is None:
            return None
        try:
            if self.shared.latest() is not None:
                return None
        except IndexMissingError:
            return None  # who reads it says so
        if self.shared.refusal is not None:
            return f"the index is kept in `{self.root}`: {self.shared.refusal}"
        there = (self.root / "latest").exists()
        return f"`{self.shared.url}` is not there; the index is that in `{self.root}`" if there else None

    def fetch(self, told: Told = told_nobody) -> None:
        """Bring the mirror up to date with the bucket; nothing to do where there is none.

        Args:
            told: given how many files came and how many come.

        Raises:
            IndexMissingError: when what is in the bucket is damaged or from another version.
            UnavailableError: when the bucket does not answer.
            DatasourceError: when the mirror cannot be written.
        """
        if self.shared is None or self.shared.is_mirrored() or self.shared.latest() is None:
            return
        with self._locked():
            self._fetch_snapshot(self.shared, told)
            self.shared.exchange(self.root).fetch()
        self.shared.mirrored()

    def share(self) -> None:
        """Bring pools, tags and embeddings of the mirror into the bucket; nothing to do where there is none.

        Raises:
            StoreError: when the bucket may not be written to: they are kept here, and shared the next time.
            UnavailableError: when it does not answer; likewise.
        """
        if self.shared is not None and self.shared.latest() is not None:
            with self._locked():
                self.shared.exchange(self.root).share()

    def for_other_machines(self, one: EmbeddingSet) -> EmbeddingSet:
        """Return a set whose new rows go into the bucket, for workers that do not see this folder.

        The set itself where the index is in none: they must see the folder then. Raises as `share`.
        """
        if self.shared is None or self.shared.latest() is None:
            return one
        self.share()  # what the set is, before its rows
        key = one.folder.relative_to(self.root).as_posix()
        return replace(one, bucket=(self.shared.store, f"{self.shared.folder}/{key}"))

    def open_shared(self) -> SharedIndex | None:
        """Return the index in a bucket that may be added to while `staging`, `None` where there is none."""
        return self.shared if self.shared is not None and self.shared.refusal is None else None

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """Make a folder for new shards; what a commit does not refer to is removed at the end.

        Raises:
            DatasourceError: when it cannot be made, or the bucket's index may not be changed.
        """
        self._refuse_links()
        scan_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
        folder = self.root / "shards" / scan_id
        with ExitStack() as held:
            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                # Within the lock of the index: else a clean-up could take the folder before it has its own.
                with locked(self.root / "lock"):
                    folder.mkdir()
                    held.enter_context(locked(folder / "lock"))
            except OSError as error:
                raise _unwritable(self.root, error) from None
            try:
                if self.shared is not None:
                    held.enter_context(self.shared.scanning(scan_id))
                yield Staging(scan_id, folder)
            finally:
                if not (self.root / "snapshots" / f"{scan_id}.json").exists():
                    shutil.rmtree(folder, ignore_errors=True)

    def commit(self, manifest: Manifest, told: Told = told_nobody) -> Snapshot:
        """Make a snapshot the current one. Of two scans at once, the later commit stands.

        Args:
            manifest: of the snapshot.
            told: where the index is in a bucket, given how many files went there and how many go.

        Raises:
            IndexConflictError: when shards that it refers to were cleaned up meanwhile.
            DatasourceError: when the bucket's index cannot be changed; the old snapshot stands there and here.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        snapshot = Snapshot(self.root, manifest)
        if (shared := self.open_shared()) is not None:
            _require_whole(snapshot)
            self._put(shared, snapshot, told)
        with locked(self.root / "lock"):
            _require_whole(snapshot)
            store = LocalStore(self.root)
            store.write(f"snapshots/{manifest.id}.json", msgspec.json.encode(manifest))
            store.write("latest", manifest.id.encode())
            self._clean_up(manifest.id)
            for folder in (self.root, self.root / "snapshots"):
                for leftover in folder.glob(".tamis-*"):  # of a process killed while it wrote; nobody else does now
                    with suppress(OSError):
                        leftover.unlink()
        return snapshot

    def _put(self, shared: SharedIndex, snapshot: Snapshot, told: Told) -> None:
        """Make a snapshot the bucket's current one, with all that lies beside it."""
        try:
            shared.put(snapshot, told)
        except DatasourceError as error:
            if shared.latest() is not None:
                raise
            shared.refusal = error.message
            return
        shared.clean_up(self._decode)
        with self._locked():
            shared.exchange(self.root).share()

    def _fetch_snapshot(self, shared: SharedIndex, told: Told) -> None:
        """Make the bucket's current snapshot that of the mirror."""
        reason = ""
        for _ in range(_TRIES):
            current = shared.latest()
            if current is None or current == self._whole_here():
                return
            try:
                shared.fetch(self.root, current, self._open, told)
            except NotFoundError as error:  # another scan replaced it meanwhile, and cleaned up
                reason = error.message
                shared.forget()
            else:
                self._clean_up(current)
                return
        raise damaged(shared.url, reason)

    def _latest_here(self) -> str | None:
        try:
            return read_id((self.root / "latest").read_bytes(), self.root)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise damaged(self.root, str(error)) from None

    def _whole_here(self) -> str | None:
        """Return what `latest` in the folder says, `None` where that is damaged: a mirror is fetched again."""
        try:
            here = self._latest_here()
            return here if here is None or not self._open(here).missing_files() else None
        except IndexMissingError:
            return None

    def _open(self, snapshot_id: str) -> Snapshot:
        return Snapshot(self.root, self._manifest(snapshot_id))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._refuse_links()
            with locked(self.root / "lock"):
                yield
        except OSError as error:
            raise _unwritable(self.root, error) from None

    def _manifest(self, snapshot_id: str) -> Manifest:
        path = self.root / "snapshots" / f"{snapshot_id}.json"
        try:
            return self._decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(self.root, f"`{path.name}`: {error}") from None

    def _decode(self, data: bytes) -> Manifest:
        version = msgspec.json.decode(data, type=_Version).format_version
        if version != FORMAT_VERSION:
            raise damaged(self.root, f"expected format version {FORMAT_VERSION}, got {version}")
        return self._contained(msgspec.json.decode(data, type=Manifest))

    def _contained(self, manifest: Manifest) -> Manifest:
        """Return a manifest whose shards lie in this index: it may have come with data from elsewhere."""
        for shard in manifest.shards:
            if not _SHARD_ID.fullmatch(shard.id):
                raise damaged(self.root, f"expected the id of a shard, got {shard.id[:40]!r}")
        return manifest

    def _refuse_links(self) -> None:
        """An index is written and cleaned up where it lies, never where a link in it leads.

        Raises:
            DatasourceError: when a folder of it is a link.
        """
        for name in _FOLDERS:
            if (self.root / name).is_symlink():
                raise DatasourceError(
                    f"`{self.root / name}` is a link: the index is not written through it",
                    hint="remove the link, or name another folder with `--index`",
                )

    def _clean_up(self, current: str) -> None:
        """Remove snapshots beyond the last few, and shards that no snapshot and no living scan needs."""
        # The current one is last even where the clock was set back.
        manifests = sorted(
            (self.root / "snapshots").glob("*.json"), key=lambda p: (p.stem == current, p.stat().st_mtime_ns)
        )
        for path in manifests[:-KEPT_SNAPSHOTS]:
            path.unlink(missing_ok=True)
        used: set[Path] = set()
        for path in manifests[-KEPT_SNAPSHOTS:]:
            try:
                used |= {self.root / key for key in shard_files(self._manifest(path.stem))}
            except IndexMissingError:
                continue  # written by another version: nothing that this one opens refers to it
        for folder in (self.root / "shards").glob("*"):
            if folder.is_dir() and not folder.is_symlink() and is_free(folder / "lock"):
                for file in folder.glob("*.parquet"):
                    if file not in used:
                        file.unlink(missing_ok=True)
                if not any(folder.glob("*.parquet")):
                    shutil.rmtree(folder, ignore_errors=True)


def _require_whole(snapshot: Snapshot) -> None:
    if gone := snapshot.missing_files():
        raise IndexConflictError(
            f"Another scan replaced the index while this one ran: {len(gone)} shard files are gone",
            hint="run `tamis scan` again",
        )


def _unwritable(root: Path, error: OSError) -> DatasourceError:
    return DatasourceError(
        f"The index cannot be written to `{root}`: {(error.strerror or str(error)).lower()}",
        hint="name another folder with `--index`",
    )
