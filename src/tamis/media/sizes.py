"""Image sizes through any store: one short read an image, more only where the header is long."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from tamis.media.headers import HeaderError, MoreBytesError, image_size, tiff_directory_at, tiff_size
from tamis.media.orientation import is_turned
from tamis.storage import Stamp, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.storage import Blob, Store

FIRST_READ_BYTES = 4096  # holds the size of 87 % of COCO's JPEGs; the others carry EXIF or colour profiles
MAX_READ_BYTES = 1 << 28
_GROWTH = 16
_FAR_BYTES = 1 << 20
_TIFF_START_BYTES = 16
_TIFF_DIRECTORY_BYTES = 1 << 16
_AVIF_BRANDS = (b"ftypavif", b"ftypavis")
_NO_STAMP = Stamp(0, 0)
_RARE_STARTS = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # JPEG 2000: the file, the bare stream


class ImageSize(NamedTuple):
    """What a header says, and the stamp of the file it was read from.

    Attributes:
        width: in pixels as stored, 0 where it cannot be told.
        height: in pixels as stored, 0 where it cannot be told.
        stamp: size and time of change of the file.
        fault: why the size cannot be told, a clause about the file; `None` where it is known.
        is_turned: whether viewers show a JPEG or PNG turned or mirrored.
    """

    width: int
    height: int
    stamp: Stamp
    fault: str | None
    is_turned: bool = False


def read_image_sizes(store: Store, keys: Sequence[str]) -> Iterator[ImageSize]:
    """Yield the size of each image as stored (no EXIF orientation applied); what is wrong is its `fault`.

    As with `Store.read_many`, a bucket is asked by this call, not when the first size is.

    Args:
        store: where the images lie.
        keys: of the images, those of one folder best side by side.
    """
    return _sizes(store, keys, store.read_many(keys, n_bytes=FIRST_READ_BYTES))


def _sizes(store: Store, keys: Sequence[str], starts: Iterator[Blob | StoreError]) -> Iterator[ImageSize]:
    for key, blob in zip(keys, starts, strict=True):
        try:
            yield _unknown(_NO_STAMP, blob.message) if isinstance(blob, StoreError) else _size_of(store, key, blob)
        except StoreError as error:
            yield _unknown(_NO_STAMP, error.message)


def _size_of(store: Store, key: str, blob: Blob) -> ImageSize:
    """Return the size of an image by its first bytes, and read further where these do not tell it."""
    n_bytes = FIRST_READ_BYTES
    while True:
        data, stamp = blob
        if len(data) < (expected := min(n_bytes, stamp.size_bytes)):
            raise StoreError(f"only {len(data):,} of its first {expected:,} bytes came")
        try:
            width, height = image_size(data)
        except MoreBytesError as more:
            if len(data) < n_bytes or more.n_bytes > stamp.size_bytes:
                return _unknown(stamp, "the file ends within its header" if data else "the file is empty")
            if more.n_bytes > _FAR_BYTES and data.startswith((b"II", b"MM")):
                return _far_tiff(store, key, data)
            if more.n_bytes > MAX_READ_BYTES:
                return _unknown(stamp, f"its header lies {more.n_bytes:,} bytes into the file")
            n_bytes = min(max(more.n_bytes, n_bytes * _GROWTH), stamp.size_bytes)
        except HeaderError as error:
            if data.startswith(_RARE_STARTS) or data[4:12] in _AVIF_BRANDS:
                return _by_pillow(store, key)
            return _unknown(stamp, str(error))
        else:
            return ImageSize(width, height, stamp, None, is_turned(data))
        blob = store.read_start(key, n_bytes)


def _unknown(stamp: Stamp, fault: str) -> ImageSize:
    return ImageSize(0, 0, stamp, fault)


def _far_tiff(store: Store, key: str, start: bytes) -> ImageSize:
    """Read a directory at the end of a TIFF, where most writers put it, without the pixels before it."""
    at = tiff_directory_at(start)
    directory, stamp = store.read_range(key, at, _TIFF_DIRECTORY_BYTES)
    try:
        width, height = tiff_size(start, directory, at)
    except (MoreBytesError, HeaderError, struct.error):
        return _unknown(stamp, "its TIFF directory is damaged")
    return ImageSize(width, height, stamp, None)


def _by_pillow(store: Store, key: str) -> ImageSize:
    """Ask Pillow about formats too rare for a reader of their own: AVIF and JPEG 2000."""
    from tamis.media.pillow import PictureError, open_image, quiet_pillow  # noqa: PLC0415 (rare, and slow to load)

    data, stamp = store.read_start(key, MAX_READ_BYTES)
    try:
        with quiet_pillow():
            width, height = open_image(data).size
    except PictureError as error:
        return _unknown(stamp, str(error))
    return ImageSize(width, height, stamp, None)
