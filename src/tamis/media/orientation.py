"""Whether viewers turn a picture: the orientation in EXIF, which sizes, boxes and masks here never follow."""

from __future__ import annotations

import struct

_STARTS = ((b"\xff\xd8\xff", b"Exif\0\0"), (b"\x89PNG\r\n\x1a\n", b"eXIf"))
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION, _SHORT = 0x0112, 3
_ENTRY_BYTES = 12
_SEARCHED_BYTES = 1024  # EXIF comes first in a JPEG; a search of all that was read would take longer than the size
_TURNED = range(2, 9)  # 1 is as stored; the others turn or mirror


def is_turned(start: bytes) -> bool:
    """Whether a JPEG or PNG has an orientation other than that in which it is stored.

    Args:
        start: its first bytes, at least those up to its size.
    """
    for format_start, marker in _STARTS:
        if start.startswith(format_start):
            at = start.find(marker, 0, _SEARCHED_BYTES)
            return at >= 0 and _orientation(start[at + len(marker) :]) in _TURNED
    return False


def _orientation(exif: bytes) -> int | None:
    order = _ORDERS.get(exif[:4])
    if order is None:
        return None
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (n_entries,) = struct.unpack_from(f"{order}H", exif, at)
        for entry_at in range(at + 2, at + 2 + n_entries * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, entry_at)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return int(value)
    except struct.error:  # cut short, or damaged
        return None
    return None
