from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from strategies_json import mutants, spelled, values
from tamis.formats.json_nodes import Kind, Node, parse_path, spell_path
from tamis.formats.json_parser import MAX_SYNTAX_FAULTS
from tamis.formats.json_source import MAX_FILE_BYTES, locate, parse
from tamis.model import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator


def all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*node.members.values(), *node.items):
        yield from all_nodes(child)


def refuse(token: str) -> None:
    raise ValueError(token)


def json_by_the_standard_library(text: str) -> Any:
    """The value, or ValueError; without what Python accepts beyond JSON (NaN, lone surrogates)."""
    value = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@given(spelled())
def test_json_reads_as_the_standard_library_reads_it(pair: tuple[Any, str]) -> None:
    """What is JSON has no problem and means the same as to `json.loads`."""
    value, text = pair
    source = parse(text.encode(), file="f")
    assert source.problems == []
    assert source.root is not None
    assert source.root.plain() == value


@given(spelled())
def test_every_value_stands_where_it_says(pair: tuple[Any, str]) -> None:
    """The text between a node's start and end spells the node; its position counts line feeds by hand."""
    _, text = pair
    source = parse(text.encode(), file="f")
    assert source.root is not None
    for node in all_nodes(source.root):
        assert json.loads(text[node.start : node.end]) == node.plain()
        before = text[: node.start].split("\n")
        assert source.position(node.start) == (len(before), len(before[-1]) + 1)


@given(spelled())
def test_every_value_is_found_by_its_path(pair: tuple[Any, str]) -> None:
    """`locate` and `find` lead from a node's path back to the node."""
    data = pair[1].encode()
    source = parse(data, file="f")
    assert source.root is not None
    for node in all_nodes(source.root):
        found = source.find(node.path)
        assert found is not None
        assert (found.start, found.end) == (node.start, node.end)
    assert locate(data, node.path) == source.position(node.start)


@given(st.lists(st.text(max_size=6) | st.integers(0, 10**6)))
def test_paths_come_back_from_their_spelling(steps: list[str | int]) -> None:
    """`parse_path` undoes `spell_path`, for keys of any characters."""
    assert parse_path(spell_path(steps)) == steps


@pytest.mark.parametrize("path", ["", "predictions", "$x", "$.", "$[", "$[-1]", "$.a b", '$["a]', "$[0]x"])
def test_what_is_no_path_leads_nowhere(path: str) -> None:
    """A text that is not a JSON path is `None` and locates nothing."""
    assert parse_path(path) is None
    assert locate(b'{"predictions": [0]}', path) is None


@pytest.mark.parametrize("path", ["$.b", "$.a[2]", "$.a.b", "$[0]", "$.a[0][0]", '$["a "]'])
def test_a_path_to_nothing_has_no_place(path: str) -> None:
    """A path that the text does not have locates nothing."""
    assert locate(b'{"a": [0, 1]}', path) is None


@given(mutants() | st.text("{}[],:\"\\ \n1.e-aN'/*"))
@example("1e999")
@example('"\\ud800\\udc00"')
@example('["\\udc00\\ud800"]')
@example("[1,\x0c2]")
@example("١")  # noqa: RUF001 (a digit that is none in JSON)
@example("[1٢]")
def test_faults_are_found_exactly_where_the_text_is_not_json(text: str) -> None:
    """A text has a problem if and only if the standard library refuses it; reading never raises."""
    source = parse(text.encode(), file="f")
    try:
        value = json_by_the_standard_library(text)
    except ValueError:
        assert source.problems
    else:
        assert source.problems == []
        assert source.root is not None
        assert source.root.plain() == value


@given(st.binary() | mutants().map(lambda text: text.encode("latin-1", "replace")))
def test_any_bytes_are_read(data: bytes) -> None:
    """Bytes of any kind give problems of known codes at places inside of the text, and never an exception."""
    source = parse(data, file="f", task="t")
    if source.root is None:
        assert source.problems
    for problem in source.problems:
        assert problem.code in CODES
        assert (problem.file, problem.task) == ("f", "t")
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.line <= data.count(b"\n") + 1
        assert 1 <= problem.column <= len(data) + 1
        problem.message.encode()


