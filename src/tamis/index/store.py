"""The index on disk: snapshots, shards, and the one file whose replacement is the commit.

```
latest                  id of the current snapshot; replaced atomically, last
snapshots/<id>.json     manifests
shards/<scan id>/...    Parquet files; a lock file tells those of a living scan from leftovers
pools/<name>/...        append-only lists of selected samples
```
A process killed at any moment leaves `latest` and everything it names untouched.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import DatasourceError, IndexMissingError, TamisError
from tamis.index.damage import damaged
from tamis.index.manifest import FORMAT_VERSION, Manifest
from tamis.index.shards import table_path
from tamis.index.snapshot import Snapshot
from tamis.storage import LocalStore, is_free, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Readers that opened one of the last snapshots may still be reading its shards.
_KEPT_SNAPSHOTS = 3
_ID = re.compile(r"[A-Za-z0-9-]+")
_SHARD_ID = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9-]+")
_FOLDERS = ("snapshots", "shards", "pools")


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
    """The index below one folder of this machine."""

    root: Path

    def latest(self) -> Snapshot | None:
        """Open the current snapshot, or return `None` where nothing was ever committed.

        Raises:
            IndexMissingError: when it is damaged or from another version.
        """
        try:
            snapshot_id = (self.root / "latest").read_text("ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise damaged(self.root, str(error)) from None
        if not _ID.fullmatch(snapshot_id):
            raise damaged(self.root, f"expected the id of a snapshot in `latest`, got {snapshot_id[:40]!r}")
        snapshot = Snapshot(self.root, self._manifest(snapshot_id))
        if gone := snapshot.missing_files():
            raise damaged(self.root, f"{len(gone)} of its files are not there, `{gone[0]}` is the first")
        return snapshot

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """Make a folder for new shards; what a commit does not refer to is removed at the end.

        Raises:
            DatasourceError: when it cannot be made.
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
                raise DatasourceError(
                    f"The index cannot be written to `{self.root}`: {(error.strerror or str(error)).lower()}",
                    hint="name another folder with `--index`",
                ) from None
            try:
                yield Staging(scan_id, folder)
            finally:
                if not (self.root / "snapshots" / f"{scan_id}.json").exists():
                    shutil.rmtree(folder, ignore_errors=True)

    def commit(self, manifest: Manifest) -> Snapshot:
        """Make a snapshot the current one. Of two scans at once, the later commit stands.

        Raises:
            IndexConflictError: when shards that it refers to were cleaned up meanwhile.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "lock"):
            snapshot = Snapshot(self.root, manifest)
            if gone := snapshot.missing_files():
                raise IndexConflictError(
                    f"Another scan replaced the index while this one ran: {len(gone)} shard files are gone",
                    hint="run `tamis scan` again",
                )
            store = LocalStore(self.root)
            store.write(f"snapshots/{manifest.id}.json", msgspec.json.encode(manifest))
            store.write("latest", manifest.id.encode())
            self._clean_up(manifest.id)
            for folder in (self.root, self.root / "snapshots"):
                for leftover in folder.glob(".tamis-*"):  # of a process killed while it wrote; nobody else does now
                    with suppress(OSError):
                        leftover.unlink()
        return snapshot

    def _manifest(self, snapshot_id: str) -> Manifest:
        path = self.root / "snapshots" / f"{snapshot_id}.json"
        try:
            data = path.read_bytes()
            version = msgspec.json.decode(data, type=_Version).format_version
            if version == FORMAT_VERSION:
                return self._contained(msgspec.json.decode(data, type=Manifest))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(self.root, f"`{path.name}`: {error}") from None
        raise damaged(self.root, f"expected format version {FORMAT_VERSION}, got {version}")

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
        for path in manifests[:-_KEPT_SNAPSHOTS]:
            path.unlink(missing_ok=True)
        used: set[Path] = set()
        for path in manifests[-_KEPT_SNAPSHOTS:]:
            try:
                shards = self._manifest(path.stem).shards
            except IndexMissingError:
                continue  # written by another version: nothing that this one opens refers to it
            used |= {
                table_path(self.root / "shards" / shard.id, table) for shard in shards for table in shard.tables
            }
        for folder in (self.root / "shards").glob("*"):
            if folder.is_dir() and not folder.is_symlink() and is_free(folder / "lock"):
                for file in folder.glob("*.parquet"):
                    if file not in used:
                        file.unlink(missing_ok=True)
                if not any(folder.glob("*.parquet")):
                    shutil.rmtree(folder, ignore_errors=True)
