"""The fields of a metadata schema: their types, which values fit, and the paths to them."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

Value = str | int | float | bool | None
Step = str | int

PATH = re.compile(r"[^.\[\]]+(?:\[\d{1,9}\])*(?:\.[^.\[\]]+(?:\[\d{1,9}\])*)*")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_INT64 = range(-(2**63), 2**63)
_EXACT_FLOATS = 2**53
_MAX_FLOAT = int(sys.float_info.max)


class MetadataType(StrEnum):
    """What the values of a field are."""

    NUMERIC_INT = "NUMERIC_INT"
    NUMERIC_FLOAT = "NUMERIC_FLOAT"
    CATEGORICAL_STRING = "CATEGORICAL_STRING"
    CATEGORICAL_INT = "CATEGORICAL_INT"
    CATEGORICAL_BOOLEAN = "CATEGORICAL_BOOLEAN"
    CATEGORICAL_DATETIME = "CATEGORICAL_DATETIME"
    CATEGORICAL_TIMESTAMP = "CATEGORICAL_TIMESTAMP"
    OTHER_STRING = "OTHER_STRING"


_INTEGERS = frozenset({MetadataType.NUMERIC_INT, MetadataType.CATEGORICAL_INT, MetadataType.CATEGORICAL_TIMESTAMP})
EXPECTED = {
    MetadataType.NUMERIC_INT: "a 64-bit integer",
    MetadataType.NUMERIC_FLOAT: "a number",
    MetadataType.CATEGORICAL_STRING: "a string",
    MetadataType.CATEGORICAL_INT: "a 64-bit integer",
    MetadataType.CATEGORICAL_BOOLEAN: "`true` or `false`",
    MetadataType.CATEGORICAL_DATETIME: "a date and time like `2026-11-23T09:30:00Z`",
    MetadataType.CATEGORICAL_TIMESTAMP: "integer seconds since 1970",
    MetadataType.OTHER_STRING: "a string",
}


@dataclass(frozen=True, slots=True)
class MetadataField:
    """One entry of the metadata schema.

    Attributes:
        name: what the field is called everywhere; unique within a schema.
        path: where its value is within a file's `metadata`.
        default: the value where a file says nothing.
        type: what its values are.
    """

    name: str
    path: str
    default: Value
    type: MetadataType


def fits(kind: MetadataType, value: object) -> bool:
    """Say whether a value is null or of a type.

    >>> fits(MetadataType.NUMERIC_INT, 3.0), fits(MetadataType.NUMERIC_INT, 3.5)
    (True, False)
    """
    if value is None:
        return True
    if kind is MetadataType.CATEGORICAL_BOOLEAN:
        return isinstance(value, bool)
    if kind is MetadataType.NUMERIC_FLOAT:
        return _is_number(value)
    if kind in _INTEGERS:
        if isinstance(value, float):
            return value.is_integer() and abs(value) <= _EXACT_FLOATS
        return isinstance(value, int) and not isinstance(value, bool) and value in _INT64
    return isinstance(value, str) and (kind is not MetadataType.CATEGORICAL_DATETIME or _is_datetime(value))


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_FLOAT


def _is_datetime(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def typed(kind: MetadataType, value: Any) -> Value:  # noqa: ANN401 (a value that fits the type)
    """Return a value that fits as the type has it: `3.0` is the integer 3, `3` the number 3.0.

    >>> typed(MetadataType.NUMERIC_INT, 3.0), typed(MetadataType.NUMERIC_FLOAT, 3)
    (3, 3.0)
    """
    if value is None:
        return None
    if kind is MetadataType.NUMERIC_FLOAT:
        return float(value)
    if kind in _INTEGERS:
        return int(value)
    result: Value = value
    return result


@cache
def steps_of(path: str) -> tuple[Step, ...]:
    """Take a path of a field apart into keys and indices.

    >>> steps_of("objects[0].name")
    ('objects', 0, 'name')
    """
    return tuple(int(index) if index else key for index, key in _STEP.findall(path))