@given(spelled(st.lists(values, min_size=1) | st.dictionaries(st.text(), values, min_size=1)), st.data())
def test_a_cut_text_is_said_to_be_cut(pair: tuple[Any, str], data: st.DataObject) -> None:
    """Each beginning of a list or object is reported as truncated, whatever it was cut in."""
    text = pair[1]
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    codes = {problem.code for problem in parse(cut.encode(), file="f").problems}
    assert "json-truncated" in codes


_BAD_VALUES = ["NaN", "-Infinity", "01", "1.", ".5", "+1", "tru", "None", "'a'", '"\\q"', '"\t"', ""]


@given(entries=st.lists(st.sampled_from(_BAD_VALUES) | st.just("1"), min_size=2), is_object=st.booleans())
def test_each_bad_entry_is_one_problem(*, entries: list[str], is_object: bool) -> None:
    """Of a list or object with several unreadable values, exactly those are reported, each at its path."""
    if entries[-1] == "":
        entries = [*entries, "1"]  # nothing after the last comma is a trailing comma
    if is_object:
        text = "{" + ",".join(f'"k{i}": {entry}' for i, entry in enumerate(entries)) + "}"
        paths = [f"$.k{i}" for i, entry in enumerate(entries) if entry != "1"]
    else:
        text = "[" + ",".join(entries) + "]"
        paths = [f"$[{i}]" for i, entry in enumerate(entries) if entry != "1"]
    source = parse(text.encode(), file="f")
    assert [problem.path for problem in source.problems] == paths


@given(st.lists(st.sampled_from(["NaN", "Infinity", "-Infinity", "1", "2.5"])))
def test_numbers_that_are_not_finite_leave_the_rest_readable(entries: list[str]) -> None:
    """NaN and Infinity are problems, but the text counts as read and keeps its other values."""
    source = parse(f"[{', '.join(entries)}]".encode(), file="f")
    assert source.is_readable
    assert source.root is not None
    finite = [float(entry) if entry[0] in "12" else None for entry in entries]
    assert source.root.plain() == finite


@pytest.mark.parametrize("text", ['{"a": 1,}', "[1", "[1] 2", "", "[01]", "\ufeff[1]"])
def test_any_other_fault_makes_a_text_unreadable(text: str) -> None:
    """Only numbers that are not finite leave a text readable."""
    assert not parse(text.encode(), file="f").is_readable


def test_a_broken_container_is_marked_and_others_are_not() -> None:
    """`broken` is set where an entry may have been lost: in the list or object of the fault, not beside it."""
    source = parse(b'{"a": [1 2], "b": {"c" 3}, "d": [NaN], "e": {"f": 1}}', file="f")
    broken = {path: node.broken for path in "abde" if (node := source.find(f"$.{path}"))}
    assert broken == {"a": True, "b": True, "d": False, "e": False}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" + "1," * 50_000, "json-truncated"),
        ("[" * 10_000 + "]" * 10_000, "json-depth"),
        ("[" * 64 + "[1]" + "]" * 64, "json-depth"),
        ('{"a":' * 200_000, "json-depth"),
        ("[1," * 200_000, "json-depth"),
        ('"' * 200_001, "json-trailing-text"),
        ('"a" ' * 200_000, "json-trailing-text"),
        ("/* " * 200_000, "json-syntax"),
        ("'" * 200_000, "json-syntax"),
        ('{"a":1,' * 50_000, "json-syntax"),
        ('"\\' * 200_000, "json-truncated"),
        ('["' + "\\u" * 200_000 + '"]', "json-string"),
        (" " * 1_000_000, "json-empty"),
        ("[ " * 200_000, "json-depth"),
        ("-" * 200_000, "json-number"),
    ],
)
def test_hostile_texts_are_read_in_one_pass(text: str, code: str) -> None:
    """Deep, endless and garbled texts end with their first fault named (a quadratic reader would not end)."""
    assert parse(text.encode(), file="f").problems[0].code == code


def test_nesting_up_to_the_limit_is_read() -> None:
    """64 levels are JSON like any other."""
    assert parse(b"[" * 64 + b"]" * 64, file="f").problems == []


