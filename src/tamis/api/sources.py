"""Where a project's files are: the input datasource, the lightly datasource, and the index."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import DatasourceError, UsageError
from tamis.index import Index, SharedIndex
from tamis.storage import LocalStore, is_url

if TYPE_CHECKING:
    from tamis.storage import Store

INDEX_FOLDER = ".lightly/tamis"


@dataclass(frozen=True, slots=True)
class Sources:
    """The places that a call works on.

    Attributes:
        input: images and videos.
        lightly: what holds `.lightly`.
        index: the index.
        index_note: why the index is not beside the predictions, to be said once; `None` where it is.
    """

    input: Store
    lightly: Store
    index: Index
    index_note: str | None = None


def open_sources(
    source: str | Path, *, lightly: str | Path | None = None, index: str | Path | None = None
) -> Sources:
    """Open the places of a project.

    Args:
        source: folder or URL of the images and videos.
        lightly: folder or URL of what holds `.lightly`; the source by default.
        index: folder of the index; `.lightly/tamis` of the lightly datasource by default, or where that cannot
            be written, the user's cache folder. Where it is in a bucket, that folder is a mirror of it.

    Raises:
        DatasourceError: when a folder is not there or may not be read, or the source's URL holds nothing.
        UnavailableError: when a bucket is not there, does not answer or knows none of our credentials.
        UsageError: when a URL is wrong, its scheme is not known, or the index is given as one.
    """
    if is_url(index):
        raise UsageError(f"The index cannot be kept in `{index}`", hint="give `--index` a folder of this machine")
    input_store = open_store(source)
    if input_store.local_root is None:
        _require_content(input_store)
    lightly_store = input_store if lightly is None else open_store(lightly)
    if index is not None:
        return Sources(input_store, lightly_store, Index(Path(index).expanduser().absolute()))
    if lightly_store.local_root is None:
        cache = _cache_folder(lightly_store.url)
        return Sources(input_store, lightly_store, Index(cache, SharedIndex(lightly_store, INDEX_FOLDER)))
    root = lightly_store.local_root / INDEX_FOLDER
    if _is_writable(root):
        return Sources(input_store, lightly_store, Index(root))
    cache = _cache_folder(lightly_store.url)
    note = f"`{root}` cannot be written; the index is kept in `{cache}`"
    return Sources(input_store, lightly_store, Index(cache), note)


def open_store(place: str | Path) -> Store:
    """Open the store of a folder or a URL. Raises as `open_sources`, but asks a bucket nothing yet."""
    if not is_url(place):
        return LocalStore.open(place)
    from tamis.storage.bucket import BucketStore  # noqa: PLC0415 (loads obstore, which a folder needs not wait for)

    return BucketStore(str(place))


def _require_content(store: Store) -> None:
    """A bucket has no folders, only keys: where none begins so, the URL is most likely mistyped."""
    if not any(page.names or page.folders for page in store.list_folder("", stamps=False)):
        raise DatasourceError(f"`{store.url}` holds nothing", hint="check the URL for a typo")


def _is_writable(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, may be written to."""
    while not folder.exists():
        if folder.parent == folder:
            return False
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _cache_folder(url: str) -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tamis" / hashlib.blake2b(url.encode(), digest_size=8).hexdigest()
