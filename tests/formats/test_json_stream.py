from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.formats import JsonStream, JsonStreamError, Unreadable

_scalars = (
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats(-1, 1) | st.text('ab"\\{}[],é \n', max_size=6)
)
_values = st.recursive(
    _scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text('a"{}', max_size=3), v, max_size=3)
)
_objects = st.dictionaries(st.text('ab"{},', max_size=3), _values, max_size=3)


def _stream(text: str | bytes, piece_bytes: int = 7) -> JsonStream:
    data = text.encode() if isinstance(text, str) else text
    return JsonStream(io.BytesIO(data).read, piece_bytes)


def _all(text: str | bytes, kind: Any = dict[str, Any], piece_bytes: int = 7) -> list[Any]:
    pieces = list(_stream(text, piece_bytes).elements(kind))
    starts = [piece.first for piece in pieces]
    assert starts == [sum(len(piece.values) for piece in pieces[:i]) for i in range(len(pieces))]
    return [value for piece in pieces for value in piece.values]


@given(
    st.lists(_objects, max_size=8),
    st.sampled_from([None, 1, 3]),
    st.sampled_from(["ascii", "utf-8"]),
    st.integers(1, 60),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_elements_are_those_of_the_whole_text(
    values: list[Any], indent: int | None, encoding: str, piece_bytes: int, bom: bytes
) -> None:
    """Read in pieces of any size, a list has the elements that it has when it is parsed whole."""
    text = json.dumps(values, indent=indent, ensure_ascii=encoding == "ascii").encode()
    assert _all(bom + text, piece_bytes=piece_bytes) == values


@given(st.lists(_values, max_size=8), st.integers(1, 60))
def test_elements_may_be_anything(values: list[Any], piece_bytes: int) -> None:
    """Lists of scalars and lists are read as well as lists of objects."""
    assert _all(json.dumps(values), object, piece_bytes) == values


@given(st.dictionaries(st.text('ab"{', max_size=3), _values, max_size=5), st.integers(1, 60), st.data())
def test_members_not_read_are_passed_over(document: dict[str, Any], piece_bytes: int, data: st.DataObject) -> None:
    """Whatever members of an object are read or left, all keys are seen in order, and what is read is right."""
    stream = _stream(json.dumps(document), piece_bytes)
    seen = []
    for key in stream.members():
        seen.append(key)
        value = document[key]
        if isinstance(value, list) and data.draw(st.booleans()):
            assert [v for piece in stream.elements(object) for v in piece.values] == value
        elif data.draw(st.booleans()):
            assert stream.value(object) == value
    assert seen == list(document)
    assert stream.peek() == ""


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 60))
def test_a_bad_element_is_one_bad_element(kinds: list[int], piece_bytes: int) -> None:
    """Elements that are no JSON or of another type are reported each at its place; all others are read."""
    texts = ['{"a": 1}', '{"a": "x"}', '{"a": NaN}', "{'a': 1}"]
    found = _all("[" + ", ".join(texts[kind] for kind in kinds) + "]", dict[str, int], piece_bytes)
    assert [isinstance(value, Unreadable) for value in found] == [kind != 0 for kind in kinds]
    assert [v.text.decode() for v in found if isinstance(v, Unreadable)] == [texts[k] for k in kinds if k]


@given(st.lists(_objects, min_size=1, max_size=6), st.integers(1, 40), st.data())
def test_a_text_that_breaks_off_gives_what_is_whole(
    values: list[Any], piece_bytes: int, data: st.DataObject
) -> None:
    """Cut anywhere, a list yields the elements whose comma is still there, and then says that it breaks off."""
    text = json.dumps(values)
    cut = data.draw(st.integers(1, len(text) - 1))
    found: list[Any] = []
    pieces = _stream(text[:cut], piece_bytes).elements(dict[str, Any])
    with pytest.raises(JsonStreamError, match="byte"):
        found.extend(value for piece in pieces for value in piece.values)
    with_comma = [n for n in range(len(values)) if n == 0 or len(json.dumps(values[:n])) <= cut]
    assert found == values[: max(with_comma)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected `[`, got the end of the text at byte 0"),
        ("{}", "expected `[`, got `{` at byte 0"),
        ("[1 2]", ""),
        ("[1}", "expected `,` or `]`, got `}` at byte 2"),
        ('["a', "the text ends within an element at byte 1"),
    ],
)
def test_what_is_no_list_says_where(text: str, said: str) -> None:
    """Text that cannot be read on is an error with its place, or a bad element."""
    if not said:
        [value] = _all(text, int)
        assert isinstance(value, Unreadable)
        return
    with pytest.raises(JsonStreamError) as caught:
        _all(text, int)
    assert str(caught.value) == said


def test_structs_are_decoded_as_such() -> None:
    """Elements come as the wanted type, and unknown keys cost nothing."""

    class Point(msgspec.Struct):
        x: int

    assert _all('[{"x": 1, "y": [{}, {}]}, {"x": 2}]', Point) == [Point(1), Point(2)]