@pytest.mark.parametrize("wrap", ["{}", "[{}]", '{{"a": {}}}', "[1, {}]"])
def test_integers_too_long_for_python_read_as_infinity(wrap: str) -> None:
    """An integer of more than 4,300 digits is JSON; it overflows like 1e999, and nothing is raised."""
    source = parse(wrap.format("9" * 5000).encode(), file="f")
    assert source.problems == []
    assert source.root is not None
    (leaf,) = [node for node in all_nodes(source.root) if node.kind is Kind.NUMBER and node.value != 1]
    assert leaf.value == float("inf")


def test_garbage_is_given_up_after_a_hundred_faults() -> None:
    """A text that is anything but JSON ends with one problem that says so."""
    problems = parse(b"[" + b"1 " * 100_000 + b"]", file="f").problems
    assert len(problems) == MAX_SYNTAX_FAULTS + 1
    assert problems[-1].message == "expected JSON, got more than 100 faults; the rest was not read"


def test_numbers_that_are_not_finite_are_never_too_many() -> None:
    """Every NaN is listed: each drops a prediction of its own."""
    assert len(parse(b"[" + b"NaN," * 500 + b"1]", file="f").problems) == 500


def test_a_file_beyond_the_limit_is_not_parsed() -> None:
    """A file larger than the limit is one problem, without a place."""
    source = parse(b" " * (MAX_FILE_BYTES + 1), file="f")
    assert source.root is None
    assert [(p.code, p.line, p.message) for p in source.problems] == [
        ("file-too-large", None, "expected at most 67108864 bytes, got more")
    ]


def test_of_a_key_given_twice_the_last_counts_and_the_repetition_is_listed() -> None:
    """Each repetition is a duplicate at its own place and no problem of syntax."""
    source = parse(b'{"a": 1, "b": {"a": 2},\n "\\u0061": 3, "a": 4}', file="f")
    assert source.problems == []
    assert source.root is not None
    assert source.root.plain() == {"a": 4, "b": {"a": 2}}
    assert [(p.code, p.path, p.line, p.column, p.message) for p in source.duplicates] == [
        ("json-duplicate-key", "$.a", 2, 12, "expected each key once, got `a` again"),
        ("json-duplicate-key", "$.a", 2, 20, "expected each key once, got `a` again"),
    ]


@settings(max_examples=50)
@given(mutants())
def test_what_was_parsed_is_freed_without_the_collector(text: str) -> None:
    """Nodes make no reference cycles: scans run with collection off."""
    parse(text.encode(), file="f")  # fills the caches of `re` and `json`
    gc.collect(1)
    gc.freeze()
    gc.disable()
    try:
        parse(text.encode(), file="f")
        assert gc.collect() == 0
    finally:
        gc.enable()
        gc.unfreeze()


def test_problems_are_placed_at_a_node_a_path_or_the_file() -> None:
    """`Source.problem` takes any of the three and fills in what it can know."""
    source = parse(b'{"a":\n  [true]}', file="f", task="t")
    node = source.find("$.a[0]")
    at_node = source.problem(node, "wrong-type", "m", hint="h")
    at_path = source.problem("$.a[0]", "wrong-type", "m", hint="h")
    assert at_node == at_path
    assert (at_node.file, at_node.task, at_node.path, at_node.line, at_node.column) == ("f", "t", "$.a[0]", 2, 4)
    assert (at_node.code, at_node.message, at_node.hint) == ("wrong-type", "m", "h")
    nowhere = source.problem("$.b", "missing-field", "m")
    assert (nowhere.path, nowhere.line, nowhere.column) == ("$.b", None, None)
    whole = source.problem(None, "missing-field", "m")
    assert (whole.path, whole.line) == (None, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[1, 2]", "a list of 2"),
        ("[]", "a list of 0"),
        ('{"a": 1}', "an object"),
        ('"0.9"', 'the string `"0.9"`'),
        ("1.50", "`1.50`"),
        ("null", "`null`"),
        ('"' + "x" * 50 + '"', 'the string `"' + "x" * 36 + "...`"),
        ('"\u202e"', 'the string `"\\u202e"`'),
    ],
)
def test_values_are_shown_as_written(text: str, shown: str) -> None:
    """Messages show scalars as the file spells them, shortened and printable, and containers by their kind."""
    root = parse(text.encode(), file="f").root
    assert root is not None
    assert root.shown == shown
