"""Hypothesis strategies for metadata schemas and the values that fit them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tamis.formats.metadata_fields import MetadataField, MetadataType

if TYPE_CHECKING:
    from tamis.formats.metadata_fields import Value

_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_INTEGERS = st.integers(-(2**63), 2**63 - 1)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_KEYS = st.text(st.characters(codec="utf-8", exclude_characters=".[]"), min_size=1, max_size=4)

VALUES: dict[MetadataType, st.SearchStrategy[Value]] = {
    MetadataType.NUMERIC_INT: _INTEGERS,
    MetadataType.NUMERIC_FLOAT: _FLOATS,
    MetadataType.CATEGORICAL_STRING: _TEXT,
    MetadataType.CATEGORICAL_INT: _INTEGERS,
    MetadataType.CATEGORICAL_BOOLEAN: st.booleans(),
    MetadataType.CATEGORICAL_DATETIME: st.datetimes(timezones=st.none() | st.just(UTC)).map(
        lambda moment: moment.isoformat()
    ),
    MetadataType.CATEGORICAL_TIMESTAMP: _INTEGERS,
    MetadataType.OTHER_STRING: _TEXT,
}


@st.composite
def metadata_paths(draw: st.DrawFn) -> str:
    """Paths such as `key`, `key.other[2].third`."""
    path = draw(_KEYS)
    for step in draw(st.lists(_KEYS | st.integers(0, 3), max_size=3)):
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


@st.composite
def metadata_fields(draw: st.DrawFn) -> tuple[MetadataField, ...]:
    """Fields with names of their own; their paths may cross."""
    names = draw(st.lists(_TEXT.filter(bool), unique=True, max_size=4))
    fields = []
    for name in names:
        kind = draw(st.sampled_from(MetadataType))
        default = draw(st.none() | VALUES[kind])
        fields.append(MetadataField(name, draw(metadata_paths()), default, kind))
    return tuple(fields)
