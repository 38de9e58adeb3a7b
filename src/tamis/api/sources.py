"""Where a project's files are: the input datasource, the lightly datasource, and the index."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import UsageError
from tamis.index import Index
from tamis.storage import LocalStore

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
        source: folder of the images and videos.
        lightly: folder that holds `.lightly`; the source by default.
        index: folder of the index; `.lightly/tamis` of the lightly datasource by default, or where that cannot
            be written, the user's cache folder.

    Raises:
        DatasourceError: when a folder is not there or may not be read.
        UsageError: when a URL is given: only folders can be opened.
    """
    input_store = _open_store(source)
    lightly_store = input_store if lightly is None else _open_store(lightly)
    if index is not None:
        return Sources(input_store, lightly_store, Index(Path(index).expanduser().absolute()))
    root = lightly_store.local_root / INDEX_FOLDER
    if _is_writable(root):
        return Sources(input_store, lightly_store, Index(root))
    cache = _cache_folder(lightly_store.url)
    note = f"`{root}` cannot be written; the index is kept in `{cache}`"
    return Sources(input_store, lightly_store, Index(cache), note)


def _open_store(place: str | Path) -> LocalStore:
    if isinstance(place, str) and "://" in place:
        scheme = place.partition("://")[0]
        raise UsageError(
            f"`{place}` cannot be opened: `{scheme}://` is not supported",
            hint="give a folder of this machine; a bucket can be mounted as one",
        )
    return LocalStore.open(place)


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
