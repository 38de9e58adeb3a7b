"""Pools, tags and embeddings alike in a bucket and in a mirror of it.

Files of these are added and removed, hardly ever changed, so it is enough to know which files both sides had after
the last exchange: what one side has besides is new, what it lacks was removed there. Where two machines wrote the
same number of a history at once, both entries stay: the one that comes later to the bucket takes the next number.
"""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import TamisError, UsageError
from tamis.index.embedding_specs import SetSpec, what_made
from tamis.storage import LocalStore, NotFoundError, locked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tamis.storage import Store

_LEDGER = "exchanged.json"
_HISTORIES = ("pools", "tags")
_IDENTITY = "id"  # in the bucket; written once
_SPEC = "set.json"
_AT_ONCE = 8
_TRIES = 10


class _Ledger(msgspec.Struct):
    """What both sides had: which index it was, keys, and of those that may change a digest."""

    index: str = ""
    files: dict[str, str] = {}


@dataclass(slots=True)
class Exchange:
    """What is fetched from a bucket, and brought there.

    Attributes:
        root: folder of the mirror.
        store: the bucket.
        folder: key of the index in it.
    """

    root: Path
    store: Store
    folder: str
    _there: set[str] = field(default_factory=set, repr=False)
    _index: str = field(default="", repr=False)

    def fetch(self) -> None:
        """Bring what is new there here, and remove here what was removed there; write nothing there.

        Raises:
            StoreError: when something may not be read.
            UnavailableError: when the bucket does not answer.
            UsageError: when two machines made embeddings of one name otherwise.
        """
        self._index = self._identity()
        self._there = self._list_there()
        known = self._known()
        with ExitStack() as held:
            for history in {key.rpartition("/")[0] for key in self._there if not _is_embedding(key)}:
                (self.root / history).mkdir(parents=True, exist_ok=True)
                held.enter_context(locked(self.root / history / "lock"))
            here = self._list_here()
            for key in sorted((here & known.keys()) - self._there):
                (self.root / key).unlink(missing_ok=True)
                here.discard(key)
                del known[key]
            for key in sorted(here & self._there):
                if _is_rows(key):
                    known[key] = ""  # nobody else gives a file that name
                elif key not in known or key.endswith(f"/{_SPEC}"):
                    self._settle(key, known)
            new = sorted(self._there - self._list_here() - known.keys())
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tamis-index") as threads:
                for key, data in zip(new, threads.map(self._read, new), strict=True):
                    if data is not None:
                        LocalStore(self.root).write(key, data)
                        known[key] = _digest(key, data)
        self._know(known)

    def share(self) -> None:
        """Bring both sides to the same.

        Raises:
            StoreError: when the bucket may not be written to; what is new here is kept, and shared the next time.
            UnavailableError: when it does not answer; likewise.
            UsageError: as `fetch`.
        """
        self.store.write_if(f"{self.folder}/{_IDENTITY}", secrets.token_hex(8).encode(), there=None)
        for _ in range(_TRIES):
            self.fetch()
            known = self._known()
            here = self._list_here()
            if all(self._bring(key, known) for key in sorted(here)):
                for key in sorted((self._there & known.keys()) - here):
                    self.store.delete(f"{self.folder}/{key}")
                    del known[key]
                self._know(known)
                return
            self._know(known)
        raise TamisError(
            f"`{self.store.url}/{self.folder}` is being changed by others without a pause", hint="try again"
        )

    def _bring(self, key: str, known: dict[str, str]) -> bool:
        """Put a file there if it is new or changed; return `False` where another took its place meanwhile."""
        if key in known and not key.endswith(f"/{_SPEC}"):
            return True
        data = (self.root / key).read_bytes()
        digest = _digest(key, data)
        if known.get(key) == digest:
            return True
        place = f"{self.folder}/{key}"
        if key in self._there:
            self.store.write(place, data)
        elif not self.store.write_if(place, data, there=None):
            return False
        known[key] = digest
        self._there.add(key)
        return True

    def _settle(self, key: str, known: dict[str, str]) -> None:
        """Decide between two files of one key that may differ."""
        path = self.root / key
        ours = path.read_bytes()
        theirs = self._read(key)
        if theirs is None:
            return
        if ours != theirs:
            if not _is_embedding(key):
                _take_next_number(path, self._there)
            elif key in known and known[key] != _digest(key, ours):
                return  # made anew here
            elif key not in known and not _is_alike(ours, theirs):
                raise UsageError(
                    f"Another machine made the embeddings in `{path.parent}` otherwise",
                    hint="remove that folder, or give them another name with `--name`",
                )
            LocalStore(self.root).write(key, theirs)
        known[key] = _digest(key, theirs)

    def _read(self, key: str) -> bytes | None:
        """Return what the bucket holds, `None` where another machine removed it since it was listed."""
        try:
            return self.store.read(f"{self.folder}/{key}").data
        except NotFoundError:
            self._there.discard(key)
            return None

    def _list_here(self) -> set[str]:
        found = [path for kind in _HISTORIES for path in self.root.glob(f"{kind}/*/*.json")]
        found += [path for name in (_SPEC, "[0-9]*.parquet") for path in self.root.glob(f"embeddings/*/*/{name}")]
        return {path.relative_to(self.root).as_posix() for path in found}

    def _list_there(self) -> set[str]:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tamis-index") as threads:
            *histories, sets = threads.map(self._folders, [*_HISTORIES, "embeddings"])
            folders = [*chain(*histories), *chain(*threads.map(self._folders, sets))]
            names = threads.map(self._files, folders)
            return {f"{folder}/{name}" for folder, found in zip(folders, names, strict=True) for name in found}

    def _folders(self, folder: str) -> list[str]:
        pages = self.store.list_folder(f"{self.folder}/{folder}", stamps=False)
        return [f"{folder}/{name}" for page in pages for name in page.folders]

    def _files(self, folder: str) -> list[str]:
        pages = self.store.list_folder(f"{self.folder}/{folder}", stamps=False)
        return [name for page in pages for name in page.names if name == _SPEC or name[:1].isdecimal()]

    def _identity(self) -> str:
        """Return what tells the bucket's index from one that was there before: what that lacked was not removed."""
        return (self._read(_IDENTITY) or b"").decode("ascii", "replace")

    def _known(self) -> dict[str, str]:
        try:
            ledger = msgspec.json.decode(LocalStore(self.root).read(_LEDGER).data, type=_Ledger)
        except (NotFoundError, msgspec.MsgspecError):
            return {}
        return ledger.files if ledger.index == self._index else {}

    def _know(self, known: dict[str, str]) -> None:
        LocalStore(self.root).write(_LEDGER, msgspec.json.encode(_Ledger(self._index, known)))


