"""JSON values, the texts that spell them, and texts that are only nearly JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_PIECES = [
    *"{}[],:\"\\ \n\t-+.0123456789eE/*#'",
    "NaN",
    "Infinity",
    "null",
    "tru",
    '"a":',
    "[1,2]",
    "\\u",
    "\\ud800",
    "é",
    "\0",
]

numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=5) | st.lists(numbers, max_size=5) | st.dictionaries(texts, inner, max_size=5)
    ),
    max_leaves=20,
)


@st.composite
def spelled(draw: st.DrawFn, value: st.SearchStrategy[Any] = values) -> tuple[Any, str]:
    """A value and one of the texts that spell it."""
    drawn = draw(value)
    text = json.dumps(
        drawn,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 1, "\t"])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", "\t: ")])),
    )
    return drawn, text


@st.composite
def mutants(draw: st.DrawFn, originals: st.SearchStrategy[str] | None = None) -> str:
    """A JSON text with one to three spans replaced by pieces of JSON."""
    text = draw(originals if originals is not None else spelled().map(lambda pair: pair[1]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + "".join(draw(st.lists(st.sampled_from(_PIECES), max_size=2))) + text[end:]
    return text
