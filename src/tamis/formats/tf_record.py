"""TFRecord files of TensorFlow's Object Detection API: `tf.train.Example` messages, one an image.

TensorFlow weighs more than all of tamis, and of its formats these two are enough: the frame around each record
(length and checksum, the data and its checksum), and protobuf's wire format of three nested messages.
"""

from __future__ import annotations

import re
import struct
from math import isfinite
from typing import IO, TYPE_CHECKING, Any

from tamis.formats.foreign import ForeignError, ForeignObject
from tamis.formats.label_xml import box_of_corners
from tamis.formats.parsed import Fault, ParsedImage, known_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Features = Mapping[str, Sequence[Any]]

_HEAD = struct.Struct("<QI")
_TAIL_BYTES = 4
_MAX_BYTES = 1 << 30
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_ITEM = re.compile(r"item\s*{([^{}]*)}")
_ITEM_ID = re.compile(r"\bid\s*:\s*(\d+)")
_ITEM_NAME = re.compile(r"""\b(display_name|name)\s*:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the records of a TFRecord file.

    Raises:
        ForeignError: when the file is cut or is none; what was yielded before is whole.
    """
    number = 0
    while head := file.read(_HEAD.size):
        number += 1
        if len(head) < _HEAD.size:
            raise ForeignError("file-unreadable", f"expected record {number}, got the end of the file within it")
        length, checksum = _HEAD.unpack(head)
        if _masked_crc32c(head[:8]) != checksum or length > _MAX_BYTES:
            raise ForeignError("file-unreadable", f"expected the head of record {number}, got other bytes")
        data = file.read(length + _TAIL_BYTES)
        if len(data) < length + _TAIL_BYTES:
            raise ForeignError("file-unreadable", f"expected {length:,} bytes of record {number}, got fewer")
        yield data[:length]


def decode_example(data: bytes) -> Features:
    """Return the features of a `tf.train.Example` by name: lists of bytes, floats or integers.

    Raises:
        ForeignError: when it is none.
    """
    found: dict[str, Sequence[Any]] = {}
    try:
        for features in _messages(data, 1):
            for entry in _messages(features, 1):
                parts = dict(_fields(entry))
                name, value = parts.get(1, b""), parts.get(2, b"")
                if not isinstance(name, bytes) or not isinstance(value, bytes):
                    raise _broken()
                found[name.decode()] = _values(value)
    except (struct.error, UnicodeDecodeError):
        raise _broken() from None
    return found


def decode_tf_objects(features: Features, known: Mapping[int, str]) -> ParsedImage:
    """Read the boxes of an image: labels in `image/object`, results of a model in `image/detection`.

    Args:
        features: of the image.
        known: the categories.

    Raises:
        ForeignError: when it names no image.
    """
    name = _text(_first(features, "image/filename")) or _text(_first(features, "image/source_id"))
    if not name:
        raise ForeignError("record-unreadable", "expected the feature `image/filename`, got none")
    size = known_size(*(int(next(iter(_numbers(features, f"image/{side}")), 0)) for side in ("width", "height")))
    is_result = "image/detection/bbox/xmin" in features
    root = "image/detection" if is_result else "image/object"
    sides = [_numbers(features, f"{root}/bbox/{side}") for side in _SIDES]
    labels = tf_labels(features, known)
    scores: Sequence[float | None] = _numbers(features, f"{root}/score") or [None] * len(labels)
    counts = {len(values) for values in (*sides, labels, scores)}
    if len(counts) > 1:
        fault = Fault(None, "record-unreadable", f"expected as many of each, got {sorted(counts)} values")
        return ParsedImage(name, size, [], [fault])
    objects, faults = [], []
    for number, (label, score, *corners) in enumerate(zip(labels, scores, *sides, strict=True), 1):
        if label not in known:
            message = f"expected a category that is named, got {label}"
            faults.append(Fault(number, "category-name-unknown", message))
            continue
        box = box_of_corners(*map(float, corners))
        objects.append(ForeignObject(number=number, category_id=label, bbox=box, score=score))
    return ParsedImage(name, size, objects, faults, is_relative=True)


def tf_labels(features: Features, known: Mapping[int, str]) -> Sequence[Any]:
    """Return the category id of each object, or its name where no category has that."""
    root = "image/detection" if "image/detection/bbox/xmin" in features else "image/object/class"
    labels = features.get(f"{root}/label", ())
    if labels:
        return [label if isinstance(label, int) else _text(label) for label in labels]
    ids = {name: category_id for category_id, name in known.items()}
    return [ids.get(name, name) for name in map(_text, features.get("image/object/class/text", ()))]


def tf_names(features: Features) -> Iterator[tuple[int, str]]:
    """Yield the category of each object that has a number and a name."""
    labels, texts = (features.get(f"image/object/class/{what}", ()) for what in ("label", "text"))
    yield from ((label, _text(text)) for label, text in zip(labels, texts, strict=False) if isinstance(label, int))


def decode_label_map(text: str) -> list[dict[str, Any]]:
    """Read a `label_map.pbtxt`: categories with `id` and `name`, none where it holds none.

    >>> decode_label_map("item { id: 1 name: 'person' }  item { name: 'n02' id: 7 display_name: 'dog' }")
    [{'id': 1, 'name': 'person'}, {'id': 7, 'name': 'dog'}]
    """
    found = []
    for item in _ITEM.finditer(text):
        number = _ITEM_ID.search(item[1])
        names = {what: quoted[1:-1] for what, quoted in _ITEM_NAME.findall(item[1])}
        name = names.get("display_name", names.get("name"))
        if number and name is not None:
            found.append({"id": int(number[1]), "name": name})
    return found


def _values(feature: bytes) -> Sequence[Any]:
    """Return the values of a feature: of its list of bytes (1), floats (2) or integers (3)."""
    for kind, data in _fields(feature):
        if not isinstance(data, bytes):
            raise _broken()
        values = [value for field, value in _fields(data) if field == 1]
        if kind == 1:
            return values
        if kind == 2:  # noqa: PLR2004 (the field's number)
            return [number for value in values for number in _floats(value)]
        if kind == 3:  # noqa: PLR2004 (the field's number)
            return [_signed(number) for value in values for number in _integers(value)]
    return ()


def _floats(value: bytes | int) -> Sequence[float]:
    if isinstance(value, int):
        return struct.unpack("<f", struct.pack("<I", value))
    return struct.unpack(f"<{len(value) // 4}f", value)


def _integers(value: bytes | int) -> Iterator[int]:
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _messages(data: bytes, field: int) -> Iterator[bytes]:
    for number, value in _fields(data):
        if number == field and isinstance(value, bytes):
            yield value


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = _varint(data, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(kind, -1), at)
        if size < 0 or at + size > len(data):
            raise _broken()
        part = data[at : at + size]
        yield key >> 3, part if kind == _BYTES else int.from_bytes(part, "little")
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(data[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:  # noqa: PLR2004 (the last byte of a number has its top bit clear)
            return value, at + i + 1
    raise _broken()


def _broken() -> ForeignError:
    return ForeignError("record-unreadable", "expected a `tf.train.Example`, got other bytes")


def _first(features: Features, name: str) -> Any:  # noqa: ANN401 (whatever kind of list it is)
    values = features.get(name, ())
    return values[0] if values else None


def _numbers(features: Features, name: str) -> Sequence[float]:
    values = features.get(name, ())
    if any(isinstance(value, bytes) or not isfinite(value) for value in values):
        raise ForeignError("record-unreadable", f"expected numbers as `{name}`, got {values[0]!r:.40}")
    return values


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # Castagnoli's polynomial, reversed
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def _masked_crc32c(data: bytes) -> int:
    """Return a checksum as TFRecord writes it; only heads are checked, the rest is what protobuf can read."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