def _take_next_number(path: Path, there: Iterable[str]) -> None:
    """Let an entry of a history that was not shared yet follow those that were; its lock is held."""
    folder = "/".join(path.parts[-3:-1])
    names = {key.rpartition("/")[2] for key in there if key.startswith(f"{folder}/")}
    names |= {one.name for one in path.parent.glob("*.json")}
    numbers = [int(stem) for name in names if (stem := name.removesuffix(".json")).isdecimal()]
    path.rename(path.with_name(f"{max(numbers) + 1:06d}.json"))


def _is_embedding(key: str) -> bool:
    return key.startswith("embeddings/")


def _is_rows(key: str) -> bool:
    return _is_embedding(key) and not key.endswith(f"/{_SPEC}")


def _digest(key: str, data: bytes) -> str:
    """Return what tells contents of a file that may change apart; the others are told by their names."""
    return hashlib.blake2b(data, digest_size=16).hexdigest() if key.endswith(f"/{_SPEC}") else ""


def _is_alike(one: bytes, other: bytes) -> bool:
    """Whether two specs of a set were made by the same: both sets' rows are of one kind then."""
    try:
        first, second = (msgspec.json.decode(data, type=SetSpec) for data in (one, other))
    except msgspec.MsgspecError:
        return False
    return what_made(first) == what_made(second)
