"""Which videos `tamis frames` works on, and what scans know of them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import DatasourceError, IndexMissingError, UsageError
from tamis.model import SampleKind, kind_of_key
from tamis.storage import LocalStore, is_url, join_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.index import Video
    from tamis.storage import Store

_LIGHTLY = ".lightly"


def find_videos(sources: Sequence[str | Path]) -> dict[str, Store]:
    """Return the store of each video by its key: its path relative to the folder given, or its file name.

    A file that is named is taken whatever its ending; folders are searched for the endings of videos.

    Raises:
        UsageError: when two videos have one key.
        DatasourceError: when a source is not there, or there is no video.
    """
    found: dict[str, Store] = {}
    for source in sources:
        store, keys = _open(source)
        for key in keys:
            if key in found:
                raise UsageError(
                    f"`{key}` is the name of two videos, in `{found[key].url}` and in `{store.url}`",
                    hint="give a folder that holds both, or call once for each",
                )
            found[key] = store
    if not found:
        raise DatasourceError(f"There is no video in {', '.join(f'`{source}`' for source in sources)}")
    return found


def open_root(place: str | Path) -> Store:
    """Open a folder or the URL of a bucket.

    Raises:
        UsageError: when a URL is wrong.
        DatasourceError: when a folder is not there or may not be read.
    """
    if not is_url(place):
        return LocalStore.open(Path(place).expanduser())
    from tamis.storage.bucket import BucketStore  # noqa: PLC0415 (loads obstore, for buckets only)

    return BucketStore(str(place))


def _open(source: str | Path) -> tuple[Store, list[str]]:
    """Return the store of a source, and the keys of its videos."""
    if _is_url_of_video(source):
        folder, _, name = str(source).rpartition("/")
        return open_root(folder), [name]
    path = Path(source).expanduser()
    if is_url(source) or path.is_dir():
        store = open_root(source)
        return store, list(_videos_in(store, ""))
    if not path.exists():
        raise DatasourceError(f"There is no video or folder `{path}`", hint="check the path for a typo")
    return LocalStore(path.absolute().parent), [path.name]


def _is_url_of_video(source: str | Path) -> bool:
    return is_url(source) and kind_of_key(str(source)) is SampleKind.VIDEO


def _videos_in(store: Store, folder: str) -> Iterator[str]:
    for page in store.list_folder(folder, stamps=False):
        for name in page.names:
            if kind_of_key(name) is SampleKind.VIDEO:
                yield join_key(folder, name)
        for name in page.folders:
            if name != _LIGHTLY:
                yield from _videos_in(store, join_key(folder, name))


def known_videos(sources: Sequence[str | Path]) -> dict[tuple[str, str], Video]:
    """Return what scans of the given folders found, by URL of the store and key: no video is counted twice."""
    known: dict[tuple[str, str], Video] = {}
    for source in sources:
        may_have_index = (
            not _is_url_of_video(source) if is_url(source) else (Path(source).expanduser() / _LIGHTLY).is_dir()
        )
        if not may_have_index:
            continue
        from tamis.api.sources import open_sources  # noqa: PLC0415 (.2 s, where there may be an index)

        opened = open_sources(source if is_url(source) else Path(source).expanduser())
        with suppress(IndexMissingError):  # a damaged index is as good as none: everything is counted anew
            snapshot = opened.index.latest()
            videos = () if snapshot is None else snapshot.manifest.videos
            known |= {(opened.input.url, video.key): video for video in videos}
    return known
