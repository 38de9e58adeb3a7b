"""Listing one folder of a bucket page by page, though obstore returns a folder with its subfolders only as a whole.

Where keys come in order and a listing can start at any of them (S3, GCS), everything below the folder is streamed,
and what lies in a subfolder is jumped over: a folder of millions of files takes the memory of one page. Each jump
is a request of its own, so that after some of them, and elsewhere, the whole folder is asked for at once.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError

from tamis.storage.base import Page, Stamp
from tamis.storage.bucket_errors import Retries
from tamis.storage.bucket_url import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obstore import ObjectMeta

    from tamis.storage.bucket_client import Objects
    from tamis.storage.bucket_url import BucketUrl

_PAGE_NAMES = 10_000
_CHUNK = 1_000  # as many as the servers send at a time
_MAX_JUMPS = 3  # `.lightly` comes first; a folder with more subfolders than files is better asked for whole
_LAST_CHARACTER = "\U0010ffff"
_UNORDERED_SUFFIX = "--x-s3"  # S3 Express buckets list in no order
_SECOND_NS = 1_000_000_000


def stamp_of(meta: ObjectMeta) -> Stamp:
    """Return the stamp of an object: its size, and its time of change in whole seconds with its etag below them.

    The headers of a read give seconds only, so that a change within one would go unseen. The digits below the
    second therefore come from a hash of the etag, 0 where there is none; listing and reading agree on both.
    """
    tag = (meta["e_tag"] or "").removeprefix("W/").strip('"')
    below = int.from_bytes(hashlib.blake2b(tag.encode(), digest_size=8).digest()) % _SECOND_NS if tag else 0
    return Stamp(meta["size"], int(meta["last_modified"].timestamp()) * _SECOND_NS + below)


def list_pages(
    objects: Objects, place: BucketUrl, folder: str, *, stamps: bool, retry_secs: float
) -> Iterator[Page]:
    """List what lies directly in a folder.

    Args:
        objects: the bucket.
        place: its URL.
        folder: key of the folder in the bucket, "" for all of it.
        stamps: whether to tell sizes and times.
        retry_secs: how long to go on trying where answers break off.
    """
    is_ordered = place.service in {Service.S3, Service.GCS} and not place.bucket.endswith(_UNORDERED_SUFFIX)
    listing = _FolderListing(f"{folder}/" if folder else "", stamps=stamps)
    if is_ordered:
        yield from _jump_along(objects, folder, listing, retry_secs)
    else:
        yield from _whole(objects, folder, listing, retry_secs)
    yield listing.take()


def _jump_along(objects: Objects, folder: str, listing: _FolderListing, retry_secs: float) -> Iterator[Page]:
    """List along the keys, over subfolders, and on from where an answer broke off."""
    n_jumps, retries = 0, Retries(retry_secs)
    while n_jumps < _MAX_JUMPS:
        subfolder: str | None = None
        try:
            for chunk in obstore.list(objects, folder or None, offset=listing.after, chunk_size=_CHUNK):
                subfolder = listing.add_until_subfolder(chunk)
                if listing.is_full:
                    yield listing.take()
                if subfolder is not None:
                    break
        except BaseError as error:
            if not retries.wait_after(error):
                raise
            continue
        if subfolder is None:
            return
        listing.after = f"{listing.prefix}{subfolder}/{_LAST_CHARACTER}"
        n_jumps += 1
    yield from _whole(objects, folder, listing, retry_secs)


def _whole(objects: Objects, folder: str, listing: _FolderListing, retry_secs: float) -> Iterator[Page]:
    """List the folder at once, and take what comes after the keys that are listed already."""
    retries = Retries(retry_secs)
    while True:
        try:
            result = obstore.list_with_delimiter(objects, folder or None)
            break
        except BaseError as error:
            if not retries.wait_after(error):
                raise
    found = result["objects"]
    listing.add_folders(result["common_prefixes"])
    done = (listing.after or "").encode()
    for start in range(0, len(found), _CHUNK):
        chunk = found[start : start + _CHUNK]
        listing.add_files([meta for meta in chunk if meta["path"].encode() > done] if done else chunk)
        if listing.is_full:
            yield listing.take()


class _FolderListing:
    """The page that is being filled, and how far the listing is.

    Args:
        prefix: what the keys of the folder begin with.
        stamps: whether to tell sizes and times.

    Attributes:
        after: the key, in the servers' order, up to which all is listed, `None` at the start.
    """

    def __init__(self, prefix: str, *, stamps: bool) -> None:
        self.prefix = prefix
        self.after: str | None = None
        self._stamps = stamps
        self._page = Page()
        self._told: set[str] = set()

    @property
    def is_full(self) -> bool:
        return len(self._page.names) >= _PAGE_NAMES

    def take(self) -> Page:
        page, self._page = self._page, Page()
        return page

    def add_until_subfolder(self, found: Sequence[ObjectMeta]) -> str | None:
        """Add files up to the first that lies in a subfolder, and return that subfolder's name, or `None`."""
        for i, meta in enumerate(found):
            name, slash, _ = meta["path"][len(self.prefix) :].partition("/")
            if slash:
                self.add_files(found[:i])
                self._add_folder(name)
                return name
        self.add_files(found)
        if found:
            self.after = found[-1]["path"]
        return None

    def add_files(self, found: Sequence[ObjectMeta]) -> None:
        page, skip = self._page, len(self.prefix)
        for meta in found:
            path = meta["path"]
            # Objects that stand for the folder itself end in a slash, which obstore takes off.
            if len(path) <= skip or not path.startswith(self.prefix):
                continue
            if "\\" in path:
                page.skipped.append((path[skip:], "its name holds a backslash"))
                continue
            page.names.append(path[skip:])
            if self._stamps:
                stamp = stamp_of(meta)
                page.sizes_bytes.append(stamp.size_bytes)
                page.mtimes_ns.append(stamp.mtime_ns)

    def add_folders(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._add_folder(path[len(self.prefix) :].rstrip("/"))

    def _add_folder(self, name: str) -> None:
        if name in self._told:
            return
        self._told.add(name)
        if "\\" in name:
            self._page.skipped.append((name, "its name holds a backslash"))
        else:
            self._page.folders.append(name)
