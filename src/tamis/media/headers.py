"""Width and height of an image from its first bytes, without decoding a pixel.

Sizes are those of the pixels as stored: an orientation in EXIF, which viewers apply, changes nothing, as
boxes and masks refer to the stored pixels. This is the hot path of a first scan (millions of images), which
is why it is written by hand: a few microseconds an image, where Pillow needs 30 to 150.

Formats: JPEG, PNG, GIF (the logical screen), BMP, WebP, TIFF and BigTIFF (the first picture), PPM/PGM/PBM.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_HEADER_GUESS_BYTES = 1 << 16
_MAX_TIFF_ENTRIES = 1 << 16
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # that a segment follows: no fill byte, no restart
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ENDS = frozenset({0xD9, 0xDA})
_BMP_CORE_BYTES = 12
_BMP_INFO_BYTES = frozenset({40, 52, 56, 64, 108, 124})
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_PNM = re.compile(rb"P[1-6](?:\s|#[^\r\n]*[\r\n])+(\d{1,18})(?:\s|#[^\r\n]*[\r\n])+(\d{1,18})(?=[\s#])")


class MoreBytesError(Exception):
    """The size lies further into the file.

    Attributes:
        n_bytes: how many bytes from the start are needed to go on.
    """

    def __init__(self, n_bytes: int) -> None:
        super().__init__(n_bytes)
        self.n_bytes = n_bytes


class HeaderError(ValueError):
    """The bytes are damaged, or no image of a format that is read here."""


def image_size(data: bytes) -> tuple[int, int]:
    r"""Return width and height in pixels, both > 0, as stored (no EXIF orientation applied).

    Args:
        data: the file's first bytes, as many as there are at hand.

    Raises:
        MoreBytesError: when the size lies beyond `data`.
        HeaderError: when the bytes are damaged or of another format.

    >>> image_size(b"GIF89a" + bytes([5, 0, 7, 0]))
    (5, 7)
    >>> image_size(b"P6 # a comment\n640 480 255\n")
    (640, 480)
    """
    try:
        width, height = _size(data)
    except struct.error:
        raise MoreBytesError(len(data) + 1) from None
    if width <= 0 or height <= 0:
        raise HeaderError(f"its header says {width} x {height} pixels")
    return width, height


def _size(data: bytes) -> tuple[int, int]:
    for start, reader in _READERS:
        if data.startswith(start):
            return reader(data)
    raise HeaderError("it is not of a known image format" if data else "the file is empty")


def _pair(layout: str, data: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, at)
    return first, second


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        found = _JPEG_MARKER.search(data, at)  # encoders pad between segments, so look for the next marker
        if found is None:
            raise MoreBytesError(max(at, len(data)) + 9)
        start = found.start()
        if start + 9 > len(data):
            raise MoreBytesError(start + 9)
        marker = data[start + 1]
        if marker in _JPEG_FRAMES:
            height, width = _pair(">HH", data, start + 5)
            return width, height
        if marker in _JPEG_ENDS:
            raise HeaderError("its JPEG header names no size")
        at = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")


def _png(data: bytes) -> tuple[int, int]:
    size = _pair(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise HeaderError("its PNG data does not start with a header")
    return size


def _webp(data: bytes) -> tuple[int, int]:
    if data[8:12] != b"WEBP":
        raise HeaderError("it is not of a known image format")
    kind = data[12:16]
    if len(data) < 30:  # noqa: PLR2004 (where the longest of the three headers ends)
        raise MoreBytesError(30)
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:  # noqa: PLR2004 (the signature byte)
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise HeaderError("its WebP header is damaged")


def _gif(data: bytes) -> tuple[int, int]:
    return _pair("<HH", data, 6)


def _bmp(data: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    if header_bytes == _BMP_CORE_BYTES:
        return _pair("<HH", data, 18)
    if header_bytes not in _BMP_INFO_BYTES:
        raise HeaderError("its BMP header is of no known length")
    width, height = _pair("<ii", data, 18)
    return width, abs(height)  # a negative height says: rows run from top to bottom


def _pnm(data: bytes) -> tuple[int, int]:
    match = _PNM.match(data)
    if match is None:
        if len(data) < _MAX_HEADER_GUESS_BYTES:
            raise MoreBytesError(len(data) + 1)
        raise HeaderError("its PPM header names no size")
    return int(match[1]), int(match[2])


def _tiff(data: bytes) -> tuple[int, int]:
    return tiff_size(data, data, 0)


def tiff_directory_at(start: bytes) -> int:
    """Return where the first directory of a TIFF begins, in bytes from the file's start.

    Raises:
        struct.error: when `start` is shorter than 16 bytes.
    """
    order, is_big = _tiff_layout(start)
    (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), start, 8 if is_big else 4)
    return int(at)


def tiff_size(start: bytes, data: bytes, data_at: int) -> tuple[int, int]:
    """Return width and height of the first picture of a TIFF.

    Args:
        start: the file's first bytes, at least 16.
        data: bytes of the file that hold the directory.
        data_at: where `data` begins, in bytes from the file's start.

    Raises:
        MoreBytesError: when the directory lies beyond `data`.
        HeaderError: when the directory names no size.
        struct.error: when `start` is too short.
    """
    order, is_big = _tiff_layout(start)
    at = tiff_directory_at(start) - data_at
    count_layout, entry_bytes, value_at = ("Q", 20, 12) if is_big else ("H", 12, 8)
    entries_at = at + struct.calcsize(order + count_layout)
    if entries_at > len(data):
        raise MoreBytesError(entries_at + data_at)
    if at < 0:
        raise HeaderError("its TIFF header is damaged")
    (n_entries,) = struct.unpack_from(order + count_layout, data, at)
    if n_entries > _MAX_TIFF_ENTRIES:
        raise HeaderError("its TIFF header is damaged")
    if entries_at + n_entries * entry_bytes > len(data):
        raise MoreBytesError(entries_at + n_entries * entry_bytes + data_at)
    found = {}
    for entry_at in range(entries_at, entries_at + n_entries * entry_bytes, entry_bytes):
        tag, kind = _pair(order + "HH", data, entry_at)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in _TIFF_NUMBERS:
            (found[tag],) = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, entry_at + value_at)
    if len(found) < 2:  # noqa: PLR2004 (width and height)
        raise HeaderError("its TIFF directory names no size")
    return found[_TIFF_WIDTH], found[_TIFF_HEIGHT]


def _tiff_layout(start: bytes) -> tuple[str, bool]:
    """Return the byte order and whether it is a BigTIFF."""
    return ("<" if start.startswith(b"I") else ">"), b"+" in start[2:4]


_READERS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"RIFF", _webp),
    ((b"GIF87a", b"GIF89a"), _gif),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    (b"BM", _bmp),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), _pnm),
)
