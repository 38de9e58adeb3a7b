"""TFRecord files as TensorFlow writes them, made from their description."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Features = Mapping[str, Sequence[bytes] | Sequence[float] | Sequence[int]]


def crc32c(data: bytes) -> int:
    """Return the checksum bit by bit, as its definition says."""
    value = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            lowest = (value ^ byte >> bit) & 1
            value = value >> 1 ^ lowest * 0x82F63B78
    return value ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) % (1 << 32))


def record(data: bytes) -> bytes:
    """Frame one record."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(value: int) -> bytes:
    value %= 1 << 64
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def example(features: Features, *, packed: bool = True) -> bytes:
    """Return a `tf.train.Example`; numbers packed, as TensorFlow does, or one by one, as the format also allows."""
    entries = b"".join(field(1, field(1, name.encode()) + field(2, _feature(values, packed=packed)))
                       for name, values in features.items())  # fmt: skip
    return field(1, entries)


def _feature(values: Sequence[bytes] | Sequence[float] | Sequence[int], *, packed: bool) -> bytes:
    parts: list[bytes] = []
    kind, wire = 1, 2
    for value in values:
        if isinstance(value, bytes):
            parts.append(field(1, value))
        elif isinstance(value, float):
            kind, wire = 2, 5
            parts.append(struct.pack("<f", value))
        else:
            kind, wire = 3, 0
            parts.append(varint(value))
    if kind == 1:
        return field(1, b"".join(parts))
    if packed:
        return field(kind, field(1, b"".join(parts)))
    return field(kind, b"".join(varint(1 << 3 | wire) + part for part in parts))
